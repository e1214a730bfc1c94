/**
 * Frames: `u32 length` (authenticated) and that many bytes of ciphertext with its tag. A gatherer makes frames again of reads
 * that are split and joined anyhow; a sealer and an opener count frames and renew the key in step.
 */
import { ok, type Result, refuse } from '../../base/errors.js'
import { type Cipher, tagBytes } from './cipherState.js'

export const frameHeaderBytes = 4
const joinedBytesMax = 32 * 1024

export interface SealedFrame {
  readonly header: Uint8Array
  readonly sealed: Uint8Array
}

export class FrameSealer {
  readonly #cipher: Cipher
  readonly #framesPerRekey: number

  constructor(cipher: Cipher, framesPerRekey: number) {
    this.#cipher = cipher
    this.#framesPerRekey = framesPerRekey
  }

  /** What goes to the wire, in order. */
  seal(parts: readonly Uint8Array[], plainBytes: number): Uint8Array[] {
    // A small frame leaves as one piece: a system call with several costs more than the copy.
    const joins = plainBytes <= joinedBytesMax
    const wire = Buffer.allocUnsafe(joins ? frameHeaderBytes + plainBytes + tagBytes : frameHeaderBytes)
    wire.writeUInt32BE(plainBytes + tagBytes)
    const header = joins ? wire.subarray(0, frameHeaderBytes) : wire
    const { parts: sealed, tag } = this.#cipher.seal(header, parts)
    if (this.#cipher.count % this.#framesPerRekey === 0) this.#cipher.rekey()
    if (!joins) return [header, ...sealed, tag]
    let at = frameHeaderBytes
    for (const part of sealed) {
      wire.set(part, at)
      at += part.byteLength
    }
    wire.set(tag, at)
    return [wire]
  }
}

export class FrameOpener {
  readonly #cipher: Cipher
  readonly #framesPerRekey: number

  constructor(cipher: Cipher, framesPerRekey: number) {
    this.#cipher = cipher
    this.#framesPerRekey = framesPerRekey
  }

  open({ header, sealed }: SealedFrame): Result<Buffer> {
    const opened = this.#cipher.open(header, sealed)
    if (this.#cipher.count % this.#framesPerRekey === 0) this.#cipher.rekey()
    return opened
  }
}

const none = Buffer.alloc(0)

export class FrameGatherer {
  /** Ciphertext and tag, in bytes, that a peer may announce. */
  #sealedBytesMax: number
  /** The last read, or `#own`. */
  #store: Buffer = none
  /** For frames that come in parts. Kept from one to the next, until a read brings nothing but whole frames. */
  #own: Buffer = none
  #start = 0
  #end = 0

  constructor(plainBytesMax: number) {
    this.#sealedBytesMax = plainBytesMax + tagBytes
  }

  set plainBytesMax(bytes: number) {
    this.#sealedBytesMax = bytes + tagBytes
  }

  /** Bytes that wait for the rest of their frame. */
  get waiting(): number {
    return this.#end - this.#start
  }

  append(bytes: Uint8Array): void {
    if (this.waiting === 0) {
      // The common case: no leftover, so the read itself is the store and nothing is copied or kept.
      this.#store = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.#start = 0
      this.#end = bytes.byteLength
      return
    }
    this.#makeRoom(bytes.byteLength)
    this.#store.set(bytes, this.#end)
    this.#end += bytes.byteLength
  }

  /** The next whole frame, valid until the next `append`; undefined when it is not all there. */
  next(): Result<SealedFrame | undefined> {
    if (this.waiting < frameHeaderBytes) return this.#nothingYet()
    const sealedBytes = this.#store.readUInt32BE(this.#start)
    if (sealedBytes > this.#sealedBytesMax)
      return refuse('tooLarge', { message: `A frame of ${sealedBytes} bytes is over the limit of ${this.#sealedBytesMax}` })
    if (sealedBytes <= tagBytes) return refuse('malformed', { message: 'A frame is empty' })
    const bodyAt = this.#start + frameHeaderBytes
    const bodyEnd = bodyAt + sealedBytes
    if (bodyEnd > this.#end) return this.#nothingYet()
    const frame = { header: this.#store.subarray(this.#start, bodyAt), sealed: this.#store.subarray(bodyAt, bodyEnd) }
    this.#start = bodyEnd
    return ok(frame)
  }

  #nothingYet(): Result<undefined> {
    if (this.waiting === 0) {
      if (this.#store !== this.#own) this.#own = none
      this.#store = none
      this.#start = 0
      this.#end = 0
    }
    return ok(undefined)
  }

  /** Grows with what has really come, not with what is announced: a peer that announces much and sends little holds little. */
  #makeRoom(bytes: number): void {
    if (this.#end + bytes <= this.#store.byteLength) return
    const { waiting } = this
    const from = this.#store
    if (waiting + bytes > this.#own.byteLength) this.#own = Buffer.allocUnsafeSlow(Math.max(waiting + bytes, this.#growth()))
    from.copy(this.#own, 0, this.#start, this.#end)
    this.#store = this.#own
    this.#start = 0
    this.#end = waiting
  }

  #growth(): number {
    const waiting = this.waiting
    if (waiting < frameHeaderBytes) return 0
    const announced = frameHeaderBytes + Math.min(this.#store.readUInt32BE(this.#start), this.#sealedBytesMax)
    // Room for the read that brings the frame's end and the start of the next one.
    return Math.min(announced + 64 * 1024, 8 * waiting)
  }
}
