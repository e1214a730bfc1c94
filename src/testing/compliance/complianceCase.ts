/** What a compliance suite consists of: cases that any test runner can register, `for (const { title, run } of cases) it(title, run)`. */
import assert from 'node:assert/strict'
import { ClusterError } from '../../base/errors.js'

export interface ComplianceCase {
  /** The property that the case holds a port to. */
  readonly title: string
  /** Fails with an AssertionError. Cases share nothing: they may run in any order. */
  readonly run: () => Promise<void>
}

/** Each of these tests in surroundings of its own, which end however the test ends. */
export const casesOf = <S>(
  begin: () => Promise<S>,
  end: (surroundings: S) => Promise<void>,
  tests: Readonly<Record<string, (surroundings: S) => Promise<void>>>,
): readonly ComplianceCase[] =>
  Object.entries(tests).map(([title, test]) => ({
    title,
    run: async () => {
      const surroundings = await begin()
      try {
        await test(surroundings)
      } finally {
        await end(surroundings)
      }
    },
  }))

/** The code that a call fails with; `none` when it does not. */
export const codeOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call
    return 'none'
  } catch (thrown) {
    return thrown instanceof ClusterError ? thrown.code : String(thrown)
  }
}

/** Holds the properties of `actual` that `wanted` has to it; the others may be anything. */
export const assertHas = (actual: object, wanted: object): void => {
  const known = new Map<string, unknown>(Object.entries(actual))
  assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, known.get(name)])), wanted)
}
