/** The HAProxy helper over a balancer in memory: what it says, what wakes it, whom it asks, and what it does when it is refused. */
import { describe, expect, it } from 'vitest'
import { BalancedNodes } from '../../../src/actors/balancer/balancedNodes.js'
import { haproxyHelper } from '../../../src/actors/balancer/haproxyHelper.js'
import type { Member } from '../../../src/actors/cluster/registry.js'
import { startHosted } from '../../../src/actors/kit/host.js'
import { Signal } from '../../../src/actors/kit/signal.js'
import { ClusterError } from '../../../src/base/errors.js'
import type { AgentCounts, AgentView } from '../../../src/domain/agents/agent.js'
import type { BalancerServer } from '../../../src/domain/balancer/balancerServer.js'
import { defaultBalancing } from '../../../src/domain/balancer/balancingOptions.js'
import type { NodeState } from '../../../src/domain/cluster/nodeState.js'
import type { Balancer, BalancerOpening } from '../../../src/ports/balancer.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../../support/recordingLog.js'

const failure = (message: string): ClusterError => new ClusterError('balancerFailed', { message })

/** Servers are up as soon as they are added. */
class MemoryBalancer implements Balancer {
  readonly opening: BalancerOpening
  readonly calls: string[] = []
  readonly refused = new Set<string>()
  isDown = false
  declare together?: NonNullable<Balancer['together']>
  #servers: readonly BalancerServer[] = []

  constructor(opening: Partial<BalancerOpening>) {
    this.opening = { version: '2.8.1', foreignFrontends: [], warnings: [], reloads: false, ...opening }
  }

  async open(): Promise<BalancerOpening> {
    this.#assertReached()
    return this.opening
  }

  async servers(): Promise<readonly BalancerServer[]> {
    this.#assertReached()
    return this.#servers
  }

  async add({ address, name }: Pick<BalancerServer, 'name' | 'address'>): Promise<void> {
    this.#call(`add ${name} ${address}`, name)
    this.put({ name, address })
  }

  async remove(name: string): Promise<void> {
    this.#call(`remove ${name}`, name)
    this.#servers = this.#servers.filter((server) => server.name !== name)
  }

  async setState(name: string, state: 'ready' | 'drain'): Promise<void> {
    this.#call(`${state} ${name}`, name)
    this.put({ name, state })
  }

  async setHardStop(ms: number): Promise<void> {
    this.#call(`hard stop ${ms}`, '')
  }

  async close(): Promise<void> {}

  put(server: Partial<BalancerServer> & { readonly name: string }): void {
    const known = this.#servers.find(({ name }) => name === server.name)
    const fresh = { address: '', port: 1514, state: 'ready', isUp: true, sessions: 0 } as const
    this.#servers = [...this.#servers.filter((other) => other !== known), { ...fresh, ...known, ...server }]
  }

  #assertReached(): void {
    if (this.isDown) throw failure('The load balancer is away')
  }

  #call(call: string, name: string): void {
    this.#assertReached()
    if (this.refused.has(name)) throw failure('No such backend.')
    this.calls.push(call)
  }
}

const agent = (id: number, node: string): AgentView => ({
  ...{ id, node, name: `a${id}`, registeredIp: 'any', status: 'active', groups: [], groupHash: '' },
  facts: { version: 'Wazuh v5.1.0' } as never,
})

interface Given {
  readonly opening?: Partial<BalancerOpening>
  readonly agents?: readonly AgentView[]
  readonly agentChunkSize?: number
  readonly isManaged?: boolean
}

const start = ({ agentChunkSize = 300, agents = [], isManaged = false, opening = {} }: Given = {}) => {
  const clock = new VirtualClock()
  const balancer = new MemoryBalancer(opening)
  const log = recordingLog()
  const workers = new Map<string, string>()
  const registry = {
    joined: new Signal<Member>(),
    left: new Signal<{ readonly member: Member; readonly error: ClusterError }>(),
    get: (name: string) => (workers.has(name) ? ({} as Member) : undefined),
    members: () => [...workers].map(([name, address]) => ({ name, link: { peer: { address } } })) as never,
  }
  const states = {
    changed: new Signal<{ readonly node: string; readonly state: NodeState }>(),
    loaded: Promise.resolve(),
    stateOf: () => 'ready' as const,
  }
  const nodes = new BalancedNodes({ self: { name: 'master', address: '10.0.0.1' }, registry, states, ...defaultBalancing })
  const asked: { readonly atMs: number; readonly ids: readonly number[] }[] = []
  const operations = {
    reconnect: async ({ ids = [] }: { readonly ids?: readonly number[] }) => {
      asked.push({ atMs: clock.monotonicMs(), ids })
      return [{ node: 'master', agents: ids.length }]
    },
  }
  const store = {
    counts: async () => ({ byStatus: { active: 1_000 } }) as Partial<AgentCounts> as AgentCounts,
    list: async ({ ids, nodes: at }: { readonly ids?: readonly number[]; readonly nodes?: readonly string[] }, after: number) =>
      agents.filter(({ id, node = '' }) => id > after && (ids?.includes(id) ?? true) && (at?.includes(node) ?? true)),
  }
  const thread = startHosted(
    haproxyHelper({
      ...{ balancer, nodes, store, clock, log: log.at({ tag: 'HAPHelper', subtag: 'Main' }), random: { fraction: () => 0.5 } },
      balancing: { ...defaultBalancing, agentChunkSize },
      operations: isManaged ? undefined : operations,
    }),
    { clock, onEnd: () => undefined },
  )
  return {
    ...{ asked, balancer, clock, log },
    join: async (name: string, address: string) => {
      workers.set(name, address)
      registry.joined.emit(undefined as never)
      await clock.advance(1)
    },
    stop: async () => {
      thread.stop()
      await clock.settle()
      expect(clock.pending).toBe(0)
    },
  }
}

describe('the HAProxy helper', () => {
  it('says at its start what Wazuh’s says, and what else an operator should know', async () => {
    const { clock, log, stop } = start({ opening: { foreignFrontends: ['other'], warnings: ['The password is sent as it is.'] } })
    await clock.advance(1)
    expect(log.lines).toEqual([
      'debug2 [HAPHelper] [Proxy] Obtained proxy backends',
      'debug2 [HAPHelper] [Proxy] Obtained proxy frontends',
      'info [HAPHelper] [Main] Proxy was initialized',
      'debug [HAPHelper] [Main] HAProxy has version 2.8.1.',
      'info [HAPHelper] [Main] Ensuring only exists one HAProxy process. Not sleeping: no change needs a reload.',
      'warning [HAPHelper] [Main] The password is sent as it is.',
      expect.stringContaining("warning [HAPHelper] [Main] Other HAProxy frontends use the agents' port: other."),
      'info [HAPHelper] [Main] Starting HAProxy Helper',
      'debug2 [HAPHelper] [Proxy] Obtained proxy servers',
      "info [HAPHelper] [Main] Server 'master' was added with the address 10.0.0.1.",
      'debug2 [HAPHelper] [Proxy] Obtained proxy servers',
    ])
    await stop()
  })

  it('adds a worker when it joins, and replaces its server when it comes from another address', async () => {
    const { balancer, clock, join, stop } = start()
    await clock.advance(1_000)
    await join('w1', '10.0.0.2')
    await join('w1', '10.0.0.3')
    expect(balancer.calls).toEqual(['add master 10.0.0.1', 'add w1 10.0.0.2', 'add w1 10.0.0.3'])
    await clock.advance(10 * defaultBalancing.frequencyMs)
    expect(balancer.calls).toHaveLength(3)
    await stop()
  })

  it('sets the hard stop where changes are reloads, and again only when the number of nodes changes', async () => {
    const { balancer, clock, join, log, stop } = start({ opening: { reloads: true } })
    await clock.advance(10 * defaultBalancing.frequencyMs)
    await join('w1', '10.0.0.2')
    await clock.advance(10 * defaultBalancing.frequencyMs)
    expect(balancer.calls.filter((call) => call.startsWith('hard stop'))).toEqual(['hard stop 30000', 'hard stop 40000'])
    expect(log.lines.join('\n')).toContain('Not sleeping: old ones end by their hard stop.')
    await stop()
  })

  it('does for the other servers what one is refused, and says once which', async () => {
    const { balancer, clock, join, log, stop } = start()
    balancer.refused.add('master')
    await clock.advance(1)
    await join('w1', '10.0.0.2')
    expect(balancer.calls).toEqual(['add w1 10.0.0.2'])
    await clock.advance(3 * defaultBalancing.frequencyMs)
    expect(log.lines.filter((line) => line.startsWith('warning'))).toEqual([
      "warning [HAPHelper] [Main] Server 'master' could not be added: No such backend.",
    ])
    await stop()
  })

  it('changes servers together where each change is a reload, and drains after it', async () => {
    const { balancer, clock, join, log, stop } = start({ opening: { reloads: true } })
    const made: unknown[] = []
    balancer.together = async (changes) => {
      made.push(
        [...changes],
        balancer.calls.filter((call) => !call.startsWith('hard stop')),
      )
      return changes.map((change) => {
        if (change.name === 'w2') return failure('No.')
        if (change.kind === 'add') balancer.put(change)
        return undefined
      })
    }
    balancer.isDown = true
    balancer.put({ name: 'away', state: 'drain', isUp: true })
    await join('w1', '10.0.0.2')
    await join('w2', '10.0.0.3')
    balancer.isDown = false
    await clock.advance(10_001)
    const add = (name: string, address: string) => ({ kind: 'add', name, address })
    expect(made.slice(0, 2)).toEqual([[add('master', '10.0.0.1'), add('w1', '10.0.0.2'), add('w2', '10.0.0.3')], ['ready away']])
    expect(log.lines.filter((line) => line.includes('Server'))).toEqual([
      expect.stringContaining("Server 'away' was set to READY."),
      expect.stringContaining("Server 'master' was added with the address 10.0.0.1."),
      expect.stringContaining("Server 'w1' was added"),
      "warning [HAPHelper] [Main] Server 'w2' could not be added: No.",
    ])
    await stop()
  })

  it('tries each change by itself when all of them together are refused', async () => {
    const { balancer, clock, join, log, stop } = start({ opening: { reloads: true } })
    balancer.together = () => Promise.reject(failure('The configuration is not valid.'))
    balancer.refused.add('w2')
    balancer.isDown = true
    await join('w1', '10.0.0.2')
    await join('w2', '10.0.0.3')
    balancer.isDown = false
    await clock.advance(10_001)
    expect(balancer.calls.filter((call) => call.startsWith('add'))).toEqual(['add master 10.0.0.1', 'add w1 10.0.0.2'])
    expect(log.lines.filter((line) => line.startsWith('warning'))).toEqual([
      "warning [HAPHelper] [Main] Server 'w2' could not be added: No such backend.",
    ])
    await stop()
  })

  it('says once that the balancer fails, however long it does, and once that it works again', async () => {
    const { balancer, clock, log, stop } = start()
    await clock.advance(1)
    balancer.isDown = true
    await clock.advance(10 * defaultBalancing.frequencyMs)
    balancer.isDown = false
    await clock.advance(defaultBalancing.frequencyMs)
    const said = log.lines.filter((line) => line.includes('away') || line.includes('is working again'))
    expect(said).toEqual([
      'error [HAPHelper] [Main] The load balancer is away. Trying again every 10 seconds.',
      'info [HAPHelper] [Main] The HAProxy helper is working again.',
    ])
    await stop()
  })

  it('asks agents in chunks, each agent once, with the other servers drained, and makes them ready again', async () => {
    const agents = Array.from({ length: 400 }, (_, index) => agent(index + 1, 'master'))
    const { asked, balancer, clock, join, stop } = start({ agents, agentChunkSize: 100 })
    await clock.advance(1)
    await join('w1', '10.0.0.2')
    balancer.put({ name: 'master', sessions: 400 })
    await clock.advance(defaultBalancing.stabilityMs)
    expect(balancer.calls).toContain('drain master')
    expect(balancer.calls).not.toContain('ready master')
    await clock.advance(2 * defaultBalancing.agentReconnectionMs)
    expect(asked.map(({ ids }) => ids.length)).toEqual([100, 100])
    expect((asked[1]?.atMs ?? 0) - (asked[0]?.atMs ?? 0)).toBe(defaultBalancing.agentReconnectionMs)
    expect(new Set(asked.flatMap(({ ids }) => ids)).size).toBe(200)
    expect(balancer.calls.slice(-2)).toEqual(['drain master', 'ready master'])
    await stop()
  })

  it('moves no agent of a real manager, drains nothing for it, and says so', async () => {
    const agents = Array.from({ length: 10 }, (_, index) => agent(index + 1, 'master'))
    const { asked, balancer, clock, join, log, stop } = start({ agents, isManaged: true })
    await join('w1', '10.0.0.2')
    balancer.put({ name: 'master', sessions: 10 })
    await clock.advance(10 * defaultBalancing.frequencyMs)
    expect(asked).toEqual([])
    expect(balancer.calls).toEqual(['add master 10.0.0.1', 'add w1 10.0.0.2'])
    expect(log.lines.join('\n')).toContain('Agents are not moved from one node to another: a Wazuh manager has them.')
    await stop()
  })
})
