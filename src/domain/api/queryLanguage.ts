/**
 * The language of `q`: clauses `FIELD OPERATOR VALUE`, `;` for and, `,` for or, parentheses. As in Wazuh, and binds tighter than or; a
 * field that an item does not have equals `null` only.
 */
import { limits } from '../../base/limits.js'
import { ApiRefusal, problems } from './problem.js'

export const operators = ['!=', '=', '<', '>', '~'] as const
export type Operator = (typeof operators)[number]

export type Clause =
  | { readonly kind: 'compare'; readonly field: string; readonly operator: Operator; readonly value: string }
  | { readonly kind: 'and' | 'or'; readonly clauses: readonly Clause[] }

const fieldPattern = /[\w.-]+/y
const valuePattern = /[^;,()]+/y

class QueryParser {
  readonly #text: string
  readonly #fields: readonly string[]
  #at = 0
  #clauses = 0

  constructor(text: string, fields: readonly string[]) {
    this.#text = text
    this.#fields = fields
  }

  parse(): Clause {
    const clause = this.#alternatives(0)
    if (this.#at < this.#text.length) throw this.#malformed()
    return clause
  }

  #alternatives(depth: number): Clause {
    return this.#joined('or', ',', () => this.#joined('and', ';', () => this.#single(depth)))
  }

  #joined(kind: 'and' | 'or', separator: string, parse: () => Clause): Clause {
    const first = parse()
    const clauses = [first]
    while (this.#take(separator)) clauses.push(parse())
    return clauses.length === 1 ? first : { kind, clauses }
  }

  #single(depth: number): Clause {
    if (!this.#take('(')) return this.#comparison()
    if (depth >= limits.apiQueryDepthMax) throw this.#malformed()
    const clause = this.#alternatives(depth + 1)
    if (!this.#take(')')) throw this.#malformed()
    return clause
  }

  #comparison(): Clause {
    this.#clauses += 1
    const field = this.#match(fieldPattern)
    const operator = operators.find((known) => this.#take(known))
    const value = operator === undefined ? undefined : this.#match(valuePattern)
    if (field === undefined || operator === undefined || value === undefined || this.#clauses > limits.apiQueryClausesMax)
      throw this.#malformed()
    if (!this.#fields.includes(field))
      throw new ApiRefusal(
        { ...problems.unknownField, remediation: `Please, use only allowed fields: ${this.#fields.join(', ')}` },
        `${problems.unknownField.detail.replace(/\.$/, '')}: ${field}`,
      )
    return { kind: 'compare', field, operator, value }
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    this.#at += found?.length ?? 0
    return found
  }

  #malformed(): ApiRefusal {
    return new ApiRefusal(problems.malformedQuery)
  }
}

/** @param fields that the items have; @throws ApiRefusal 1407, 1408 */
export const parseQuery = (text: string, fields: readonly string[]): Clause => new QueryParser(text, fields).parse()

/** The text that is parsed to the same clause. */
export const queryText = (clause: Clause): string => {
  if (clause.kind === 'compare') return `${clause.field}${clause.operator}${clause.value}`
  return clause.clauses
    .map((inner) => (inner.kind === 'compare' ? queryText(inner) : `(${queryText(inner)})`))
    .join(clause.kind === 'and' ? ';' : ',')
}

type Item = Readonly<Record<string, unknown>>

const isItem = (value: unknown): value is Item => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Of `os.name` in `{os: {name}}`; undefined for what is not there. */
export const valueAt = (item: Item, field: string): unknown => {
  let value: unknown = item
  for (const name of field.split('.')) value = isItem(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return value
}

const isNumeric = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text))

/** Numbers as numbers, all else as texts, by code units. */
export const compareValues = (a: string, b: string): number => {
  if (isNumeric(a) && isNumeric(b)) return Number(a) - Number(b)
  return a < b ? -1 : a > b ? 1 : 0
}

const compares: Readonly<Record<Operator, (has: string, value: string) => boolean>> = {
  '=': (has, value) => has === value,
  '!=': (has, value) => has !== value,
  '<': (has, value) => compareValues(has, value) < 0,
  '>': (has, value) => compareValues(has, value) > 0,
  '~': (has, value) => has.toLowerCase().includes(value.toLowerCase()),
}

/** Of a list, one entry is enough; but for `!=`, which no entry may contradict. */
const compared = (has: unknown, operator: Operator, value: string): boolean => {
  if (has === undefined || has === null) return operator === '=' && value === 'null'
  if (value === 'null' && operator === '!=') return true
  const matches = (one: unknown): boolean => compares[operator](String(one), value)
  if (!Array.isArray(has)) return matches(has)
  return operator === '!=' ? has.every(matches) : has.some(matches)
}

export const isMatch = (clause: Clause, item: Item): boolean => {
  if (clause.kind === 'compare') return compared(valueAt(item, clause.field), clause.operator, clause.value)
  const holds = (inner: Clause): boolean => isMatch(inner, item)
  return clause.kind === 'and' ? clause.clauses.every(holds) : clause.clauses.some(holds)
}
