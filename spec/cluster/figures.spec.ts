/** What nodes count of themselves in a whole cluster on the virtual clock: figures, the list of all nodes, the events, the check. */
import { describe, expect, it } from 'vitest'
import { type Finding, worstOf } from '../../src/domain/cluster/monitoring/nodeHealth.js'
import type { NodeFigures } from '../../src/domain/cluster/nodeFigures.js'
import type { AnswerLine } from '../../src/domain/queries/answerLine.js'
import type { ClusterEvent, NodeOverview } from '../../src/domain/queries/clusterAnswer.js'
import type { ClusterQuery } from '../../src/domain/queries/clusterQuery.js'
import { SimulatedCluster } from '../../src/simulation/cluster.js'

const settled = async <T>(cluster: SimulatedCluster, promise: Promise<T>): Promise<T> => {
  let outcome: { readonly value: T } | undefined
  let failure: unknown
  promise.then(
    (value) => {
      outcome = { value }
    },
    (thrown: unknown) => {
      failure = thrown
    },
  )
  await cluster.clock.runUntil(() => outcome !== undefined || failure !== undefined, 30_000)
  if (!outcome) throw failure
  return outcome.value
}

const runningOf = (cluster: SimulatedCluster, name: string) => {
  const { running } = cluster.node(name)
  if (!running) throw new Error(`${name} does not run`)
  return running
}

const figuresOf = (cluster: SimulatedCluster, name: string): Promise<NodeFigures> => settled(cluster, runningOf(cluster, name).figures())

const answerOf = (cluster: SimulatedCluster, name: string, query: ClusterQuery): Promise<readonly AnswerLine[]> =>
  settled(
    cluster,
    (async () => {
      const lines: AnswerLine[] = []
      for await (const line of runningOf(cluster, name).query(query, new AbortController().signal)) lines.push(line)
      return lines
    })(),
  )

const overviewOf = async (cluster: SimulatedCluster, name: string): Promise<readonly NodeOverview[]> =>
  (await answerOf(cluster, name, { kind: 'overview' })).flatMap((line) => (line.kind === 'overview' ? [line.node] : []))

const eventsOf = async (cluster: SimulatedCluster, name: string, after = 0): Promise<readonly ClusterEvent[]> =>
  (await answerOf(cluster, name, { kind: 'events', after })).flatMap((line) => (line.kind === 'event' ? [line.event] : []))

const findingsOf = async (cluster: SimulatedCluster, name: string): Promise<readonly Finding[]> =>
  (await answerOf(cluster, name, { kind: 'check' })).flatMap((line) => (line.kind === 'checked' ? line.checked.findings : []))

/** A master and two workers, in sync, with a file. */
const started = async (forMs = 20_000): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 11, nodes: 3 })
  cluster.write('master', 'etc/rules/local_rules.xml', Buffer.from('<group/>'))
  cluster.startAll()
  await cluster.clock.advance(forMs)
  return cluster
}

const ended = async (cluster: SimulatedCluster): Promise<void> => {
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

describe('figures', () => {
  it('of a master have each worker, its traffic, its clock and its round trip', async () => {
    const cluster = await started(130_000)
    const { isListening, syncedFiles, syncs, workers, ...master } = await figuresOf(cluster, 'master')
    expect({ isListening, hasScanned: master.hasScanned, syncs: syncs.count }).toEqual({ isListening: true, hasScanned: true, syncs: 2 })
    expect(syncedFiles).toBeGreaterThan(0)
    expect(workers.map(({ name }) => name)).toEqual(['w1', 'w2'])
    for (const worker of workers) {
      expect(worker).toMatchObject({
        isConnected: true,
        inSync: true,
        joined: 1,
        left: {},
        filesFailed: 0,
        filesPending: 0,
        state: 'ready',
      })
      expect(worker.roundTripMs).toBeGreaterThanOrEqual(0)
      expect(worker.integrityChecks).toBeGreaterThan(5)
      expect(worker.sent.file).toBeGreaterThan(100)
      expect(worker.received.file).toBeGreaterThan(100)
      expect(worker.sent.groups).toBeGreaterThan(0)
      expect(worker.received.control).toBeGreaterThan(100)
      expect(Object.values(worker.sent).reduce((sum, bytes) => sum + bytes)).toBe(memberOf(cluster, worker.name).link.counters.bytesSent)
    }
    await ended(cluster)
  })

  it('of a worker have its own syncs, what it applied and undid, and when it was in sync', async () => {
    const cluster = await started()
    const before = await figuresOf(cluster, 'w1')
    expect(before.master).toMatchObject({ isConnected: true, error: undefined })
    expect(before.filesApplied.created).toBeGreaterThan(0)
    expect(before.syncs.count).toBe(1)
    cluster.write('w1', 'etc/rules/local_rules.xml', Buffer.from('changed on a worker'))
    await cluster.clock.advance(30_000)
    const after = await figuresOf(cluster, 'w1')
    expect(after.editsUndone).toBe(1)
    expect(after.filesApplied.updated).toBe(before.filesApplied.updated + 1)
    expect(after.nowMs - (after.inSyncMs ?? 0)).toBeLessThan(20_000)
    const undone = (await eventsOf(cluster, 'master')).filter(({ level }) => level === 'warning')
    expect(undone).toMatchObject([{ node: 'w1', message: "Worker 'w1' undid 1 edit of its own files." }])
    await ended(cluster)
  })

  it('keep what a worker counted over all of its connections', async () => {
    const cluster = await started()
    const [before] = (await figuresOf(cluster, 'master')).workers
    cluster.crash('w1', 'process')
    await cluster.clock.advance(200_000)
    const [gone] = (await figuresOf(cluster, 'master')).workers
    expect(gone).toMatchObject({ name: 'w1', isConnected: false, inSync: false, joined: 1, left: { linkLost: 1 } })
    expect(gone?.received.control).toBeGreaterThanOrEqual(before?.received.control ?? Number.NaN)
    cluster.start('w1')
    await cluster.clock.advance(60_000)
    const [back] = (await figuresOf(cluster, 'master')).workers
    expect(back).toMatchObject({ isConnected: true, joined: 2, left: { linkLost: 1 } })
    expect(back?.received.control).toBeGreaterThan(gone?.received.control ?? Number.NaN)
    expect(back?.integrityChecks).toBeGreaterThan(gone?.integrityChecks ?? Number.NaN)
    await ended(cluster)
  })

  it('count a full disk until files can be written again', async () => {
    const cluster = await started()
    const heal = cluster.node('w1').disk.fail({ operation: 'write', code: 'ENOSPC' })
    cluster.write('master', 'etc/rules/large.xml', Buffer.alloc(200_000, 1))
    await cluster.clock.advance(30_000)
    expect((await figuresOf(cluster, 'w1')).diskFull).toBe(true)
    expect((await findingsOf(cluster, 'w1')).find(({ check }) => check === 'disk')?.severity).toBe('critical')
    expect((await figuresOf(cluster, 'master')).workers[0]?.filesFailed).toBe(1)
    heal()
    await cluster.clock.advance(30_000)
    expect((await figuresOf(cluster, 'w1')).diskFull).toBe(false)
    await ended(cluster)
  })

  it('count connections that were refused, by the reason', async () => {
    const cluster = await started()
    await settled(
      cluster,
      cluster.dialAs('w1').catch(() => undefined),
    )
    const { refusals, workers } = await figuresOf(cluster, 'master')
    expect(refusals).toEqual({ duplicateName: 1 })
    expect(workers.map(({ name }) => name)).toEqual(['w1', 'w2'])
    await ended(cluster)
  })
})

describe('the overview', () => {
  it('is the same from any node: a row for each, the master first', async () => {
    const cluster = await started()
    const fromMaster = await overviewOf(cluster, 'master')
    const fromWorker = await overviewOf(cluster, 'w2')
    const plain = (rows: readonly NodeOverview[]) => rows.map(({ bytesReceived, bytesSent, ...row }) => row)
    expect(plain(fromWorker)).toEqual(plain(fromMaster))
    expect(fromMaster).toMatchObject([
      { name: 'master', type: 'master', isConnected: true, inSync: true },
      { name: 'w1', type: 'worker', isConnected: true, inSync: true, state: 'ready' },
      { name: 'w2', type: 'worker', isConnected: true },
    ])
    await ended(cluster)
  })

  it('says since when a worker is away, and why', async () => {
    const cluster = await started()
    const stopped = runningOf(cluster, 'w1').stop()
    cluster.node('w1').running = undefined
    await settled(cluster, stopped)
    await cluster.clock.advance(60_000)
    const row = (await overviewOf(cluster, 'master')).find(({ name }) => name === 'w1')
    expect(row).toMatchObject({ isConnected: false, inSync: false, error: 'The peer is stopping' })
    expect(cluster.master.clock.now() - (row?.sinceMs ?? 0)).toBeLessThan(70_000)
    await ended(cluster)
  })
})

describe('events', () => {
  it('say who came, went and was synced, with ids that rise by one, from any node', async () => {
    const cluster = await started()
    cluster.write('master', 'etc/rules/local_rules.xml', Buffer.from('<group></group>'))
    await cluster.clock.advance(20_000)
    cluster.crash('w1', 'process')
    await cluster.clock.advance(200_000)
    const events = await eventsOf(cluster, 'w2')
    expect(events).toEqual(await eventsOf(cluster, 'master'))
    expect(events.every(({ id }, at) => at === 0 || id === (events[at - 1]?.id ?? 0) + 1)).toBe(true)
    const ofW1 = events.filter(({ node }) => node === 'w1').map(({ message }) => message.replace(/from \S+ /, ''))
    expect(ofW1).toEqual([
      "Worker 'w1' connected (version 1.0.0).",
      "Worker 'w1' was synced: 1 file created, 0 updated, 0 deleted.",
      "Worker 'w1' was synced: 0 files created, 1 updated, 0 deleted.",
      expect.stringContaining("Worker 'w1' was lost: "),
    ])
    const [first] = events
    expect(await eventsOf(cluster, 'master', first?.id)).toEqual(events.slice(1))
    await ended(cluster)
  })
})

describe('the check', () => {
  it('is well on each node of a cluster that is, and says on any node that a worker is lost', async () => {
    const cluster = await started()
    for (const name of ['master', 'w1', 'w2']) expect(worstOf(await findingsOf(cluster, name)), name).toBe('ok')
    cluster.crash('w1', 'process')
    await cluster.clock.advance(200_000)
    for (const name of ['master', 'w2']) {
      const wrong = (await findingsOf(cluster, name)).filter(({ severity }) => severity === 'critical')
      expect(wrong).toMatchObject([{ check: 'workers', says: expect.stringMatching(/^worker w1 is lost: /) }])
    }
    await ended(cluster)
  })

  it('is critical on a worker without a master, and says why', async () => {
    const cluster = await started()
    cluster.crash('master', 'process')
    await cluster.clock.advance(300_000)
    const wrong = (await findingsOf(cluster, 'w1')).filter(({ severity }) => severity === 'critical')
    expect(wrong.map(({ check }) => check)).toEqual(['master', 'sync'])
    expect(wrong[0]?.says).toMatch(/^Not connected to the master: /)
    await ended(cluster)
  })
})

const memberOf = (cluster: SimulatedCluster, name: string) => {
  const member = runningOf(cluster, 'master').registry?.get(name)
  if (!member) throw new Error(`${name} is not in`)
  return member
}
