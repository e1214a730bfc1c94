/**
 * `show stat` of HAProxy's runtime socket: a header of columns after `# `, a line for each proxy or server with its fields between
 * commas, an empty line at the end. Columns are found by their names: HAProxy adds some with each version.
 */
import { ok, type Result, refuse } from '../../base/errors.js'

/** A line, by the names of its columns. */
export type StatRow = ReadonlyMap<string, string>

/** In `check_status`, of a server whose first check has not ended: HAProxy takes it for up. */
export const uncheckedStatus = 'INI'

const headerStart = '# '
const needed = ['pxname', 'svname', 'scur', 'status', 'check_status']

const malformed = (says: string) => refuse('malformed', { message: `HAProxy's statistics ${says}` })

/** Refuses with `malformed`; so it does with an answer that is not whole. */
export const readStatTable = (text: string): Result<readonly StatRow[]> => {
  if (!text.startsWith(headerStart)) return malformed('do not begin with their columns')
  if (!text.endsWith('\n\n')) return malformed('are cut short')
  const lines = fieldsOf(text.slice(headerStart.length, -1))
  if (!lines) return malformed('have a quote that does not end')
  const [columns = [], ...rows] = lines
  for (const name of needed) if (!columns.includes(name)) return malformed(`have no column ${name}`)
  const table: StatRow[] = []
  for (const row of rows) {
    if (row.length !== columns.length) return malformed('have a line with other columns')
    table.push(new Map(columns.map((name, index) => [name, row[index] ?? ''])))
  }
  return ok(table)
}

/** What is quoted may hold commas, line breaks and, doubled, quotes. Undefined when a quote does not end. */
const fieldsOf = (text: string): readonly (readonly string[])[] | undefined => {
  const lines: string[][] = []
  let fields: string[] = []
  for (let at = 0; at < text.length; at++) {
    const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at)
    if (!field) return undefined
    fields.push(field.value)
    at = field.endsAt
    if (text[at] !== '\n') continue
    lines.push(fields)
    fields = []
  }
  return lines
}

interface Field {
  readonly value: string
  /** Of the comma or the line break behind it. */
  readonly endsAt: number
}

const plainField = (text: string, from: number): Field => {
  let endsAt = from
  while (endsAt < text.length && text[endsAt] !== ',' && text[endsAt] !== '\n') endsAt++
  return { value: text.slice(from, endsAt), endsAt }
}

const quotedField = (text: string, from: number): Field | undefined => {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] !== '"') continue
    if (text[at + 1] === '"') at++
    else if (text[at + 1] === ',' || text[at + 1] === '\n') return { value: text.slice(from + 1, at).replaceAll('""', '"'), endsAt: at + 1 }
    else return undefined
  }
  return undefined
}
