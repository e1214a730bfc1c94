/**
 * What is known of one configuration option, in one place: the check, the default, the rule as text and the description.
 * Validation, the sentences about mistakes and the reference in docs/operating.md all come from it, so that they cannot drift.
 */
import { type Static, type TSchema, Type } from 'typebox'
import { Check } from 'typebox/value'
import { limits } from '../base/limits.js'
import { shown } from '../base/shown.js'

export interface Option<S extends TSchema = TSchema> {
  /** The name that an operator writes. */
  readonly name: string
  readonly schema: S
  readonly fallback: Static<S>
  /** The rule as text; completes "must be …". */
  readonly allowed: string
  readonly description: string
  /** The value must not appear in any message. */
  readonly secret?: true
}

/** What reading a configuration came across; one line each. */
export interface Findings {
  /** Make the configuration unusable. */
  readonly mistakes: string[]
  readonly warnings: string[]
  /** Worth knowing, nothing to fix. */
  readonly notes: string[]
}

/** Keeps the schema's own type, which an annotation would widen. */
export const option = <S extends TSchema>(known: Option<S>): Option<S> => known

/** The path of a file; empty when it is not given. */
export const filePath = (name: string, description: string) =>
  option({
    name,
    schema: Type.String({ minLength: 1, maxLength: limits.pathBytesMax, pattern: '^[^\\u0000]+$' }),
    fallback: '',
    allowed: 'the path of a file, absolute or relative to the home',
    description,
  })

/** What a value is, as the middle of a sentence; a secret is not shown. */
const given = (known: Option, value: unknown): string => {
  if (value === undefined) return 'missing'
  if (!known.secret) return shown(value)
  return typeof value === 'string' ? `not valid (its ${value.length} characters are not shown)` : 'not a text'
}

/** `<cluster><port> is "80": must be …`, or without the value when that is a secret. */
export const mistakeOf = (place: string, known: Option, value: unknown): string =>
  `${place} is ${given(known, value)}: must be ${known.allowed}`

/** The value when it is allowed; else the fallback, and a line in `mistakes`. */
export const checked = <S extends TSchema>(known: Option<S>, value: unknown, place: string, mistakes: string[]): Static<S> => {
  if (Check(known.schema, value)) return value
  mistakes.push(mistakeOf(place, known, value))
  return known.fallback
}

/** What the text of an XML element means for this option; text that means nothing stays text, and fails the check. */
export const fromText = (schema: TSchema, text: string): unknown => {
  if (Type.IsBoolean(schema)) return text === 'yes' ? true : text === 'no' ? false : text
  if (Type.IsInteger(schema)) return /^\d{1,15}$/.test(text) ? Number(text) : text
  if (Type.IsNumber(schema)) return /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : text
  return text
}
