/** Waits for something that shows on the disk: checks often, gives up at a deadline, and ends early when its signal is aborted. */
import { setTimeout as pause } from 'node:timers/promises'

export interface WaitOptions {
  /** Milliseconds. */
  readonly deadlineMs?: number
  /** Milliseconds between two checks. */
  readonly everyMs?: number
  readonly signal?: AbortSignal | undefined
}

const everyMsDefault = 5
const deadlineMsDefault = 20_000

/**
 * Resolves with the milliseconds that passed until `holds` was true.
 * Fails with a sentence built of `what`, and of `holds` itself where it returned one, when that takes too long.
 */
export const waitFor = async (
  what: string,
  holds: () => boolean | string | Promise<boolean | string>,
  options: WaitOptions = {},
): Promise<number> => {
  const { deadlineMs = deadlineMsDefault, everyMs = everyMsDefault, signal } = options
  const startMs = performance.now()
  for (;;) {
    const now = await holds()
    const tookMs = performance.now() - startMs
    if (now === true) return tookMs
    if (tookMs > deadlineMs) throw new Error(`${what}: not within ${deadlineMs / 1000} s${typeof now === 'string' ? ` (${now})` : ''}`)
    await pause(everyMs, undefined, { ...(signal && { signal }) })
  }
}
