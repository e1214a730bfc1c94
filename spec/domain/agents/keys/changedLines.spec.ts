import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedLines } from '../../../../src/domain/agents/keys/changedLines.js'

const lines = fc.array(fc.constantFrom('a', 'b', 'cc', '', 'long '.repeat(30)), { maxLength: 30 })
const textOf = (list: readonly string[], isEnded: boolean): Buffer =>
  Buffer.from(list.join('\n') + (isEnded && list.length > 0 ? '\n' : ''))
const linesOf = (text: Buffer): string[] =>
  text
    .toString()
    .split('\n')
    .filter((line, index, all) => index < all.length - 1 || line !== '')
const edits = fc.array(fc.tuple(fc.nat(30), fc.nat(2), fc.array(fc.constantFrom('x', 'a', 'yy'), { maxLength: 2 })), { maxLength: 4 })

const without = (all: readonly string[], taken: readonly string[]): string[] => {
  const left = [...all]
  for (const line of taken) {
    const at = left.indexOf(line)
    expect(at).toBeGreaterThanOrEqual(0)
    left.splice(at, 1)
  }
  return left.sort()
}

describe('the lines that differ between two versions', () => {
  it('are whole lines of each, and what is left of both is the same', () =>
    fc.assert(
      fc.property(lines, edits, fc.boolean(), fc.boolean(), (list, changes, isEnded, isEndedAfter) => {
        const edited = [...list]
        for (const [at, count, added] of changes) edited.splice(at, count, ...added)
        const [before, after] = [textOf(list, isEnded), textOf(edited, isEndedAfter)]
        const runs = changedLines(before, after)
        const left = without(
          linesOf(before),
          runs.flatMap((run) => linesOf(run.before)),
        )
        expect(left).toEqual(
          without(
            linesOf(after),
            runs.flatMap((run) => linesOf(run.after)),
          ),
        )
        if (before.equals(after)) expect(runs).toEqual([])
      }),
      { numRuns: 1000 },
    ))

  it('are few when few were changed in place and some were added at the end', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `line ${index}`)
    const edited = many.map((line, index) => (index === 7 || index === 12_345 ? `${line}!` : line)).concat('new', 'newer')
    const runs = changedLines(textOf(many, true), textOf(edited, true))
    expect(runs.map(({ after, before }) => [before.toString(), after.toString()])).toEqual([
      ['line 7\n', 'line 7!\n'],
      ['line 12345\n', 'line 12345!\n'],
      ['', 'new\n'],
      ['', 'newer\n'],
    ])
  })

  it('are one run around a line that was taken out', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `line ${index}`)
    const runs = changedLines(textOf(many, true), textOf(many.toSpliced(500, 1), true))
    expect(runs.reduce((bytes, { after, before }) => bytes + before.length + after.length, 0)).toBeLessThan(100)
  })
})
