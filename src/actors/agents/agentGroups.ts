/**
 * Agent groups, both ends. The master announces the state of its groups, once a round and after each change; the worker takes what
 * it lacks, and everything when its own stays different. Groups wait for the keys that they refer to.
 */
import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { limits } from '../../base/limits.js'
import { logSeconds } from '../../base/logText.js'
import type { GroupsCopy, GroupsRow, GroupsState } from '../../domain/agents/groups.js'
import type { WorkerState } from '../../domain/cluster/workerState.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import { decodeGroupsRows, encodeGroupsRows } from '../../wire/muster/groupsRows.js'
import type { NoticeBody } from '../../wire/muster/messages.js'
import { periodicThread, type Round } from '../kit/periodicThread.js'
import type { ServingInput } from '../kit/servingThread.js'
import { isMalformed } from '../kit/thrownError.js'
import type { PublishedGroups } from './localAgentGroups.js'
import type { LocalAgents } from './nodeAgents.js'

// ------------------------------------------------------------------------------------------------------- worker's end

export interface AgentGroupsApplyOptions {
  readonly agents: LocalAgents
  readonly clock: Clock
  /** Rest between two comparisons that nothing asks for. */
  readonly intervalMs: number
  /** How long groups wait for the keys that they refer to. */
  readonly keysMsMax: number
  /** Comparisons in a row that may find a difference before all groups are fetched. */
  readonly mismatchesMax: number
  readonly requestMsMax: number
}

export interface AgentGroupsApplyInput {
  readonly link: Link
  readonly log: Log
}

type MasterGroups = NoticeBody<'agentGroups.state'>
type Difference = 'same' | 'keysMissing' | 'groups'

/** Receives the groups of one master, over one link. */
class AgentGroupsReceiver {
  readonly #options: AgentGroupsApplyOptions
  readonly link: Link
  readonly #log: Log
  /** What the master announced last. */
  #announced: MasterGroups | undefined
  /** The last of it that this worker found to be so here too. */
  #agreed: MasterGroups | undefined
  #mismatches = 0
  /** Since when the groups wait for keys that they refer to. */
  #waitingSinceMs: number | undefined
  /** Until the next comparison that nothing asks for. */
  restMs: number

  constructor(options: AgentGroupsApplyOptions, { link, log }: AgentGroupsApplyInput) {
    this.#options = options
    this.link = link
    this.#log = log
    this.restMs = options.intervalMs
  }

  get log(): Log {
    const isFull = this.#mismatches >= this.#options.mismatchesMax
    return this.#log.at({ subtag: isFull ? 'Agent-groups recv full' : 'Agent-groups recv' })
  }

  /** False for what this worker found to be so here: it is compared again at the interval, in case that something else has changed here. */
  take(announced: MasterGroups): boolean {
    const [own, { hash, ids, table, version }] = [this.#agreed, announced]
    if (table === own?.table && version === own.version && hash === own.hash && ids === own.ids) return false
    this.#announced = announced
    return true
  }

  async compare({ signal }: Round): Promise<'done' | 'taking'> {
    const { clock, intervalMs, keysMsMax } = this.#options
    this.#agreed = undefined
    this.restMs = intervalMs
    const difference = await this.#difference(signal)
    if (difference === 'keysMissing') {
      const nowMs = clock.monotonicMs()
      this.#waitingSinceMs ??= nowMs
      const waitMs = this.#waitingSinceMs + keysMsMax - nowMs
      // Keys that did not come in this time may never come: the groups of agents that are there are taken all the same.
      if (waitMs <= 0) return 'taking'
      this.restMs = waitMs
      this.#log.debug('The groups wait for the agent keys that they refer to.')
      return 'done'
    }
    this.#waitingSinceMs = undefined
    if (difference === 'groups') return 'taking'
    this.#mismatches = 0
    this.#agreed = this.#announced
    return 'done'
  }

  async fetch({ signal }: Round): Promise<'done'> {
    const { clock, mismatchesMax } = this.#options
    const { log } = this
    log.info('Starting.') // as Wazuh writes it
    const startMs = clock.monotonicMs()
    const isFull = this.#mismatches >= mismatchesMax
    const { chunks, same } = await this.#fetchAll(isFull, signal)
    log.info(`Finished in ${logSeconds(clock.monotonicMs() - startMs)}. Updated ${chunks} chunks.`) // as Wazuh writes it
    if (!same) {
      const attempt = this.#mismatches + 1
      const next = attempt < mismatchesMax ? '' : ' All groups are fetched next.'
      log.debug(`Groups still differ from those of the master (attempt ${attempt} of ${mismatchesMax}).${next}`)
    }
    this.#mismatches = same || isFull ? 0 : this.#mismatches + 1
    return 'done'
  }

  async #difference(signal: AbortSignal): Promise<Difference> {
    const { agents, requestMsMax } = this.#options
    await agents.table.ready(signal)
    // What was announced before this thread listened did not arrive here.
    const master = this.#announced ?? (await this.link.request('agentGroups.ask', {}, { signal, timeoutMs: requestMsMax }))
    if (master.table === '') return 'same'
    agents.master.take(master)
    const own = await agents.store.groupsState()
    if (own.table !== '' && own.table !== master.table) await this.#offer(own, signal)
    if (own.table === master.table && own.version >= master.version && own.hash === master.hash) return 'same'
    // A master that has just begun cannot say yet who exists.
    return master.ids === '' || agents.table.idsDigest === master.ids ? 'groups' : 'keysMissing'
  }

  /** A master that lost its table takes the groups of the agents from a worker that still has them. */
  async #offer({ table, version }: GroupsCopy, signal: AbortSignal): Promise<void> {
    const { agents, requestMsMax } = this.#options
    const send = (rows: readonly GroupsRow[], last: boolean) =>
      this.link.request('agentGroups.offer', { table, version, rows: encodeGroupsRows(rows), last }, { signal, timeoutMs: requestMsMax })
    let { wanted } = await send([], false)
    for (let after: number | undefined = 0; wanted && after !== undefined; ) {
      const page = await agents.store.groupsPage(0, after)
      after = page.next
      wanted = (await send(page.rows, after === undefined)).wanted
    }
  }

  async #fetchAll(full: boolean, signal: AbortSignal): Promise<{ chunks: number; same: boolean }> {
    const { agents, requestMsMax } = this.#options
    const { table, version } = await agents.store.groupsState()
    const ids: number[] = []
    let chunks = 0
    let after = 0
    let firstVersion: number | undefined
    for (;;) {
      const ask = { table, since: version, after, full }
      const reply = await this.link.request('agentGroups.fetch', ask, { signal, timeoutMs: requestMsMax })
      const rows = decodeGroupsRows(reply.rows)
      if (!rows.ok) throw rows.error
      assertAdvances(rows.value, after, reply.next)
      await agents.store.takeGroups(rows.value)
      agents.groups.taken.emit(rows.value.map(({ id }) => id))
      if (rows.value.length > 0) chunks += 1
      for (const { id } of rows.value) ids.push(id)
      if (ids.length > limits.agentsMax) throw new ClusterError('malformed', { message: 'The pages of groups name too many agents' })
      // What changes between two pages comes with the next delta, which counts from here.
      firstVersion ??= reply.version
      if (reply.next === undefined) {
        const isAll = full || reply.table !== table
        const state: GroupsState = { table: reply.table, version: firstVersion, hash: reply.hash }
        const own = await agents.store.settleGroups(state, isAll ? { ids: Uint32Array.from(ids) } : undefined)
        if (isAll) agents.groups.taken.emit(undefined)
        agents.groups.changes.emit()
        return { chunks, same: own.hash === reply.hash }
      }
      after = reply.next
    }
  }
}

export const agentGroupsApply = (options: AgentGroupsApplyOptions) =>
  periodicThread({
    id: 'agentGroups',
    clock: options.clock,
    everyMs: options.intervalMs,
    begin: (input: AgentGroupsApplyInput) => new AgentGroupsReceiver(options, input),
    wakes: (receiver, wake) => [
      receiver.link.subscribe({ 'agentGroups.state': (announced) => receiver.take(announced) && wake() }),
      options.agents.keys.changes.add(wake),
    ],
    restMs: ({ restMs }) => restMs,
    initial: 'comparing',
    steps: { comparing: (receiver, round) => receiver.compare(round), taking: (receiver, round) => receiver.fetch(round) },
    onFailure: ({ log }, { message }) => log.error(`The groups could not be received: ${fullStop(message)} Retrying.`),
    // Whatever such a master announces meanwhile.
    waitsOut: isMalformed,
  })

/** Pages come in order of the agents and end with them: a master that does otherwise could send without end. */
const assertAdvances = (rows: readonly GroupsRow[], after: number, next: number | undefined): void => {
  const [first] = rows
  if ((first && first.id <= after) || (next !== undefined && next !== rows.at(-1)?.id))
    throw new ClusterError('malformed', { message: 'The pages of groups are not in order of the agents' })
}

// ------------------------------------------------------------------------------------------------------- master's end

export interface AgentGroupsSendOptions {
  readonly agents: LocalAgents
  readonly published: PublishedGroups
  readonly clock: Clock
  readonly link: Link
  readonly state: WorkerState
  /** Tagged with the worker's name. */
  readonly log: Log
}

export const agentGroupsSendInput = ({ agents, clock, link, log, published, state }: AgentGroupsSendOptions): ServingInput => {
  return {
    link,
    alongside: () => {
      const announce = (): void => {
        if (published.state) link.notify('agentGroups.state', published.state)
      }
      announce()
      return published.changed.add(announce)
    },
    answers: ({ signal }) => ({
      'agentGroups.ask': () => published.state ?? { table: '', version: 0, hash: '', ids: '' },
      'agentGroups.offer': async ({ last, rows, table, version }) => {
        await agents.table.ready(signal)
        const copy = { table, version }
        const wanted = agents.groups.wants(copy)
        const decoded = decodeGroupsRows(rows)
        if (!decoded.ok) throw decoded.error
        const isQuestion = decoded.value.length === 0 && !last
        if (isQuestion) state.groupsOffer.begin(clock.now())
        if (!wanted || isQuestion) return { wanted }
        state.groupsOffer.add({ agents: await agents.groups.restore(copy, decoded.value, last) })
        if (!last) return { wanted }
        const restored = counted(state.groupsOffer.end(clock.now()).agents, 'agent')
        log.info(`The groups of ${restored} were lost with the table and are taken back from this worker's copy.`)
        return { wanted }
      },
      'agentGroups.fetch': async ({ after, full, since, table }) => {
        await agents.table.ready(signal)
        const isAll = full || table !== agents.table.id
        const sendLog = log.at({ subtag: isAll ? 'Agent-groups send full' : 'Agent-groups send' })
        const rounds = isAll ? state.agentGroupsFull : state.agentGroups
        if (after === 0) {
          rounds.begin(clock.now())
          sendLog.info('Starting.')
        }
        const page = await agents.groups.page(isAll ? 0 : since, after, published.state?.version ?? 0)
        if (page.rows.length > 0) rounds.add({ chunks: 1 })
        if (page.next === undefined) {
          const { chunks, endMs, startMs } = rounds.end(clock.now())
          sendLog.info(`Finished in ${logSeconds(endMs - startMs)}. Updated ${chunks} chunks.`) // as Wazuh writes it
        }
        const { hash, table: ownTable, version } = page.state
        const next = page.next === undefined ? {} : { next: page.next }
        return { table: ownTable, version, hash, rows: encodeGroupsRows(page.rows), ...next }
      },
    }),
  }
}
