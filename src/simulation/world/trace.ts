/** What happened, in order, as one hash: two runs with the same hash did the same. Keeps the last lines for a report. */
import { createHash } from 'node:crypto'

const linesKeptDefault = 200
/** Small updates cost more than hashing them: lines are hashed in pieces of about this size. */
const hashedCharsMin = 16_384

export class Trace {
  readonly #hash = createHash('sha256')
  readonly #kept: string[] = []
  readonly #linesKeptMax: number
  #unhashed = ''
  #count = 0

  constructor(linesKeptMax: number = linesKeptDefault) {
    this.#linesKeptMax = linesKeptMax
  }

  /** `actorPath` as in the logs (`master/w1/integrity`), `event` as text that is the same in each run of a seed. */
  add(atMs: number, actorPath: string, event: string): void {
    const line = `${atMs} ${actorPath} ${event.replaceAll('\n', '\\n')}`
    if (this.#kept.length < this.#linesKeptMax) this.#kept.push(line)
    else this.#kept[this.#count % this.#linesKeptMax] = line
    this.#count++
    this.#unhashed += `${line}\n`
    if (this.#unhashed.length >= hashedCharsMin) this.#flush()
  }

  /** Events so far. */
  get count(): number {
    return this.#count
  }

  /** SHA-256 of all events so far, in hexadecimal. */
  hash(): string {
    this.#flush()
    return this.#hash.copy().digest('hex')
  }

  /** The last events, oldest first. */
  lines(): readonly string[] {
    const start = this.#count % Math.max(1, this.#linesKeptMax)
    if (this.#count <= this.#linesKeptMax) return [...this.#kept]
    return [...this.#kept.slice(start), ...this.#kept.slice(0, start)]
  }

  #flush(): void {
    this.#hash.update(this.#unhashed)
    this.#unhashed = ''
  }
}
