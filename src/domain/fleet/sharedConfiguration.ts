/**
 * The shared configuration that a manager pushes: a line with its sum, parts of it, and a line that ends it. An agent keeps it when the
 * sum is right; when it is wrong it has none.
 */
import { createHash } from 'node:crypto'

const upMark = '#!-up file '
const closeMark = '#!-close file '
const mergedName = 'merged.mg'
const agentConfName = 'agent.conf'
export const noSum = 'x'

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')

/** The content of a file inside a merged.mg: `!<size> <name>\n<content>`. */
const fileIn = (merged: Buffer, wanted: string): Buffer | undefined => {
  let at = merged[0] === 0x23 ? merged.indexOf('\n') + 1 : 0
  while (at < merged.length) {
    const end = merged.indexOf('\n', at)
    const [, size, name] = /^!(\d{1,10}) (.+)$/.exec(merged.toString('latin1', at, end < 0 ? merged.length : end)) ?? []
    if (end < 0 || size === undefined) return undefined
    const from = end + 1
    at = from + Number(size)
    if (name === wanted && at <= merged.length) return merged.subarray(from, at)
  }
  return undefined
}

export class SharedConfiguration {
  /** MD5 of the last whole one. */
  mergedSum = noSum
  /** MD5 of the agent.conf in it. */
  configSum: string | undefined
  readonly #bytesMax: number
  #expected: string | undefined
  #parts: Buffer[] = []
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get isReceiving(): boolean {
    return this.#expected !== undefined
  }

  /** `taken`, `broken`: a push ended. `part`: it goes on. `other`: the text is about something else. */
  add(text: Buffer): 'taken' | 'broken' | 'part' | 'other' {
    const line = text.toString('latin1', 0, 128)
    if (line.startsWith(upMark)) return this.#begin(text.toString('latin1', upMark.length))
    if (line.startsWith(closeMark)) return this.#expected === undefined ? 'other' : this.#close(this.#expected)
    if (this.#expected === undefined || line.startsWith('#!-')) return 'other'
    this.#bytes += text.length
    if (this.#bytes <= this.#bytesMax) this.#parts.push(Buffer.from(text))
    return 'part'
  }

  /** The connection is gone, and the push with it. */
  abandon(): void {
    this.#expected = undefined
    this.#parts = []
    this.#bytes = 0
  }

  #begin(rest: string): 'part' | 'other' {
    const [sum, name] = rest.trimEnd().split(' ', 2)
    if (sum === undefined || name !== mergedName) return 'other'
    this.abandon()
    this.#expected = sum
    return 'part'
  }

  #close(expected: string): 'taken' | 'broken' {
    const merged = Buffer.concat(this.#parts)
    const isWhole = this.#bytes <= this.#bytesMax && md5(merged) === expected
    this.abandon()
    this.mergedSum = isWhole ? expected : noSum
    const config = isWhole ? fileIn(merged, agentConfName) : undefined
    this.configSum = config && md5(config)
    return isWhole ? 'taken' : 'broken'
  }
}
