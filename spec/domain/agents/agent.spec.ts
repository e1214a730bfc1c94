/** The merge rule: whatever the order in which reports on an agent arrive, the same one wins. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  agentIdText,
  compareDetails,
  comparePresence,
  isSilentAgent,
  newerDetails,
  newerPresence,
  type Presence,
  silencedPresence,
} from '../../../src/domain/agents/agent.js'
import { details, firstMs, moments, presences } from '../../support/agents/agentArbitraries.js'

const futures = fc.option(moments, { nil: Number.POSITIVE_INFINITY })
/** Two reports on one agent. */
const ofOneAgent = presences.map((presence) => ({ ...presence, id: 1 }))
const detailsOfOne = details.map((row) => ({ ...row, id: 1 }))

const itMerges = <T extends object>(
  what: string,
  rows: fc.Arbitrary<T>,
  newer: (a: T, b: T, futureMs: number) => T,
  compare: (a: T, b: T) => number,
) => {
  describe(`the merge of ${what}`, () => {
    it('is commutative', () => {
      fc.assert(fc.property(rows, rows, futures, (a, b, futureMs) => void expect(newer(a, b, futureMs)).toEqual(newer(b, a, futureMs))))
    })
    it('is associative', () => {
      fc.assert(
        fc.property(
          rows,
          rows,
          rows,
          futures,
          (a, b, c, futureMs) => void expect(newer(newer(a, b, futureMs), c, futureMs)).toEqual(newer(a, newer(b, c, futureMs), futureMs)),
        ),
      )
    })
    it('is idempotent', () => {
      fc.assert(fc.property(rows, futures, (a, futureMs) => void expect(newer(a, { ...a }, futureMs)).toEqual(a)))
    })
    it('is by a total order: reports that differ in anything never tie, and never beat each other', () => {
      const pairs = fc.tuple(rows, rows, fc.nat()).map(([a, b, field]) => {
        const [name, value] = Object.entries(b)[field % Object.keys(b).length] ?? ['id', 1]
        return [a, { ...a, [name]: value }] as const
      })
      fc.assert(
        fc.property(fc.oneof(pairs, fc.tuple(rows, rows)), ([a, b]) => {
          expect(Math.sign(compare(a, b)) + Math.sign(compare(b, a))).toBe(0)
          if (compare(a, b) === 0) expect(a).toEqual(b)
        }),
      )
    })
  })
}

itMerges('presences', ofOneAgent, newerPresence, comparePresence)
itMerges('details', detailsOfOne, newerDetails, compareDetails)

describe('the merge rule', () => {
  it('never lets an older disconnected beat a newer active', () => {
    fc.assert(
      fc.property(ofOneAgent, ofOneAgent, (a, b) => {
        const active: Presence = { ...a, status: 'active', disconnectedMs: 0, disconnection: 'none' }
        const gone: Presence = { ...b, status: 'disconnected', seenMs: Math.min(b.seenMs, active.seenMs - 1) }
        expect(newerPresence(active, gone)).toBe(active)
        expect(newerPresence(gone, active)).toBe(active)
      }),
    )
  })

  it('prefers any other report to one too far in the future', () => {
    fc.assert(
      fc.property(ofOneAgent, ofOneAgent, (a, b) => {
        const beyond = { ...a, seenMs: b.seenMs + 1 }
        expect(newerPresence(beyond, b, b.seenMs)).toBe(b)
        expect(newerPresence(b, beyond, b.seenMs)).toBe(b)
      }),
    )
  })

  it('orders texts by their bytes, as a database does', () => {
    const row: Presence = {
      ...{ id: 1, seenMs: firstMs, epochMs: firstMs, status: 'active', node: '\uFFFD' },
      ...{ disconnectedMs: 0, disconnection: 'none' },
    }
    expect(comparePresence(row, { ...row, node: '\u{1F600}' })).toBeLessThan(0)
  })
})

describe('silencing', () => {
  it('gives the same result on every node and at any time', () => {
    fc.assert(
      fc.property(ofOneAgent, fc.nat({ max: 60_000 }), moments, moments, (presence, disconnectionMs, nowMs, laterMs) => {
        fc.pre(isSilentAgent(presence, nowMs, disconnectionMs) && isSilentAgent(presence, laterMs, disconnectionMs))
        const silenced = silencedPresence(presence, disconnectionMs)
        expect(silenced).toEqual({ ...silenced, seenMs: presence.seenMs, disconnectedMs: presence.seenMs + disconnectionMs })
        expect(isSilentAgent(silenced, Number.MAX_SAFE_INTEGER, disconnectionMs)).toBe(false)
        expect(newerPresence(presence, silenced)).toBe(silenced)
      }),
    )
  })

  it('yields to every later sign of life', () => {
    fc.assert(
      fc.property(ofOneAgent, ofOneAgent, fc.nat(), (presence, later, disconnectionMs) => {
        const alive = { ...later, seenMs: presence.seenMs + 1 }
        expect(newerPresence(silencedPresence(presence, disconnectionMs), alive)).toBe(alive)
      }),
    )
  })
})

it('writes IDs with at least three digits', () => {
  expect([1, 42, 123, 4567].map(agentIdText)).toEqual(['001', '042', '123', '4567'])
})
