/** Who wins when several nodes speak of one agent: whole simulated clusters beside the simplest possible model. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentReport } from '../../src/domain/agentQuery.js'
import { SimulatedCluster } from '../../src/simulation/cluster.js'
import { injectFault } from '../../src/simulation/injectFault.js'
import { faultPlans, nodeNames } from '../../src/testing/faultPlanArbitraries.js'

const agents = 3
const nodes = nodeNames(2)
const safetyMs = 120_000
/** Enough for every redial, and for a round of agent info after it. */
const settleMs = 200_000
/** By this much a worker may misjudge the master's clock: half of the slowest beat that it believes. */
const toleranceMs = 3_000

const visits = fc.array(
  fc.record({
    atMs: fc.integer({ min: 5_000, max: safetyMs }),
    id: fc.integer({ min: 1, max: agents }),
    node: fc.constantFrom(...nodes),
    kind: fc.constantFrom<AgentReport['kind']>('startup', 'keepAlive', 'keepAlive', 'shutdown', 'lost'),
  }),
  { minLength: 1, maxLength: 25 },
)

/** Clocks are wrong from the start, by minutes; the master's is the one that counts. */
const skews = fc.array(fc.integer({ min: -600_000, max: 600_000 }), { minLength: 2, maxLength: 2 })

const plans = faultPlans({
  nodes,
  durationMs: safetyMs,
  kinds: ['partition', 'isolate', 'hold', 'reset', 'latency', 'kill', 'crash', 'pause'],
  faultsMax: 5,
})

/** What was said of an agent, by the true time of the sign of life that it rests on. */
interface Word {
  readonly seenMs: number
  readonly node: string
  readonly status: string
  /** Whoever said it was told that it is durable. */
  isCertain: boolean
}

/** The words, and the newest of them: nothing else decides. */
class Model {
  readonly #words = new Map<number, Word[]>()
  readonly #connected = new Map<string, number>()

  /** The word that a report makes, if it makes any: who was never connected cannot be lost. */
  say({ id, kind }: AgentReport, node: string, nowMs: number): Word | undefined {
    const connection = `${node} ${id}`
    const before = this.#connected.get(connection)
    if (kind === 'lost' && before === undefined) return undefined
    const seenMs = kind === 'lost' ? (before ?? 0) : nowMs
    if (kind === 'lost' || kind === 'shutdown') this.#connected.delete(connection)
    else this.#connected.set(connection, nowMs)
    const status = kind === 'startup' ? 'pending' : kind === 'keepAlive' ? 'active' : 'disconnected'
    const word = { seenMs, node, status, isCertain: false }
    this.#words.set(id, [...(this.#words.get(id) ?? []), word])
    return word
  }

  /** A process that is gone has forgotten who was connected to it. */
  forget(node: string): void {
    for (const connection of [...this.#connected.keys()]) if (connection.startsWith(`${node} `)) this.#connected.delete(connection)
  }

  /** What may stand in the master's table at the end. */
  allowed(id: number): readonly Word[] {
    const words = this.#words.get(id) ?? []
    const newestMs = Math.max(...words.filter((word) => word.isCertain).map((word) => word.seenMs))
    return words.filter((word) => word.seenMs >= newestMs - toleranceMs)
  }
}

describe('what several nodes say of an agent', () => {
  it("ends with the newest word in the master's table, whatever the clocks, the order and the faults", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), skews, visits, plans, async (seed, [first = 0, second = 0], said, plan) => {
        const cluster = new SimulatedCluster({ seed, nodes: nodes.length })
        cluster.node('w1').clock.jump(first)
        cluster.node('w2').clock.jump(second)
        const keys = Array.from({ length: agents }, (_, index) => `00${index + 1} agent${index + 1} any ${String(index).repeat(64)}\n`)
        cluster.write('master', 'etc/client.keys', Buffer.from(keys.join('')), 0o640)
        cluster.startAll()
        const model = new Model()
        const processes = new Map<string, unknown>()
        const startMs = cluster.clock.monotonicMs()
        const onceAt = (atMs: number, act: () => void) => cluster.clock.setTimeout(act, startMs + atMs - cluster.clock.monotonicMs())
        for (const fault of plan)
          onceAt(fault.atMs, () => {
            const ending = injectFault(cluster, fault)
            if (ending) cluster.clock.setTimeout(ending.end, ending.afterMs)
          })
        for (const { atMs, id, kind, node } of said)
          onceAt(atMs, () => {
            const { clock, running } = cluster.node(node)
            // Before a process knows its agents there is no listener, and one that stands still sees nothing.
            if (!running || clock.isFrozen || running.agents.idsDigest === '') return
            if (processes.get(node) !== running) model.forget(node)
            processes.set(node, running)
            const report = { id, kind }
            const word = model.say(report, node, cluster.clock.now())
            running.agentOperations.report([report]).then(
              ({ unknown }) => {
                if (word) word.isCertain = unknown === 0
              },
              () => undefined,
            )
          })
        await cluster.clock.advance(safetyMs)
        cluster.heal()
        await cluster.clock.advance(settleMs)
        const rows = cluster.master.agentTable.list({}, 0)
        expect(rows).toHaveLength(agents)
        for (const { id, node, status } of rows) {
          const allowed = model.allowed(id).map((word) => `${word.status} at ${word.node}`)
          if (allowed.length > 0) expect(allowed).toContain(`${status} at ${node}`)
        }
        await cluster.stopAll()
        expect(cluster.violations).toEqual([])
      }),
      { numRuns: 15 },
    ))
})
