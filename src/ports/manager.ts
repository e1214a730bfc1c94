/**
 * A real Wazuh manager on this machine, as the actors need it. The daemon plugs in `platform/manager/`, the simulation its own; one suite
 * (spec/compliance) holds both to the same behaviour. Operations fail with `managerFailed` when a daemon cannot be reached or does not
 * answer in time (try again), with `managerRefused` when it said no, with `aborted`.
 */
import type { WazuhAgent, WazuhGroupsRow, WazuhPresence, WazuhStates } from '../domain/manager/wazuhAgent.js'

/** One answer of wazuh-db about what became of agents, as it came: what it said once it does not say again. */
export interface TakenStates {
  /** JSON, see wire/wazuh/agentStates. */
  readonly text: string
  /** There is more to be taken at once. */
  readonly isMore: boolean
}

export interface WazuhGroupsPage {
  readonly rows: readonly WazuhGroupsRow[]
  /** Of all agents that have groups, see domain/agents/groups; with the last page, and when no agent has groups not at all. */
  readonly hash?: string
  /** Ask again: for taken groups at once, else after the last row. */
  readonly isMore: boolean
}

/** wazuh-db. One request at a time; none is longer than limits.wazuhDbRequestBytesMax. Agent 0, the manager itself, is left out. */
export interface WazuhDb {
  /** What became of the agents of this node since it was asked last: reading is taking. Undefined: nothing. */
  takeStates(signal: AbortSignal): Promise<TakenStates | undefined>
  /**
   * In one request. A full row overwrites every column, a keep-alive counts as of now. Unknown agents are left out. When a row is refused
   * (`managerRefused`), those before it are written and those after it are not.
   */
  giveStates(states: WazuhStates, signal: AbortSignal): Promise<void>
  /** Of these agents, as far as they are there, in order of their IDs; at most limits.wazuhDbPresencesMax. */
  presencesOf(ids: readonly number[], signal: AbortSignal): Promise<readonly WazuhPresence[]>
  /** A page of the agents with IDs above `after`, in order; none at the end. Nothing is taken by it. */
  agents(after: number, signal: AbortSignal): Promise<readonly WazuhAgent[]>
  /** How many agents are active at each node. */
  activeAgents(signal: AbortSignal): Promise<ReadonlyMap<string, number>>
  /** Of a master: groups that changed since it was asked last: reading is taking. The last page has the hash. */
  takeGroups(signal: AbortSignal): Promise<WazuhGroupsPage>
  /** The groups of the agents with IDs above `after`, in order. Nothing is taken by it. */
  groups(after: number, signal: AbortSignal): Promise<WazuhGroupsPage>
  groupsHash(signal: AbortSignal): Promise<string | undefined>
  /** Has the hashes of all agents made again. */
  recalculateGroups(signal: AbortSignal): Promise<void>
  /**
   * Of a worker: these agents have these groups, and no others. In one request: fails with `tooLarge` for more rows than fit
   * (see domain/manager/requestSlices). `managerRefused`: a group is not known there yet; the other rows are done.
   */
  setGroups(rows: readonly WazuhGroupsRow[], signal: AbortSignal): Promise<void>
}

/** Daemons of a master that its workers' daemons may ask. */
export const askedDaemons = ['authd', 'remoted', 'task-manager'] as const
export type AskedDaemon = (typeof askedDaemons)[number]

/** What wazuh-analysisd said to a reload of rules, decoders and lists. */
export interface RulesetReload {
  /** False: the rules before are kept. */
  readonly isLoaded: boolean
  /** Its warnings and errors, at most limits.rulesetMessagesMax. */
  readonly messages: readonly string[]
}

export interface ManagerDaemons {
  /** Asks one of them: an opaque message, and its answer as it came. Fails with `tooLarge` for one over limits.daemonAnswerBytesMax. */
  ask(daemon: AskedDaemon, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array>
  /** Undefined: this manager is of a version (up to 4.12) that must be restarted for it. */
  reloadRuleset(signal: AbortSignal): Promise<RulesetReload | undefined>
}

/** An opaque answer whose length is known before it is there. Read once. */
export interface CarriedAnswer {
  readonly bytes: number
  readonly content: AsyncIterable<Uint8Array>
}

/** Wazuh's own framework in a process of its own, which carries out requests of the distributed API. */
export interface ApiBridge {
  /** Fails with `apiBridgeOff`, and with `managerRefused` and the exception's JSON as its message when the framework raised one. */
  run(request: Uint8Array, signal: AbortSignal): Promise<CarriedAnswer>
  close(): Promise<void>
}

/** Answers of `takeStates` that are not in our table yet. Synchronous and durable: nothing may come between taking and noting. */
export interface TakenJournal {
  /** Those noted before, of an earlier process too, in order. */
  entries(): readonly string[]
  append(text: string): void
  clear(): void
}

export interface ManagerPorts {
  readonly db: WazuhDb
  readonly daemons: ManagerDaemons
  readonly taken: TakenJournal
  readonly bridge: ApiBridge
}
