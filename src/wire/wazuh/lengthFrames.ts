/** Frames of the manager's daemons: a length of four bytes, least first, and that many bytes. */
import { ClusterError } from '../../base/errors.js'
import { GrowingBytes } from '../../base/growingBytes.js'

const headBytes = 4
const keptBytes = 64 * 1024

export const lengthFrame = (payload: Uint8Array): Buffer => {
  const frame = Buffer.allocUnsafe(headBytes + payload.length)
  frame.writeUInt32LE(payload.length)
  frame.set(payload, headBytes)
  return frame
}

/** What came of a stream, as the frames in it. It holds what came: a length that is only claimed costs nothing. */
export class LengthFrameReader {
  readonly #payloadBytesMax: number
  readonly #gathered = new GrowingBytes(headBytes)

  constructor(payloadBytesMax: number) {
    this.#payloadBytesMax = payloadBytesMax
  }

  /** Bytes that are not a whole frame yet. */
  get isWithin(): boolean {
    return this.#gathered.length > 0
  }

  append(bytes: Uint8Array): void {
    this.#gathered.append(bytes)
  }

  /** The next payload, undefined until it is whole. Fails with `tooLarge`; nothing after that can be read. */
  next(): Buffer | undefined {
    const { bytes, length } = this.#gathered
    if (length < headBytes) return undefined
    const payloadBytes = bytes.readUInt32LE(0)
    if (payloadBytes > this.#payloadBytesMax)
      throw new ClusterError('tooLarge', {
        message: `A frame says that it has ${payloadBytes} bytes: at most ${this.#payloadBytesMax} are read`,
      })
    if (length < headBytes + payloadBytes) return undefined
    const payload = Buffer.from(bytes.subarray(headBytes, headBytes + payloadBytes))
    this.#gathered.drop(headBytes + payloadBytes)
    this.#gathered.shrink(keptBytes)
    return payload
  }
}
