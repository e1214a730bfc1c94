/**
 * Credit of one stream: the sender spends it with each chunk, the receiver gives it back as chunks are taken. What a sender
 * may have under way is what an idle reader costs at most.
 */
import { ok, type Result, refuse } from '../../base/errors.js'

/** Each chunk costs this much more than its bytes, so that a window of tiny chunks does not hold a million objects. */
const chunkOverheadBytes = 256

export const chunkCost = (chunkBytes: number): number => chunkBytes + chunkOverheadBytes

export class SendWindow {
  readonly #windowBytes: number
  #credit: number

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes
    this.#credit = windowBytes
  }

  get credit(): number {
    return this.#credit
  }

  allows(chunkBytes: number): boolean {
    return chunkCost(chunkBytes) <= this.#credit
  }

  spend(chunkBytes: number): void {
    this.#credit -= chunkCost(chunkBytes)
  }

  /** A peer that returns more than it got is lying. */
  refill(bytes: number): Result<void> {
    if (this.#credit + bytes > this.#windowBytes) return refuse('malformed', { message: 'A stream got more credit than its window' })
    this.#credit += bytes
    return ok(undefined)
  }
}

export class ReceiveWindow {
  readonly #windowBytes: number
  /** Not yet taken by the reader, or taken and not yet returned as credit. */
  #held = 0
  #owed = 0

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes
  }

  receive(chunkBytes: number): Result<void> {
    if (this.#held + chunkCost(chunkBytes) > this.#windowBytes) return refuse('tooLarge', { message: 'A stream went over its window' })
    this.#held += chunkCost(chunkBytes)
    return ok(undefined)
  }

  /** The credit to return now: 0 until a quarter of the window is owed. */
  take(chunkBytes: number): number {
    this.#owed += chunkCost(chunkBytes)
    if (this.#owed < this.#windowBytes / 4) return 0
    const credit = this.#owed
    this.#owed = 0
    this.#held -= credit
    return credit
  }
}
