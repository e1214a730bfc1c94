/**
 * The worker's side of the cluster: dials the master, runs the connection, and dials again when it ends, sooner or later
 * as domain/cluster/redialPolicy says. It ends only when it is stopped.
 */

import { assign, fromPromise, setup } from 'xstate'
import { asClusterError, ClusterError } from '../base/errors.js'
import { invariant } from '../base/invariant.js'
import { type DialFailures, dialFailureText, failedDial, noFailures } from '../domain/cluster/dialFailures.js'
import { needsOperator } from '../domain/cluster/joinRule.js'
import { redialDelayMs } from '../domain/cluster/redialPolicy.js'
import type { Timings } from '../domain/cluster/timings.js'
import type { OwnCertificates } from '../ports/certificates.js'
import type { Link, Transport } from '../ports/link.js'
import type { Clock, Log, Random } from '../ports/machine.js'
import type { Endpoint } from '../ports/network.js'
import type { Hello } from '../wire/muster/messages.js'
import { agentGroupsApply } from './agents/agentGroups.js'
import { agentInfoSend } from './agents/agentInfo.js'
import type { LocalAgents } from './agents/nodeAgents.js'
import { answering, type Connected, type ConnectionThread, connection, thread } from './cluster/connection.js'
import { keepAliveSender, linkBeats } from './cluster/keepAlive.js'
import { loggedLink } from './cluster/loggedLink.js'
import type { NodeStates } from './cluster/nodeStates.js'
import { nodeStateFollowInput } from './cluster/nodeStateThreads.js'
import { PeerLogs } from './cluster/peerLogs.js'
import { type IntegrityApplyOptions, integrityApply } from './files/integrity.js'
import { type ChildEvent, hosted, machineOptions } from './kit/host.js'
import type { OnRestart } from './kit/supervised.js'
import { countsOf } from './listener/thread/listenerThread.js'
import { type OwnListener, reconnectAnswers } from './listener/thread/reconnectRoutes.js'
import { type Carried, carryThreads } from './manager/carryThreads.js'
import { nodeReportAnswers, type ReportMaker } from './queries/nodeReports.js'

export interface WorkerOptions {
  readonly hello: Hello
  readonly master: Endpoint
  readonly certificates?: OwnCertificates
  readonly timings: Timings
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly integrity: Omit<IntegrityApplyOptions, 'intervalMs' | 'clock'>
  readonly agents: LocalAgents
  readonly states: NodeStates
  readonly own: OwnListener
  readonly report: ReportMaker
  /** What the master has carried out here; nothing without a manager. */
  readonly carried?: Carried
  readonly onRestart: OnRestart
  readonly onConnected: (link: Link) => void
  readonly onDisconnected: (error: ClusterError) => void
  /** Called for each dial that failed; `isLogged` of those that the log has too. */
  readonly onDialFailed: (failure: { readonly error: ClusterError; readonly attempts: number; readonly isLogged: boolean }) => void
}

/** The first redial comes this soon, in milliseconds. */
const redialMsMin = 100
/** A connection that ends sooner than this, in milliseconds, counts as a failed dial: after several of them redials become rarer. */
const shortLifeMs = 1_000

interface Dialling {
  /** Since it was connected last. */
  readonly failures: DialFailures
  readonly connectedAtMs: number
  /** Connections in a row that had a short life. */
  readonly shortLives: number
  readonly delayMs: number
  readonly refused: boolean
  readonly link: Link | undefined
  readonly error: ClusterError | undefined
}

export const worker = (options: WorkerOptions) => {
  const { agents, carried, clock, random, timings, transport } = options
  const log = options.log.at({ tag: 'Worker', subtag: 'Main' })
  const policy = { delayMsMin: redialMsMin, delayMsMax: timings.connectionRetryMs }
  const keepAliveRule = {
    intervalMs: timings.keepAliveMs,
    answerMsMax: timings.requestTimeoutMs,
    missedBeatsMax: timings.failedKeepAlivesMax,
  }
  const threads: readonly ConnectionThread<Connected>[] = [
    thread('keepAlive', keepAliveSender(keepAliveRule), ({ link, log: linkLog }) => ({
      peer: linkBeats(link, {
        clock,
        answerMsMax: timings.requestTimeoutMs,
        clusterClock: agents.clock,
        integrity: () => options.integrity.sync.state,
        listener: () => countsOf(options.own.front),
      }),
      log: linkLog.at({ subtag: 'Keep alive' }),
    })),
    thread('integrity', integrityApply({ ...options.integrity, clock, intervalMs: timings.syncIntegrityMs }), ({ link, log: linkLog }) => ({
      link,
      log: linkLog,
    })),
    thread(
      'agentInfo',
      agentInfoSend({ agents, clock, intervalMs: timings.syncAgentInfoMs, answerMsMax: timings.timeoutAgentInfoMs }),
      ({ link, log: linkLog }) => ({ link, log: linkLog.at({ subtag: 'Agent-info sync' }) }),
    ),
    thread(
      'agentGroups',
      agentGroupsApply({
        agents,
        clock,
        intervalMs: timings.workerSyncAgentGroupsMs,
        keysMsMax: timings.timeoutAgentGroupsMs,
        mismatchesMax: timings.agentGroupsMismatchesMax,
        requestMsMax: timings.requestTimeoutMs,
      }),
      ({ link, log: linkLog }) => ({ link, log: linkLog }),
    ),
    answering('nodeState', ({ link }) => nodeStateFollowInput(link, options.states)),
    answering('report', ({ link }) => nodeReportAnswers(link, options.report)),
    answering('reconnect', ({ link }) => reconnectAnswers(link, options.own)),
    ...carryThreads<Connected>(carried, clock),
  ]
  /** What is logged because the master said something. */
  const masterLogs = new PeerLogs(options.log, clock, 1)
  const connected = (link: Link | undefined): Connected => {
    invariant(link !== undefined, 'a connection is run over a link')
    return { link, log: masterLogs.of('', { tag: 'Worker', subtag: 'Main' }) }
  }
  return setup({
    types: { context: {} as Dialling, events: {} as ChildEvent },
    actors: {
      dial: fromPromise<Link>(async ({ signal }) => {
        const link = await transport.dial(options.master, options.hello, signal)
        if (signal.aborted) link.close('stopping')
        return loggedLink(link, masterLogs.of('', { tag: 'Worker' }), clock)
      }),
      connection: hosted(connection(threads, clock, options.onRestart), clock),
    },
    actions: {
      noteFailedDial: assign(({ context }, thrown: unknown) => {
        const failures = failedDial(context.failures, asClusterError(thrown, 'dialFailed'), clock.monotonicMs())
        const refused = failures.error !== undefined && needsOperator(failures.error)
        return { failures, refused, delayMs: redialDelayMs(context.failures.attempts, refused, random.fraction(), policy) }
      }),
      tellFailedDial: ({ context: { failures, delayMs, refused } }) => {
        const { attempts, error, isLogged } = failures
        const isGrowing = !refused && delayMs < policy.delayMsMax / 2
        const pause = { delayMs, growsToMs: isGrowing ? policy.delayMsMax : undefined }
        if (isLogged) log.error(dialFailureText(failures, clock.monotonicMs(), pause))
        if (error) options.onDialFailed({ error, attempts, isLogged })
      },
      noteConnected: assign((_, link: Link) => ({
        link,
        connectedAtMs: clock.monotonicMs(),
        failures: noFailures,
        refused: false,
        error: undefined,
      })),
      announce: ({ context }) => {
        if (!context.link) return
        log.info('Successfully connected to master.') // as Wazuh writes it
        if (context.link.peer.key === 'previous')
          log.warning('The connection uses the previous cluster key: give the master the current one.')
        if (options.certificates && !context.link.peer.certificate)
          log.warning('The master does not speak TLS: the connection is without it, since tls.require is false in etc/cluster.json.')
        options.onConnected(context.link)
      },
      noteLost: assign(({ context }, event: ChildEvent) => {
        const isShort = clock.monotonicMs() - context.connectedAtMs < shortLifeMs
        return {
          link: undefined,
          error: event.error ?? new ClusterError('linkClosed'),
          shortLives: isShort ? context.shortLives + 1 : 0,
          delayMs: redialDelayMs(isShort ? context.shortLives : 0, false, random.fraction(), policy),
        }
      }),
      logLost: ({ context: { error } }) => {
        if (error?.code === 'peerStopping') log.info('The master is stopping. Connecting again as soon as it is back.')
        else log.error(`The connection to the master was lost: ${error?.message ?? 'unknown'}. Connecting again.`)
        options.onDisconnected(error ?? new ClusterError('linkClosed'))
      },
    },
    delays: { redial: ({ context }) => context.delayMs },
  }).createMachine({
    id: 'worker',
    options: machineOptions,
    context: {
      failures: noFailures,
      connectedAtMs: 0,
      shortLives: 0,
      delayMs: 0,
      refused: false,
      link: undefined,
      error: undefined,
    },
    initial: 'dialling',
    states: {
      dialling: {
        invoke: {
          src: 'dial',
          onDone: { target: 'connected', actions: { type: 'noteConnected', params: ({ event }) => event.output } },
          onError: {
            target: 'backingOff',
            actions: [{ type: 'noteFailedDial', params: ({ event }: { event: { error: unknown } }) => event.error }, 'tellFailedDial'],
          },
        },
      },
      connected: {
        entry: 'announce',
        invoke: { src: 'connection', input: ({ context }) => ({ input: connected(context.link) }) },
        on: {
          'child.closed': { target: 'backingOff', actions: [{ type: 'noteLost', params: ({ event }) => event }, 'logLost'] },
          'child.crashed': { target: 'backingOff', actions: [{ type: 'noteLost', params: ({ event }) => event }, 'logLost'] },
        },
      },
      backingOff: { after: { redial: 'dialling' } },
    },
  })
}
