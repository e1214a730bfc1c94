/** Bounds on JSON before it is parsed: they count what the parser would make, and nothing in strings. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJsonWithin } from '../../../src/base/json/jsonWithin.js'

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

/** Objects, lists, and commas between what is in them. */
const valuesOf = (value: unknown): number =>
  typeof value === 'object' && value !== null
    ? 1 + Math.max(0, Object.keys(value).length - 1) + Object.values(value).reduce<number>((sum, item) => sum + valuesOf(item), 0)
    : 0

const json = fc.json({ stringUnit: fc.constantFrom('a', '"', '\\', '[', '{', '}', ',', 'ä', '\n') })

describe('bounds on JSON', () => {
  it('let any JSON pass that keeps them, and none that does not', () =>
    fc.assert(
      fc.property(json, (text) => {
        const value: unknown = JSON.parse(text)
        const [depthMax, valuesMax] = [depthOf(value), valuesOf(value)]
        expect(isJsonWithin(text, { depthMax, valuesMax })).toBe(true)
        if (depthMax > 0) expect(isJsonWithin(text, { depthMax: depthMax - 1, valuesMax })).toBe(false)
        if (valuesMax > 0) expect(isJsonWithin(text, { depthMax, valuesMax: valuesMax - 1 })).toBe(false)
      }),
    ))

  it('are found in time that grows with the text, whatever it is', () => {
    for (const text of [
      '['.repeat(1_000_000),
      '"'.repeat(1_000_000),
      '\\'.repeat(1_000_000),
      `"${'\\"'.repeat(500_000)}`,
      ','.repeat(1_000_000),
    ]) {
      const startedMs = performance.now()
      isJsonWithin(text, { depthMax: Number.POSITIVE_INFINITY, valuesMax: Number.POSITIVE_INFINITY })
      expect(performance.now() - startedMs).toBeLessThan(1_000)
    }
  })
})
