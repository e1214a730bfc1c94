/**
 * Agents compared: at the start, each hour, and after wazuh-db or our table was gone, all of its agents are read, so that nothing stays lost that a
 * kill took back there or here. On a worker, what it has and our table lacks is reported; on a master, our table takes what it says of
 * the master's own agents and of silent ones, and it gets what it lacks of the others.
 */
import { counted } from '../../base/counted.js'
import { logSeconds } from '../../base/logText.js'
import type { AgentDetails, AgentUpdates, AgentView, Presence } from '../../domain/agents/agent.js'
import { packFacts } from '../../domain/agents/packedFacts.js'
import { type Here, isMissing, isSeen, isSilence, type SeenAgent } from '../../domain/manager/givenRows.js'
import { heldUpdates } from '../../domain/manager/rowUpdates.js'
import type { WazuhAgent } from '../../domain/manager/wazuhAgent.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import { periodicThread, type Round, type RoundEnd } from '../kit/periodicThread.js'
import { Outage } from './outage.js'
import type { StateGiver } from './stateGiver.js'
import { isLoggedFailure, type WatchedWazuhDb } from './watchedWazuhDb.js'

export interface AgentsComparedOptions {
  readonly agents: LocalAgents
  readonly db: WatchedWazuhDb
  /** Of a master. */
  readonly giver: StateGiver | undefined
  readonly node: string
  readonly clock: Clock
  readonly log: Log
}

const everyMs = 3_600_000
/** A master's, more often: our table shows the master's own agents, and who is silent, as they were then. At most a fiftieth of the time. */
const onMasterMsMin = 60_000
const restsPerComparison = 50
const retryMs = 10_000
/** wazuh-db was gone: its other daemons connect to it first. */
const gatherMs = 1_000

class AgentsComparison {
  readonly #options: AgentsComparedOptions
  readonly outage: Outage
  hasFailed = false
  #tookMs = 0
  /** The table that was compared, or is being. */
  #table: string

  constructor(options: AgentsComparedOptions) {
    this.#options = options
    this.#table = options.agents.table.id
    this.outage = new Outage({
      log: options.log,
      says: 'The agents could not be compared with wazuh-db',
      saysOver: 'The agents can be compared with wazuh-db again.',
    })
  }

  /** Calls back when the table is another: what it had not sent is lost with the one before. */
  onOtherTable(wake: () => void): () => void {
    const { table } = this.#options.agents
    return table.changes.add(() => {
      if (table.id === '' || table.id === this.#table) return
      if (this.#table !== '') wake()
      this.#table = table.id
    })
  }

  async compare({ signal, startMs }: Round): Promise<RoundEnd> {
    const { agents, clock, db, log } = this.#options
    if (db.waitMs > 0) return 'failed'
    this.hasFailed = true
    await agents.table.ready(signal)
    // Whole seconds of a clock that was never compared with the master's would be taken for what they are not.
    await agents.clock.measured(signal)
    let compared = 0
    let given = 0
    for (let after = 0; ; ) {
      const page = await db.agents(after, signal)
      const last = page.at(-1)
      if (!last) break
      given += await this.#comparePage(page, signal)
      compared += page.length
      after = last.id
    }
    this.hasFailed = false
    this.outage.worked()
    this.#tookMs = clock.monotonicMs() - startMs
    const says = `Compared ${counted(compared, 'agent')} with wazuh-db in ${logSeconds(this.#tookMs)}`
    if (given > 0) log.info(`${says}: it lacked the state of ${given}.`)
    else log.debug(`${says}.`)
    return 'done'
  }

  get restMs(): number {
    const { db, giver } = this.#options
    if (db.waitMs > 0) return db.waitMs
    if (this.hasFailed) return retryMs
    return giver === undefined ? everyMs : Math.min(everyMs, Math.max(onMasterMsMin, restsPerComparison * this.#tookMs))
  }

  /** Returns how many agents wazuh-db was given again. */
  async #comparePage(page: readonly WazuhAgent[], signal: AbortSignal): Promise<number> {
    const { agents, giver, node } = this.#options
    const views = new Map((await agents.store.list({ ids: page.map(({ id }) => id) }, 0)).map((view) => [view.id, view]))
    const own = page.filter(({ node_name }) => node_name === node)
    const updates = this.#updatesIn(own, views)
    const others = giver ? page.filter(({ node_name }) => node_name !== node) : []
    updates.presences.push(...silencesIn(others, views))
    if (updates.presences.length + updates.details.length > 0) await agents.reports.addUpdates(updates, true)
    const here = { node, nowMs: agents.clock.now() }
    const missing = giver === undefined ? [] : page.filter((row) => isMissingThere(views.get(row.id), row, here)).map(({ id }) => id)
    if (giver && missing.length > 0) await giver.give(missing, signal)
    return missing.length
  }

  /** What the node's own wazuh-db says of the node's agents, without details that the table has already. */
  #updatesIn(own: readonly WazuhAgent[], views: ReadonlyMap<number, AgentView>): { presences: Presence[]; details: AgentDetails[] } {
    const { agents, node } = this.#options
    const { clock } = agents
    const silentOfThemselves = new Set(own.filter(saysNothing).map(({ id }) => id))
    const updates: AgentUpdates = heldUpdates(own, { node, takenMs: clock.now(), skewMs: clock.skewMs })
    const isNewer = ({ id, seenMs, status }: Presence): boolean => {
      const known = views.get(id)
      return known?.seenMs === undefined || known.seenMs < seenMs || (known.seenMs === seenMs && known.status !== status)
    }
    const isOther = ({ facts, id }: AgentDetails): boolean => {
      const known = views.get(id)?.facts
      if (known === undefined) return true
      // A wazuh-db that was killed may have lost what an agent said of itself: what is nothing is not newer than what is known.
      return packFacts(known) !== facts && !silentOfThemselves.has(id)
    }
    return { presences: updates.presences.filter(isNewer), details: updates.details.filter(isOther) }
  }
}

/** Every agent names its system when it starts. */
const saysNothing = ({ os_name, os_platform, os_uname }: WazuhAgent): boolean => !os_name && !os_platform && !os_uname

const isMissingThere = (view: AgentView | undefined, row: WazuhAgent, here: Here): boolean =>
  view !== undefined && isSeen(view) && isMissing(view, row, here)

/** Agents of other nodes that wazuh-monitord of the master called silent since their last sign of life. */
const silencesIn = (rows: readonly WazuhAgent[], views: ReadonlyMap<number, AgentView>): readonly Presence[] =>
  rows.flatMap((row) => {
    const view = views.get(row.id)
    if (!isSilence(row) || !view || !isSeen(view) || view.status === 'disconnected' || !isSameSign(view, row)) return []
    const { id, node, seenMs } = view
    const disconnectedMs = (row.disconnection_time ?? 0) * 1_000
    return [{ id, node, seenMs, epochMs: seenMs, status: 'disconnected', disconnectedMs, disconnection: 'keepAliveMissed' }]
  })

const isSameSign = ({ node, seenMs }: SeenAgent, { last_keepalive, node_name }: WazuhAgent): boolean =>
  node_name === node && last_keepalive === Math.floor(seenMs / 1_000)

export const agentsCompared = (options: AgentsComparedOptions) =>
  periodicThread({
    id: 'agentsCompared',
    clock: options.clock,
    everyMs,
    gatherMs,
    // A worker's is woken by the first answer of its wazuh-db, so that nothing happens between the two that neither has.
    startsResting: options.giver === undefined,
    begin: () => new AgentsComparison(options),
    wakes: (comparison, wake) => [options.db.lost.add(wake), comparison.onOtherTable(wake)],
    initial: 'comparing',
    steps: { comparing: (comparison, round) => comparison.compare(round) },
    restMs: ({ restMs }) => restMs,
    onFailure: ({ outage }, error) => {
      if (!isLoggedFailure(error)) outage.failed(error)
    },
  })
