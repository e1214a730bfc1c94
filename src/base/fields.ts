/**
 * The kinds of field that a message may have. Each has an explicit bound, so that neither a decoder check nor a generated
 * example (see testing/arbitraries) ever needs to guess one.
 */
import { type TSchema, type TUnsafe, Type } from 'typebox'
import { limits } from './limits.js'

/** What a schema of plain data says, for reading only. */
export type ReadonlyValue<T> = { readonly [K in keyof T]: ReadonlyValue<T[K]> }

/** Bytes: between `bytesMin` and `bytesMax`. Kept under `x-blob` for those who walk the schema. */
export const blob = (bytesMax: number, bytesMin = 0) =>
  Type.Refine(
    Type.Unsafe<Uint8Array>({ 'x-blob': { bytesMin, bytesMax } }) as TUnsafe<Uint8Array>,
    (value: unknown) => value instanceof Uint8Array && value.byteLength >= bytesMin && value.byteLength <= bytesMax,
  )

export const text = (charsMax: number, charsMin = 0) => Type.String({ maxLength: charsMax, minLength: charsMin })
export const name = (charsMax: number) => Type.String({ minLength: 1, maxLength: charsMax, pattern: '^(?!\\.+$)[A-Za-z0-9._-]+$' })
export const count = (max: number = Number.MAX_SAFE_INTEGER) => Type.Integer({ minimum: 0, maximum: max })
/** Milliseconds since 1970, fractions allowed. */
export const timeMs = () => Type.Number({ minimum: 0, maximum: 8.64e15 })
export const list = <T extends TSchema>(item: T, itemsMax: number) => Type.Array(item, { maxItems: itemsMax })
export const fields = <T extends Record<string, TSchema>>(properties: T) => Type.Object(properties, { additionalProperties: false })
/** The same under each of these names. (`Type.Record` over an enum compares each name with each other one, at the start of every program.) */
export const properties = <N extends string, T extends TSchema>(names: readonly N[], schema: T): Record<N, T> =>
  // The keys are these names and no others.
  Object.fromEntries(names.map((named) => [named, schema])) as Record<N, T>
/** One SHA-256 digest. */
export const digest = () => blob(32, 32)
export const streamId = () => Type.Integer({ minimum: 1, maximum: 2 ** 32 - 1 })
export const failure = () => fields({ code: text(64), message: text(limits.errorMessageCharsMax) })
