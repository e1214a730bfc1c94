import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../../src/base/limits.js'
import { type LastLine, LastLines } from '../../../../src/domain/cluster/monitoring/lastLines.js'

const line: fc.Arbitrary<LastLine> = fc.record({
  atMs: fc.nat(),
  level: fc.constantFrom('error', 'warning'),
  text: fc.oneof(fc.constantFrom('a', 'b'), fc.string({ unit: 'binary', maxLength: 40 }), fc.constant('x'.repeat(10_000))),
})

describe('the last lines of a log', () => {
  it('are the newest different ones, each where it was said last, within their bounds and on one line', () =>
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.integer({ min: 1, max: 8 }), (said, linesMax) => {
        const lines = new LastLines(linesMax)
        for (const one of said) lines.add(one)
        const kept = lines.newestFirst
        const wanted = said
          .toReversed()
          .filter(({ level, text }, at, all) => all.findIndex((one) => one.level === level && one.text === text) === at)
        expect(kept.map(({ atMs, level }) => [atMs, level])).toEqual(wanted.slice(0, linesMax).map(({ atMs, level }) => [atMs, level]))
        for (const { text } of kept) {
          expect(text.length).toBeLessThanOrEqual(limits.lastLineCharsMax)
          expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
        }
      }),
    ))
})
