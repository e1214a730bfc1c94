/** Arbitraries from the message table itself: whatever a schema allows, and nothing that it does not. */
import fc, { type Arbitrary } from 'fast-check'
import { InvariantError } from '../base/invariant.js'

/** Keeps generated bodies small; the bounds themselves have tests of their own. */
const sizeMax = 64

const numberAt = (schema: object, key: string): number | undefined => {
  const value: unknown = Reflect.get(schema, key)
  return typeof value === 'number' ? value : undefined
}

const inner = (schema: object, key: string): unknown => Reflect.get(schema, key)

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const textOf = (schema: object): Arbitrary<string> => {
  const pattern = inner(schema, 'pattern')
  const maxLength = Math.min(numberAt(schema, 'maxLength') ?? sizeMax, sizeMax)
  const minLength = numberAt(schema, 'minLength') ?? 0
  if (pattern === undefined) return fc.string({ unit: 'binary', minLength, maxLength })
  if (typeof pattern !== 'string' && !(pattern instanceof RegExp)) throw new InvariantError('a pattern is a regular expression')
  const whole = new RegExp(pattern)
  // fast-check draws from patterns without lookaheads; what those forbid is filtered out.
  const drawn = new RegExp(whole.source.replace(/\(\?[!=][^)]*\)/g, ''))
  return fc.stringMatching(drawn, { maxLength }).filter((text) => text.length >= minLength && whole.test(text))
}

const blobOf = (blob: object): Arbitrary<Uint8Array> => {
  const minLength = numberAt(blob, 'bytesMin') ?? 0
  return fc.uint8Array({ minLength, maxLength: Math.max(minLength, Math.min(numberAt(blob, 'bytesMax') ?? sizeMax, sizeMax)) })
}

const objectOf = (schema: object): Arbitrary<unknown> => {
  const properties = inner(schema, 'properties')
  const required = inner(schema, 'required')
  if (!isObject(properties)) throw new InvariantError('an object has properties')
  const requiredKeys: readonly unknown[] = Array.isArray(required) ? required : []
  const model: Record<string, Arbitrary<unknown>> = {}
  for (const [key, property] of Object.entries(properties)) model[key] = arbitraryOf(property)
  return fc.record(model, { requiredKeys: Object.keys(model).filter((key) => requiredKeys.includes(key)), noNullPrototype: true })
}

/** Values of one field or message of the table. Throws for a kind of schema that the table has never had. */
export const arbitraryOf = (schema: unknown): Arbitrary<unknown> => {
  if (!isObject(schema)) throw new InvariantError('a schema is an object')
  const blob = inner(schema, 'x-blob')
  if (isObject(blob)) return blobOf(blob)
  const anyOf = inner(schema, 'anyOf')
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map(arbitraryOf))
  const values = inner(schema, 'enum')
  if (Array.isArray(values)) return fc.constantFrom(...values)
  if ('const' in schema) return fc.constant(schema.const)
  const minimum = numberAt(schema, 'minimum')
  const maximum = numberAt(schema, 'maximum')
  const type = inner(schema, 'type')
  if (type === 'boolean') return fc.boolean()
  if (type === 'integer') return fc.integer({ min: minimum ?? Number.MIN_SAFE_INTEGER, max: maximum ?? Number.MAX_SAFE_INTEGER })
  // Minus zero is plain zero once packed.
  if (type === 'number')
    return fc.double({ min: minimum ?? -Number.MAX_VALUE, max: maximum ?? Number.MAX_VALUE, noNaN: true }).map((value) => value + 0)
  if (type === 'string') return textOf(schema)
  if (type === 'array') return fc.array(arbitraryOf(inner(schema, 'items')), { maxLength: Math.min(numberAt(schema, 'maxItems') ?? 8, 8) })
  if (type === 'object') return objectOf(schema)
  throw new InvariantError(`no arbitrary for the schema ${JSON.stringify(schema)}`)
}
