/** Which servers the balancer has, and in which states: from any situation to the right one in one plan, and no further. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BalancerServer, takesAgents } from '../../../src/domain/balancer/balancerServer.js'
import { type ServerSituation, type ServerStep, serverPlan } from '../../../src/domain/balancer/serverPlan.js'
import { nodeStates } from '../../../src/domain/cluster/nodeState.js'

const names = ['m', 'w1', 'w2', 'w3', 'other'] as const
const addresses = fc.constantFrom('10.0.0.1', '10.0.0.2')
/** Some of the names, each with a value. */
const byName = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<ReadonlyMap<string, T>> =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), value), { selector: ([name]) => name })
    .map((pairs) => new Map(pairs.sort(([a], [b]) => (a < b ? -1 : 1))))

const servers: fc.Arbitrary<readonly BalancerServer[]> = byName(
  fc.record({
    address: addresses,
    state: fc.constantFrom('ready' as const, 'ready' as const, 'drain' as const, 'maintenance' as const),
    isUp: fc.boolean(),
    sessions: fc.nat(9),
  }),
).map((of) => [...of].map(([name, server]) => ({ name, port: 1514, ...server })))

const situations: fc.Arbitrary<ServerSituation> = fc
  .record({
    servers,
    nodes: byName(addresses).map((of) => [...of].map(([name, address]) => ({ name, address }))),
    excludedNodes: fc.subarray([...names], { maxLength: 2 }),
    states: byName(fc.constantFrom(...nodeStates)),
    held: fc.subarray([...names]),
    down: byName(fc.nat(100)),
    removeDisconnectedMs: fc.nat(100),
  })
  .map(({ down, held, states, ...given }) => ({
    ...given,
    held: new Set<string>(held),
    stateOf: (name) => states.get(name) ?? 'ready',
    downMs: (name) => down.get(name) ?? 0,
  }))

/** The simplest balancer: does what a step says, and nothing that was added is up yet. */
const carriedOut = (before: readonly BalancerServer[], steps: readonly ServerStep[]): readonly BalancerServer[] => {
  const after = new Map(before.map((server) => [server.name, server]))
  for (const step of steps) {
    const server = after.get(step.name)
    if (step.kind === 'add') after.set(step.name, { ...step, port: 1514, state: 'ready', isUp: false, sessions: 0 })
    else if (step.kind === 'remove') after.delete(step.name)
    else if (server) after.set(step.name, { ...server, state: step.state })
  }
  return [...after.values()]
}

describe('the plan of servers', () => {
  it('changes nothing the second time', () =>
    fc.assert(
      fc.property(situations, (situation) => {
        const after = carriedOut(situation.servers, serverPlan(situation))
        expect(serverPlan({ ...situation, servers: after })).toEqual([])
      }),
      { numRuns: 1_000 },
    ))

  it('drains never all servers that are up, neither at the end nor between two steps', () =>
    fc.assert(
      fc.property(situations, (situation) => {
        const steps = serverPlan(situation)
        const takes = (shown: readonly BalancerServer[]): boolean => shown.some(takesAgents)
        const kept = carriedOut(situation.servers, steps)
        const couldTake = kept.some(({ isUp, state }) => isUp && state !== 'maintenance')
        expect(takes(kept)).toBe(couldTake)
        if (takes(situation.servers) && couldTake)
          for (let count = 0; count <= steps.length; count++) expect(takes(carriedOut(situation.servers, steps.slice(0, count)))).toBe(true)
      }),
      { numRuns: 1_000 },
    ))

  it('ends with a server for each connected node at its address, and none for excluded and removed ones', () =>
    fc.assert(
      fc.property(situations, (situation) => {
        const { excludedNodes, held, nodes, stateOf } = situation
        const after = new Map(carriedOut(situation.servers, serverPlan(situation)).map((server) => [server.name, server]))
        for (const { address, name } of nodes) {
          const server = after.get(name)
          if (excludedNodes.includes(name) || stateOf(name) === 'removed') expect(server).toBeUndefined()
          else if (stateOf(name) === 'ready' && !held.has(name) && server?.state !== 'maintenance') expect(server?.address).toBe(address)
        }
      }),
      { numRuns: 1_000 },
    ))

  it('leaves in drain what is held or was drained by an operator, and nothing else', () =>
    fc.assert(
      fc.property(situations, (situation) => {
        const after = carriedOut(situation.servers, serverPlan(situation))
        const wasDrained = ({ name }: BalancerServer): boolean => situation.held.has(name) || situation.stateOf(name) === 'drained'
        for (const server of after) if (server.state === 'drain') expect(wasDrained(server)).toBe(true)
        if (!after.some((server) => takesAgents(server) && !wasDrained(server))) return
        for (const server of after) {
          const isNew = serverPlan(situation).some(({ kind, name }) => kind === 'add' && name === server.name)
          if (!isNew && server.state !== 'maintenance') expect(server.state).toBe(wasDrained(server) ? 'drain' : 'ready')
        }
      }),
      { numRuns: 1_000 },
    ))

  it('touches no server in maintenance but to remove it, and calls none gone that is up or connected', () =>
    fc.assert(
      fc.property(situations, (situation) => {
        for (const step of serverPlan(situation)) {
          const server = situation.servers.find(({ name }) => name === step.name)
          if (server?.state === 'maintenance') expect(step.kind).toBe('remove')
          if (step.kind === 'remove' && step.why === 'disconnected') {
            expect(server?.isUp).toBe(false)
            expect(situation.downMs(step.name)).toBeGreaterThanOrEqual(situation.removeDisconnectedMs)
            expect(situation.nodes.some(({ name }) => name === step.name)).toBe(false)
          }
        }
      }),
      { numRuns: 1_000 },
    ))
})
