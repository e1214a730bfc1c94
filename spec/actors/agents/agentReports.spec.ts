import { describe, expect, it } from 'vitest'
import { AgentReports } from '../../../src/actors/agents/agentReports.js'
import { ClusterClock } from '../../../src/actors/agents/clusterClock.js'
import { limits } from '../../../src/base/limits.js'
import type { AgentReport } from '../../../src/domain/agents/agentReport.js'
import { MemoryAgentTable } from '../../../src/simulation/world/memoryAgentTable.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { NotedAgentStore } from '../../support/agents/notedAgentStore.js'
import { settledIn } from '../../support/settledIn.js'

/** Reports of a worker that knows three agents, and whose clock is behind the master's. */
const onWorker = async (skewMs = 0) => {
  const time = new VirtualClock()
  const settle = settledIn(time)
  const own = time.view()
  own.jump(-skewMs)
  const clock = new ClusterClock(own, 'worker')
  if (skewMs === 0) clock.measure(time.now(), own.monotonicMs())
  const store = new NotedAgentStore(new MemoryAgentTable('worker', 'table'), time)
  await settle(store.open())
  await settle(
    store.addAgents(
      [1, 2, 3].map((id) => ({ id, name: `agent${id}`, ip: 'any', key: 'k' })),
      0,
    ),
  )
  const reports = new AgentReports({ node: 'w1', store, clock, opened: () => Promise.resolve() })
  let urgent = 0
  reports.updates.add(() => {
    urgent += 1
  })
  const rowOf = async (id: number) => (await settle(store.list({ ids: [id] }, 0)))[0]
  return { clock, own, reports, rowOf, settle, store, time, urgent: () => urgent }
}

const report = (id: number, kind: AgentReport['kind'], facts?: AgentReport['facts']): AgentReport => ({ id, kind, ...(facts && { facts }) })
const counted = (taken: number, unknown = 0) => ({ taken, unknown, refused: 0, refusedFacts: [] })

describe('reports of agents', () => {
  it('are counted once each, as taken or as about unknown agents, whatever facts they hold', async () => {
    const { reports, settle } = await onWorker()
    const version = { version: 'v' }
    expect(await settle(reports.add([report(1, 'startup', version), report(9, 'keepAlive', version), report(2, 'keepAlive')]))).toEqual(
      counted(2, 1),
    )
  })

  it('that a connection was lost say nothing of an agent that was not connected here', async () => {
    const { reports, rowOf, settle, store } = await onWorker()
    expect(await settle(reports.add([report(1, 'lost')]))).toEqual(counted(0))
    expect(store.times('record')).toBe(0)
    await settle(reports.add([report(1, 'startup')]))
    expect(await settle(reports.add([report(1, 'lost')]))).toEqual(counted(1))
    expect(await rowOf(1)).toMatchObject({ status: 'disconnected' })
  })

  it('that come while the table is busy are written together', async () => {
    const { reports, settle, store } = await onWorker()
    const all = await settle(Promise.all(Array.from({ length: 20 }, (_, at) => reports.add([report(1 + (at % 3), 'keepAlive')]))))
    expect(all).toEqual(all.map(() => counted(1)))
    expect(store.times('record')).toBeLessThanOrEqual(2)
  })

  it('are refused while too many wait for the table, and taken again afterwards', async () => {
    const { reports, settle } = await onWorker()
    // They say nothing, so that they cost nothing.
    const many = Array.from({ length: limits.agentReportsWaitingMax }, () => report(2, 'lost'))
    const writing = reports.add([report(1, 'keepAlive')])
    await expect(reports.add(many)).rejects.toMatchObject({ code: 'overloaded' })
    await settle(writing)
    expect(await settle(reports.add(many))).toEqual(counted(0))
  })

  it('are urgent when they say more than a sign of life', async () => {
    const { reports, settle, urgent } = await onWorker()
    const seen: number[] = []
    for (const one of [
      report(1, 'startup'),
      report(1, 'keepAlive'),
      report(1, 'keepAlive'),
      report(1, 'keepAlive', { version: 'v' }),
      report(1, 'shutdown'),
    ]) {
      await settle(reports.add([one]))
      seen.push(urgent())
    }
    expect(seen).toEqual([1, 2, 2, 3, 4])
  })

  it('leave out facts that break a rule, and emit each fact of an agent once until it is forgotten', async () => {
    const { reports, settle } = await onWorker()
    const emitted: string[] = []
    reports.factRefused.add(({ fact, id }) => emitted.push(`${id} ${fact}`))
    const long = { version: 'v'.repeat(limits.agentFactCharsMax + 1) }
    const { refusedFacts } = await settle(reports.add([report(1, 'keepAlive', long), report(2, 'keepAlive', long)]))
    expect(refusedFacts.map(({ fact, id }) => `${id} ${fact}`)).toEqual(['1 version', '2 version'])
    await settle(reports.add([report(1, 'keepAlive', long)]))
    expect(emitted).toEqual(['1 version', '2 version'])
    reports.forget([1])
    await settle(reports.add([report(1, 'keepAlive', long), report(2, 'keepAlive', long)]))
    expect(emitted).toEqual(['1 version', '2 version', '1 version'])
  })

  it("have the master's time in the end, though they were stamped before it was known", async () => {
    const { clock, own, reports, rowOf, settle, time } = await onWorker(90_000)
    const startMs = time.now()
    await settle(reports.add([report(1, 'startup')]))
    const waiting = reports.add([report(2, 'startup')])
    clock.measure(time.now(), own.monotonicMs())
    await settle(waiting)
    await settle(reports.correct())
    for (const id of [1, 2]) {
      const { seenMs = 0 } = (await rowOf(id)) ?? {}
      expect(Math.abs(seenMs - startMs)).toBeLessThan(1_000)
    }
  })
})
