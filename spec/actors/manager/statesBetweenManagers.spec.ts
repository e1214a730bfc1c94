/** Agent states between the wazuh-dbs of workers and of their master: nothing is lost whatever fails, and the newest report wins. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { crashPoints, type ManagedNode, ManagedNodes } from '../../support/manager/managedNodes.js'
import { runs } from '../../support/runs.js'

const clusterOf = (ids: readonly number[], skewsMs?: readonly number[]): Promise<ManagedNodes> =>
  new ManagedNodes(new VirtualClock(), ids, skewsMs).start()

const worker = (cluster: ManagedNodes, index: number): ManagedNode => {
  const found = cluster.workers[index]
  if (!found) throw new Error(`no worker ${index}`)
  return found
}

const details = {
  ...{ version: 'Wazuh v4.14.7', os_name: 'Debian GNU/Linux', os_major: '12', os_codename: 'bookworm', os_arch: 'x86_64' },
  ...{ config_sum: 'c', merged_sum: 'm', manager_host: 'w1.example', labels: [{ key: '"rack"', value: 'r1' }] },
}

describe('what becomes of an agent at a worker', () => {
  it('is in the wazuh-db of the master within two seconds, with all that the agent says of itself', async () => {
    const cluster = await clusterOf([1, 2], [-3_600_000, 7_000])
    const { db } = worker(cluster, 0)
    db.agentStarts(1)
    await cluster.time.advance(2_000)
    expect(cluster.known(1)).toMatchObject({ connection_status: 'pending', node_name: 'w1' })
    db.agentSendsKeepAlive(1, details)
    const seconds = Math.floor(cluster.time.now() / 1_000)
    await cluster.time.advance(2_000)
    const known = cluster.known(1)
    expect(known).toMatchObject({ ...details, name: 'agent1', connection_status: 'active', node_name: 'w1', group_config_status: 'synced' })
    expect(Math.abs((known?.last_keepalive ?? 0) - seconds)).toBeLessThanOrEqual(1)
    db.agentStops(1)
    await cluster.time.advance(2_000)
    expect(cluster.known(1)).toMatchObject({ ...details, connection_status: 'disconnected', status_code: 3 })
    expect(cluster.known(2)).toMatchObject({ connection_status: 'never_connected' })
    cluster.stop()
  })

  it('is given with mere keep-alives too, at the interval', async () => {
    const cluster = await clusterOf([1])
    const { db } = worker(cluster, 0)
    db.agentSendsKeepAlive(1, details)
    await cluster.time.advance(2_000)
    const before = cluster.known(1)?.last_keepalive ?? 0
    await cluster.time.advance(60_000)
    db.agentSendsKeepAlive(1)
    await cluster.time.advance(12_000)
    expect(cluster.known(1)).toMatchObject(details)
    expect((cluster.known(1)?.last_keepalive ?? 0) - before).toBeGreaterThanOrEqual(60)
    cluster.stop()
  })

  it('is never called silent by a node: that is left to the monitord of the master', async () => {
    const cluster = await clusterOf([1])
    worker(cluster, 0).db.agentSendsKeepAlive(1, details)
    await cluster.time.advance(700_000)
    expect(cluster.known(1)).toMatchObject({ connection_status: 'active' })
    cluster.master.db.disconnectSilent(600_000)
    await cluster.time.advance(65_000)
    expect(cluster.known(1)).toMatchObject({ connection_status: 'disconnected', status_code: 4 })
    const [view] = cluster.master.table.list({ ids: [1] }, 0)
    expect(view).toMatchObject({ status: 'disconnected', disconnection: 'keepAliveMissed' })
    cluster.stop()
  })

  it('does not touch an agent that reports to the master by now, in whatever order it is said', async () => {
    const cluster = await clusterOf([1])
    const { db } = worker(cluster, 0)
    db.agentSendsKeepAlive(1, details)
    await cluster.time.advance(2_000)
    // Its end there comes late: the worker was down.
    worker(cluster, 0).kill()
    db.agentStops(1)
    await cluster.time.advance(2_000)
    cluster.master.db.agentSendsKeepAlive(1, { version: 'Wazuh v4.14.8' })
    await worker(cluster, 0).start()
    await cluster.time.advance(20_000)
    expect(cluster.known(1)).toMatchObject({ connection_status: 'active', node_name: 'master', version: 'Wazuh v4.14.8' })
    await cluster.time.advance(65_000)
    expect(cluster.known(1)).toMatchObject({ connection_status: 'active', node_name: 'master' })
    expect(cluster.master.table.list({ ids: [1] }, 0)[0]).toMatchObject({ status: 'active', node: 'master' })
    cluster.stop()
  })
})

describe('what a process noted that died before it was in its table', () => {
  it('is recorded by the next one as of when it was taken, though wazuh-db is gone', async () => {
    const cluster = await clusterOf([1, 2])
    const node = worker(cluster, 0)
    node.db.agentSendsKeepAlive(2, details)
    await cluster.time.advance(2_000)
    node.crashAt = 'noted'
    node.db.agentStarts(1)
    node.db.agentSendsKeepAlive(2)
    const takenMs = cluster.time.now()
    await cluster.time.advance(300_000)
    expect([node.agents, node.journal.entries().length]).toEqual([undefined, 1])
    node.db.stop()
    await node.start()
    await cluster.time.advance(15_000)
    expect(cluster.known(1)).toMatchObject({ connection_status: 'pending', node_name: 'w1' })
    for (const { seenMs = 0 } of cluster.master.table.list({ ids: [1, 2] }, 0)) {
      expect(seenMs).toBeGreaterThanOrEqual(takenMs)
      expect(seenMs).toBeLessThanOrEqual(takenMs + 1_000)
    }
    expect(node.journal.entries()).toEqual([])
    cluster.stop()
  })

  it.each(['taken', 'noted', 'cleared'] as const)('is in the wazuh-db of the master when it died at %s', async (point) => {
    const cluster = await clusterOf([1])
    const node = worker(cluster, 0)
    node.db.agentSendsKeepAlive(1)
    await cluster.time.advance(2_000)
    node.crashAt = point
    node.db.agentSendsKeepAlive(1, details)
    await cluster.time.advance(2_000)
    expect(node.agents).toBe(undefined)
    await node.start()
    await cluster.time.advance(15_000)
    expect(cluster.known(1)).toMatchObject({ ...details, connection_status: 'active', node_name: 'w1' })
    cluster.stop()
  })

  it('is one line when it cannot be read, and all agents are compared', async () => {
    const cluster = await clusterOf([1])
    const node = worker(cluster, 0)
    node.kill()
    node.db.agentSendsKeepAlive(1, details)
    // Another took it, and did not note it well.
    const taking = node.db.port(node.clock).takeStates(new AbortController().signal)
    await cluster.time.advance(10)
    await taking
    for (const entry of ['torn', '1767225600000 0 {"syncreq":[']) node.journal.append(entry)
    await node.start()
    await cluster.time.advance(15_000)
    expect(cluster.known(1)).toMatchObject({ ...details, connection_status: 'active', node_name: 'w1' })
    expect(node.log.lines.filter((line) => line.startsWith('error'))).toHaveLength(2)
    expect(node.journal.entries()).toEqual([])
    cluster.stop()
  })

  it('is given again when it died between the answer of wazuh-db and its note of that', async () => {
    const cluster = await clusterOf([1])
    cluster.master.crashAt = 'posted'
    worker(cluster, 0).db.agentSendsKeepAlive(1, details)
    await cluster.time.advance(3_000)
    expect(cluster.master.agents).toBe(undefined)
    worker(cluster, 0).db.agentStops(1)
    await cluster.master.start()
    await cluster.time.advance(20_000)
    expect(cluster.known(1)).toMatchObject({ ...details, connection_status: 'disconnected', node_name: 'w1' })
    expect(cluster.master.table.owed('wazuh-db')).toBe(undefined)
    cluster.stop()
  })
})

describe('a row that wazuh-db refuses', () => {
  it('is left out with one line that names the agent, and the others are given', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => index + 1)
    const cluster = await clusterOf(ids)
    cluster.master.db.refused.add(7)
    for (const id of ids) worker(cluster, 0).db.agentSendsKeepAlive(id, details)
    await cluster.time.advance(30_000)
    expect(ids.filter((id) => cluster.known(id)?.connection_status !== 'active')).toEqual([7])
    const linesOf = (text: string): readonly string[] => cluster.master.log.lines.filter((line) => line.includes(text))
    expect(linesOf('agent 007')).toHaveLength(1)
    // It goes on, and nobody waits for it.
    for (let beat = 0; beat < 5; beat++) {
      worker(cluster, 0).db.agentSendsKeepAlive(7, { version: `v${beat}` })
      await cluster.time.advance(10)
      worker(cluster, 0).db.agentSendsKeepAlive(8, { version: `v${beat}` })
      await cluster.time.advance(2_500)
      expect(cluster.known(8)).toMatchObject({ version: `v${beat}` })
    }
    // All are compared meanwhile.
    await cluster.time.advance(130_000)
    expect(linesOf('agent 007')).toHaveLength(1)
    cluster.master.db.refused.clear()
    worker(cluster, 0).db.agentSendsKeepAlive(7, details)
    await cluster.time.advance(2_500)
    expect(cluster.known(7)).toMatchObject({ ...details, connection_status: 'active', node_name: 'w1' })
    expect(linesOf('agent 007')).toHaveLength(2)
    cluster.stop()
  })

  it('is not left out because wazuh-db refuses everything for a while', async () => {
    const cluster = await clusterOf([1, 2, 3])
    cluster.master.db.refusals = 40
    for (const id of [1, 2, 3]) worker(cluster, 0).db.agentSendsKeepAlive(id, details)
    await cluster.time.advance(300_000)
    expect([1, 2, 3].map((id) => cluster.known(id)?.connection_status)).toEqual(['active', 'active', 'active'])
    expect(cluster.master.log.lines.filter((line) => line.includes('left out'))).toEqual([])
    cluster.stop()
  })
})

describe('a wazuh-db that is down', () => {
  it('is one line when it begins and one when it is over, and nothing is lost', async () => {
    const cluster = await clusterOf([1, 2])
    cluster.master.db.stop()
    worker(cluster, 0).db.agentSendsKeepAlive(1, details)
    await cluster.time.advance(60_000)
    const linesOf = (text: string): readonly string[] => cluster.master.log.lines.filter((line) => line.includes(text))
    expect([linesOf('does not answer').length, linesOf('answers again').length]).toEqual([1, 0])
    cluster.master.db.start()
    await cluster.time.advance(12_000)
    expect(cluster.known(1)).toMatchObject({ ...details, connection_status: 'active' })
    expect([linesOf('does not answer').length, linesOf('answers again').length]).toEqual([1, 1])
    cluster.stop()
  })

  it('killed at a worker, with what an agent said of itself lost, does not take it from the master', async () => {
    const cluster = await clusterOf([1])
    const { db } = worker(cluster, 0)
    db.agentSendsKeepAlive(1, details)
    await cluster.time.advance(3_000)
    db.kill()
    await cluster.time.advance(3_000)
    db.heal()
    db.insertAgent(1, 'agent1')
    db.agentSendsKeepAlive(1)
    await cluster.time.advance(30_000)
    expect(cluster.known(1)).toMatchObject({ ...details, connection_status: 'active' })
    cluster.stop()
  })

  it('is given again what a kill took back', async () => {
    const cluster = await clusterOf([1])
    worker(cluster, 0).db.agentSendsKeepAlive(1, details)
    await cluster.time.advance(5_000)
    expect(cluster.known(1)?.connection_status).toBe('active')
    cluster.master.db.kill()
    expect(cluster.known(1)?.connection_status).toBe('never_connected')
    // So shortly that nobody asks it meanwhile.
    cluster.master.db.start()
    await cluster.time.advance(10_000)
    expect(cluster.known(1)).toMatchObject({ ...details, connection_status: 'active', node_name: 'w1' })
    cluster.stop()
  })
})

// ------------------------------------------------------------------------------------------------ agents that move, and faults

type Act = 'starts' | 'sendsKeepAlive' | 'sendsDetails' | 'stops'
const faults = ['down', 'silent', 'slow', 'refuses', 'killed', 'crash', 'crashAt', 'none'] as const
interface Move {
  readonly id: number
  readonly at: number
  readonly act: Act
  readonly fault: (typeof faults)[number]
  readonly faultAt: number
  readonly point: (typeof crashPoints)[number]
  readonly afterMs: number
}

const ids = [1, 2, 3]
const moves = fc.array(
  fc.record({
    id: fc.constantFrom(...ids),
    at: fc.nat({ max: 1 }),
    act: fc.constantFrom<Act>('starts', 'sendsKeepAlive', 'sendsDetails', 'stops'),
    fault: fc.constantFrom(...faults),
    faultAt: fc.nat({ max: 2 }),
    point: fc.constantFrom(...crashPoints),
    // A worker asks each second: what happens at two nodes within that is not ordered.
    afterMs: fc.integer({ min: 2_100, max: 9_000 }),
  }),
  { minLength: 1, maxLength: 8 },
)

const act = ({ db }: ManagedNode, id: number, what: Act): void => {
  if (what === 'starts') db.agentStarts(id)
  if (what === 'sendsKeepAlive') db.agentSendsKeepAlive(id)
  if (what === 'sendsDetails') db.agentSendsKeepAlive(id, details)
  if (what === 'stops') db.agentStops(id)
}

const strike = (node: ManagedNode, { fault, point }: Move): void => {
  const { db } = node
  if (fault === 'down') db.stop()
  if (fault === 'silent') db.isSilent = true
  if (fault === 'slow') db.delayMs = 900
  if (fault === 'refuses') db.refusals = 3
  // That of a worker would take back what nobody has seen.
  if (fault === 'killed' && node.role === 'master') db.kill()
  if (fault === 'crash') node.kill()
  if (fault === 'crashAt') node.crashAt = point
}

const statusAfter = { starts: 'pending', sendsKeepAlive: 'active', sendsDetails: 'active', stops: 'disconnected' } as const

describe('agents that move between workers', () => {
  it('end in the wazuh-db of the master as they were last, whatever failed meanwhile', () =>
    fc.assert(
      fc.asyncProperty(moves, async (given) => {
        const cluster = await clusterOf(ids, [4_000, -90_000])
        const last = new Map<number, { readonly node: string; readonly status: string }>()
        for (const move of given) {
          strike(cluster.nodes[move.faultAt] ?? cluster.master, move)
          const node = worker(cluster, move.at)
          // Its daemons write nothing while it is down.
          node.db.heal()
          const what = move.act === 'stops' && last.get(move.id)?.node !== node.name ? 'starts' : move.act
          act(node, move.id, what)
          last.set(move.id, { node: node.name, status: statusAfter[what] })
          await cluster.time.advance(move.afterMs)
          for (const { db } of cluster.nodes) db.heal()
          for (const each of cluster.nodes) await each.start()
        }
        for (const node of cluster.nodes) node.crashAt = undefined
        await cluster.time.advance(80_000)
        for (const [id, { node, status }] of last) expect(cluster.known(id)).toMatchObject({ connection_status: status, node_name: node })
        for (const { ends } of cluster.nodes) expect(ends).toEqual([])
        for (const { journal } of cluster.nodes) expect(journal.entries()).toEqual([])
        cluster.stop()
        expect(cluster.time.pending).toBe(0)
      }),
      { numRuns: runs(45), interruptAfterTimeLimit: 50_000 },
    ))
})
