/** One suite for the AgentStore port, run on SQLite in its thread and on the simulated table in virtual time. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ClusterError } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import type { AgentUpdates, Presence } from '../../src/domain/agents/agent.js'
import { packFacts } from '../../src/domain/agents/packedFacts.js'
import { SqliteAgentStore } from '../../src/platform/agents/sqliteAgentStore.js'
import { SqliteAgentTable } from '../../src/platform/agents/sqliteAgentTable.js'
import type { AgentStore, UnsentUpdates } from '../../src/ports/agents.js'
import { MemoryAgentStore } from '../../src/simulation/world/memoryAgentStore.js'
import { MemoryAgentTable } from '../../src/simulation/world/memoryAgentTable.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { decodeAgentBatch } from '../../src/wire/muster/agentBatch.js'
import { factsOf, firstMs } from '../support/agentArbitraries.js'
import { batchOf, filters, operationsOn, type Role, viewOf } from '../support/agentOperations.js'
import { type CompiledWorker, compileWorker } from '../support/compiledDiskWorker.js'

const needed = ['base', 'domain', 'platform', 'wire', 'ports']
let compiled: CompiledWorker
let home: string
beforeAll(() => {
  compiled = compileWorker('platform/agents/agentStoreWorker', needed)
})
afterAll(() => compiled.dispose())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-agents-'))
})
afterEach(() => rmSync(home, { recursive: true }))

interface Kind {
  readonly on: string
  /** Another store over the same table: the process is started again. */
  readonly create: (role: Role) => AgentStore
  readonly settle: <T>(promise: Promise<T>) => Promise<T>
}

const realKind = (): Kind => ({
  on: 'SQLite',
  create: (role) => new SqliteAgentStore({ home: join(home, role), role, workerFile: compiled.workerFile }),
  settle: (promise) => promise,
})

const simulatedKind = (): Kind => {
  const clock = new VirtualClock()
  const tables = new Map<string, MemoryAgentTable>()
  return {
    on: 'the simulated table',
    create: (role) => {
      const table = tables.get(home + role) ?? new MemoryAgentTable(role, `table of the ${role}`)
      tables.set(home + role, table)
      return new MemoryAgentStore(table, clock)
    },
    settle: async (promise) => {
      let isDone = false
      const done = promise.finally(() => {
        isDone = true
      })
      done.catch(() => undefined)
      await clock.runUntil(() => isDone, 60_000)
      return done
    },
  }
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'none'
  } catch (thrown) {
    return thrown instanceof ClusterError ? thrown.code : String(thrown)
  }
}

const keys = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, name: `agent${index + 1}`, ip: 'any', key: 'k' }))
const presence = (id: number, seenMs: number, more: Partial<Presence> = {}): Presence => ({
  ...{ id, seenMs, epochMs: seenMs, node: 'w1', status: 'active', disconnectedMs: 0, disconnection: 'none' },
  ...more,
})
const words = (...presences: Presence[]): AgentUpdates => ({ presences, details: [] })
const newsIn = (unsent: UnsentUpdates | undefined): AgentUpdates | undefined => {
  const decoded = unsent && decodeAgentBatch(unsent.batch, 'w1', firstMs)
  return decoded?.ok ? decoded.value.updates : undefined
}

describe.each([realKind(), simulatedKind()])('the agents of a node in $on', ({ create, settle }) => {
  let master: AgentStore
  let worker: AgentStore
  let table: string
  beforeEach(async () => {
    master = create('master')
    worker = create('worker')
    table = (await settle(master.open())).table
    await settle(worker.open())
  })
  afterEach(async () => {
    for (const store of [master, worker]) await settle(store.close())
  })
  const restart = async (): Promise<void> => {
    for (const store of [master, worker]) await settle(store.close())
    master = create('master')
    worker = create('worker')
    for (const store of [master, worker]) await settle(store.open())
  }

  it('brings what a worker recorded to the master, in bounded batches, and then nothing more', async () => {
    const count = 2 * limits.agentBatchRowsMax + 5
    for (const store of [master, worker]) await settle(store.addAgents(keys(count)))
    const presences = keys(count).map(({ id }) => presence(id, firstMs))
    const details = keys(3_000).map(({ id }) => ({
      id,
      seenMs: firstMs,
      epochMs: firstMs,
      node: 'w1',
      facts: packFacts(factsOf('x'.repeat(40))),
    }))
    expect(await settle(worker.record({ presences, details }, firstMs, true))).toEqual({
      ...{ taken: count + 3_000, unknown: 0, unknownAgents: [], refused: 0, defaulted: 0 },
    })
    let sent = 0
    for (let updates = await settle(worker.unsent(table, 0, firstMs)); updates; updates = await settle(worker.unsent(table, 0, firstMs))) {
      const { rows, upTo } = updates
      expect(rows).toBeLessThanOrEqual(limits.agentBatchRowsMax)
      expect(updates.batch.byteLength).toBeLessThanOrEqual(limits.agentBatchBytesMax)
      expect((await settle(master.merge(updates.batch, 'w1', firstMs))).taken).toBe(rows)
      await settle(worker.acknowledge(table, upTo))
      sent += rows
    }
    expect(sent).toBe(count + 3_000)
    const page = await settle(master.list({}, 0))
    expect(page.length).toBe(limits.agentPageRowsMax)
    expect(page).toEqual((await settle(worker.list({}, 0))).map((view) => ({ ...view, groups: ['default'], groupHash: '37a8eec1' })))
  })

  it('sends everything again to another table, and from where it was acknowledged after a restart', async () => {
    await settle(worker.addAgents(keys(3)))
    await settle(worker.record(words(presence(1, firstMs), presence(2, firstMs)), firstMs, true))
    const first = await settle(worker.unsent('old', 0, firstMs))
    await settle(worker.acknowledge('old', first?.upTo ?? 0))
    await settle(worker.record(words(presence(3, firstMs)), firstMs, true))
    await restart()
    expect(newsIn(await settle(worker.unsent('old', 0, firstMs)))?.presences.map(({ id }) => id)).toEqual([3])
    expect((await settle(worker.unsent('new', 0, firstMs)))?.rows).toBe(3)
    expect((await settle(worker.unsent('new', first?.upTo ?? 0, firstMs)))?.rows).toBe(1)
  })

  it('keeps times that were never compared with the master to itself until they are corrected', async () => {
    await settle(worker.addAgents(keys(1)))
    await settle(
      worker.record(
        words(presence(1, firstMs, { status: 'disconnected', disconnectedMs: firstMs, disconnection: 'shutdown' })),
        firstMs,
        false,
      ),
    )
    expect(await settle(worker.unsent(table, 0, firstMs))).toBeUndefined()
    await restart()
    await settle(worker.correct(-5_000))
    const [row] = newsIn(await settle(worker.unsent(table, 0, firstMs)))?.presences ?? []
    expect([row?.seenMs, row?.epochMs, row?.disconnectedMs]).toEqual([firstMs - 5_000, firstMs - 5_000, firstMs - 5_000])
    await settle(worker.correct(-5_000))
    expect((await settle(worker.list({}, 0)))[0]?.seenMs).toBe(firstMs - 5_000)
  })

  it('drops and counts words about removed and unknown agents, and never forgets the highest ID', async () => {
    await settle(master.addAgents(keys(3)))
    await settle(master.record(words(presence(3, firstMs)), firstMs, true))
    expect(await settle(master.removeAgents([3, 3, 9]))).toBe(1)
    expect(await settle(master.record(words(presence(3, firstMs + 1), presence(9, firstMs)), firstMs + 1, true))).toEqual({
      ...{ taken: 0, unknown: 2, unknownAgents: [3, 9], refused: 0, defaulted: 0 },
    })
    expect(await settle(master.keepAgents(Uint32Array.of(2, 7)))).toEqual([1])
    await restart()
    expect((await settle(master.list({}, 0))).map(({ id }) => id)).toEqual([2])
    expect(await settle(master.highestId())).toBe(3)
    await settle(master.addAgents(keys(3)))
    expect((await settle(master.list({ ids: [3] }, 0)))[0]?.status).toBe('never_connected')
  })

  it('gives every agent the group default at its first word, and the workers the groups of all', async () => {
    for (const store of [master, worker]) await settle(store.addAgents(keys(4)))
    const batch = batchOf(words(presence(1, firstMs), presence(2, firstMs)), firstMs)
    expect((await settle(master.merge(batch, 'w1', firstMs))).defaulted).toBe(2)
    expect(await settle(master.changeGroups({ kind: 'assign', ids: [2, 3, 99], group: 'web' }))).toBe(2)
    const page = await settle(master.groupsPage(0, 0))
    expect(page.rows).toEqual([
      { id: 1, groups: ['default'] },
      { id: 2, groups: ['default', 'web'] },
      { id: 3, groups: ['web'] },
    ])
    expect(page.state).toMatchObject({ table, version: 2 })
    expect(await settle(worker.takeGroups([...page.rows, { id: 50, groups: ['web'] }]))).toBe(1)
    await settle(worker.takeGroups([{ id: 4, groups: ['stale'] }]))
    expect((await settle(worker.settleGroups(page.state, undefined))).hash).not.toBe(page.state.hash)
    expect(await settle(worker.settleGroups(page.state, { ids: Uint32Array.of(1, 2, 3) }))).toEqual(page.state)
    await restart()
    expect(await settle(worker.groupsState())).toEqual(await settle(master.groupsState()))
    expect(await settle(master.multigroups())).toEqual([['default', 'web']])
    await settle(master.removeAgents([2]))
    expect((await settle(master.groupsPage(1, 0))).rows).toEqual([{ id: 3, groups: ['web'] }])
    expect(await settle(master.multigroups())).toEqual([])
    expect(await settle(worker.multigroups())).toEqual([['default', 'web']])
    expect([...(await settle(worker.groupSizes()))]).toEqual([
      ['default', 2],
      ['web', 2],
    ])
  })

  it('of a master that is new has lost groups, and gets them back for agents that nobody grouped since', async () => {
    expect([(await settle(master.open())).groupsLost, (await settle(worker.open())).groupsLost]).toEqual([true, false])
    await settle(master.addAgents(keys(4)))
    await settle(master.merge(batchOf(words(presence(1, firstMs), presence(2, firstMs)), firstMs), 'w1', firstMs))
    await settle(master.changeGroups({ kind: 'replace', ids: [2], groups: ['web'] }))
    const copy = [1, 2, 3, 9].map((id) => ({ id, groups: ['db', 'default'] }))
    expect(await settle(master.restoreGroups(copy.slice(0, 2), false))).toBe(1)
    expect((await settle(master.open())).groupsLost).toBe(true)
    expect(await settle(master.restoreGroups(copy.slice(2), true))).toBe(1)
    expect((await settle(master.groupsPage(2, 0))).rows).toEqual([1, 3].map((id) => ({ id, groups: ['db', 'default'] })))
    expect((await settle(master.groupsPage(0, 1))).rows[0]).toEqual({ id: 2, groups: ['web'] })
    await restart()
    expect((await settle(master.open())).groupsLost).toBe(false)
    // A copy that is newer says more, still not of what was grouped since.
    expect(
      await settle(
        master.restoreGroups(
          [1, 2].map((id) => ({ id, groups: ['web', 'db'] })),
          true,
        ),
      ),
    ).toBe(1)
  })

  it('refuses invalid groups, and changes nothing', async () => {
    await settle(master.addAgents(keys(1)))
    expect(await codeOf(settle(master.changeGroups({ kind: 'assign', ids: [1], group: 'a,b' })))).toBe('groupInvalid')
    expect(await codeOf(settle(master.takeGroups([{ id: 1, groups: ['a\nb'] }])))).toBe('groupInvalid')
    expect((await settle(master.groupsState())).version).toBe(0)
  })

  it('refuses an invalid batch as malformed and goes on, and leaves the memory around a batch alone', async () => {
    await settle(master.addAgents(keys(1)))
    expect(await codeOf(settle(master.merge(Buffer.from('{}'), 'w1', firstMs)))).toBe('malformed')
    const batch = batchOf(words(presence(1, firstMs), presence(1, firstMs, { epochMs: firstMs + 2 * limits.agentFutureMsMax })), firstMs)
    const frame = Buffer.concat([Buffer.from('before'), batch, Buffer.from('after')])
    expect(await settle(master.merge(frame.subarray(6, 6 + batch.byteLength), 'w1', firstMs))).toEqual({
      ...{ taken: 1, unknown: 0, refused: 1, defaulted: 1 },
    })
    expect(frame.toString('latin1')).toMatch(/^before.*after$/)
  })

  it('silences the agents of one node or of all, on a worker to be sent', async () => {
    await settle(worker.addAgents(keys(3)))
    await settle(worker.record(words(presence(1, firstMs), presence(2, firstMs, { node: 'w2' }), presence(3, firstMs + 9)), firstMs, true))
    const { upTo = 0 } = (await settle(worker.unsent(table, 0, firstMs))) ?? {}
    await settle(worker.acknowledge(table, upTo))
    expect(await settle(worker.silence(firstMs + 1_005, 1_000, 'w1'))).toBe(1)
    expect(newsIn(await settle(worker.unsent(table, 0, firstMs)))?.presences).toEqual([
      presence(1, firstMs, { status: 'disconnected', disconnectedMs: firstMs + 1_000, disconnection: 'keepAliveMissed' }),
    ])
    expect(await settle(worker.silence(firstMs + 1_005, 1_000))).toBe(1)
    expect((await settle(worker.counts())).byStatus).toEqual({ never_connected: 0, pending: 0, active: 1, disconnected: 2 })
  })

  it('keeps the order of calls that are made at once', async () => {
    const calls = [worker.addAgents(keys(5)), worker.removeAgents([1, 2]), worker.addAgents(keys(1)), worker.counts(), worker.highestId()]
    const answers = await settle(Promise.all(calls))
    expect(answers[1]).toBe(2)
    expect(answers[3]).toMatchObject({ byStatus: { never_connected: 4 } })
  })

  it('refuses calls when too many wait', async () => {
    const calls = Array.from({ length: limits.agentCallsWaitingMax + 1 }, () => codeOf(worker.highestId()))
    const codes = await settle(Promise.all(calls))
    expect(codes.filter((code) => code === 'none').length).toBe(limits.agentCallsWaitingMax)
    expect(codes.at(-1)).toBe('overloaded')
    expect(await settle(worker.highestId())).toBe(0)
  })

  it('fails every call before it is open, and after it is closed; and those that wait then', async () => {
    const early = create('worker')
    expect(await codeOf(settle(early.counts()))).toBe('tableFailed')
    await settle(early.close())
    const waiting = [1, 2, 3].map(() => codeOf(worker.addAgents(keys(1_000))))
    await settle(worker.close())
    expect((await settle(Promise.all(waiting))).at(-1)).toBe('aborted')
    expect(await codeOf(settle(worker.counts()))).toBe('aborted')
    await settle(worker.close())
  })
})

describe.each(['master', 'worker'] as const)('the table of a %s', (role) => {
  it('is the same in SQL as by the rules of the domain, whatever is done to it', () => {
    let run = 0
    fc.assert(
      fc.property(operationsOn(role), filters, (operations, filter) => {
        const real = new SqliteAgentTable({ path: join(home, `${run++}.db`), earlierPath: join(home, 'none.db'), role })
        const model = new MemoryAgentTable(role, '00000000-0000-0000-0000-000000000000')
        try {
          for (const table of [real, model]) {
            table.open()
            table.addAgents(keys(4))
          }
          for (const operate of operations) expect(operate(real)).toEqual(operate(model))
          expect(viewOf(real, filter)).toEqual(viewOf(model, filter))
        } finally {
          real.close()
        }
      }),
      // A failure is made small for as long as a run may take, not for ever.
      { numRuns: 25, interruptAfterTimeLimit: 50_000 },
    )
  })
})
