/**
 * Agent info, both ends. The worker sends what is new about its agents, at intervals and at once when it is more than signs
 * of life, in batches that stay its own until the master has acknowledged them; the master merges them into its table.
 */
import { assign, fromCallback, sendTo, setup } from 'xstate'
import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { logSeconds } from '../../base/logText.js'
import type { WorkerState } from '../../domain/cluster/workerState.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { RequestBody } from '../../wire/muster/messages.js'
import { type End, machineOptions } from '../kit/host.js'
import { type RoundEnded, rounds, roundWanted } from '../kit/rounds.js'
import type { ServingInput } from '../kit/servingThread.js'
import { crashIn, errorOf, isMalformed } from '../kit/thrownError.js'
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

/** What comes together within this time travels together. */
const gatherMs = 50
/** Batches that the master has not answered yet while the next one is made. */
const batchesAheadMax = 2
/** A master that was told this recently, over the same link, that there is no news is not told again. */
const silenceMsMax = 60_000
const nothing = new Uint8Array()

interface Sending extends AgentInfoSendInput {
  readonly startMs: number
  /** News came while a round was under way. */
  readonly wanted: boolean
  readonly crash: ClusterError | undefined
}

export const agentInfoSend = ({ agents, answerMsMax, clock, intervalMs }: AgentInfoSendOptions) => {
  const ask = async (link: Link, body: RequestBody<'agentInfo.report'>, signal: AbortSignal): Promise<string> => {
    const reply = await link.request('agentInfo.report', body, { signal, timeoutMs: answerMsMax })
    return reply.table
  }

  /**
   * Sends all that the master has not acknowledged in this table, a few batches ahead of its answers. Resolves with the batches
   * sent, and with the table that the master has.
   */
  const sendAll = async (table: string, link: Link, signal: AbortSignal): Promise<{ chunks: number; found: string }> => {
    const underWay: { readonly upTo: number; readonly answer: Promise<string> }[] = []
    let chunks = 0
    let upTo = 0
    for (;;) {
      signal.throwIfAborted()
      const updates = await agents.store.unsent(table, upTo, agents.clock.now())
      if (updates) {
        const answer = ask(link, { table, batch: updates.batch, chunk: chunks + underWay.length, last: false }, signal)
        answer.catch(() => undefined)
        upTo = updates.upTo
        underWay.push({ upTo, answer })
      }
      for (const sent of underWay.splice(0, updates ? underWay.length - batchesAheadMax : underWay.length)) {
        const found = await sent.answer
        if (found !== table) return { chunks, found }
        await agents.store.acknowledge(table, sent.upTo)
        chunks += 1
      }
      if (updates) continue
      if (chunks === 0 && isTold(link)) return { chunks, found: table }
      const found = await ask(link, { table, batch: nothing, chunk: chunks, last: true }, signal)
      if (found === table) told = { link, atMs: clock.monotonicMs() }
      return { chunks, found }
    }
  }

  /** The master's table when it was last heard of. */
  let table = ''
  /** The last round that the master knows of. */
  let told: { readonly link: Link; readonly atMs: number } | undefined
  const isTold = (link: Link): boolean =>
    told?.link === link && clock.monotonicMs() - told.atMs < silenceMsMax && ['', table].includes(agents.master.table)

  const sendNews = async (link: Link, signal: AbortSignal): Promise<number> => {
    await agents.ready(signal)
    // Times that were never compared with the master's would say more than is known.
    await agents.clock.measured(signal)
    await agents.reports.correct()
    if (table === '') table = await ask(link, { table, batch: nothing, chunk: 0, last: false }, signal)
    const first = await sendAll(table, link, signal)
    if (first.found === table) return first.chunks
    // The master's table was made anew, or is another master's: it has nothing of what the old one acknowledged.
    table = first.found
    const second = await sendAll(table, link, signal)
    if (second.found === table) return second.chunks
    table = second.found
    throw new ClusterError('malformed', { message: "The master's table changed twice within one round" })
  }

  return setup({
    types: {
      context: {} as Sending,
      input: {} as AgentInfoSendInput,
      events: {} as { type: 'updates.arrived' } | RoundEnded<'send', number>,
      output: {} as End,
    },
    actors: {
      updates: fromCallback<{ type: 'none' }>(({ sendBack }) => agents.reports.updates.add(() => sendBack({ type: 'updates.arrived' }))),
      send: rounds('send', sendNews),
    },
    guards: { isWanted: ({ context }) => context.wanted, isCrash: ({ context }) => context.crash !== undefined },
    actions: {
      startRound: assign({ startMs: () => clock.monotonicMs(), wanted: false }),
      noteWanted: assign({ wanted: true }),
      send: sendTo('send', ({ context }) => roundWanted(context.link)),
      logStart: ({ context }) => context.log.info('Starting.'),
      logEnd: ({ context }, chunks: number) =>
        context.log.info(`Finished in ${logSeconds(clock.monotonicMs() - context.startMs)}. Updated ${chunks} chunks.`),
      logFailure: ({ context, event }) =>
        context.log.error(`The state of the agents could not be sent: ${fullStop(errorOf(event).message)} Retrying.`),
      noteFailure: assign({ wanted: false, crash: ({ event }) => crashIn(event) }),
    },
    delays: { interval: intervalMs, gathering: gatherMs },
  }).createMachine({
    id: 'agentInfo',
    options: machineOptions,
    context: ({ input }) => ({ ...input, startMs: 0, wanted: false, crash: undefined }),
    invoke: [{ src: 'updates' }, { src: 'send', id: 'send' }],
    on: { 'updates.arrived': { actions: 'noteWanted' } },
    initial: 'sending',
    states: {
      sending: {
        entry: ['startRound', 'logStart', 'send'],
        on: {
          'send.done': { target: 'resting', actions: { type: 'logEnd', params: ({ event }) => event.output } },
          'send.failed': [
            { guard: ({ event }) => isMalformed(event), target: 'mistrusting', actions: ['logFailure', 'noteFailure'] },
            { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
          ],
        },
      },
      // Whatever news there is: each round of such a master would send everything.
      mistrusting: { after: { interval: 'sending' } },
      troubled: { always: [{ guard: 'isCrash', target: 'crashed' }, { target: 'resting' }] },
      resting: {
        always: { guard: 'isWanted', target: 'gathering' },
        on: { 'updates.arrived': 'gathering' },
        after: { interval: 'sending' },
      },
      gathering: { after: { gathering: 'sending' } },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => (context.crash ? { kind: 'crashed', error: context.crash } : { kind: 'closed' }),
  })
}

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
  let startMs = 0
  let chunks = 0
  let dropped = { unknown: 0, refused: 0 }

  const finish = (): void => {
    state.lastAgentInfo = { startMs, endMs: clock.now(), chunks }
    state.isReportingAgents = false
    log.info(`Finished in ${logSeconds(clock.now() - startMs)}. Updated ${chunks} chunks.`)
    if (dropped.unknown > 0) log.info(`Dropped ${counted(dropped.unknown, 'report')} about agents that do not exist.`)
    if (dropped.refused > 0) log.warning(`Refused ${counted(dropped.refused, 'report')} with impossible times or texts.`)
  }

  const begin = (): void => {
    startMs = clock.now()
    chunks = 0
    dropped = { unknown: 0, refused: 0 }
    state.isReportingAgents = true
    log.info('Starting.')
  }

  return {
    link,
    answers: ({ signal }) => ({
      'agentInfo.report': async ({ batch, chunk, last, table }) => {
        await agents.ready(signal)
        const answer = { table: agents.table, taken: 0, unknown: 0, refused: 0 }
        if (table !== agents.table) return answer
        if (chunk === 0) begin()
        if (batch.byteLength > 0) {
          const { refused, taken, unknown } = await agents.merge(batch, link.peer.node)
          chunks += 1
          dropped = { unknown: dropped.unknown + unknown, refused: dropped.refused + refused }
          state.unknownAgentReports += unknown
          Object.assign(answer, { refused, taken, unknown })
        }
        if (last) finish()
        return answer
      },
    }),
  }
}
