/**
 * Agent info, both ends. The worker sends what is new about its agents, at intervals and at once when it is more than signs
 * of life, in batches that stay its own until the master has acknowledged them; the master merges them into its table.
 */
import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { logSeconds } from '../../base/logText.js'
import type { WorkerState } from '../../domain/cluster/workerState.js'
import type { UnsentUpdates } from '../../ports/agents.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { RequestBody } from '../../wire/muster/messages.js'
import { changesGatherMs, periodicThread, type Round } from '../kit/periodicThread.js'
import type { ServingInput } from '../kit/servingThread.js'
import { isMalformed } from '../kit/thrownError.js'
import type { LocalAgents } from './nodeAgents.js'

// ------------------------------------------------------------------------------------------------------- worker's end

export interface AgentInfoSendOptions {
  readonly agents: LocalAgents
  readonly clock: Clock
  readonly intervalMs: number
  readonly answerMsMax: number
}

export interface AgentInfoSendInput {
  readonly link: Link
  readonly log: Log
}

/** Batches that the master has not answered yet while the next one is made. */
const batchesAheadMax = 2
/** A master that learned this recently that there are no updates is not sent another empty round. */
const silenceMsMax = 60_000
const nothing = new Uint8Array()

/** Sends the updates of one node over one link. */
class AgentInfoSender {
  readonly #options: AgentInfoSendOptions
  readonly #link: Link
  readonly log: Log
  /** The master's table, as its last answer or notice named it. */
  #table: string
  /** When the master answered the end of a round last. */
  #reportedMs = Number.NEGATIVE_INFINITY

  constructor(options: AgentInfoSendOptions, { link, log }: AgentInfoSendInput) {
    this.#options = options
    this.#link = link
    this.log = log
    this.#table = options.agents.master.table
  }

  async send({ signal, startMs }: Round): Promise<'done'> {
    const { agents, clock } = this.#options
    this.log.info('Starting.') // as Wazuh writes it
    await agents.table.ready(signal)
    // Times that were never compared with the master's would say more than is known.
    await agents.clock.measured(signal)
    await agents.reports.correct()
    const chunks = await this.#sendUpdates(signal)
    this.log.info(`Finished in ${logSeconds(clock.monotonicMs() - startMs)}. Updated ${chunks} chunks.`) // as Wazuh writes it
    return 'done'
  }

  async #sendUpdates(signal: AbortSignal): Promise<number> {
    if (this.#table === '') this.#table = await this.#ask({ table: '', batch: nothing, chunk: 0, last: false }, signal)
    // The master's table may have been made again, or be another master's: that one has nothing of what the old one acknowledged.
    for (let attempt = 0; attempt < 2; attempt++) {
      const { chunks, found } = await this.#sendAll(this.#table, signal)
      if (found === this.#table) return chunks
      this.#table = found
    }
    throw new ClusterError('malformed', { message: "The master's table changed twice within one round" })
  }

  /**
   * Sends all that the master has not acknowledged in this table, a few batches ahead of its answers. Resolves with the batches
   * sent, and with the table that the master has.
   */
  async #sendAll(table: string, signal: AbortSignal): Promise<{ chunks: number; found: string }> {
    const { agents, clock } = this.#options
    const underWay: (Pick<UnsentUpdates, 'own' | 'upTo'> & { readonly answer: Promise<string> })[] = []
    let chunks = 0
    let upTo = 0
    for (;;) {
      signal.throwIfAborted()
      const updates = await agents.store.unsent(table, upTo, agents.clock.now())
      if (updates) {
        const answer = this.#ask({ table, batch: updates.batch, chunk: chunks + underWay.length, last: false }, signal)
        answer.catch(() => undefined)
        upTo = updates.upTo
        underWay.push({ own: updates.own, upTo, answer })
      }
      for (const sent of underWay.splice(0, updates ? underWay.length - batchesAheadMax : underWay.length)) {
        const found = await sent.answer
        if (found !== table) return { chunks, found }
        await agents.store.acknowledge(table, { own: sent.own, upTo: sent.upTo })
        chunks += 1
      }
      if (updates) continue
      if (chunks === 0 && this.#isReported(table)) return { chunks, found: table }
      const found = await this.#ask({ table, batch: nothing, chunk: chunks, last: true }, signal)
      if (found === table) this.#reportedMs = clock.monotonicMs()
      return { chunks, found }
    }
  }

  #isReported(table: string): boolean {
    const { agents, clock } = this.#options
    return clock.monotonicMs() - this.#reportedMs < silenceMsMax && ['', table].includes(agents.master.table)
  }

  async #ask(body: RequestBody<'agentInfo.report'>, signal: AbortSignal): Promise<string> {
    const reply = await this.#link.request('agentInfo.report', body, { signal, timeoutMs: this.#options.answerMsMax })
    return reply.table
  }
}

export const agentInfoSend = (options: AgentInfoSendOptions) =>
  periodicThread({
    id: 'agentInfo',
    clock: options.clock,
    everyMs: options.intervalMs,
    gatherMs: changesGatherMs,
    begin: (input: AgentInfoSendInput) => new AgentInfoSender(options, input),
    wakes: (_, wake) => [options.agents.reports.updates.add(wake)],
    initial: 'sending',
    steps: { sending: (sender, round) => sender.send(round) },
    onFailure: ({ log }, { message }) => log.error(`The state of the agents could not be sent: ${fullStop(message)} Retrying.`),
    // Each round with a master that breaks the protocol would send everything.
    waitsOut: isMalformed,
  })

// ------------------------------------------------------------------------------------------------------- master's end

export interface AgentInfoReceiveOptions {
  readonly agents: LocalAgents
  readonly clock: Clock
  readonly link: Link
  readonly state: WorkerState
  /** Tagged with the worker's name. */
  readonly log: Log
}

export const agentInfoReceiveInput = ({ agents, clock, link, log, state }: AgentInfoReceiveOptions): ServingInput => {
  const rounds = state.agentInfo
  const finish = (): void => {
    const { chunks, endMs, refused, startMs, unknown } = rounds.end(clock.now())
    log.info(`Finished in ${logSeconds(endMs - startMs)}. Updated ${chunks} chunks.`) // as Wazuh writes it
    if (unknown > 0) log.info(`Dropped ${counted(unknown, 'report')} about agents that do not exist.`)
    if (refused > 0) log.warning(`Refused ${counted(refused, 'report')} with impossible times or texts.`)
  }

  return {
    link,
    answers: ({ signal }) => ({
      'agentInfo.report': async ({ batch, chunk, last, table }) => {
        await agents.table.ready(signal)
        const answer = { table: agents.table.id, taken: 0, unknown: 0, refused: 0 }
        if (table !== agents.table.id) return answer
        if (chunk === 0) {
          rounds.begin(clock.now())
          log.info('Starting.') // as Wazuh writes it
        }
        if (batch.byteLength > 0) {
          const { refused, taken, unknown } = await agents.merge(batch, link.peer.node)
          state.tookReports({ unknown, refused })
          Object.assign(answer, { refused, taken, unknown })
        }
        if (last) finish()
        return answer
      },
    }),
  }
}
