/** How many agents leave which server: level, with the fewest moves, and at rest where it is balanced. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AgentLoads, agentMoves, isBalanced } from '../../../src/domain/balancer/agentMoves.js'
import { hardStopMs } from '../../../src/domain/balancer/hardStop.js'
import { canReconnect, isMovable, someOf } from '../../../src/domain/balancer/reconnectingAgents.js'

const loads = fc
  .array(fc.oneof(fc.nat(20), fc.nat(5_000)), { minLength: 1, maxLength: 12 })
  .map((counts): AgentLoads => new Map(counts.map((count, index) => [`w${index}`, count])))
const tolerances = fc.double({ min: 0.001, max: 1, noNaN: true })

const sum = (counts: Iterable<number>): number => [...counts].reduce((a, b) => a + b, 0)

/** What becomes of it: each agent that leaves goes to the receiver that has the fewest. */
const afterMoves = (before: AgentLoads, { leaving, receivers }: ReturnType<typeof agentMoves>): AgentLoads => {
  const after = new Map(before)
  for (const [name, count] of leaving) {
    after.set(name, (after.get(name) ?? 0) - count)
    for (let left = count; left > 0; left--) {
      const [fewest = ''] = [...receivers].sort((a, b) => (after.get(a) ?? 0) - (after.get(b) ?? 0))
      after.set(fewest, (after.get(fewest) ?? 0) + 1)
    }
  }
  return after
}

/** The fewest that have to move so that no two differ by more than one: all above the share, but one for each server that may keep one more. */
const fewestMoves = (before: AgentLoads): number => {
  const counts = [...before.values()]
  const share = Math.floor(sum(counts) / counts.length)
  const above = sum(counts.map((count) => Math.max(0, count - share)))
  return above - Math.min(sum(counts) % counts.length, counts.filter((count) => count > share).length)
}

describe('moves of agents', () => {
  it('leave no two servers with more than one agent of difference after one pass, from any start', () =>
    fc.assert(
      fc.property(loads, tolerances, (before, tolerance) => {
        const moves = agentMoves(before, tolerance)
        const after = afterMoves(before, moves)
        const counts = [...after.values()]
        if (moves.leaving.size > 0) expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        expect(sum(counts)).toBe(sum(before.values()))
        expect(isBalanced(after, tolerance)).toBe(true)
      }),
    ))

  it('are as few as that takes, and nothing where it is balanced, so that a second pass moves nobody', () =>
    fc.assert(
      fc.property(loads, tolerances, (before, tolerance) => {
        const moves = agentMoves(before, tolerance)
        if (isBalanced(before, tolerance)) expect(moves.leaving.size).toBe(0)
        else expect(sum(moves.leaving.values())).toBe(fewestMoves(before))
        expect(agentMoves(afterMoves(before, moves), tolerance).leaving.size).toBe(0)
      }),
    ))

  it('have a server that takes agents whenever one is to lose some, and none that does both', () =>
    fc.assert(
      fc.property(loads, tolerances, (before, tolerance) => {
        const { leaving, receivers } = agentMoves(before, tolerance)
        expect(receivers.size > 0).toBe(leaving.size > 0)
        for (const [name, count] of leaving) {
          expect(receivers.has(name)).toBe(false)
          expect(count).toBeGreaterThan(0)
        }
      }),
    ))

  it('begin beyond the tolerance, not at it', () => {
    const of = (...counts: readonly number[]): AgentLoads => new Map(counts.map((count, index) => [`w${index}`, count]))
    expect(isBalanced(of(110, 90), 0.1)).toBe(true)
    expect(isBalanced(of(111, 89), 0.1)).toBe(false)
    expect(isBalanced(of(1, 0), 0.01)).toBe(true)
    expect(isBalanced(of(2, 0), 0.99)).toBe(false)
    expect(agentMoves(of(334, 333, 333, 0), 0.1)).toEqual({
      leaving: new Map([
        ['w0', 84],
        ['w1', 83],
        ['w2', 83],
      ]),
      receivers: new Set(['w3']),
    })
    expect(agentMoves(new Map(), 0.1).leaving.size).toBe(0)
  })
})

describe('agents that are asked to reconnect', () => {
  it.each([
    ['v4.2.7', false],
    ['v4.3.0', true],
    ['Wazuh v4.14.7', true],
    ['v4.10.0', true],
    ['v5.0.0', true],
    ['Wazuh v5.1.2', true],
    ['v5.3.0', true],
    ['v6.0', true],
    ['v3.13.6', false],
    ['', false],
  ])('are of 4.3 or newer, 5.0 to 5.2 too: %s', (version, can) => expect(canReconnect(version)).toBe(can))

  it('are active at the node that they are to leave', () => {
    const facts = { version: 'v4.14.7' } as never
    const view = { id: 1, name: 'a', registeredIp: 'any', status: 'active', node: 'w1', facts, groups: [], groupHash: '' } as const
    expect(isMovable(view, 'w1')).toBe(true)
    expect(isMovable(view, 'w2')).toBe(false)
    expect(isMovable({ ...view, status: 'disconnected' }, 'w1')).toBe(false)
  })

  it('are as many different ones as are wanted, wherever they begin', () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat()), fc.nat(50), fc.double({ min: 0, max: 0.999, noNaN: true }), (all, count, fraction) => {
        const some = someOf(all, count, fraction)
        expect(some).toHaveLength(Math.min(count, all.length))
        expect(new Set(some).size).toBe(some.length)
        for (const one of some) expect(all).toContain(one)
      }),
    ))
})

describe('the hard stop', () => {
  it('is the time to ask all agents and ten seconds for each node', () => {
    expect(hardStopMs({ agents: 0, nodes: 1, agentChunkSize: 300, agentReconnectionMs: 5_000 })).toBe(10_000)
    expect(hardStopMs({ agents: 1_000, nodes: 3, agentChunkSize: 300, agentReconnectionMs: 5_000 })).toBe(50_000)
  })
})
