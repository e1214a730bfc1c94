/**
 * The envelope that every list of the API comes in, made in parts: items are written as they come, and what counts them stands behind
 * them, so that the longest list is never held whole.
 */
import type { Problem } from './problem.js'

/** Of an answer: everything, a part, or nothing of what was asked for. */
export interface Messages {
  readonly all: string
  readonly some: string
  readonly none: string
}

/** What could not be had, and why. */
export interface FailedItem {
  readonly problem: Problem
  readonly id: string
}

/** Of `pretty`, as Wazuh indents. */
const prettyBlanks = 3
/** Of an item inside `affected_items`. */
const itemDepth = 3

export type Write = (value: unknown, depth?: number) => string

/** JSON of a value that stands `depth` levels deep. */
export const jsonWriter = (isPretty: boolean): Write =>
  isPretty
    ? (value, depth = 0) => JSON.stringify(value, null, prettyBlanks).replaceAll('\n', `\n${' '.repeat(prettyBlanks * depth)}`)
    : (value) => JSON.stringify(value)

const isNumber = (text: string): boolean => /^\d+$/.test(text)

/** In order, as numbers when all are. */
const sortedIds = (ids: readonly string[]): readonly string[] => {
  const unique = [...new Set(ids)]
  return unique.every(isNumber) ? unique.sort((a, b) => Number(a) - Number(b)) : unique.sort()
}

/** Grouped by error, in order of their numbers. */
export const failedItems = (failures: readonly FailedItem[]): readonly object[] => {
  const groups = new Map<string, { readonly problem: Problem; readonly ids: string[] }>()
  for (const { id, problem } of failures) {
    const key = `${problem.number ?? 0} ${problem.detail}`
    const group = groups.get(key)
    if (group) group.ids.push(id)
    else groups.set(key, { problem, ids: [id] })
  }
  return [...groups.values()]
    .sort((a, b) => (a.problem.number ?? 0) - (b.problem.number ?? 0))
    .map(({ ids, problem: { detail, number, remediation } }) => ({
      error: { code: number ?? 0, message: detail, ...(remediation !== undefined && { remediation }) },
      id: sortedIds(ids),
    }))
}

export interface EnvelopeEnd {
  readonly total: number
  readonly failures: readonly FailedItem[]
  readonly messages: Messages
  /** Further members of `data`; ours only. */
  readonly extra?: Readonly<Record<string, unknown>>
}

const outcome = ({ failures, messages, total }: EnvelopeEnd): { readonly message: string; readonly error: number } => {
  if (total === 0) return { message: messages.none, error: failures.length > 0 ? 1 : 0 }
  return failures.length > 0 ? { message: messages.some, error: 2 } : { message: messages.all, error: 0 }
}

/** The texts around the items. */
export class EnvelopeWriter {
  readonly #write: Write
  readonly #isPretty: boolean
  #items = 0

  constructor(isPretty: boolean) {
    this.#isPretty = isPretty
    this.#write = jsonWriter(isPretty)
  }

  start(): string {
    return this.#isPretty ? `{${this.#line(1)}"data": {${this.#line(2)}"affected_items": [` : '{"data":{"affected_items":['
  }

  item(value: object): string {
    return `${this.#items++ > 0 ? ',' : ''}${this.#line(itemDepth)}${this.#write(value, itemDepth)}`
  }

  end(end: EnvelopeEnd): string {
    const failed = failedItems(end.failures)
    const data = {
      total_affected_items: end.total,
      total_failed_items: end.failures.length,
      failed_items: failed,
      ...end.extra,
    }
    const colon = this.#isPretty ? ': ' : ':'
    const member =
      (depth: number) =>
      ([name, value]: [string, unknown]): string =>
        `,${this.#line(depth)}${JSON.stringify(name)}${colon}${this.#write(value, depth)}`
    const inData = Object.entries(data).map(member(2)).join('')
    const behind = Object.entries(outcome(end)).map(member(1)).join('')
    return `${this.#items > 0 ? this.#line(2) : ''}]${inData}${this.#line(1)}}${behind}${this.#line(0)}}`
  }

  #line(depth: number): string {
    return this.#isPretty ? `\n${' '.repeat(prettyBlanks * depth)}` : ''
  }
}
