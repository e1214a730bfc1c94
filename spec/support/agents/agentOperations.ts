/** Random operations on an agents' table, and everything that can be read from one. */
import fc from 'fast-check'
import { ClusterError } from '../../../src/base/errors.js'
import type { AgentFilter, AgentUpdates } from '../../../src/domain/agents/agent.js'
import type { AgentTable } from '../../../src/ports/agents.js'
import { AgentBatchWriter, decodeAgentBatch } from '../../../src/wire/muster/agentBatch.js'
import { agentIds, anyUpdates, firstMs, groupNames, nodeNames, nows, soundUpdatesOf } from './agentArbitraries.js'

/** With its answer, or the code of its failure. */
export type Operation = (table: AgentTable) => unknown
export type Role = 'master' | 'worker'

/** Shown by fast-check in place of the function. */
const named = (text: string, operate: Operation): Operation => {
  const operation: Operation = (table) => {
    try {
      return operate(table)
    } catch (thrown) {
      if (thrown instanceof ClusterError) return thrown.code
      throw thrown
    }
  }
  return Object.assign(operation, { [fc.toStringMethod]: () => text })
}

export const batchOf = (updates: AgentUpdates, nowMs: number): Uint8Array => {
  const writer = new AgentBatchWriter(nowMs)
  for (const presence of updates.presences) writer.addPresence(presence)
  for (const row of updates.details) writer.addDetails(row)
  return writer.finish()
}

const idLists = fc.array(agentIds, { maxLength: 4 })
const lists = fc.array(groupNames, { maxLength: 3 })
const tables = fc.constantFrom('m1', 'm2')
const registrationKeys = fc.uniqueArray(fc.constantFrom('a0', 'a1', 'b\u{1F600}0', 'b\u{1F600}1'), { maxLength: 2 })

const on = <Given extends unknown[]>(
  name: string,
  given: fc.Arbitrary<Given>,
  operate: (table: AgentTable, ...given: Given) => unknown,
): fc.Arbitrary<Operation> => given.map((values) => named(`${name}(${fc.stringify(values)})`, (table) => operate(table, ...values)))

const everywhere = [
  on('addAgents', fc.tuple(idLists, fc.constantFrom('a', 'b\u{1F600}'), nows), (table, ids, name, nowMs) =>
    table.addAgents(
      ids.map((id) => ({ id, name: `${name}${id}`, ip: 'any', key: `${name}${id % 2}` })),
      nowMs,
    ),
  ),
  on(
    'noteRegistrations',
    fc.tuple(registrationKeys, registrationKeys, nows, fc.constantFrom(0, 0, 600_001)),
    (table, keys, obsolete, nowMs, laterMs) =>
      table.noteRegistrations(
        keys.map((key) => ({ key, registeredMs: nowMs, signature: `of ${key}` })),
        obsolete,
        nowMs + laterMs,
      ),
  ),
  on('removeAgents', fc.tuple(idLists), (table, ids) => table.removeAgents(ids)),
  on('keepAgents', fc.tuple(fc.array(agentIds, { minLength: 4 })), (table, ids) => table.keepAgents(Uint32Array.from(ids))),
  on('record', fc.tuple(anyUpdates, nows, fc.boolean()), (table, updates, nowMs, isCorrected) => table.record(updates, nowMs, isCorrected)),
  on('record', fc.tuple(anyUpdates, nows), (table, updates, nowMs) => table.record(updates, nowMs, true)),
  on('merge', fc.tuple(anyUpdates, nodeNames, nows), (table, updates, from, nowMs) => table.merge(batchOf(updates, nowMs), from, nowMs)),
  on('merge', fc.tuple(soundUpdatesOf, nodeNames, nows), (table, updates, from, nowMs) =>
    table.merge(batchOf(updates, nowMs), from, nowMs),
  ),
  on('correct', fc.tuple(fc.constantFrom(-20_000, 0.4, 15_000, -2 * firstMs)), (table, byMs) => table.correct(byMs)),
  on('acknowledge', fc.tuple(tables, fc.nat({ max: 20 })), (table, master, upTo) =>
    table.acknowledge(master, { own: table.unsent('none', 0, firstMs)?.own ?? '', upTo }),
  ),
  on(
    'silence',
    fc.tuple(nows, fc.constantFrom(10_000, 30_000), fc.option(nodeNames, { nil: undefined })),
    (table, nowMs, disconnectionMs, node) => table.silence(nowMs, disconnectionMs, node),
  ),
]

const rows = fc.uniqueArray(fc.record({ id: agentIds, groups: fc.uniqueArray(groupNames) }), { selector: ({ id }) => id })

const onMaster = [
  on('restoreGroups', fc.tuple(rows, fc.boolean()), (table, given, isLast) => [
    table.restoreGroups(given, isLast),
    table.open().groupsLost,
  ]),
  on('assign', fc.tuple(idLists, groupNames), (table, ids, group) => table.changeGroups({ kind: 'assign', ids, group })),
  on('replace', fc.tuple(idLists, lists), (table, ids, groups) => table.changeGroups({ kind: 'replace', ids, groups })),
  on('unassign', fc.tuple(idLists, groupNames), (table, ids, group) => table.changeGroups({ kind: 'unassign', ids, group })),
  on('dissolve', fc.tuple(groupNames), (table, group) => table.changeGroups({ kind: 'dissolve', group })),
]

const onWorker = [
  on('takeGroups', fc.tuple(rows), (table, given) => table.takeGroups(given)),
  on('settleGroups', fc.tuple(tables, fc.nat({ max: 9 }), fc.option(idLists, { nil: undefined })), (table, master, version, ids) => {
    const { hash } = table.settleGroups({ table: master, version, hash: '' }, ids && { ids: Uint32Array.from(ids) })
    return hash
  }),
]

export const operationsOn = (role: Role): fc.Arbitrary<Operation[]> =>
  fc.array(fc.oneof(...everywhere, ...(role === 'master' ? onMaster : onWorker)), { maxLength: 30, size: 'max' })

export const filters: fc.Arbitrary<AgentFilter> = fc.record(
  {
    nodes: fc.array(nodeNames, { maxLength: 2 }),
    statuses: fc.uniqueArray(fc.constantFrom('never_connected', 'pending', 'active', 'disconnected'), { maxLength: 3 }),
    group: groupNames,
    ids: idLists,
  },
  { requiredKeys: [] },
)

const unsentOf = (table: AgentTable, master: string) => {
  const updates = table.unsent(master, 0, firstMs + 1e6)
  const decoded = updates && decodeAgentBatch(updates.batch, 'sender', firstMs + 1e6)
  return updates && { rows: updates.rows, upTo: updates.upTo, updates: decoded?.ok ? decoded.value : decoded?.error.code }
}

/** Everything that a table can be asked. Its own name is random, and left out. */
export const viewOf = (table: AgentTable, filter: AgentFilter) => ({
  all: table.list({}, 0),
  some: table.list(filter, 2),
  byGroup: ['web', 'default', 'db_1'].map((group) => table.list({ group }, 0).map(({ id }) => id)),
  shape: table.shape(filter),
  counts: table.counts(),
  highestId: table.highestId(),
  registrations: table.registrations([1, 2, 3, 4, 5, 99]),
  unsent: [unsentOf(table, 'm1'), unsentOf(table, 'm2')],
  groups: [table.groupsState(), table.groupsPage(0, 0), table.groupsPage(1, 0), table.groupsPage(3, 2)].map((state) =>
    JSON.stringify(state, (key, value) => (key === 'table' && /^[0-9a-f-]{36}$/.test(String(value)) ? 'own' : value)),
  ),
  multigroups: table.multigroups(),
  sizes: [...table.groupSizes()],
})
