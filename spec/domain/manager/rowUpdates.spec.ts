/** What wazuh-db says of agents, as reports and back: nothing is lost, the newest report wins, and an end never beats a later sign of life. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentView, Presence } from '../../../src/domain/agents/agent.js'
import { newerPresence } from '../../../src/domain/agents/agent.js'
import { unpackFacts } from '../../../src/domain/agents/packedFacts.js'
import { soundUpdates } from '../../../src/domain/agents/soundUpdates.js'
import { labelsOf, labelsText } from '../../../src/domain/manager/agentLabels.js'
import { fullRow, isSeen } from '../../../src/domain/manager/givenRows.js'
import { type AnswerTimes, heldUpdates, takenUpdates } from '../../../src/domain/manager/rowUpdates.js'
import { parseTakenEntry, printTakenEntry } from '../../../src/domain/manager/takenEntry.js'
import type { WazuhAgent } from '../../../src/domain/manager/wazuhAgent.js'
import { SimulatedWazuhDb } from '../../../src/simulation/manager/simulatedWazuhDb.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { readTakenStates } from '../../../src/wire/wazuh/agentStates.js'

const takenSeconds = 1_700_000_000
const takenMs = takenSeconds * 1_000
const none = { syncreq: [], syncreq_keepalive: [], syncreq_status: [] }

const texts = fc.constantFrom('a', 'Debian GNU/Linux', 'näh "q"\\', '\u{1F600}')
const textColumns = [
  ...['ip', 'os_name', 'os_version', 'os_major', 'os_minor', 'os_codename', 'os_build', 'os_platform'],
  ...['os_uname', 'os_arch', 'version', 'config_sum', 'merged_sum', 'manager_host'],
]
const labels = fc.array(fc.record({ key: fc.constantFrom('"a"', '!"b"', '#"c d"'), value: fc.constantFrom('', 'x:y', 'ü') }), {
  minLength: 1,
  maxLength: 3,
})

const states = fc.oneof(
  fc.record({
    connection_status: fc.constantFrom('active' as const, 'pending' as const),
    disconnection_time: fc.constant(0),
    status_code: fc.constantFrom(0, 1, 2),
  }),
  fc.record({
    connection_status: fc.constant('disconnected' as const),
    disconnection_time: fc.integer({ min: takenSeconds - 500, max: takenSeconds - 1 }),
    status_code: fc.constantFrom(4, 5),
  }),
)

const fullRows: fc.Arbitrary<WazuhAgent> = fc
  .tuple(
    fc.record(Object.fromEntries(textColumns.map((column) => [column, texts])), { requiredKeys: [] }),
    fc.record({
      id: fc.integer({ min: 1, max: 1_000 }),
      last_keepalive: fc.integer({ min: takenSeconds - 1_000, max: takenSeconds - 501 }),
      group_config_status: fc.constantFrom('synced' as const, 'not synced' as const),
    }),
    states,
    fc.option(labels, { nil: undefined }),
  )
  .map(([said, seen, state, labelled]) => ({
    ...said,
    ...seen,
    ...state,
    ...(labelled && { labels: labelled }),
    name: 'web',
    node_name: 'w1',
  }))

/** As the table that has taken both shows the agent. */
const viewOf = ({ disconnectedMs, disconnection, id, node, seenMs, status }: Presence, facts: string | undefined): AgentView => ({
  ...{ id, name: 'web', registeredIp: '', status, node, seenMs, disconnectedMs, disconnection, groups: [], groupHash: '' },
  ...(facts !== undefined && { facts: unpackFacts(facts) }),
})

const times: AnswerTimes = { node: 'w1', takenMs, sinceMs: takenMs - 1_000, skewMs: 0 }

describe('a full row of wazuh-db', () => {
  it.each([
    { when: 'it was taken', read: (row: WazuhAgent) => takenUpdates({ ...none, syncreq: [row] }, times) },
    { when: 'it was read', read: (row: WazuhAgent) => heldUpdates([row], times) },
  ])('is the same there and back when $when', ({ read }) => {
    fc.assert(
      fc.property(fullRows, (row) => {
        const { details, presences } = read(row)
        expect(soundUpdates({ details, presences }, takenMs).refused).toBe(0)
        const [presence] = presences
        if (!presence) throw new Error('no presence')
        const view = viewOf(presence, details[0]?.facts)
        if (!isSeen(view)) throw new Error('not seen')
        // A start-up that was taken is a sign of life of its own.
        const last_keepalive = row.connection_status === 'pending' && presence.seenMs === takenMs ? takenSeconds : row.last_keepalive
        expect(fullRow(view)).toEqual({ ...row, last_keepalive })
      }),
    )
  })

  it('has times by the clock of the machine, which reports have by that of the master', () => {
    fc.assert(
      fc.property(fullRows, fc.integer({ min: -900_000_000, max: 900_000_000 }), (row, skewMs) => {
        const skewed = { ...times, skewMs, takenMs: takenMs + skewMs, sinceMs: times.sinceMs + skewMs }
        const [here] = takenUpdates({ ...none, syncreq: [row] }, times).presences
        const [there] = takenUpdates({ ...none, syncreq: [row] }, skewed).presences
        expect([there?.seenMs, there?.disconnectedMs]).toEqual([
          (here?.seenMs ?? 0) + skewMs,
          here?.status === 'disconnected' ? here.disconnectedMs + skewMs : 0,
        ])
      }),
    )
  })

  it('is taken within its bounds whatever it says', () => {
    const wild = fc.record(
      {
        id: fc.constant(1),
        ip: fc.string(),
        os_uname: fc.string({ unit: 'binary' }),
        last_keepalive: fc.nat(),
        disconnection_time: fc.maxSafeNat(),
        connection_status: fc.constantFrom('active', 'pending', 'disconnected', 'never_connected'),
        status_code: fc.nat(),
        labels: fc.array(fc.record({ key: fc.string(), value: fc.string() })),
      },
      { requiredKeys: ['id'] },
    ) as fc.Arbitrary<WazuhAgent>
    fc.assert(
      fc.property(wild, (row) => {
        for (const updates of [takenUpdates({ ...none, syncreq: [row], syncreq_status: [row] }, times), heldUpdates([row], times)])
          expect(soundUpdates(updates, takenMs).refused).toBe(0)
      }),
    )
  })
})

// ------------------------------------------------------------------------------------------------- one agent, two nodes

type Step =
  | { readonly kind: 'starts' | 'sendsKeepAlive' | 'stops'; readonly node: 'w1' | 'w2'; readonly afterMs: number }
  | { readonly kind: 'poll'; readonly node: 'w1' | 'w2'; readonly afterMs: number }

const steps = (nodes: readonly ('w1' | 'w2')[]): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.record({
      kind: fc.constantFrom('starts', 'sendsKeepAlive', 'stops', 'poll', 'poll'),
      node: fc.constantFrom(...nodes),
      afterMs: fc.oneof(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 50, max: 2_500 })),
    }),
    { maxLength: 12 },
  )

/** All reports of both nodes, in the order in which they were taken, and what the agent did last. */
const played = async (given: readonly Step[]) => {
  const clock = new VirtualClock()
  await clock.advance(5_000)
  const dbs = { w1: newDb(clock, 'w1'), w2: newDb(clock, 'w2') }
  const since = { w1: clock.now(), w2: clock.now() }
  const reports: Presence[] = []
  let last: { readonly kind: 'starts' | 'sendsKeepAlive' | 'stops'; readonly node: string } | undefined
  const ends = (['w1', 'w2'] as const).map((node) => ({ kind: 'poll' as const, node, afterMs: 100 }))
  for (const { afterMs, kind, node } of [...given, ...ends]) {
    await clock.advance(afterMs)
    if (kind === 'poll') {
      const takenAtMs = clock.now()
      const taking = dbs[node].port(clock).takeStates(new AbortController().signal)
      await clock.advance(1)
      const read = readTakenStates((await taking)?.text ?? '{}')
      if (!read.ok) throw read.error
      reports.push(...takenUpdates(read.value.states, { node, takenMs: takenAtMs, sinceMs: since[node], skewMs: 0 }).presences)
      since[node] = takenAtMs
      continue
    }
    if (kind === 'starts') dbs[node].agentStarts(1)
    if (kind === 'sendsKeepAlive') dbs[node].agentSendsKeepAlive(1)
    if (kind === 'stops') dbs[node].agentStops(1)
    last = { kind, node }
  }
  return { reports, last }
}

const newDb = (clock: VirtualClock, nodeName: string): SimulatedWazuhDb => {
  const db = new SimulatedWazuhDb({ clock, role: 'worker', nodeName })
  db.insertAgent(1, 'web')
  return db
}

const newestOf = (reports: readonly Presence[]): Presence | undefined =>
  reports.reduce<Presence | undefined>((newest, report) => (newest ? newerPresence(newest, report) : report), undefined)

const statusAfter = { starts: 'pending', sendsKeepAlive: 'active', stops: 'disconnected' } as const

describe('reports of what wazuh-db says', () => {
  it('end with what the agent did last at a node, in whatever order they arrive', () =>
    fc.assert(
      fc.asyncProperty(steps(['w1']), async (given) => {
        const { last, reports } = await played(given)
        const expected = last && statusAfter[last.kind]
        expect(newestOf(reports)?.status).toBe(expected)
        expect(newestOf(reports.toReversed())?.status).toBe(expected)
      }),
    ))

  it('of an end at one node never beat a later sign of life at another', () =>
    fc.assert(
      fc.asyncProperty(steps(['w1', 'w2']), async (given) => {
        const { last, reports } = await played(given)
        const newest = newestOf(reports)
        expect(newestOf(reports.toReversed())).toEqual(newest)
        if (last && last.kind !== 'stops') expect(newest?.status).not.toBe('disconnected')
      }),
      { numRuns: 300 },
    ))
})

describe('an answer long after the one before', () => {
  it('says nothing of keep-alives and start-ups, whose time is not known, but all that has a time', () => {
    const late = { ...times, sinceMs: 0 }
    const active = { id: 3, name: 'web', connection_status: 'active', last_keepalive: takenSeconds - 300 } as const
    const pending = { id: 2, connection_status: 'pending' } as const
    const stopped = { id: 4, connection_status: 'disconnected', disconnection_time: takenSeconds - 200, status_code: 3 } as const
    const { presences } = takenUpdates({ syncreq: [active], syncreq_keepalive: [{ id: 1 }], syncreq_status: [pending, stopped] }, late)
    expect(presences.map(({ id, seenMs }) => [id, seenMs])).toEqual([
      [3, takenMs - 300_000 + 999],
      [4, takenMs - 200_000],
    ])
  })
})

describe('labels', () => {
  it('are the same there and back', () => {
    fc.assert(fc.property(labels, (given) => void expect(labelsOf(labelsText(given))).toEqual(given)))
  })

  it('stay labels whatever is in them', () => {
    const wild = fc.array(fc.record({ key: fc.string({ minLength: 1 }), value: fc.string() }))
    fc.assert(
      fc.property(wild, (given) => {
        const once = labelsOf(labelsText(given))
        expect(labelsOf(labelsText(once))).toEqual(once)
      }),
    )
  })
})

describe('an entry of the journal', () => {
  it('is the same there and back, and none when the times are gone', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 }), fc.nat({ max: 2 ** 31 }), fc.string(), (taken, since, text) => {
        const entry = { takenMs: taken, sinceMs: since, text }
        expect(parseTakenEntry(printTakenEntry(entry))).toEqual(entry)
      }),
    )
    expect(['', '{}', '1 {}', '1 2', 'a b {}'].map(parseTakenEntry)).toEqual(Array.from({ length: 5 }))
  })
})
