import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changedIds } from '../../../src/domain/agents/agentIds.js'

const ids = fc.array(fc.integer({ min: 1, max: 30 }))
const sorted = (some: Iterable<number>): Uint32Array => Uint32Array.from(new Set(some)).sort()

describe('changed IDs', () => {
  it('are those of before and the added ones without the removed ones, in order, in an array of their own', () =>
    fc.assert(
      fc.property(ids, ids, ids, (some, added, removed) => {
        const before = sorted(some)
        const after = changedIds(before, added, new Set(removed))
        expect(after).toEqual(sorted([...some, ...added].filter((id) => !removed.includes(id))))
        expect(before).toEqual(sorted(some))
        expect(after.buffer).not.toBe(before.buffer)
      }),
    ))
})
