/**
 * A merged.mg on its way to an agent: a start with its sum, pieces that are messages of nothing but content, and an end. The agent takes
 * a piece that begins like a control message for one, and ends each at its first NUL: so borders are chosen, and content with a NUL
 * cannot be sent.
 */
import { createHash } from 'node:crypto'
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { isControl } from './controlMessage.js'

/** What is wrong with the content, as a refusal with `malformed`, when an agent would not get it as it is. */
export const checkPushable = (content: Uint8Array): Result<undefined> => {
  if (content.byteLength === 0) return refuse('malformed', { message: 'A merged.mg without content cannot be sent to an agent' })
  if (content.includes(0)) return refuse('malformed', { message: 'A merged.mg with a NUL in it cannot be sent to an agent' })
  if (isControl(content))
    return refuse('malformed', { message: 'A merged.mg that begins like a control message cannot be sent to an agent' })
  return ok(undefined)
}

/** Where the piece that begins at `from` ends, in content that can be pushed. */
export const pushPieceEnd = (content: Uint8Array, from: number): number => {
  const end = Math.min(from + limits.agentPushChunkBytesMax, content.byteLength)
  return isControl(content.subarray(end, end + 3)) ? end - 1 : end
}

/** What an agent has received of a merged.mg. */
export class MergedReceiver {
  #expected: string | undefined
  #pieces: Uint8Array[] = []
  #bytes = 0

  get isReceiving(): boolean {
    return this.#expected !== undefined
  }

  /** What came of another one before is forgotten. */
  start(sum: string): void {
    this.#expected = sum
    this.#pieces = []
    this.#bytes = 0
  }

  /** Copies the piece. Content that is too large is forgotten, with a refusal. */
  take(piece: Uint8Array): Result<undefined> {
    if (this.#expected === undefined) return ok(undefined)
    this.#bytes += piece.byteLength
    if (this.#bytes > limits.mergedBytesMax) {
      this.#forget()
      return refuse('tooLarge', { message: `A merged.mg is over the limit of ${limits.mergedBytesMax} bytes` })
    }
    this.#pieces.push(Uint8Array.from(piece))
    return ok(undefined)
  }

  /** Undefined when nothing was started. Refuses with `digestMismatch` what is not what was announced. */
  end(): Result<Buffer | undefined> {
    const expected = this.#expected
    const content = Buffer.concat(this.#pieces)
    this.#forget()
    if (expected === undefined) return ok(undefined)
    if (createHash('md5').update(content).digest('hex') === expected) return ok(content)
    return refuse('digestMismatch', { message: 'A merged.mg that was received is not the one that was announced' })
  }

  #forget(): void {
    this.#expected = undefined
    this.#pieces = []
    this.#bytes = 0
  }
}
