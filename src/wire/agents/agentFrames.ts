/**
 * Frames of the agents' protocol over TCP: `u32 length` (little-endian) and that many bytes of message. A reader makes messages again
 * of reads that are split and joined anyhow, and copies only messages that a border of reads goes through.
 */
import { bufferOver } from '../../base/bytes.js'
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'

export const frameHeaderBytes = 4
const none = Buffer.alloc(0)
const partBytesMin = 512

/** The frame of a message, in one piece. */
export const framed = (message: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + message.byteLength)
  frame.writeUInt32LE(message.byteLength)
  frame.set(message, frameHeaderBytes)
  return frame
}

/** Frames of one stream. After a refusal it reads no more. */
export class AgentFrameReader {
  #read: Buffer = none
  #at = 0
  /** The beginning of a frame whose rest has not come. Grows with what came, never with what was announced. */
  #part: Buffer = none
  #partBytes = 0
  #refusal: ReturnType<typeof refuse> | undefined

  /** Bytes that wait for the rest of their frame. */
  get waiting(): number {
    return this.#partBytes + this.#read.byteLength - this.#at
  }

  /** Only when `next` has returned undefined; the bytes must not change until it does again. */
  append(bytes: Uint8Array): void {
    this.#keepRest()
    this.#read = bufferOver(bytes)
    this.#at = 0
  }

  /**
   * The next whole message, valid until the next call of `next` or `append`; undefined when it is not all there. Refuses with
   * `malformed` and `tooLarge`.
   */
  next(): Result<Buffer | undefined> {
    if (this.#refusal) return this.#refusal
    if (this.#partBytes > 0) return this.#nextOfPart()
    const from = this.#at + frameHeaderBytes
    if (from > this.#read.byteLength) return this.#nothingYet()
    const bytes = this.#read.readUInt32LE(this.#at)
    if (!isLength(bytes)) return this.#refuse(bytes)
    if (from + bytes > this.#read.byteLength) return this.#nothingYet()
    this.#at = from + bytes
    return ok(this.#read.subarray(from, this.#at))
  }

  #nextOfPart(): Result<Buffer | undefined> {
    if (!this.#fillPart(frameHeaderBytes)) return this.#nothingYet()
    const bytes = this.#part.readUInt32LE(0)
    if (!isLength(bytes)) return this.#refuse(bytes)
    if (!this.#fillPart(frameHeaderBytes + bytes)) return this.#nothingYet()
    const message = this.#part.subarray(frameHeaderBytes, frameHeaderBytes + bytes)
    this.#part = none
    this.#partBytes = 0
    return ok(message)
  }

  #nothingYet(): Result<undefined> {
    this.#keepRest()
    return ok(undefined)
  }

  #keepRest(): void {
    this.#fillPart(this.#partBytes + this.#read.byteLength - this.#at)
    this.#read = none
    this.#at = 0
  }

  /** Takes from the read until the part has this many bytes; false when the read ends before. */
  #fillPart(bytes: number): boolean {
    const taken = Math.min(bytes - this.#partBytes, this.#read.byteLength - this.#at)
    const end = this.#partBytes + taken
    if (taken > 0) {
      if (end > this.#part.byteLength) {
        const grown = Buffer.allocUnsafeSlow(Math.max(end, Math.min(2 * end, bytes), partBytesMin))
        this.#part.copy(grown, 0, 0, this.#partBytes)
        this.#part = grown
      }
      this.#read.copy(this.#part, this.#partBytes, this.#at, this.#at + taken)
      this.#partBytes = end
      this.#at += taken
    }
    return end >= bytes
  }

  #refuse(bytes: number): Result<undefined> {
    this.#refusal =
      bytes === 0
        ? refuse('malformed', { message: 'A frame is empty' })
        : refuse('tooLarge', { message: `A frame of ${bytes} bytes is over the limit of ${limits.agentFrameBytesMax}` })
    this.#read = none
    this.#at = 0
    this.#part = none
    this.#partBytes = 0
    return this.#refusal
  }
}

const isLength = (bytes: number): boolean => bytes > 0 && bytes <= limits.agentFrameBytesMax
