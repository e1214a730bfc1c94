/** Local agents over a simulated disk and table: the states of the table, and when client.keys and silent agents are checked. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localAgents } from '../../../src/actors/agents/localAgents.js'
import type { TableState } from '../../../src/actors/agents/tableLife.js'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { type ChildEvent, startHosted } from '../../../src/actors/kit/host.js'
import { asClusterError, ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { ScriptedFiles } from '../../support/files/scriptedFiles.js'
import { synced } from '../../support/files/treeArbitraries.js'
import { recordingLog } from '../../support/recordingLog.js'

const checkIntervalMs = 8_000
const { signal } = new AbortController()

const setUp = () => {
  const clock = new VirtualClock()
  const { agents, table, writeKeys } = localAgentsOver(clock, 'master')
  writeKeys([1, 2])
  const checksMs: number[] = []
  const searchesMs: number[] = []
  const checkFailures: ClusterError[] = []
  const openFailures: ClusterError[] = []
  const states: TableState['state'][] = []
  agents.table.changes.add(() => states.push(agents.table.value.state))
  const { check, silence } = { check: agents.keys.check.bind(agents.keys), silence: agents.silence.bind(agents) }
  agents.keys.check = async (given) => {
    checksMs.push(clock.monotonicMs())
    const failure = checkFailures.shift()
    if (failure) throw failure
    return check(given)
  }
  agents.silence = async () => {
    searchesMs.push(clock.monotonicMs())
    return silence()
  }
  const open = table.open.bind(table)
  table.open = () => {
    const failure = openFailures.shift()
    if (failure) throw failure
    return open()
  }
  const tree = new LocalTree(new ScriptedFiles(clock), synced, clock)
  const log = recordingLog()
  const ends: ChildEvent[] = []
  const logic = localAgents({ agents, tree, clock, checkIntervalMs, log })
  const start = () => startHosted(logic, { clock, onEnd: (event) => ends.push(event) })
  let thread = start()
  return {
    agents,
    checkFailures,
    checksMs,
    clock,
    ends,
    log,
    openFailures,
    searchesMs,
    states,
    table,
    writeKeys,
    /** As the supervisor does after a crash. */
    restart: () => {
      thread.stop()
      thread = start()
    },
    stop: async () => {
      thread.stop()
      await agents.close()
      await clock.settle()
      expect(thread.timers + clock.pending).toBe(0)
    },
  }
}

const gapsOf = (timesMs: readonly number[]): number[] => timesMs.slice(1).map((atMs, index) => atMs - (timesMs[index] ?? 0))
const codeOf = (asking: Promise<unknown>) => asking.then(() => 'none').catch((thrown: unknown) => asClusterError(thrown).code)
const idsIn = (table: { list: (filter: object, after: number) => readonly { readonly id: number }[] }): number[] =>
  table.list({}, 0).map(({ id }) => id)

describe('local agents', () => {
  it('checks client.keys and silent agents, each at its own interval', async () => {
    const { checksMs, clock, searchesMs, stop } = setUp()
    await clock.advance(300_000)
    // The first checks come sooner: the file is not trusted yet.
    const gaps = gapsOf(checksMs.filter((atMs) => atMs > 60_000))
    expect(gaps.length).toBeGreaterThan(25)
    expect(gaps.filter((gapMs) => gapMs < checkIntervalMs || gapMs > checkIntervalMs + 5)).toEqual([])
    expect(searchesMs.length).toBe(25)
    await stop()
  })

  it('publishes what a check found when it is something else, and not at each check', async () => {
    const { agents, clock, stop, table, writeKeys } = setUp()
    const published: string[] = []
    agents.keys.found.changes.add(() => published.push(agents.keys.found.value.idsDigest))
    await clock.advance(limits.keysTrustedMs + 10 * checkIntervalMs)
    const ofTwo = agents.keys.found.value.idsDigest
    const settled = published.length
    await clock.advance(10 * checkIntervalMs)
    expect(published).toHaveLength(settled)
    writeKeys([1, 2, 3])
    await clock.advance(2 * checkIntervalMs)
    expect(published.slice(settled).filter((digest) => digest === ofTwo)).toEqual([])
    expect(published.length).toBeGreaterThan(settled)
    // A table that was opened again knows nothing of what an earlier one was brought in line with.
    const before = published.length
    table.damage('another table')
    await clock.advance(limits.keysTrustedMs + 4 * checkIntervalMs)
    expect(published.length).toBeGreaterThan(before)
    expect(agents.table.value.state).toBe('trusted')
    await stop()
  })

  it('checks again an interval after a failed check', async () => {
    const { checkFailures, checksMs, clock, stop } = setUp()
    await clock.advance(40_000)
    const checks = checksMs.length
    checkFailures.push(new ClusterError('tableFailed'))
    await clock.advance(2 * checkIntervalMs)
    expect(checksMs.length - checks).toBe(2)
    await stop()
  })

  it('reopens a repeatedly damaged table once an interval, and logs why each time', async () => {
    const { clock, log, stop, table } = setUp()
    const opensMs: number[] = []
    const open = table.open.bind(table)
    table.open = () => {
      opensMs.push(clock.monotonicMs())
      const opened = open()
      table.damage(`table ${opensMs.length + 1}`)
      return opened
    }
    await clock.advance(5)
    table.damage('table 1')
    await clock.advance(12 * checkIntervalMs)
    expect(opensMs.length).toBeGreaterThan(5)
    expect(gapsOf(opensMs).every((gapMs) => gapMs >= checkIntervalMs)).toBe(true)
    expect(log.lines.filter((line) => line.includes('is damaged')).length).toBeGreaterThanOrEqual(opensMs.length - 1)
    await stop()
  })

  it('trusts a table once client.keys was stable long enough, and answers all waiting callers', async () => {
    const { agents, clock, states, stop } = setUp()
    const ready = codeOf(agents.table.ready(signal))
    await clock.advance(100)
    expect(await ready).toBe('none')
    expect(states).toEqual(['opening', 'unread', 'suspect'])
    expect([agents.table.id === '', agents.table.idsDigest === '', agents.table.trustedDigest]).toEqual([false, false, ''])
    await clock.advance(10_000)
    expect(states.slice(3)).toEqual(['trusted'])
    expect(agents.table.trustedDigest).toBe(agents.table.idsDigest)
    await stop()
  })

  it('fails waiting callers while the table cannot be opened, and answers them once it can be', async () => {
    const { agents, clock, openFailures, states, stop } = setUp()
    openFailures.push(new ClusterError('tableFailed'))
    const early = codeOf(agents.table.usable(signal))
    await clock.advance(10)
    expect([await early, await codeOf(agents.table.usable(signal))]).toEqual(['tableFailed', 'tableFailed'])
    await clock.advance(checkIntervalMs)
    expect(await codeOf(agents.table.usable(signal))).toBe('none')
    expect(states.slice(0, 5)).toEqual(['opening', 'unusable', 'opening', 'unread', 'suspect'])
    await stop()
  })

  it('ends when the table can never be opened, and waiting callers get the reason', async () => {
    const { agents, clock, ends, openFailures, stop } = setUp()
    openFailures.push(new ClusterError('tableNewer'))
    await clock.advance(10)
    expect(ends).toMatchObject([{ type: 'child.closed', error: { code: 'tableNewer' } }])
    expect(await codeOf(agents.table.usable(signal))).toBe('tableNewer')
    await stop()
  })

  it('lets no caller wait for the table of a node that stops', async () => {
    const { agents, clock, openFailures, stop } = setUp()
    openFailures.push(new ClusterError('tableFailed'))
    const waiting = codeOf(agents.table.opened(signal))
    await stop()
    await clock.settle()
    expect(await waiting).toBe('aborted')
  })

  it('reads all of client.keys again when it is restarted, including what an earlier check lost', async () => {
    const { agents, clock, restart, states, stop, table } = setUp()
    await clock.advance(20_000)
    table.removeAgents([1])
    states.length = 0
    restart()
    await clock.advance(100)
    expect(states).toEqual(['opening', 'unread', 'trusted'])
    expect(idsIn(table)).toEqual([1, 2])
    expect(agents.table.trustedDigest).not.toBe('')
    await stop()
  })

  const nextStates: Readonly<Record<TableState['state'], readonly TableState['state'][]>> = {
    opening: ['opening', 'unread', 'unusable', 'closed'],
    unusable: ['opening', 'closed'],
    damaged: ['opening', 'closed'],
    unread: ['suspect', 'trusted', 'damaged', 'opening', 'closed'],
    suspect: ['suspect', 'trusted', 'damaged', 'opening', 'closed'],
    trusted: ['trusted', 'damaged', 'opening', 'closed'],
    closed: [],
  }
  const acts = fc.oneof(
    fc.record({ act: fc.constant('damage' as const) }),
    fc.record({ act: fc.constant('openFails' as const) }),
    fc.record({ act: fc.constant('checkFails' as const) }),
    fc.record({ act: fc.constant('restart' as const) }),
    fc.record({ act: fc.constant('keys' as const), ids: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1 }) }),
    fc.record({ act: fc.constant('enrol' as const), id: fc.integer({ min: 10, max: 99 }) }),
  )

  it('makes only allowed transitions, whatever fails, and trusts the table in the end', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(acts, fc.integer({ min: 0, max: 12_000 })), { maxLength: 12 }), async (plan) => {
        const { agents, checkFailures, clock, openFailures, restart, states, stop, table, writeKeys } = setUp()
        let tables = 0
        for (const [step, restMs] of plan) {
          if (step.act === 'damage') table.damage(`next table ${++tables}`)
          if (step.act === 'openFails') openFailures.push(new ClusterError('tableFailed'))
          if (step.act === 'checkFails') checkFailures.push(new ClusterError('fileFailed'))
          if (step.act === 'restart') restart()
          if (step.act === 'keys') writeKeys(step.ids)
          const enrolled = { name: `n${clock.monotonicMs()}`, ip: 'any', key: '1'.repeat(64), groups: [] }
          if (step.act === 'enrol') void codeOf(agents.keys.add(enrolled, signal))
          // Any operation finds the damage.
          void codeOf(agents.store.highestId())
          await clock.advance(restMs)
        }
        void codeOf(agents.store.highestId())
        await clock.advance(200_000)
        expect(agents.table.value.state).toBe('trusted')
        const page = agents.files.check(true, '', signal)
        await clock.advance(10)
        expect(idsIn(table)).toEqual([...((await page).ids ?? [])])
        expect(agents.table.idsDigest).toBe((await page).idsDigest)
        await stop()
        const odd = states.filter((state, index) => index > 0 && !nextStates[states[index - 1] ?? 'closed'].includes(state))
        expect(odd).toEqual([])
      }),
      { numRuns: 60 },
    ))
})
