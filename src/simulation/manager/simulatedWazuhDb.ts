/**
 * wazuh-db in memory, on the virtual clock: what a node asks of it, what the manager's other daemons write into it, and how it fails. It
 * commits late, as the real one does, so that a kill takes back what it had answered.
 */
import { ClusterError } from '../../base/errors.js'
import { InTurn } from '../../base/inTurn.js'
import { limits } from '../../base/limits.js'
import type { WazuhAgent, WazuhGroupsRow, WazuhPresence, WazuhStates } from '../../domain/manager/wazuhAgent.js'
import type { Clock } from '../../ports/machine.js'
import type { TakenStates, WazuhDb, WazuhGroupsPage } from '../../ports/manager.js'
import { stateRowBytes, statesJson, statesRequestBytes } from '../../wire/wazuh/agentStates.js'
import { setGroupsRequest } from '../../wire/wazuh/groupsRequests.js'
import { type SyncWish, WazuhTable } from './wazuhTable.js'

export interface SimulatedWazuhDbOptions {
  readonly clock: Clock
  readonly role: 'master' | 'worker'
  /** Of the manager that it belongs to. */
  readonly nodeName: string
  /** Before 4.13: every wish is for the whole row, and states are a list. */
  readonly isOld?: boolean
}

const callMs = 1
/** After the last request, and at most. */
const commitMsMin = 10_000
const commitMsMax = 60_000
const agentsPageRows = 100
const groupsPageRows = 1_000

export class SimulatedWazuhDb {
  readonly #options: SimulatedWazuhDbOptions
  readonly #table = new WazuhTable()
  #committed = this.#table.copy()
  /** Of the transaction that is open. */
  #openedMs: number | undefined
  #lastMs = 0
  #isRunning = true
  /** Agents that sent a start-up and no keep-alive yet. */
  readonly #starting = new Set<number>()
  /** How long it takes for a request. */
  delayMs = callMs
  /** Requests that it answers with an error, of those that come next. */
  refusals = 0
  /** Agents whose rows it refuses. */
  readonly refused = new Set<number>()
  /** It takes requests and carries them out, and answers none. */
  isSilent = false
  /** How often it was started. */
  starts = 0
  /** Requests that it carried out, of a node. */
  requests = 0

  constructor(options: SimulatedWazuhDbOptions) {
    this.#options = options
  }

  // --- as the manager starts and ends it

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Ends it as a service is ended. */
  stop(): void {
    this.#committed = this.#table.copy()
    this.#openedMs = undefined
    this.#isRunning = false
  }

  /** Ends it at once: what it did not commit is lost, though it was answered. */
  kill(): void {
    this.#commitWhenDue()
    this.#table.restore(this.#committed)
    this.#openedMs = undefined
    this.#isRunning = false
  }

  start(): void {
    this.#isRunning = true
    this.starts += 1
  }

  /** Ends every fault. */
  heal(): void {
    this.start()
    this.delayMs = callMs
    this.refusals = 0
    this.refused.clear()
    this.isSilent = false
  }

  // --- what the other daemons of the manager do; nothing while it is down (they return false)

  /** wazuh-authd on a master, wazuh-modulesd on a worker. */
  insertAgent(id: number, name: string, ip = 'any'): boolean {
    return this.#write(() => this.#table.insertAgent(id, name, ip))
  }

  deleteAgent(id: number): boolean {
    return this.#write(() => this.#table.deleteAgent(id))
  }

  /** wazuh-modulesd, which saw a directory below etc/shared. */
  insertGroup(name: string): boolean {
    return this.#write(() => this.#table.insertGroup(name))
  }

  deleteGroup(name: string): boolean {
    return this.#write(() => this.#table.deleteGroup(name))
  }

  /** agent_groups, the API or wazuh-authd, on a master. */
  assignGroups(id: number, groups: readonly string[]): boolean {
    return this.#write(() => {
      const name = this.#table.get(id)?.agent.name
      if (name !== undefined) this.#table.setGroups({ id, name, groups }, true)
    })
  }

  /** wazuh-remoted: an agent of this node starts. */
  agentStarts(id: number): boolean {
    this.#starting.add(id)
    const changed = {
      connection_status: 'pending',
      last_keepalive: this.#seconds(),
      node_name: this.#options.nodeName,
      status_code: 0,
    } as const
    return this.#update(id, changed, 'syncreq_status')
  }

  /** wazuh-remoted: an agent's keep-alive, with what it says of itself. */
  agentSendsKeepAlive(id: number, details: Partial<WazuhAgent> = {}): boolean {
    const isFirst = this.#starting.has(id) || Object.keys(details).length > 0
    const isWritten = this.#update(
      id,
      {
        ...details,
        node_name: this.#options.nodeName,
        connection_status: 'active',
        last_keepalive: this.#seconds(),
        disconnection_time: 0,
        group_config_status: 'synced',
        status_code: 0,
      },
      isFirst ? 'syncreq' : 'syncreq_keepalive',
    )
    if (isWritten) this.#starting.delete(id)
    return isWritten
  }

  /** wazuh-remoted: an agent says that it ends. */
  agentStops(id: number): boolean {
    return this.#update(id, { connection_status: 'disconnected', disconnection_time: this.#seconds(), status_code: 3 }, 'syncreq_status')
  }

  /** wazuh-remoted starts: nobody is connected, and the master need not know. */
  remotedStarts(): boolean {
    return this.#disconnect(5, () => true)
  }

  /** wazuh-monitord: agents that were silent for this long are disconnected, and the master need not know. */
  disconnectSilent(ms: number): boolean {
    const before = this.#seconds() - ms / 1_000
    return this.#disconnect(4, ({ last_keepalive = 0 }) => last_keepalive < before)
  }

  /** What it has now, to compare with. */
  agents(): readonly WazuhAgent[] {
    return this.#table.rows().map(({ agent }) => agent)
  }

  groupsOf(id: number): readonly string[] | undefined {
    return this.#table.get(id)?.groups
  }

  groupNames(): readonly string[] {
    return [...this.#table.groupNames]
  }

  groupsHash(): string | undefined {
    return this.#table.groupsHash()
  }

  // --- what a node asks

  /** For a process of a node; `clock` is its own: nothing answers a process that is gone. */
  port(clock: Clock): WazuhDb {
    const turns = new InTurn()
    const ask = <T>(signal: AbortSignal, act: () => T): Promise<T> => turns.run(() => this.#call(clock, signal, act))
    return {
      takeStates: (signal) => ask(signal, () => this.#takeStates()),
      giveStates: async (states, signal) => {
        assertWithin([...states.syncreq, ...states.syncreq_keepalive, ...states.syncreq_status])
        await ask(signal, () => this.#giveStates(states))
      },
      presencesOf: async (ids, signal) => {
        if (ids.length > limits.wazuhDbPresencesMax) throw tooLarge()
        return ask(signal, () => this.#presencesOf(ids))
      },
      agents: (after, signal) =>
        ask(signal, () =>
          this.#table
            .rows()
            .map(({ agent }) => withoutEmptyTexts(agent))
            .filter(({ id }) => id > after)
            .slice(0, agentsPageRows),
        ),
      activeAgents: (signal) => ask(signal, () => this.#activeAgents()),
      takeGroups: (signal) => ask(signal, () => this.#groupsPage(({ areGroupsToBeSynced }) => areGroupsToBeSynced, true)),
      groups: (after, signal) => ask(signal, () => this.#groupsPage(({ agent }) => agent.id > after, false)),
      groupsHash: (signal) => ask(signal, () => this.#table.groupsHash()),
      recalculateGroups: (signal) => ask(signal, () => undefined),
      setGroups: async (rows, signal) => {
        if (Buffer.byteLength(setGroupsRequest(rows)) > limits.wazuhDbRequestBytesMax) throw tooLarge()
        await ask(signal, () => {
          const areAllKnown = rows.map((row) => this.#table.setGroups(row, false)).every(Boolean)
          if (!areAllKnown) throw refusal('An error occurred during the set of the groups')
        })
      },
    }
  }

  #giveStates({ syncreq, syncreq_keepalive, syncreq_status }: WazuhStates): void {
    const full = this.#beforeRefused(syncreq)
    const keepAlives = full === syncreq ? this.#beforeRefused(syncreq_keepalive) : []
    const statuses = full === syncreq && keepAlives === syncreq_keepalive ? this.#beforeRefused(syncreq_status) : []
    this.#table.giveStates({ syncreq: full, syncreq_keepalive: keepAlives, syncreq_status: statuses }, this.#seconds())
    if (full !== syncreq || keepAlives !== syncreq_keepalive || statuses !== syncreq_status) throw refusal()
  }

  #beforeRefused<T extends { readonly id: number }>(rows: readonly T[]): readonly T[] {
    const at = rows.findIndex(({ id }) => this.refused.has(id))
    return at < 0 ? rows : rows.slice(0, at)
  }

  #takeStates(): TakenStates | undefined {
    const states = this.#table.takeStates()
    if (states.syncreq.length + states.syncreq_keepalive.length + states.syncreq_status.length === 0) return undefined
    return { text: this.#options.isOld ? JSON.stringify(states.syncreq) : statesJson(states), isMore: false }
  }

  #presencesOf(ids: readonly number[]): readonly WazuhPresence[] {
    return [...new Set(ids)]
      .sort((a, b) => a - b)
      .flatMap((id) => {
        const row = this.#table.get(id)
        if (!row) return []
        const { connection_status, last_keepalive, node_name } = row.agent
        return [
          {
            id,
            ...(node_name && { node_name }),
            ...(last_keepalive !== undefined && { last_keepalive }),
            ...(connection_status && { connection_status }),
          },
        ]
      })
  }

  #activeAgents(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { connection_status, node_name = '' } of this.agents())
      if (connection_status === 'active') counts.set(node_name, (counts.get(node_name) ?? 0) + 1)
    return counts
  }

  #groupsPage(isWanted: (row: ReturnType<WazuhTable['rows']>[number]) => boolean, isTaken: boolean): WazuhGroupsPage {
    const wanted = this.#table.rows().filter(isWanted)
    const page = wanted.slice(0, groupsPageRows)
    if (isTaken) for (const { agent } of page) this.#table.groupsAreTaken(agent.id)
    const rows = page.map(({ agent: { id, name = '' }, groups }): WazuhGroupsRow => ({ id, name, groups }))
    if (page.length < wanted.length) return { rows, isMore: true }
    const hash = this.#table.groupsHash()
    return { rows, isMore: false, ...(hash !== undefined && { hash }) }
  }

  /** A request of a node: it takes its time, and may fail on the way there, there, or on the way back. */
  #call<T>(clock: Clock, signal: AbortSignal, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(aborted())
      const timers: unknown[] = []
      const settle = (finish: () => void): void => {
        for (const timer of timers) clock.clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        finish()
      }
      const onAbort = (): void => settle(() => reject(aborted()))
      signal.addEventListener('abort', onAbort, { once: true })
      const within = (ms: number, fire: () => void): void => {
        timers.push(clock.setTimeout(fire, ms))
      }
      within(limits.wazuhDbAnswerMsMax, () => settle(() => reject(failure('did not answer'))))
      within(this.delayMs / 2, () => {
        if (!this.#isRunning) return settle(() => reject(failure('is not running')))
        let outcome: () => void
        try {
          const answer = this.#carryOut(act)
          outcome = () => resolve(answer)
        } catch (thrown) {
          outcome = () => reject(thrown)
        }
        if (this.isSilent) return
        within(this.delayMs / 2, () => settle(this.#isRunning ? outcome : () => reject(failure('is gone'))))
      })
    })
  }

  #carryOut<T>(act: () => T): T {
    this.requests += 1
    if (this.refusals > 0) {
      this.refusals -= 1
      throw refusal()
    }
    this.#beginQuery()
    return act()
  }

  #write(change: () => void): boolean {
    if (!this.#isRunning) return false
    this.#beginQuery()
    change()
    return true
  }

  #update(id: number, changed: Partial<WazuhAgent>, wish: SyncWish): boolean {
    const { isOld, role } = this.#options
    return this.#write(() => this.#table.update(id, changed, role === 'master' ? 'synced' : isOld ? 'syncreq' : wish))
  }

  #disconnect(status_code: number, isWanted: (agent: WazuhAgent) => boolean): boolean {
    return this.#write(() => {
      for (const agent of this.agents()) {
        const isConnected = agent.connection_status === 'active' || agent.connection_status === 'pending'
        if (isConnected && isWanted(agent))
          this.#table.update(agent.id, { connection_status: 'disconnected', disconnection_time: this.#seconds(), status_code }, 'synced')
      }
    })
  }

  #beginQuery(): void {
    this.#commitWhenDue()
    const nowMs = this.#options.clock.monotonicMs()
    this.#openedMs ??= nowMs
    this.#lastMs = nowMs
  }

  /** Nothing was written since the moment at which it was due. */
  #commitWhenDue(): void {
    if (this.#openedMs === undefined) return
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs < this.#lastMs + commitMsMin && nowMs < this.#openedMs + commitMsMax) return
    this.#committed = this.#table.copy()
    this.#openedMs = undefined
  }

  #seconds(): number {
    return Math.floor(this.#options.clock.now() / 1_000)
  }
}

const withoutEmptyTexts = (agent: WazuhAgent): WazuhAgent =>
  // Fields that are left out are optional.
  Object.fromEntries(Object.entries(agent).filter(([, value]) => value !== '')) as unknown as WazuhAgent

const assertWithin = (rows: readonly Parameters<typeof stateRowBytes>[0][]): void => {
  const bytes = rows.reduce((sum, row) => sum + stateRowBytes(row), statesRequestBytes)
  if (rows.length > limits.wazuhDbRowsMax || bytes > limits.wazuhDbRequestBytesMax) throw tooLarge()
}

const failure = (says: string): ClusterError => new ClusterError('managerFailed', { message: `wazuh-db ${says}` })
const refusal = (says = 'an error'): ClusterError => new ClusterError('managerRefused', { message: `wazuh-db answered: ${says}` })
const tooLarge = (): ClusterError => new ClusterError('tooLarge', { message: 'A request to wazuh-db is too long' })
const aborted = (): ClusterError => new ClusterError('aborted', { message: 'Asking wazuh-db was stopped' })
