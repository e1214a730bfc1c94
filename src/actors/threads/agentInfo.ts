/**
 * Agent info, both ends. The worker sends what is new about its agents, at intervals and at once when it is more than signs
 * of life, in batches that stay its own until the master has acknowledged them; the master merges them into its table.
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate'
import { logSeconds } from '../../domain/logText.js'
import type { WorkerState } from '../../domain/workerState.js'
import type { ClusterError } from '../../errors.js'
import type { Clock, Link, Log, UnsentNews } from '../../ports.js'
import { type End, machineOptions } from '../host.js'
import type { LocalAgents } from '../localAgents.js'
import { type ServingInput, servingThread } from '../servingThread.js'
import { isOurs, thrownIn } from '../thrownError.js'

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
const nothing = new Uint8Array()

interface Sending extends AgentInfoSendInput {
  readonly startMs: number
  /** News came while a round was under way. */
  readonly wanted: boolean
  readonly crash: ClusterError | undefined
}

export const agentInfoSend = ({ agents, answerMsMax, clock, intervalMs }: AgentInfoSendOptions) => {
  /** Sends all that the master has not acknowledged; the next batch is made while one is under way. Resolves with the batches sent. */
  const sendNews = async (link: Link, signal: AbortSignal): Promise<number> => {
    const ask = async (toTable: string, batch: Uint8Array, chunk: number, last: boolean): Promise<string> => {
      const body = { table: toTable, batch, chunk, last }
      const reply = await link.request('agentInfo.report', body, { signal, timeoutMs: answerMsMax })
      return reply.table
    }
    const unsentAfter = (toTable: string, upTo: number): Promise<UnsentNews | undefined> => {
      const unsent = agents.store.unsent(toTable, upTo, agents.clock.now())
      unsent.catch(() => undefined)
      return unsent
    }
    await agents.ready(signal)
    // Times that were never compared with the master's would say more than is known.
    await agents.clock.measured(signal)
    let table = await ask('', nothing, 0, false)
    let chunks = 0
    let news = await unsentAfter(table, 0)
    if (!news) await ask(table, nothing, 0, true)
    while (news) {
      signal.throwIfAborted()
      const following = unsentAfter(table, news.upTo)
      const found = await ask(table, news.batch, chunks, (await following) === undefined)
      if (found === table) {
        await agents.store.acknowledge(table, news.upTo)
        chunks += 1
        news = await following
      } else {
        // The master's table was made anew: it has nothing of what the old one acknowledged.
        table = found
        news = await unsentAfter(table, 0)
      }
    }
    return chunks
  }

  return setup({
    types: { context: {} as Sending, input: {} as AgentInfoSendInput, events: {} as { type: 'news.told' }, output: {} as End },
    actors: {
      news: fromCallback<{ type: 'none' }>(({ sendBack }) => agents.reports.news.add(() => sendBack({ type: 'news.told' }))),
      send: fromPromise<number, Link>(({ input, signal }) => sendNews(input, signal)),
    },
    guards: { isWanted: ({ context }) => context.wanted, isCrash: ({ context }) => context.crash !== undefined },
    actions: {
      startRound: assign({ startMs: () => clock.monotonicMs(), wanted: false }),
      noteWanted: assign({ wanted: true }),
      logStart: ({ context }) => context.log.info('Starting.'),
      logEnd: ({ context }, chunks: number) =>
        context.log.info(`Finished in ${logSeconds(clock.monotonicMs() - context.startMs)}. Updated ${chunks} chunks.`),
      logFailure: ({ context, event }) =>
        context.log.error(`The state of the agents could not be sent: ${thrownIn(event).message}. It is sent again.`),
      noteFailure: assign({ wanted: false, crash: ({ event }) => (isOurs(event) ? undefined : thrownIn(event)) }),
    },
    delays: { interval: intervalMs, gathering: gatherMs },
  }).createMachine({
    id: 'agentInfo',
    options: machineOptions,
    context: ({ input }) => ({ ...input, startMs: 0, wanted: false, crash: undefined }),
    invoke: { src: 'news' },
    on: { 'news.told': { actions: 'noteWanted' } },
    initial: 'sending',
    states: {
      sending: {
        entry: ['startRound', 'logStart'],
        invoke: {
          src: 'send',
          input: ({ context }) => context.link,
          onDone: { target: 'resting', actions: { type: 'logEnd', params: ({ event }) => event.output } },
          onError: { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      troubled: { always: [{ guard: 'isCrash', target: 'crashed' }, { target: 'resting' }] },
      resting: {
        always: { guard: 'isWanted', target: 'gathering' },
        on: { 'news.told': 'gathering' },
        after: { interval: 'sending' },
      },
      gathering: { after: { gathering: 'sending' } },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => (context.crash ? { kind: 'crashed', error: context.crash } : { kind: 'closed' }),
  })
}

// ------------------------------------------------------------------------------------------------------- master's end

export const agentInfoReceive = servingThread('agentInfo')

export interface AgentInfoReceiving {
  readonly agents: LocalAgents
  readonly clock: Clock
  readonly link: Link
  readonly state: WorkerState
  /** Tagged with the worker's name. */
  readonly log: Log
}

export const agentInfoReceiving = ({ agents, clock, link, log, state }: AgentInfoReceiving): ServingInput => {
  let startMs = 0
  let chunks = 0
  let dropped = { unknown: 0, refused: 0 }

  const finish = (): void => {
    state.lastAgentInfo = { startMs, endMs: clock.now(), chunks }
    state.isReportingAgents = false
    log.info(`Finished in ${logSeconds(clock.now() - startMs)}. Updated ${chunks} chunks.`)
    if (dropped.unknown > 0) log.info(`${dropped.unknown} reports about agents that do not exist were dropped.`)
    if (dropped.refused > 0) log.warning(`${dropped.refused} reports with impossible times or texts were refused.`)
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
    answers: (signal) => ({
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
