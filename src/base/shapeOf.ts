/** Shapes of values, compiled when they are used for the first time: a program that starts pays for what it needs only. */
import type { Static, TSchema } from 'typebox'
import { Compile } from 'typebox/schema'
import { Check } from 'typebox/value'

export interface Shape<T> {
  Check(value: unknown): value is T
}

/** @param usesBefore how often it is checked without being compiled: for small values that may come a few times only */
export const shapeOf = <S extends TSchema>(schema: S, usesBefore = 0): Shape<Static<S>> => {
  const compile = () => Compile(schema)
  let compiled: ReturnType<typeof compile> | undefined
  let uses = 0
  return {
    Check: (value): value is Static<S> => {
      if (uses < usesBefore) {
        uses += 1
        return Check(schema, value)
      }
      compiled ??= compile()
      return compiled.Check(value)
    },
  }
}
