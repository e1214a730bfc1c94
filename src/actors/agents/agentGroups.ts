/**
 * Agent groups, both ends. The master tells the state of its groups, once a round and after each change; the worker takes what
 * it lacks, and everything when its own stays different. Groups wait for the keys that they refer to.
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate'
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
import { type End, machineOptions } from '../kit/host.js'
import type { ServingInput } from '../kit/servingThread.js'
import { crashIn, errorOf, isMalformed } from '../kit/thrownError.js'
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

interface Taken {
  readonly chunks: number
  readonly same: boolean
}

interface Comparing extends AgentGroupsApplyInput {
  /** What the master said last. */
  readonly told: MasterGroups | undefined
  /** The last of it that this worker found to be so here too. */
  readonly agreed: MasterGroups | undefined
  readonly startMs: number
  readonly mismatches: number
  /** The keys were waited for, in vain: groups of agents that are there are taken all the same. */
  readonly isPastWaiting: boolean
  /** The state was told anew, or keys came, while something was under way. */
  readonly wanted: boolean
  readonly crash: ClusterError | undefined
}

export const agentGroupsApply = (options: AgentGroupsApplyOptions) => {
  const { agents, clock, intervalMs, keysMsMax, mismatchesMax, requestMsMax } = options

  /** A master that lost its table takes the groups of the agents from a worker that still has them. */
  const offer = async ({ table, version }: GroupsCopy, link: Link, signal: AbortSignal): Promise<void> => {
    const say = (rows: readonly GroupsRow[], last: boolean) =>
      link.request('agentGroups.offer', { table, version, rows: encodeGroupsRows(rows), last }, { signal, timeoutMs: requestMsMax })
    let { wanted } = await say([], false)
    for (let after: number | undefined = 0; wanted && after !== undefined; ) {
      const page = await agents.store.groupsPage(0, after)
      after = page.next
      wanted = (await say(page.rows, after === undefined)).wanted
    }
  }

  const compare = async ({ link, told: heard }: Comparing, signal: AbortSignal): Promise<Difference> => {
    await agents.ready(signal)
    // What was told before this thread listened was not heard.
    const told = heard ?? (await link.request('agentGroups.ask', {}, { signal, timeoutMs: requestMsMax }))
    if (told.table === '') return 'same'
    agents.master.take(told)
    const own = await agents.store.groupsState()
    if (own.table !== '' && own.table !== told.table) await offer(own, link, signal)
    if (own.table === told.table && own.version >= told.version && own.hash === told.hash) return 'same'
    // A master that has just begun cannot say yet who exists.
    return told.ids === '' || agents.idsDigest === told.ids ? 'groups' : 'keysMissing'
  }

  const take = async (link: Link, full: boolean, signal: AbortSignal): Promise<Taken> => {
    const { table, version } = await agents.store.groupsState()
    const ids: number[] = []
    let chunks = 0
    let after = 0
    let firstVersion: number | undefined
    for (;;) {
      const ask = { table, since: version, after, full }
      const reply = await link.request('agentGroups.fetch', ask, { signal, timeoutMs: requestMsMax })
      const rows = decodeGroupsRows(reply.rows)
      if (!rows.ok) throw rows.error
      assertAdvances(rows.value, after, reply.next)
      await agents.store.takeGroups(rows.value)
      if (rows.value.length > 0) chunks += 1
      for (const { id } of rows.value) ids.push(id)
      if (ids.length > limits.agentsMax) throw new ClusterError('malformed', { message: 'The pages of groups name too many agents' })
      // What changes between two pages comes with the next delta, which counts from here.
      firstVersion ??= reply.version
      if (reply.next === undefined) {
        const isAll = full || reply.table !== table
        const state: GroupsState = { table: reply.table, version: firstVersion, hash: reply.hash }
        const own = await agents.store.settleGroups(state, isAll ? { ids: Uint32Array.from(ids) } : undefined)
        return { chunks, same: own.hash === reply.hash }
      }
      after = reply.next
    }
  }

  return setup({
    types: {
      context: {} as Comparing,
      input: {} as AgentGroupsApplyInput,
      events: {} as { type: 'groups.told'; told: MasterGroups } | { type: 'keys.changed' },
      output: {} as End,
    },
    actors: {
      hearing: fromCallback<{ type: 'none' }, Link>(({ input: link, sendBack }) => {
        const stopLink = link.subscribe({ 'agentGroups.state': (told) => sendBack({ type: 'groups.told', told }) })
        const stopKeys = agents.keys.add(() => sendBack({ type: 'keys.changed' }))
        return () => {
          stopLink()
          stopKeys()
        }
      }),
      compare: fromPromise<Difference, Comparing>(({ input, signal }) => compare(input, signal)),
      take: fromPromise<Taken, { link: Link; full: boolean }>(({ input, signal }) => take(input.link, input.full, signal)),
    },
    guards: {
      isSame: (_, difference: Difference) => difference === 'same',
      isWaitingForKeys: ({ context }, difference: Difference) => difference === 'keysMissing' && !context.isPastWaiting,
      isAgreed: ({ context: { agreed } }, told: MasterGroups) =>
        told.table === agreed?.table && told.version === agreed.version && told.hash === agreed.hash && told.ids === agreed.ids,
      isWanted: ({ context }) => context.wanted,
      isCrash: ({ context }) => context.crash !== undefined,
    },
    actions: {
      noteTold: assign({ told: (_, told: MasterGroups) => told, wanted: true }),
      noteWanted: assign({ wanted: true }),
      startComparing: assign({ wanted: false, agreed: undefined }),
      noteAgreed: assign({ agreed: ({ context }) => context.told }),
      startTaking: assign({ startMs: () => clock.monotonicMs() }),
      stopWaiting: assign({ isPastWaiting: true }),
      forgiveMismatches: assign({ mismatches: 0, isPastWaiting: false }),
      countMismatch: assign({ mismatches: ({ context }) => context.mismatches + 1 }),
      forgetMismatches: assign({ mismatches: 0 }),
      logStart: ({ context }) => recvLog(context, mismatchesMax).info('Starting.'),
      logTaken: ({ context }, { chunks, same }: Taken) => {
        const log = recvLog(context, mismatchesMax)
        log.info(`Finished in ${logSeconds(clock.monotonicMs() - context.startMs)}. Updated ${chunks} chunks.`)
        if (same) return
        const next = context.mismatches + 1 < mismatchesMax ? '' : ' All groups are fetched next.'
        log.debug(`Groups still differ from those of the master (attempt ${context.mismatches + 1} of ${mismatchesMax}).${next}`)
      },
      logWaiting: ({ context }) => context.log.debug('The groups wait for the agent keys that they refer to.'),
      logFailure: ({ context, event }) =>
        recvLog(context, mismatchesMax).error(`The groups could not be received: ${fullStop(errorOf(event).message)} Retrying.`),
      noteFailure: assign({ wanted: false, crash: ({ event }) => crashIn(event) }),
    },
    delays: { interval: intervalMs, keysTimeout: keysMsMax },
  }).createMachine({
    id: 'agentGroups',
    options: machineOptions,
    context: ({ input }) => ({
      ...input,
      told: undefined,
      agreed: undefined,
      startMs: 0,
      mismatches: 0,
      isPastWaiting: false,
      wanted: false,
      crash: undefined,
    }),
    invoke: { src: 'hearing', input: ({ context }) => context.link },
    on: {
      // It is compared again at the interval, in case that something else has changed here.
      'groups.told': [
        { guard: { type: 'isAgreed', params: ({ event }) => event.told } },
        { actions: { type: 'noteTold', params: ({ event }) => event.told } },
      ],
      'keys.changed': { actions: 'noteWanted' },
    },
    initial: 'comparing',
    states: {
      comparing: {
        entry: 'startComparing',
        invoke: {
          src: 'compare',
          input: ({ context }) => context,
          onDone: [
            {
              guard: { type: 'isSame', params: ({ event }) => event.output },
              target: 'resting',
              actions: ['forgiveMismatches', 'noteAgreed'],
            },
            {
              guard: { type: 'isWaitingForKeys', params: ({ event }) => event.output },
              target: 'awaitingKeys',
              actions: 'logWaiting',
            },
            { target: 'taking', actions: 'startTaking' },
          ],
          onError: [
            { guard: ({ event }) => isMalformed(event), target: 'mistrusting', actions: ['logFailure', 'noteFailure'] },
            { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
          ],
        },
      },
      awaitingKeys: {
        always: { guard: 'isWanted', target: 'comparing' },
        after: { keysTimeout: { target: 'comparing', actions: 'stopWaiting' } },
      },
      taking: {
        entry: 'logStart',
        invoke: {
          src: 'take',
          input: ({ context }) => ({ link: context.link, full: context.mismatches >= mismatchesMax }),
          onDone: [
            {
              guard: ({ event }) => event.output.same,
              target: 'resting',
              actions: [{ type: 'logTaken', params: ({ event }) => event.output }, 'forgiveMismatches'],
            },
            {
              guard: ({ context }) => context.mismatches >= mismatchesMax,
              target: 'resting',
              actions: [{ type: 'logTaken', params: ({ event }) => event.output }, 'forgetMismatches'],
            },
            { target: 'resting', actions: [{ type: 'logTaken', params: ({ event }) => event.output }, 'countMismatch'] },
          ],
          onError: [
            { guard: ({ event }) => isMalformed(event), target: 'mistrusting', actions: ['logFailure', 'noteFailure'] },
            { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
          ],
        },
      },
      // Whatever the master tells meanwhile.
      mistrusting: { after: { interval: 'comparing' } },
      troubled: { always: [{ guard: 'isCrash', target: 'crashed' }, { target: 'resting' }] },
      resting: {
        always: { guard: 'isWanted', target: 'comparing' },
        after: { interval: 'comparing' },
      },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => (context.crash ? { kind: 'crashed', error: context.crash } : { kind: 'closed' }),
  })
}

/** Pages come in order of the agents and end with them: a master that does otherwise could send without end. */
const assertAdvances = (rows: readonly GroupsRow[], after: number, next: number | undefined): void => {
  const [first] = rows
  if ((first && first.id <= after) || (next !== undefined && next !== rows.at(-1)?.id))
    throw new ClusterError('malformed', { message: 'The pages of groups are not in order of the agents' })
}

const recvLog = ({ log, mismatches }: Comparing, mismatchesMax: number): Log =>
  log.at({ subtag: mismatches >= mismatchesMax ? 'Agent-groups recv full' : 'Agent-groups recv' })

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
  let startMs = 0
  let chunks = 0
  let restored = 0
  return {
    link,
    alongside: () => {
      const tell = (): void => {
        if (published.state) link.notify('agentGroups.state', published.state)
      }
      tell()
      return published.told.add(tell)
    },
    answers: ({ signal }) => ({
      'agentGroups.ask': () => published.state ?? { table: '', version: 0, hash: '', ids: '' },
      'agentGroups.offer': async ({ last, rows, table, version }) => {
        await agents.ready(signal)
        const copy = { table, version }
        const wanted = agents.groups.wants(copy)
        const decoded = decodeGroupsRows(rows)
        if (!decoded.ok) throw decoded.error
        const isQuestion = decoded.value.length === 0 && !last
        if (!wanted || isQuestion) return { wanted }
        restored += await agents.groups.restore(copy, decoded.value, last)
        if (last)
          log.info(`The groups of ${counted(restored, 'agent')} were lost with the table and are taken back from this worker's copy.`)
        return { wanted }
      },
      'agentGroups.fetch': async ({ after, full, since, table }) => {
        await agents.ready(signal)
        const isAll = full || table !== agents.table
        const sendLog = log.at({ subtag: isAll ? 'Agent-groups send full' : 'Agent-groups send' })
        if (after === 0) {
          startMs = clock.now()
          chunks = 0
          sendLog.info('Starting.')
        }
        const page = await agents.groups.page(isAll ? 0 : since, after, published.state?.version ?? 0)
        if (page.rows.length > 0) chunks += 1
        if (page.next === undefined) {
          const done = { startMs, endMs: clock.now(), chunks }
          if (isAll) state.lastAgentGroupsFull = done
          else state.lastAgentGroups = done
          sendLog.info(`Finished in ${logSeconds(done.endMs - startMs)}. Updated ${chunks} chunks.`)
        }
        const { hash, table: ownTable, version } = page.state
        const next = page.next === undefined ? {} : { next: page.next }
        return { table: ownTable, version, hash, rows: encodeGroupsRows(page.rows), ...next }
      },
    }),
  }
}
