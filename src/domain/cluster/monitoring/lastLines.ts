/** The last lines of a node's log that say that something is wrong, as far back as there is room. One that is said again stands once, where it was said last. */
import { visibleLine } from '../../../base/escapeText.js'
import { limits } from '../../../base/limits.js'
import { shortened } from '../../../base/logText.js'

export interface LastLine {
  readonly atMs: number
  readonly level: 'error' | 'warning'
  /** As the log has it, with the place before the message. */
  readonly text: string
}

export class LastLines {
  readonly #linesMax: number
  /** In order of when they were said last. */
  readonly #lines = new Map<string, LastLine>()

  constructor(linesMax: number = limits.lastLinesMax) {
    this.#linesMax = linesMax
  }

  add({ atMs, level, text }: LastLine): void {
    const shown = shortened(visibleLine(text), limits.lastLineCharsMax - 1)
    const key = `${level} ${shown}`
    this.#lines.delete(key)
    this.#lines.set(key, { atMs, level, text: shown })
    const [oldest] = this.#lines.keys()
    if (this.#lines.size > this.#linesMax && oldest !== undefined) this.#lines.delete(oldest)
  }

  /** The last one first. */
  get newestFirst(): readonly LastLine[] {
    return [...this.#lines.values()].reverse()
  }
}
