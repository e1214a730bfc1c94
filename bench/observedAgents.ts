/** A node's real table of agents, with a callback each time that data from the cluster is durable in it. */
import type { AgentStore } from '../src/ports/agents.js'

export interface AgentsObserver {
  /** Agents of client.keys. */
  onKeys(agents: number): void
  /** A worker's batch: rows that were new, and rows that were not taken. */
  onMerged(taken: number, dropped: number): void
  /** All groups of a round; `same` when they are the master's. */
  onGroups(same: boolean): void
}

export const observedAgents = (store: AgentStore, { onGroups, onKeys, onMerged }: AgentsObserver): AgentStore => ({
  open: () => store.open(),
  addAgents: async (entries, nowMs) => {
    await store.addAgents(entries, nowMs)
    onKeys(entries.length)
  },
  noteRegistrations: (noted, obsolete, nowMs) => store.noteRegistrations(noted, obsolete, nowMs),
  registrations: (ids) => store.registrations(ids),
  removeAgents: (ids) => store.removeAgents(ids),
  keepAgents: (ids) => store.keepAgents(ids),
  highestId: () => store.highestId(),
  record: (updates, nowMs, isCorrected) => store.record(updates, nowMs, isCorrected),
  correct: (byMs) => store.correct(byMs),
  unsent: (table, after, nowMs) => store.unsent(table, after, nowMs),
  acknowledge: (table, sent) => store.acknowledge(table, sent),
  merge: async (batch, from, nowMs) => {
    const outcome = await store.merge(batch, from, nowMs)
    onMerged(outcome.taken, outcome.unknown + outcome.refused)
    return outcome
  },
  silence: (nowMs, disconnectionMs, node) => store.silence(nowMs, disconnectionMs, node),
  groupsState: () => store.groupsState(),
  changeGroups: (change) => store.changeGroups(change),
  groupsPage: (since, after) => store.groupsPage(since, after),
  takeGroups: (rows) => store.takeGroups(rows),
  settleGroups: async (state, full) => {
    const own = await store.settleGroups(state, full)
    onGroups(own.hash === state.hash)
    return own
  },
  restoreGroups: (rows, isLast) => store.restoreGroups(rows, isLast),
  multigroups: () => store.multigroups(),
  groupSizes: () => store.groupSizes(),
  shape: (filter) => store.shape(filter),
  list: (filter, after) => store.list(filter, after),
  counts: () => store.counts(),
  onDamaged: (damaged) => store.onDamaged(damaged),
  close: () => store.close(),
})
