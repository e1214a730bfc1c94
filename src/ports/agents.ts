/**
 * The agents of a node, as the actors need them: their table, and what they have on the disk. The daemon plugs in `platform/` and `transport/`, the simulation its own; one suite (spec/compliance) holds both to the same behaviour.
 * Every port fails with a ClusterError.
 */

import type { ClusterError } from '../base/errors.js'
import type { AgentCounts, AgentDetails, AgentFilter, AgentListShape, AgentView, Presence } from '../domain/agents/agent.js'
import type { ExactGroups, GroupsChange, GroupsPage, GroupsRow, GroupsState } from '../domain/agents/groups.js'
import type { KeyEntry, KeysAnswer, KeysChange, KeysPage } from '../domain/agents/keyEntry.js'
import type { Registration } from '../domain/agents/replacement.js'
import type { HashName } from '../domain/files/hashNames.js'

/** The table could not be used as it was: what happened, for the log. */
export interface OpenedStore {
  /** Drawn when the table was made: acknowledgements and versions count for this table only. */
  readonly table: string
  /** A sentence when a table that could not be used was set aside and an empty one made. */
  readonly setAside?: string
  /** What became of the table of an earlier build, for the log. */
  readonly earlier?: { readonly level: 'info' | 'warning'; readonly says: string }
  /** It is a master's and was recreated: its agents do not have the groups yet that they had in the one before. */
  readonly groupsLost: boolean
}

export interface UnsentUpdates {
  /** See wire/muster/agentBatch. */
  readonly batch: Uint8Array
  readonly rows: number
  /** To be acknowledged once the master has the batch, and to ask for what comes after it. */
  readonly upTo: number
  /** The table that the rows are of, see OpenedStore: `upTo` means nothing to one that was made since. */
  readonly own: string
}

/** A row is a presence or the details of one agent: who sends both has sent two. */
export interface MergeOutcome {
  /** Rows that were newer than what the table had. */
  readonly taken: number
  /** Rows about agents that are not in the table. */
  readonly unknown: number
  /** Rows that break a rule: sizes, times, characters. */
  readonly refused: number
  /** Agents that got the group `default`, because they reported for the first time. */
  readonly defaulted: number
}

export interface RecordOutcome extends MergeOutcome {
  /** The agents, each once, that are not in the table though a row is about them. */
  readonly unknownAgents: readonly number[]
}

/** How an agent with this key is registered. */
export interface NotedRegistration {
  readonly key: string
  /** In milliseconds since 1970. */
  readonly registeredMs: number
  /** See domain/agents/replacement. */
  readonly signature: string
}

/** Who exists. Called by the readers and writers of client.keys. */
export interface AgentKeysStore {
  /**
   * Rows for these agents, as client.keys has them; what else is known of them stays. New ones, and those with another key, are registered as
   * it was noted of their key, or else at `nowMs`.
   */
  addAgents(entries: readonly KeyEntry[], nowMs: number): Promise<void>
  /**
   * Before client.keys has them: how agents with these keys are registered, as soon as there is a row. Notes of the keys `obsolete`, and
   * those that nothing came of for limits.registrationNotedMsMax, are forgotten. Returns the highest ID that any row ever had.
   */
  noteRegistrations(noted: readonly NotedRegistration[], obsolete: readonly string[], nowMs: number): Promise<number>
  /** Of these agents, as far as they are there, in order of their IDs. */
  registrations(ids: readonly number[]): Promise<readonly Registration[]>
  /** Forgets all about these agents. Returns how many there were. */
  removeAgents(ids: readonly number[]): Promise<number>
  /** Removes all agents but these. Returns the removed IDs. */
  keepAgents(ids: Uint32Array): Promise<readonly number[]>
  /** The highest ID that any row ever had, removed ones included. */
  highestId(): Promise<number>
}

/** What agents report and what became of them. Called where reports come in, and by both ends of agent info. */
export interface AgentReportsStore {
  /**
   * Takes what this node itself saw of its agents, to be sent to the master. `isCorrected: false` marks times of a clock that was
   * never compared with the master's. Newer reports win (domain/agents/agent); what lies more than limits.agentFutureMsMax beyond
   * `nowMs` in the table loses to anything; new reports of such times are refused. On a master, agents get the group `default` as in `merge`.
   * Where a real manager has the agents, a master records what that manager's own database says: it is not to be sent, and gives no groups.
   */
  record(
    updates: { readonly presences: readonly Presence[]; readonly details: readonly AgentDetails[] },
    nowMs: number,
    isCorrected: boolean,
  ): Promise<RecordOutcome>
  /** Shifts the times of rows that are not corrected yet, and calls them corrected: from now on they are to be sent. */
  correct(byMs: number): Promise<void>
  /**
   * What is not acknowledged in `table` and comes after `after` (0: from the start), at most one batch; nothing when there is none.
   * Rows that are not corrected are left out until they are.
   */
  unsent(table: string, after: number, nowMs: number): Promise<UnsentUpdates | undefined>
  /**
   * `table` has everything up to `upTo`. Only the last table is remembered: to another one everything counts as unsent. Without effect
   * when this table is no longer the one that the rows were of.
   */
  acknowledge(table: string, sent: Pick<UnsentUpdates, 'own' | 'upTo'>): Promise<void>
  /**
   * Takes a worker's batch (from `unsent` of its store). Agents seen for the first time get the group `default`. Times beyond
   * `nowMs` and limits.agentFutureMsMax are refused. An invalid batch fails with `malformed`. Where a real manager has the agents,
   * what is taken is to be sent on to its database, and gives no groups.
   * The batch is used up: its memory may be moved to where it is merged.
   */
  merge(batch: Uint8Array, from: string, nowMs: number): Promise<MergeOutcome>
  /** Calls agents disconnected that have been silent for longer; those of one node only when it is named. Returns how many. On a worker, to be sent. */
  silence(nowMs: number, disconnectionMs: number, node?: string): Promise<number>
}

/** The agents' groups. Called by operators' changes, and by both ends of agent groups. */
export interface AgentGroupsStore {
  groupsState(): Promise<GroupsState>
  /** Changes groups on the master: if any agent changes, the version rises by one. Returns how many. Fails with `groupInvalid` for an invalid name. */
  changeGroups(change: GroupsChange | ExactGroups): Promise<number>
  /** Groups that changed after version `since` (0: those of every agent that has any), in order of the IDs, beginning after agent `after`. Removed agents are in no page. */
  groupsPage(since: number, after: number): Promise<GroupsPage>
  /** Takes groups from the master. Returns how many rows are about agents that are not in the table; they are left out. */
  takeGroups(rows: readonly GroupsRow[]): Promise<number>
  /**
   * All pages were taken: from now on this is the state counted from. `full`: all agents were asked for, so those that are not among
   * `ids` have no groups. Returns the state with the hash over the rows that this table has, to be compared.
   */
  settleGroups(state: GroupsState, full: { readonly ids: Uint32Array } | undefined): Promise<GroupsState>
  /**
   * On a master whose groups are lost: gives them back, but for agents whose groups were changed in this table, and for those that it
   * does not have. After the last rows they are lost no longer. Returns how many agents changed.
   */
  restoreGroups(rows: readonly GroupsRow[], isLast: boolean): Promise<number>
  /** Every list of two or more groups that some agent has. */
  multigroups(): Promise<readonly (readonly string[])[]>
  /** How many agents each group has. */
  groupSizes(): Promise<ReadonlyMap<string, number>>
}

/** Called by queries. */
export interface AgentListsStore {
  shape(filter: AgentFilter): Promise<AgentListShape>
  /** At most limits.agentPageRowsMax agents with IDs above `after`, in order. */
  list(filter: AgentFilter, after: number): Promise<readonly AgentView[]>
  counts(): Promise<AgentCounts>
}

/**
 * The agents' table of one node. Calls are whole operations on sets of rows, so that an embedded database, one on a server and
 * a simulated one can each do them in their own way; each is atomic and durable when it resolves, and they take effect in the order in which they are made. They wait for a table that
 * is locked, up to limits.agentTableLockedMsMax, and fail with `tableFailed`, with `overloaded` when limits.agentCallsWaitingMax wait
 * already, with `aborted` once the store is closed. An agent's row comes first: what is about an agent without one is dropped and counted.
 * Nothing that must be prompt may wait for them: a database can be locked or slow.
 */
export interface AgentStore extends AgentKeysStore, AgentReportsStore, AgentGroupsStore, AgentListsStore {
  /**
   * First of all: opens, checks, brings an older schema up to date. Fails with `tableNewer` for a table of a newer version, with
   * `tableNotOurs` for a file of another program. May be tried again. A table that turns out to be damaged fails all operations with `tableDamaged` until it is reopened.
   */
  open(): Promise<OpenedStore>
  /** Calls back each time that an operation fails with `tableDamaged`, until the returned function is called. */
  onDamaged(damaged: (error: ClusterError) => void): () => void
  close(): Promise<void>
}

/** By the name of an operation. */
export type StoreOperation = Exclude<keyof AgentStore, 'onDamaged'>

/** The same operations as they run where nothing else has to wait: inside a thread, or in a simulated table. */
export type AgentTable = {
  readonly [K in StoreOperation]: (...given: Parameters<AgentStore[K]>) => Awaited<ReturnType<AgentStore[K]>>
}

export interface GroupFile {
  readonly name: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly digest: string
}

/** What `buildMerged` did. */
export interface MergedOutcome {
  /** Paths relative to the home. */
  readonly written: readonly string[]
  readonly removed: readonly string[]
  readonly problems: readonly string[]
}

/**
 * What agents have on a node's disk: client.keys, their message counters, the groups' directories and the merged files.
 * Whole operations, like those of Files. A write is atomic, and durable when it resolves.
 */
export interface AgentFiles {
  /**
   * Checks client.keys: what changed since the check before, or all of its agents at the first check and when `all` is wanted
   * (because an answer was lost). Removals rest on what domain/agents/keysTrust says: on a worker on `confirmed`, the digest of the agents
   * that the master trusts (empty before it said so).
   */
  check(all: boolean, confirmed: string, signal: AbortSignal): Promise<KeysPage>
  nextPage(signal: AbortSignal): Promise<KeysPage>
  /** Adds and removes agents on the master: one rewrite for all of them, lines that cannot be read are kept. The next check reports it. */
  change(changes: readonly KeysChange[], signal: AbortSignal): Promise<readonly KeysAnswer[]>
  /** Deletes `queue/rids/ID` of agents that are gone. */
  forget(ids: readonly number[], signal: AbortSignal): Promise<void>
  /** Names of the directories under etc/shared, in order. */
  groups(signal: AbortSignal): Promise<readonly string[]>
  /**
   * What the agents of a group get, and its merged.mg, in order of their names, with digests by `hash`; those of these `names` only when
   * there are any, and as far as they are there. Fails with `groupMissing`.
   */
  groupFiles(group: string, hash: HashName, names: readonly string[] | undefined, signal: AbortSignal): Promise<readonly GroupFile[]>
  /** MD5 (hex), as agents report it, of the merged.mg for a list of groups; nothing while it is not there. */
  mergedSum(groups: readonly string[], signal: AbortSignal): Promise<string | undefined>
  /** Fails with `groupInvalid` when it is there already. */
  createGroup(group: string, signal: AbortSignal): Promise<void>
  /** The group `default`, where etc/shared is there and lacks it. Returns whether it was made. Fails when it cannot be. */
  createDefaultGroup(signal: AbortSignal): Promise<boolean>
  /** With all its files. Fails with `groupInvalid` when it is not there. */
  removeGroup(group: string, signal: AbortSignal): Promise<void>
  /**
   * Brings merged.mg of every group, and of each of these lists of groups, up to date; deletes those of lists that nobody has.
   * `changed`: the paths of all files, relative to the home, whose content changed since the build before, this one's own writes
   * too; only their groups are checked. With none of them it checks besides what no path shows: which groups there are, and what
   * was built so shortly before that its stats may not show it. Undefined: anything may have changed.
   */
  buildMerged(
    multigroups: readonly (readonly string[])[],
    changed: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<MergedOutcome>
  close(): Promise<void>
}
