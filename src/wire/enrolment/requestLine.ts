/**
 * The line of an agent that enrols, without its newline: `[OSSEC PASS: pw ]OSSEC A:'name'[ V:'v4.14.7'][ G:'a,b'][ IP:'src'][ K:'hash']`.
 * It is read as wazuh-authd reads it: fields are in this order, and anything elsewhere is not seen. One character is one byte.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FieldName, RequestFields } from '../../domain/enrolment/requestFields.js'

/** `password`: it is wrong, or missing. `request`: it does not begin with a name. */
export type ReadRequest =
  | { readonly ok: true; readonly fields: RequestFields }
  | { readonly ok: false; readonly problem: 'password' | 'request' }

const passwordMark = 'OSSEC PASS: '
const nameMark = "OSSEC A:'"

interface Field {
  readonly name: FieldName
  readonly mark: string
  readonly charsMax: number
  /** What ends the value beside its quote. */
  readonly stop?: string
}

const fields: readonly Field[] = [
  { name: 'version', mark: ' V:', charsMax: 2_048 },
  { name: 'group', mark: ' G:', charsMax: 65_536 },
  { name: 'IP', mark: ' IP:', charsMax: 46, stop: ' ' },
  { name: 'key', mark: ' K:', charsMax: 40 },
]

/** Takes the same time wherever the two differ. */
const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))

const digest = (text: string): Buffer => createHash('sha256').update(text, 'latin1').digest()

/** What follows the password; undefined when it is another one. */
const afterPassword = (line: string, password: string): string | undefined => {
  const expected = `${passwordMark}${password} `
  return isSame(line.slice(0, expected.length), expected) ? line.slice(expected.length) : undefined
}

/** The value in quotes at `at`. One without an opening quote is empty, as scanf leaves it. */
const quoted = (text: string, at: number, { charsMax, stop }: Field): string => {
  if (text[at] !== "'") return ''
  const endMax = Math.min(text.length, at + 1 + charsMax)
  let end = at + 1
  while (end < endMax && text[end] !== "'" && text[end] !== stop) end++
  return text.slice(at + 1, end)
}

export const readRequestLine = (line: string, password: string | undefined): ReadRequest => {
  const nul = line.indexOf('\0')
  const whole = nul < 0 ? line : line.slice(0, nul)
  const text = password === undefined ? whole : afterPassword(whole, password)
  if (text === undefined) return { ok: false, problem: 'password' }
  const nameEnd = text.startsWith(nameMark) ? text.indexOf("'", nameMark.length) : -1
  if (nameEnd < 0) return { ok: false, problem: 'request' }

  const values: Partial<Record<FieldName, string>> = {}
  let at = nameEnd + 1
  let unterminated: FieldName | undefined
  for (const field of fields) {
    if (!text.startsWith(field.mark, at)) continue
    const value = quoted(text, at + field.mark.length, field)
    const end = at + field.mark.length + 1 + value.length
    if (text[end] !== "'") {
      unterminated = field.name
      break
    }
    values[field.name] = value
    at = end + 1
  }
  const { IP: ip, group: groups, key: keyHash, version } = values
  return {
    ok: true,
    fields: {
      name: text.slice(nameMark.length, nameEnd),
      ...(version !== undefined && { version }),
      ...(groups !== undefined && { groups }),
      ...(ip !== undefined && { ip }),
      ...(keyHash !== undefined && { keyHash }),
      ...(unterminated !== undefined && { unterminated }),
    },
  }
}

/** What an agent writes. */
export interface AgentLine extends Omit<RequestFields, 'unterminated'> {
  readonly password?: string
}

/** With its newline. The caller knows its own texts: none has a quote or a newline. */
export const requestLineText = ({ groups, ip, keyHash, name, password, version }: AgentLine): string => {
  const given: readonly (readonly [mark: string, value: string | undefined])[] = [
    [' V:', version],
    [' G:', groups],
    [' IP:', ip],
    [' K:', keyHash],
  ]
  const rest = given.map(([mark, value]) => (value === undefined ? '' : `${mark}'${value}'`)).join('')
  return `${password === undefined ? '' : `${passwordMark}${password} `}${nameMark}${name}'${rest}\n`
}
