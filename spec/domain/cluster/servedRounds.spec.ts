import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ServedRounds } from '../../../src/domain/cluster/servedRounds.js'

type Step = { readonly kind: 'begin' | 'end' | 'drop' } | { readonly kind: 'add'; readonly chunks: number }
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom('begin' as const, 'end' as const, 'drop' as const) }),
    fc.record({ kind: fc.constant('add' as const), chunks: fc.nat(9) }),
  ),
  { maxLength: 30 },
)

/** The last round that ended, from all steps at once; each takes a millisecond. */
const expectedLast = (all: readonly Step[]): object | undefined => {
  const endMs = all.findLastIndex(({ kind }) => kind === 'end')
  if (endMs < 0) return undefined
  const cut = all.slice(0, endMs).findLastIndex(({ kind }) => kind !== 'add')
  const chunks = all.slice(cut + 1, endMs).reduce((sum, step) => sum + (step.kind === 'add' ? step.chunks : 0), 0)
  return { startMs: all[cut]?.kind === 'begin' ? cut : endMs, endMs, chunks }
}

describe('served rounds', () => {
  it('have in the last round what came between its beginning and its end, in any order of the requests', () =>
    fc.assert(
      fc.property(steps, (all) => {
        const rounds = new ServedRounds({ chunks: 0 })
        for (const [atMs, step] of all.entries())
          if (step.kind === 'add') rounds.add({ chunks: step.chunks })
          else if (step.kind === 'drop') rounds.drop()
          else rounds[step.kind](atMs)
        expect(rounds.last).toEqual(expectedLast(all))
        expect(rounds.isUnderWay).toBe(all.findLast(({ kind }) => kind !== 'add')?.kind === 'begin')
      }),
    ))

  it('date back the beginning that was not seen', () => {
    const rounds = new ServedRounds({})
    expect(rounds.end(1_000, 300)).toEqual({ startMs: 700, endMs: 1_000 })
    rounds.begin(2_000)
    expect(rounds.end(2_500, 300)).toEqual({ startMs: 2_000, endMs: 2_500 })
  })

  it('count only what is named', () => {
    const rounds = new ServedRounds({ chunks: 0, unknown: 0, refused: 0 })
    rounds.begin(0)
    rounds.add({ chunks: 1, unknown: 4 })
    rounds.add({ chunks: 1, refused: 2 })
    expect(rounds.end(5)).toEqual({ startMs: 0, endMs: 5, chunks: 2, unknown: 4, refused: 2 })
  })
})
