/** What of a list is wanted, and in which order: `q`, `search`, `select`, `sort`, `offset`, `limit`, `distinct`. */
import { limits } from '../../base/limits.js'
import type { Given, listParameters } from './parameters.js'
import { ApiRefusal, problems } from './problem.js'
import { type Clause, isMatch, parseQuery, valueAt } from './queryLanguage.js'

export type Item = Readonly<Record<string, unknown>>

export interface ListRequest {
  readonly offset: number
  readonly limit: number
  readonly select: readonly string[] | undefined
  readonly sort: { readonly fields: readonly string[]; readonly isDescending: boolean } | undefined
  readonly search: { readonly text: string; readonly isNegated: boolean } | undefined
  readonly query: Clause | undefined
  readonly isDistinct: boolean
}

const defaultLimit = 500

const limitOf = (limit: number | undefined, limitMax: number): number => {
  if (limit === 0) throw new ApiRefusal(problems.zeroLimit)
  if (limit !== undefined && limit > limitMax) throw new ApiRefusal(problems.limitTooLarge)
  return limit ?? defaultLimit
}

const sortOf = (text: string, fields: readonly string[]) => {
  const isDescending = text.startsWith('-')
  const wanted = text.replace(/^[+\-\s]/, '').split(',')
  for (const field of wanted)
    if (!isFieldOf(field, fields))
      throw new ApiRefusal({ ...problems.notSortField, remediation: allowedFields(fields) }, `${problems.notSortField.detail}: ${field}`)
  return { fields: wanted, isDescending }
}

const allowedFields = (fields: readonly string[]): string => `Allowed fields: ${fields.join(', ')}`

/** A field, or an object of fields. */
const isFieldOf = (field: string, fields: readonly string[]): boolean =>
  fields.some((known) => known === field || known.startsWith(`${field}.`))

/** @param fields that the items have; @throws ApiRefusal 1403 to 1410, 1724 */
export const listRequest = (
  given: Given<typeof listParameters>,
  fields: readonly string[],
  limitMax: number = limits.apiItemsMax,
): ListRequest => {
  const { distinct = false, limit, offset = 0, q, search, select, sort } = given
  for (const field of select ?? [])
    if (!isFieldOf(field, fields))
      throw new ApiRefusal(
        { ...problems.notSelectField, remediation: allowedFields(fields) },
        `${problems.notSelectField.detail}: ${field}`,
      )
  const request: ListRequest = {
    offset,
    limit: limitOf(limit, limitMax),
    select,
    sort: sort === undefined ? undefined : sortOf(sort, fields),
    search: search === undefined ? undefined : searchOf(search),
    query: q === undefined ? undefined : parseQuery(q, fields),
    isDistinct: distinct,
  }
  if (request.sort && offset + request.limit > limits.apiSortedItemsMax)
    throw new ApiRefusal(
      problems.invalidOffset,
      `Invalid offset: with sort, offset and limit together are ${limits.apiSortedItemsMax} at most`,
    )
  return request
}

const searchOf = (text: string) => {
  const isNegated = text.startsWith('-')
  return { text: (isNegated ? text.slice(1) : text).toLowerCase(), isNegated }
}

/** Whether a text is anywhere in the values of an item. */
const contains = (value: unknown, text: string): boolean => {
  if (typeof value === 'object' && value !== null) return Object.values(value).some((inner) => contains(inner, text))
  return value !== undefined && value !== null && String(value).toLowerCase().includes(text)
}

const fieldsOf = (clause: Clause): readonly string[] => (clause.kind === 'compare' ? [clause.field] : clause.clauses.flatMap(fieldsOf))

/** Whether some of these fields decide which items are wanted, and in which order. */
export const dependsOn = ({ isDistinct, query, search, select, sort }: ListRequest, isOne: (field: string) => boolean): boolean =>
  search !== undefined ||
  (isDistinct && (select?.some(isOne) ?? true)) ||
  (query !== undefined && fieldsOf(query).some(isOne)) ||
  (sort?.fields.some(isOne) ?? false)

/** Whether every item is wanted. */
export const isWhole = ({ isDistinct, query, search }: ListRequest): boolean => !isDistinct && !query && !search

export const isWanted = ({ query, search }: ListRequest, item: Item): boolean => {
  if (query && !isMatch(query, item)) return false
  return !search || contains(item, search.text) !== search.isNegated
}

/** What is compared of an item, once for all comparisons: numbers come before texts, and texts in order of their code units. */
export type SortKeys = readonly (number | string)[]

const sortKey = (value: unknown): number | string => {
  const text = value === undefined || value === null ? '' : String(value)
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text
}

/** Of the fields of `sort`. */
export const sortKeys = ({ sort }: ListRequest, item: Item): SortKeys => (sort?.fields ?? []).map((field) => sortKey(valueAt(item, field)))

const compareKey = (a: number | string, b: number | string): number => {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

export const compareKeys = ({ sort }: ListRequest, a: SortKeys, b: SortKeys): number => {
  for (let at = 0; at < a.length; at++) {
    const order = compareKey(a[at] ?? '', b[at] ?? '')
    if (order !== 0) return sort?.isDescending ? -order : order
  }
  return 0
}

/** The item with the selected fields only, in its own order. */
export const selected = ({ select }: ListRequest, item: Item): Item => (select ? picked(item, select) : item)

const picked = (item: Item, fields: readonly string[]): Item => {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(item)) {
    const inner = fields.filter((field) => field.startsWith(`${name}.`)).map((field) => field.slice(name.length + 1))
    if (fields.includes(name)) result[name] = value
    else if (inner.length > 0 && typeof value === 'object' && value !== null) {
      const part = picked(value as Item, inner)
      if (Object.keys(part).length > 0) result[name] = part
    }
  }
  return result
}
