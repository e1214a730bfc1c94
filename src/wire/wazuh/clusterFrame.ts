/**
 * Frames of Wazuh's clusters: `u32 counter`, `u32 length` (both big-endian), 12 bytes of command, and that many bytes of payload. The local
 * socket has them as they are; between nodes a payload is a Fernet token. A long message is divided: its frames have the same counter,
 * and all but the last are marked.
 */
import { bufferOver } from '../../base/bytes.js'
import { ok, type Result, refuse } from '../../base/errors.js'
import { GrowingBytes } from '../../base/growingBytes.js'
import { invariant } from '../../base/invariant.js'

export interface ClusterMessage {
  /** Of the request; its answer has the same one. */
  readonly counter: number
  /** One character for each byte. */
  readonly command: string
  readonly payload: Buffer
}

export const clusterHeaderBytes = 20
/** A payload of more bytes is divided, into frames of this many in all. */
export const clusterFrameBytesMax = 5_242_880
/** The name of a command; the last byte of the field is the mark of a divided message. */
const nameBytesMax = 11
const commandAt = 8
const markAt = clusterHeaderBytes - 1
const divided = 0x64
const dash = 0x2d
const space = 0x20
/** What a frame whose rest has not come takes from the start: it grows with what comes, never with what was announced. */
const partBytesMin = 4_096

/**
 * The parts of a message as they are written one after the other; the payload is not copied.
 *
 * @param isDivided between nodes the length of what was sealed decides, not that of the token
 */
export const clusterFrames = (
  { command, counter, payload }: { readonly command: string; readonly counter: number; readonly payload: Uint8Array },
  isDivided = payload.byteLength > clusterFrameBytesMax,
): readonly Uint8Array[] => {
  invariant(Buffer.byteLength(command, 'latin1') <= nameBytesMax, 'a command fits into its field')
  if (!isDivided) return [headerOf(counter, payload.byteLength, command, false), payload]
  const partBytes = clusterFrameBytesMax - clusterHeaderBytes
  const parts: Uint8Array[] = []
  for (let from = 0; from === 0 || from < payload.byteLength; from += partBytes) {
    const part = payload.subarray(from, from + partBytes)
    parts.push(headerOf(counter, part.byteLength, command, from + partBytes < payload.byteLength), part)
  }
  return parts
}

const headerOf = (counter: number, length: number, command: string, isPart: boolean): Buffer => {
  const header = Buffer.alloc(clusterHeaderBytes, dash)
  header.writeUInt32BE(counter, 0)
  header.writeUInt32BE(length, 4)
  header.write(`${command} `, commandAt, 'latin1')
  if (isPart) header[markAt] = divided
  return header
}

export interface ClusterFrameLimits {
  /** Of a message, and of all that waits for its rest. */
  readonly messageBytesMax: number
  /** Divided messages whose last frame has not come. */
  readonly dividedMax: number
}

interface Frame {
  readonly counter: number
  readonly length: number
  readonly command: string
  readonly isPart: boolean
}

const none = Buffer.alloc(0)

/** Messages of one stream. After a refusal it reads no more. */
export class ClusterFrameReader {
  readonly #limits: ClusterFrameLimits
  #read: Buffer = none
  #at = 0
  readonly #header = Buffer.alloc(clusterHeaderBytes)
  #headerBytes = 0
  /** Whose payload is not all there. */
  #frame: Frame | undefined
  #part: GrowingBytes | undefined
  readonly #divided = new Map<number, GrowingBytes>()
  #dividedBytes = 0
  #refusal: ReturnType<typeof refuse> | undefined

  constructor(limits: ClusterFrameLimits) {
    this.#limits = limits
  }

  /** Bytes of payloads that wait for their rest. */
  get held(): number {
    return this.#dividedBytes + (this.#part?.length ?? 0)
  }

  /** Something began whose end has not come. */
  get isWithin(): boolean {
    return this.#headerBytes > 0 || this.#frame !== undefined || this.#divided.size > 0
  }

  /** Only when `next` has returned undefined. The bytes belong to the messages that are made of them. */
  append(bytes: Uint8Array): void {
    this.#read = bufferOver(bytes)
    this.#at = 0
  }

  /** The next whole message; undefined when it is not all there. Refuses with `tooLarge` and `overloaded`. */
  next(): Result<ClusterMessage | undefined> {
    while (!this.#refusal) {
      const frame = this.#frame ?? this.#nextFrame()
      if (!frame) break
      const payload = this.#payloadOf(frame)
      if (!payload) break
      this.#frame = undefined
      this.#part = undefined
      const message = this.#messageOf(frame, payload)
      if (message) return ok(message)
    }
    return this.#refusal ?? ok(undefined)
  }

  #nextFrame(): Frame | undefined {
    const taken = this.#read.copy(this.#header, this.#headerBytes, this.#at, this.#at + clusterHeaderBytes - this.#headerBytes)
    this.#at += taken
    this.#headerBytes += taken
    if (this.#headerBytes < clusterHeaderBytes) return undefined
    this.#headerBytes = 0
    const length = this.#header.readUInt32BE(4)
    const { messageBytesMax } = this.#limits
    if (length + this.#dividedBytes > messageBytesMax) {
      this.#refuse('tooLarge', `A message of ${length + this.#dividedBytes} bytes is over the limit of ${messageBytesMax}`)
      return undefined
    }
    const name = this.#header.subarray(commandAt, markAt)
    const end = name.indexOf(space)
    const command = name.toString('latin1', 0, end < 0 ? name.byteLength : end)
    this.#frame = { counter: this.#header.readUInt32BE(0), length, command, isPart: this.#header[markAt] === divided }
    return this.#frame
  }

  #payloadOf({ length }: Frame): Buffer | undefined {
    const missing = length - (this.#part?.length ?? 0)
    const part = this.#read.subarray(this.#at, this.#at + missing)
    this.#at += part.byteLength
    if (!this.#part && part.byteLength === length) return part
    this.#part ??= new GrowingBytes(Math.min(length, partBytesMin))
    this.#part.append(part)
    return this.#part.length === length ? this.#part.bytes.subarray(0, length) : undefined
  }

  #messageOf({ command, counter, isPart }: Frame, payload: Buffer): ClusterMessage | undefined {
    const earlier = this.#divided.get(counter)
    if (!earlier && !isPart) return { command, counter, payload }
    if (!earlier && this.#divided.size >= this.#limits.dividedMax) {
      this.#refuse('overloaded', `More than ${this.#limits.dividedMax} divided messages are under way`)
      return undefined
    }
    const parts = earlier ?? new GrowingBytes(Math.max(payload.byteLength, partBytesMin))
    parts.append(payload)
    if (isPart) {
      this.#divided.set(counter, parts)
      this.#dividedBytes += payload.byteLength
      return undefined
    }
    this.#divided.delete(counter)
    this.#dividedBytes -= parts.length - payload.byteLength
    return { command, counter, payload: parts.bytes.subarray(0, parts.length) }
  }

  #refuse(code: 'tooLarge' | 'overloaded', message: string): void {
    this.#refusal = refuse(code, { message })
    this.#read = none
    this.#at = 0
    this.#frame = undefined
    this.#part = undefined
    this.#divided.clear()
    this.#dividedBytes = 0
  }
}
