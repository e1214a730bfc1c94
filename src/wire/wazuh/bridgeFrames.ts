/**
 * Frames between a node and the program that carries out requests in Wazuh's framework: the number of a request (4 bytes), a kind (1 byte), a
 * length (4 bytes), all big endian, and that many bytes. See platform/manager/python/muster_api_bridge.py.
 */
import { ok, type Result, refuse } from '../../base/errors.js'
import { GrowingBytes } from '../../base/growingBytes.js'
import { limits } from '../../base/limits.js'

/** What the node says: carry this out; send the next chunk of the answer; it is no longer waited for. */
export const bridgeAsks = { run: 1, more: 2, drop: 3 } as const
/** What the program says. */
const kinds = { 16: 'ready', 17: 'answer', 18: 'exception', 19: 'chunk', 20: 'gone' } as const

/** An answer and an exception are announced with their length, and come in chunks; `gone`: a dropped one has ended. */
export type BridgeFrame =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer' | 'exception'; readonly number: number; readonly bytes: number }
  | { readonly kind: 'chunk'; readonly number: number; readonly chunk: Buffer }
  | { readonly kind: 'gone'; readonly number: number }

const headBytes = 9
const lengthBytes = 8
const keptBytes = 64 * 1024

/** The head of a frame; its payload follows as it is, since it may be large. */
export const bridgeFrameHead = (number: number, kind: number, payloadBytes: number): Buffer => {
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt32BE(number)
  head.writeUInt8(kind, 4)
  head.writeUInt32BE(payloadBytes, 5)
  return head
}

/** What the program writes, as frames. After a refusal nothing can be read any more. */
export class BridgeFrameReader {
  readonly #gathered = new GrowingBytes(headBytes)

  append(bytes: Uint8Array): void {
    this.#gathered.append(bytes)
  }

  /** Undefined until the next one is whole. */
  next(): Result<BridgeFrame | undefined> {
    const { bytes, length } = this.#gathered
    if (length < headBytes) return ok(undefined)
    const number = bytes.readUInt32BE(0)
    const kindByte = bytes.readUInt8(4)
    const payloadBytes = bytes.readUInt32BE(5)
    const kind = kindOf(kindByte)
    if (!kind) return refuse('malformed', { message: `A frame has the unknown kind ${kindByte}` })
    if (payloadBytes > limits.streamChunkBytesMax) return refuse('tooLarge', { message: `A frame says that it has ${payloadBytes} bytes` })
    if (length < headBytes + payloadBytes) return ok(undefined)
    const payload = Buffer.from(bytes.subarray(headBytes, headBytes + payloadBytes))
    this.#gathered.drop(headBytes + payloadBytes)
    this.#gathered.shrink(keptBytes)
    return frameOf(kind, number, payload)
  }
}

type Kind = (typeof kinds)[keyof typeof kinds]

const kindOf = (byte: number): Kind | undefined => (Object.hasOwn(kinds, byte) ? kinds[byte as keyof typeof kinds] : undefined)

const frameOf = (kind: Kind, number: number, payload: Buffer): Result<BridgeFrame> => {
  switch (kind) {
    case 'ready':
      return ok({ kind })
    case 'gone':
      return ok({ kind, number })
    case 'chunk':
      return payload.length === 0 ? refuse('malformed', { message: 'A chunk is empty' }) : ok({ kind, number, chunk: payload })
    default: {
      if (payload.length !== lengthBytes) return refuse('malformed', { message: 'An answer is announced without its length' })
      const bytes = payload.readBigUInt64BE()
      if (bytes > BigInt(limits.carriedBytesMax)) return refuse('tooLarge', { message: `An answer of ${bytes} bytes is announced` })
      return ok({ kind, number, bytes: Number(bytes) })
    }
  }
}
