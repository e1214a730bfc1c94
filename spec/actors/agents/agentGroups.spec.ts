/** Agent groups with a scripted master: groups wait for keys, differences are counted, and in the end all are fetched. */
import { describe, expect, it } from 'vitest'
import { agentGroupsApply } from '../../../src/actors/agents/agentGroups.js'
import { type ChildEvent, startHosted } from '../../../src/actors/kit/host.js'
import { ClusterError } from '../../../src/base/errors.js'
import { MemoryAgentTable } from '../../../src/simulation/world/memoryAgentTable.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { encodeGroupsRows } from '../../../src/wire/muster/groupsRows.js'
import type { RequestBody } from '../../../src/wire/muster/messages.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const intervalMs = 30_000
const keysMsMax = 40_000
const mismatchesMax = 3

type Fetch = RequestBody<'agentGroups.fetch'>
type Offer = RequestBody<'agentGroups.offer'>
const isOffer = (body: unknown): body is Offer => typeof body === 'object' && body !== null && 'last' in body
const isFetch = (body: unknown): body is Fetch => typeof body === 'object' && body !== null && 'since' in body

const entry = (id: number) => ({ id, name: `agent${id}`, ip: 'any', key: '0'.repeat(64) })

/** A master's table with these agents, and a worker that has those whose keys have arrived. */
const startApplying = async ({ onMaster, onWorker }: { onMaster: readonly number[]; onWorker: readonly number[] }) => {
  const clock = new VirtualClock()
  const master = new MemoryAgentTable('master', 'of the master')
  /** The answers to offers, in turn; after the last one, nothing is wanted. */
  const answers: (boolean | ClusterError)[] = []
  const offers: Offer[] = []
  master.addAgents(onMaster.map(entry), 0)
  const world = localAgentsOver(clock, 'worker', 'w1')
  world.writeKeys(onWorker)
  /** The digest of the master's IDs: the worker's own will be the same with all keys. */
  const elsewhere = localAgentsOver(clock, 'worker', 'w2')
  elsewhere.writeKeys(onMaster)
  for (const { keepTable } of [world, elsewhere]) (await keepTable()).stop()
  const ids = elsewhere.agents.table.idsDigest
  const fetches: Fetch[] = []
  const link = new ScriptedLink('master', async (type, body) => {
    const { hash, table, version } = master.groupsState()
    if (type === 'agentGroups.ask') return { table, version, hash, ids }
    if (isOffer(body)) {
      offers.push(body)
      const wanted = answers.shift() ?? false
      if (wanted instanceof ClusterError) throw wanted
      return { wanted }
    }
    if (!isFetch(body)) return undefined
    fetches.push(body)
    const page = master.groupsPage(body.full || body.table !== table ? 0 : body.since, body.after)
    return { ...page.state, rows: encodeGroupsRows(page.rows), ...(page.next !== undefined && { next: page.next }) }
  })
  const ends: ChildEvent[] = []
  const thread = startHosted(agentGroupsApply({ agents: world.agents, clock, intervalMs, keysMsMax, mismatchesMax, requestMsMax: 1_000 }), {
    clock,
    input: { link, log: recordingLog() },
    onEnd: (event) => ends.push(event),
  })
  return {
    answers,
    clock,
    fetches,
    offers,
    master,
    world,
    announce: () => link.receiveNotice('agentGroups.state', { ...master.groupsState(), ids }),
    groupsOf: (id: number) => world.table.list({ ids: [id] }, 0)[0]?.groups,
    keysArrive: async () => {
      world.writeKeys(onMaster)
      const keeping = await world.keepTable()
      keeping.stop()
    },
    stop: async () => {
      thread.stop()
      for (const { agents } of [world, elsewhere]) await agents.close()
      await clock.settle()
      expect(thread.timers + clock.pending).toBe(0)
      expect(ends).toEqual([])
    },
  }
}

describe('agent groups', () => {
  it('are fetched as soon as the worker has the keys that they refer to, and not before', async () => {
    const { clock, fetches, groupsOf, keysArrive, master, stop } = await startApplying({ onMaster: [1, 2], onWorker: [1] })
    master.changeGroups({ kind: 'assign', ids: [1, 2], group: 'web' })
    await clock.advance(keysMsMax / 2)
    expect(fetches).toEqual([])
    await keysArrive()
    await clock.advance(1_000)
    expect([groupsOf(1), groupsOf(2)]).toEqual([['web'], ['web']])
    await stop()
  })

  it('of the agents that exist are taken even when the keys of others do not come', async () => {
    const { clock, groupsOf, master, stop } = await startApplying({ onMaster: [1, 2], onWorker: [1] })
    master.changeGroups({ kind: 'assign', ids: [1, 2], group: 'web' })
    await clock.advance(keysMsMax + intervalMs)
    expect(groupsOf(1)).toEqual(['web'])
    await stop()
  })

  it('wait no longer for keys when the master announces its groups again meanwhile', async () => {
    const { announce, clock, groupsOf, master, stop } = await startApplying({ onMaster: [1, 2], onWorker: [1] })
    master.changeGroups({ kind: 'assign', ids: [1, 2], group: 'web' })
    for (let waitedMs = 0; waitedMs < keysMsMax; waitedMs += 10_000) {
      expect(groupsOf(1)).toEqual([])
      announce()
      await clock.advance(10_000)
    }
    await clock.advance(1_000)
    expect(groupsOf(1)).toEqual(['web'])
    await stop()
  })

  it('that keep differing without new changes are all fetched at the limit', async () => {
    const { clock, fetches, groupsOf, master, stop, world } = await startApplying({ onMaster: [1, 2], onWorker: [1, 2] })
    master.changeGroups({ kind: 'assign', ids: [1, 2], group: 'web' })
    await clock.advance(1_000)
    expect(groupsOf(1)).toEqual(['web'])
    // Something else wrote to the worker's table.
    world.table.takeGroups([{ id: 1, groups: ['wrong'] }])
    await clock.advance(mismatchesMax * intervalMs + 1_000)
    expect(groupsOf(1)).toEqual(['wrong'])
    expect(fetches.filter(({ full }) => full)).toEqual([])
    await clock.advance(intervalMs)
    expect(fetches.filter(({ full }) => full)).toHaveLength(1)
    expect(groupsOf(1)).toEqual(['web'])
    await stop()
  })

  it('that agents lose on the master are lost on the worker too', async () => {
    const { clock, groupsOf, master, stop } = await startApplying({ onMaster: [1, 2], onWorker: [1, 2] })
    master.changeGroups({ kind: 'replace', ids: [1], groups: ['web', 'linux'] })
    await clock.advance(1_000)
    expect(groupsOf(1)).toEqual(['web', 'linux'])
    master.changeGroups({ kind: 'dissolve', group: 'web' })
    await clock.advance(2 * intervalMs)
    expect(groupsOf(1)).toEqual(['linux'])
    await stop()
  })

  it('of another table are offered to the master, page by page, before they are replaced', async () => {
    const { answers, clock, fetches, groupsOf, master, offers, stop, world } = await startApplying({ onMaster: [1, 2], onWorker: [1, 2] })
    world.table.takeGroups([{ id: 1, groups: ['web'] }])
    world.table.settleGroups({ table: 'lost', version: 7, hash: '' }, undefined)
    master.changeGroups({ kind: 'assign', ids: [2], group: 'db' })
    answers.push(new ClusterError('tableFailed'), true, true)
    await clock.advance(intervalMs - 1_000)
    expect([offers.length, fetches.length, groupsOf(1)]).toEqual([1, 0, ['web']])
    await clock.advance(intervalMs)
    expect(offers.slice(1)).toEqual([
      { table: 'lost', version: 7, rows: encodeGroupsRows([]), last: false },
      { table: 'lost', version: 7, rows: encodeGroupsRows([{ id: 1, groups: ['web'] }]), last: true },
    ])
    expect([groupsOf(1), groupsOf(2)]).toEqual([[], ['db']])
    await clock.advance(3 * intervalMs)
    expect(offers.length).toBe(3)
    await stop()
  })

  it('that are announced unchanged are compared at the interval only, and at once when they changed', async () => {
    const { clock, groupsOf, master, stop, announce, world } = await startApplying({ onMaster: [1], onWorker: [1] })
    let reads = 0
    const { table } = world
    const state = table.groupsState.bind(table)
    const told10s = async (times: number): Promise<number> => {
      const before = reads
      for (let time = 0; time < times; time++) {
        announce()
        await clock.advance(10_000)
      }
      return reads - before
    }
    await told10s(3)
    table.groupsState = () => {
      reads += 1
      return state()
    }
    await clock.advance(intervalMs)
    reads = 0
    expect(await told10s(6)).toBe(2)
    master.changeGroups({ kind: 'assign', ids: [1], group: 'web' })
    announce()
    await clock.advance(1_000)
    expect(groupsOf(1)).toEqual(['web'])
    await stop()
  })
})
