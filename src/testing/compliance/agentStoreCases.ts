/** The suite for the AgentStore port: what every store must do, whether its table is in a file, on a server or simulated. */
import assert from 'node:assert/strict'
import { limits } from '../../base/limits.js'
import type { AgentFacts, AgentUpdates, Presence } from '../../domain/agents/agent.js'
import type { GroupsRow } from '../../domain/agents/groups.js'
import type { Manager } from '../../domain/agents/leftToManager.js'
import { packFacts } from '../../domain/agents/packedFacts.js'
import type { AgentStore, UnsentUpdates } from '../../ports/agents.js'
import { AgentBatchWriter, decodeAgentBatch } from '../../wire/muster/agentBatch.js'
import { assertHas, type ComplianceCase, casesOf, codeOf } from './complianceCase.js'

export interface AgentStoreSuite {
  /**
   * Another store over the table of that role, as when its process is started again, on a node with or without a real manager. Each
   * case begins with new tables.
   */
  readonly create: (role: 'master' | 'worker', manager: Manager) => AgentStore
  /** Waits for a call; a store in virtual time lets the time pass meanwhile. */
  readonly settle: <T>(call: Promise<T>) => Promise<T>
  /** Removes the tables of a case. */
  readonly dispose: () => void
}

const firstMs = 1_700_000_000_000

const keys = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, name: `agent${index + 1}`, ip: 'any', key: 'k' }))
const presence = (id: number, seenMs: number, more: Partial<Presence> = {}): Presence => ({
  ...{ id, seenMs, epochMs: seenMs, node: 'w1', status: 'active', disconnectedMs: 0, disconnection: 'none' },
  ...more,
})
const updatesOf = (...presences: Presence[]): AgentUpdates => ({ presences, details: [] })
const updatesIn = (unsent: UnsentUpdates | undefined): AgentUpdates | undefined => {
  const decoded = unsent && decodeAgentBatch(unsent.batch, 'w1', firstMs)
  return decoded?.ok ? decoded.value.updates : undefined
}

const batchOf = (updates: AgentUpdates): Uint8Array => {
  const writer = new AgentBatchWriter(firstMs)
  for (const presence of updates.presences) writer.addPresence(presence)
  for (const row of updates.details) writer.addDetails(row)
  return writer.finish()
}

const text = 'x'.repeat(40)
const facts: AgentFacts = {
  ...{ ip: text, osName: text, osVersion: text, osPlatform: text, osArch: text, osUname: text },
  ...{ version: text, configSum: text, mergedSum: text, labels: text },
}

const tests: Readonly<Record<string, (stores: Stores) => Promise<void>>> = {
  'brings what a worker recorded to the master, in bounded batches, and then nothing more': async (stores) => {
    const count = 2 * limits.agentBatchRowsMax + 5
    for (const store of [stores.master, stores.worker]) await stores.settle(store.addAgents(keys(count), 0))
    const presences = keys(count).map(({ id }) => presence(id, firstMs))
    const details = keys(3_000).map(({ id }) => ({
      id,
      seenMs: firstMs,
      epochMs: firstMs,
      node: 'w1',
      facts: packFacts(facts),
    }))
    assert.deepEqual(await stores.settle(stores.worker.record({ presences, details }, firstMs, true)), {
      ...{ taken: count + 3_000, unknown: 0, unknownAgents: [], refused: 0, defaulted: 0 },
    })
    let sent = 0
    for (
      let updates = await stores.settle(stores.worker.unsent(stores.table, 0, firstMs));
      updates;
      updates = await stores.settle(stores.worker.unsent(stores.table, 0, firstMs))
    ) {
      const { own, rows, upTo } = updates
      assert.ok(rows <= limits.agentBatchRowsMax)
      assert.ok(updates.batch.byteLength <= limits.agentBatchBytesMax)
      assert.equal((await stores.settle(stores.master.merge(updates.batch, 'w1', firstMs))).taken, rows)
      await stores.settle(stores.worker.acknowledge(stores.table, { own, upTo }))
      sent += rows
    }
    assert.equal(sent, count + 3_000)
    const page = await stores.settle(stores.master.list({}, 0))
    assert.equal(page.length, limits.agentPageRowsMax)
    assert.deepEqual(
      page,
      (await stores.settle(stores.worker.list({}, 0))).map((view) => ({ ...view, groups: ['default'], groupHash: '37a8eec1' })),
    )
  },

  'sends everything again to another table, and from where it was acknowledged after a restart': async (stores) => {
    await stores.settle(stores.worker.addAgents(keys(3), 0))
    await stores.settle(stores.worker.record(updatesOf(presence(1, firstMs), presence(2, firstMs)), firstMs, true))
    const first = await stores.settle(stores.worker.unsent('old', 0, firstMs))
    assert.ok(first)
    await stores.settle(stores.worker.acknowledge('old', first))
    await stores.settle(stores.worker.record(updatesOf(presence(3, firstMs)), firstMs, true))
    await stores.restart()
    assert.deepEqual(
      updatesIn(await stores.settle(stores.worker.unsent('old', 0, firstMs)))?.presences.map(({ id }) => id),
      [3],
    )
    assert.equal((await stores.settle(stores.worker.unsent('new', 0, firstMs)))?.rows, 3)
    assert.equal((await stores.settle(stores.worker.unsent('new', first?.upTo ?? 0, firstMs)))?.rows, 1)
  },

  'keeps times that were never compared with the master to itself until they are corrected': async (stores) => {
    await stores.settle(stores.worker.addAgents(keys(1), 0))
    await stores.settle(
      stores.worker.record(
        updatesOf(presence(1, firstMs, { status: 'disconnected', disconnectedMs: firstMs, disconnection: 'shutdown' })),
        firstMs,
        false,
      ),
    )
    assert.equal(await stores.settle(stores.worker.unsent(stores.table, 0, firstMs)), undefined)
    await stores.restart()
    await stores.settle(stores.worker.correct(-5_000))
    const [row] = updatesIn(await stores.settle(stores.worker.unsent(stores.table, 0, firstMs)))?.presences ?? []
    assert.deepEqual([row?.seenMs, row?.epochMs, row?.disconnectedMs], [firstMs - 5_000, firstMs - 5_000, firstMs - 5_000])
    await stores.settle(stores.worker.correct(-5_000))
    assert.equal((await stores.settle(stores.worker.list({}, 0)))[0]?.seenMs, firstMs - 5_000)
  },

  'drops and counts reports about removed and unknown agents, and never forgets the highest ID': async (stores) => {
    await stores.settle(stores.master.addAgents(keys(3), 0))
    await stores.settle(stores.master.record(updatesOf(presence(3, firstMs)), firstMs, true))
    assert.equal(await stores.settle(stores.master.removeAgents([3, 3, 9])), 1)
    assert.deepEqual(
      await stores.settle(stores.master.record(updatesOf(presence(3, firstMs + 1), presence(9, firstMs)), firstMs + 1, true)),
      {
        ...{ taken: 0, unknown: 2, unknownAgents: [3, 9], refused: 0, defaulted: 0 },
      },
    )
    assert.deepEqual(await stores.settle(stores.master.keepAgents(Uint32Array.of(2, 7))), [1])
    await stores.restart()
    assert.deepEqual(
      (await stores.settle(stores.master.list({}, 0))).map(({ id }) => id),
      [2],
    )
    assert.equal(await stores.settle(stores.master.highestId()), 3)
    await stores.settle(stores.master.addAgents(keys(3), 0))
    assert.equal((await stores.settle(stores.master.list({ ids: [3] }, 0)))[0]?.status, 'never_connected')
  },

  'keeps how agents are registered, noted before they are there, and forgets it with them': async (stores) => {
    const [first, second] = keys(2).map((entry) => ({ ...entry, key: `key ${entry.id}` }))
    assert.ok(first && second)
    const noted = [{ key: first.key, registeredMs: firstMs, signature: 'of a request' }]
    assert.equal(await stores.settle(stores.master.noteRegistrations(noted, [], firstMs)), 0)
    await stores.restart()
    await stores.settle(stores.master.addAgents([first, second], firstMs + 5))
    const expected = { id: 1, status: 'never_connected', disconnectedMs: 0, registeredMs: firstMs, signature: 'of a request' }
    assert.deepEqual(await stores.settle(stores.master.registrations([2, 1, 7])), [
      expected,
      { ...expected, id: 2, registeredMs: firstMs + 5, signature: '' },
    ])
    // Again, as when an answer was lost: nothing is noted of them any more, and nothing changes.
    await stores.settle(stores.master.addAgents([first, second], firstMs + 60_000))
    const gone = { status: 'disconnected', disconnectedMs: firstMs + 9, disconnection: 'shutdown' } as const
    await stores.settle(stores.master.record(updatesOf(presence(1, firstMs + 9, gone)), firstMs + 9, true))
    await stores.restart()
    assert.deepEqual(await stores.settle(stores.master.registrations([1])), [
      { ...expected, status: 'disconnected', disconnectedMs: firstMs + 9 },
    ])
    await stores.settle(stores.master.removeAgents([1]))
    assert.deepEqual(await stores.settle(stores.master.registrations([1])), [])
    await stores.settle(stores.master.addAgents([first], firstMs + 70_000))
    assert.deepEqual(await stores.settle(stores.master.registrations([1])), [
      { ...expected, registeredMs: firstMs + 70_000, signature: '' },
    ])
  },

  'forgets what was noted of agents that were not registered': async (stores) => {
    const noted = ['refused', 'old', 'new'].map((key) => ({ key, registeredMs: firstMs, signature: `of ${key}` }))
    await stores.settle(stores.master.noteRegistrations(noted.slice(0, 2), [], firstMs))
    const laterMs = firstMs + limits.registrationNotedMsMax + 1
    await stores.settle(stores.master.noteRegistrations(noted.slice(2), ['refused'], laterMs))
    await stores.settle(
      stores.master.addAgents(
        keys(3).map((entry, index) => ({ ...entry, key: ['refused', 'old', 'new'][index] ?? '' })),
        laterMs,
      ),
    )
    const signatures = (await stores.settle(stores.master.registrations([1, 2, 3]))).map(({ signature }) => signature)
    assert.deepEqual(signatures, ['', '', 'of new'])
  },

  'gives every agent the group default at its first report, and the workers the groups of all': async (stores) => {
    for (const store of [stores.master, stores.worker]) await stores.settle(store.addAgents(keys(4), 0))
    const batch = batchOf(updatesOf(presence(1, firstMs), presence(2, firstMs)))
    assert.equal((await stores.settle(stores.master.merge(batch, 'w1', firstMs))).defaulted, 2)
    assert.equal(await stores.settle(stores.master.changeGroups({ kind: 'assign', ids: [2, 3, 99], group: 'web' })), 2)
    const page = await stores.settle(stores.master.groupsPage(0, 0))
    assert.deepEqual(page.rows, [
      { id: 1, groups: ['default'] },
      { id: 2, groups: ['default', 'web'] },
      { id: 3, groups: ['web'] },
    ])
    assertHas(page.state, { table: stores.table, version: 2 })
    assert.equal(await stores.settle(stores.worker.takeGroups([...page.rows, { id: 50, groups: ['web'] }])), 1)
    await stores.settle(stores.worker.takeGroups([{ id: 4, groups: ['stale'] }]))
    assert.notEqual((await stores.settle(stores.worker.settleGroups(page.state, undefined))).hash, page.state.hash)
    assert.deepEqual(await stores.settle(stores.worker.settleGroups(page.state, { ids: Uint32Array.of(1, 2, 3) })), page.state)
    await stores.restart()
    assert.deepEqual(await stores.settle(stores.worker.groupsState()), await stores.settle(stores.master.groupsState()))
    assert.deepEqual(await stores.settle(stores.master.multigroups()), [['default', 'web']])
    await stores.settle(stores.master.removeAgents([2]))
    assert.deepEqual((await stores.settle(stores.master.groupsPage(1, 0))).rows, [{ id: 3, groups: ['web'] }])
    assert.deepEqual(await stores.settle(stores.master.multigroups()), [])
    assert.deepEqual(await stores.settle(stores.worker.multigroups()), [['default', 'web']])
    assert.deepEqual(
      [...(await stores.settle(stores.worker.groupSizes()))],
      [
        ['default', 2],
        ['web', 2],
      ],
    )
  },

  'of a master that is new has lost groups, and gets them back for agents that were not grouped since': async (stores) => {
    assert.deepEqual(
      [(await stores.settle(stores.master.open())).groupsLost, (await stores.settle(stores.worker.open())).groupsLost],
      [true, false],
    )
    await stores.settle(stores.master.addAgents(keys(4), 0))
    await stores.settle(stores.master.merge(batchOf(updatesOf(presence(1, firstMs), presence(2, firstMs))), 'w1', firstMs))
    await stores.settle(stores.master.changeGroups({ kind: 'replace', ids: [2], groups: ['web'] }))
    const copy = [1, 2, 3, 9].map((id) => ({ id, groups: ['db', 'default'] }))
    assert.equal(await stores.settle(stores.master.restoreGroups(copy.slice(0, 2), false)), 1)
    assert.equal((await stores.settle(stores.master.open())).groupsLost, true)
    assert.equal(await stores.settle(stores.master.restoreGroups(copy.slice(2), true)), 1)
    assert.deepEqual(
      (await stores.settle(stores.master.groupsPage(2, 0))).rows,
      [1, 3].map((id) => ({ id, groups: ['db', 'default'] })),
    )
    assert.deepEqual((await stores.settle(stores.master.groupsPage(0, 1))).rows[0], { id: 2, groups: ['web'] })
    await stores.restart()
    assert.equal((await stores.settle(stores.master.open())).groupsLost, false)
    // A copy that is newer says more, still not of what was grouped since.
    assert.equal(
      await stores.settle(
        stores.master.restoreGroups(
          [1, 2].map((id) => ({ id, groups: ['web', 'db'] })),
          true,
        ),
      ),
      1,
    )
  },

  'gives agents exactly the groups that a real manager says, in its order, or none': async (stores) => {
    await stores.settle(stores.master.addAgents(keys(4), 0))
    const exact = (...rows: readonly GroupsRow[]): Promise<number> => stores.settle(stores.master.changeGroups({ kind: 'exact', rows }))
    const all = async (): Promise<readonly GroupsRow[]> => (await stores.settle(stores.master.groupsPage(0, 0))).rows
    const first = [
      { id: 1, groups: ['web', 'db', 'default'] },
      { id: 2, groups: ['web'] },
    ]
    assert.equal(await exact(...first, { id: 3, groups: [] }, { id: 99, groups: ['web'] }), 2)
    assert.deepEqual(await all(), first)
    assert.equal((await stores.settle(stores.master.groupsState())).version, 1)
    assert.equal(await exact(...first), 0)
    assert.equal((await stores.settle(stores.master.groupsState())).version, 1)
    assert.equal(await exact({ id: 1, groups: ['old'] }, { id: 1, groups: ['db', 'web'] }, { id: 2, groups: [] }), 2)
    assert.deepEqual((await stores.settle(stores.master.groupsPage(1, 0))).rows, [
      { id: 1, groups: ['db', 'web'] },
      { id: 2, groups: [] },
    ])
    assert.equal(await codeOf(exact({ id: 3, groups: ['web'] }, { id: 4, groups: ['a/b'] })), 'groupInvalid')
    await stores.restart()
    assert.deepEqual(await all(), [{ id: 1, groups: ['db', 'web'] }])
  },

  'refuses invalid groups, and changes nothing': async (stores) => {
    await stores.settle(stores.master.addAgents(keys(1), 0))
    assert.equal(await codeOf(stores.settle(stores.master.changeGroups({ kind: 'assign', ids: [1], group: 'a,b' }))), 'groupInvalid')
    assert.equal(await codeOf(stores.settle(stores.master.takeGroups([{ id: 1, groups: ['a\nb'] }]))), 'groupInvalid')
    assert.equal((await stores.settle(stores.master.groupsState())).version, 0)
  },

  'refuses an invalid batch as malformed and goes on, and leaves the memory around a batch alone': async (stores) => {
    await stores.settle(stores.master.addAgents(keys(1), 0))
    assert.equal(await codeOf(stores.settle(stores.master.merge(Buffer.from('{}'), 'w1', firstMs))), 'malformed')
    const batch = batchOf(updatesOf(presence(1, firstMs), presence(1, firstMs, { epochMs: firstMs + 2 * limits.agentFutureMsMax })))
    const frame = Buffer.concat([Buffer.from('before'), batch, Buffer.from('after')])
    assert.deepEqual(await stores.settle(stores.master.merge(frame.subarray(6, 6 + batch.byteLength), 'w1', firstMs)), {
      ...{ taken: 1, unknown: 0, refused: 1, defaulted: 1 },
    })
    assert.match(frame.toString('latin1'), /^before.*after$/)
  },

  'takes no acknowledgement of rows that another table had in its place': async (stores) => {
    await stores.settle(stores.worker.addAgents(keys(3), 0))
    await stores.settle(stores.worker.record(updatesOf(presence(1, firstMs)), firstMs, true))
    const updates = await stores.settle(stores.worker.unsent(stores.table, 0, firstMs))
    assert.ok(updates)
    await stores.settle(stores.worker.acknowledge(stores.table, { ...updates, own: 'the table before' }))
    assert.deepEqual(await stores.settle(stores.worker.unsent(stores.table, 0, firstMs)), updates)
  },

  'silences the agents of one node or of all, on a worker to be sent': async (stores) => {
    await stores.settle(stores.worker.addAgents(keys(3), 0))
    await stores.settle(
      stores.worker.record(updatesOf(presence(1, firstMs), presence(2, firstMs, { node: 'w2' }), presence(3, firstMs + 9)), firstMs, true),
    )
    const updates = await stores.settle(stores.worker.unsent(stores.table, 0, firstMs))
    assert.ok(updates)
    await stores.settle(stores.worker.acknowledge(stores.table, updates))
    assert.equal(await stores.settle(stores.worker.silence(firstMs + 1_005, 1_000, 'w1')), 1)
    assert.deepEqual(updatesIn(await stores.settle(stores.worker.unsent(stores.table, 0, firstMs)))?.presences, [
      presence(1, firstMs, { status: 'disconnected', disconnectedMs: firstMs + 1_000, disconnection: 'keepAliveMissed' }),
    ])
    assert.equal(await stores.settle(stores.worker.silence(firstMs + 1_005, 1_000)), 1)
    assert.deepEqual((await stores.settle(stores.worker.counts())).byStatus, { never_connected: 0, pending: 0, active: 1, disconnected: 2 })
  },

  'keeps the order of calls that are made at once': async (stores) => {
    const [, removed, , counts] = await stores.settle(
      Promise.all([
        stores.worker.addAgents(keys(5), 0),
        stores.worker.removeAgents([1, 2]),
        stores.worker.addAgents(keys(1), 0),
        stores.worker.counts(),
        stores.worker.highestId(),
      ]),
    )
    assert.deepEqual([removed, counts.byStatus.never_connected], [2, 4])
  },

  'refuses calls when too many wait': async (stores) => {
    const calls = Array.from({ length: limits.agentCallsWaitingMax + 1 }, () => codeOf(stores.worker.highestId()))
    const codes = await stores.settle(Promise.all(calls))
    assert.equal(codes.filter((code) => code === 'none').length, limits.agentCallsWaitingMax)
    assert.equal(codes.at(-1), 'overloaded')
    assert.equal(await stores.settle(stores.worker.highestId()), 0)
  },

  'fails every call before it is open, and after it is closed; and those that wait then': async (stores) => {
    const early = stores.create('worker')
    assert.equal(await codeOf(stores.settle(early.counts())), 'tableFailed')
    await stores.settle(early.close())
    const waiting = [1, 2, 3].map(() => codeOf(stores.worker.addAgents(keys(1_000), 0)))
    await stores.settle(stores.worker.close())
    assert.equal((await stores.settle(Promise.all(waiting))).at(-1), 'aborted')
    assert.equal(await codeOf(stores.settle(stores.worker.counts())), 'aborted')
    await stores.settle(stores.worker.close())
  },
}

const besideManager: typeof tests = {
  'of a master with a real manager has what it merged to be sent on, once, and nothing that its own database said': async (stores) => {
    await stores.settle(stores.master.addAgents(keys(3), 0))
    await stores.settle(stores.master.record(updatesOf(presence(1, firstMs)), firstMs, true))
    const merged = batchOf(updatesOf(presence(2, firstMs), presence(3, firstMs)))
    assertHas(await stores.settle(stores.master.merge(merged, 'w1', firstMs)), { taken: 2, defaulted: 0 })
    const unsent = await stores.settle(stores.master.unsent('database', 0, firstMs))
    assert.deepEqual(
      updatesIn(unsent)?.presences.map(({ id }) => id),
      [2, 3],
    )
    // Its own database knows more of one by now.
    await stores.settle(stores.master.record(updatesOf(presence(2, firstMs + 1)), firstMs + 1, true))
    await stores.restart()
    const left = await stores.settle(stores.master.unsent('database', 0, firstMs))
    assert.deepEqual(
      updatesIn(left)?.presences.map(({ id }) => id),
      [3],
    )
    assert.ok(left)
    await stores.settle(stores.master.acknowledge('database', left))
    assert.equal(await stores.settle(stores.master.unsent('database', 0, firstMs)), undefined)
    // What is not newer is not sent on again.
    await stores.settle(stores.master.merge(batchOf(updatesOf(presence(2, firstMs), presence(3, firstMs))), 'w1', firstMs))
    assert.equal(await stores.settle(stores.master.unsent('database', 0, firstMs)), undefined)
  },

  'of a master with a real manager gives no groups': async (stores) => {
    await stores.settle(stores.master.addAgents(keys(2), 0))
    await stores.settle(stores.master.record(updatesOf(presence(1, firstMs)), firstMs, true))
    await stores.settle(stores.master.merge(batchOf(updatesOf(presence(2, firstMs))), 'w1', firstMs))
    assert.equal((await stores.settle(stores.master.groupsState())).version, 0)
    assert.equal((await stores.settle(stores.master.counts())).withoutGroups, 2)
  },

  'of a worker with a real manager has what it recorded to be sent': async (stores) => {
    await stores.settle(stores.worker.addAgents(keys(1), 0))
    await stores.settle(stores.worker.record(updatesOf(presence(1, firstMs)), firstMs, true))
    assert.equal((await stores.settle(stores.worker.unsent(stores.table, 0, firstMs)))?.rows, 1)
  },
}

/** The stores of a master and of one of its workers. */
class Stores {
  readonly #suite: AgentStoreSuite
  readonly #manager: Manager
  master: AgentStore
  worker: AgentStore
  /** The name of the master's table. */
  table = ''

  constructor(suite: AgentStoreSuite, manager: Manager = 'none') {
    this.#suite = suite
    this.#manager = manager
    this.master = this.create('master')
    this.worker = this.create('worker')
  }

  create(role: 'master' | 'worker'): AgentStore {
    return this.#suite.create(role, this.#manager)
  }

  settle<T>(call: Promise<T>): Promise<T> {
    return this.#suite.settle(call)
  }

  async open(): Promise<this> {
    this.table = (await this.settle(this.master.open())).table
    await this.settle(this.worker.open())
    return this
  }

  async restart(): Promise<void> {
    await this.close()
    this.master = this.create('master')
    this.worker = this.create('worker')
    await this.open()
  }

  async close(): Promise<void> {
    for (const store of [this.master, this.worker]) await this.settle(store.close())
  }

  async end(): Promise<void> {
    await this.close()
    this.#suite.dispose()
  }
}

/**
 * Holds a store to: what a worker recorded reaches the master once, in bounded batches, also after a restart and to another table;
 * agents that were removed stay so; groups have versions and are given back when they were lost; calls keep their order, are bounded,
 * and fail with the codes of the port.
 */
export const agentStoreCases = (suite: () => AgentStoreSuite): readonly ComplianceCase[] => [
  ...casesOf<Stores>(
    () => new Stores(suite()).open(),
    (stores) => stores.end(),
    tests,
  ),
  ...casesOf<Stores>(
    () => new Stores(suite(), 'wazuh').open(),
    (stores) => stores.end(),
    besideManager,
  ),
]
