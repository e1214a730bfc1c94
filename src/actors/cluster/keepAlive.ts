/**
 * Keep alive, both ends. The worker beats, the master answers: a master that stops answering, or a worker that stops
 * beating, is reported lost, and each beat shows how far the two clocks are apart. Runs once per connection, inside its
 * own failure boundary (see host.ts).
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate'
import { asClusterError, ClusterError } from '../../base/errors.js'
import {
  clockSkewMs,
  clockSkewWarningMs,
  type Heartbeat,
  healthy,
  isLost,
  isSilent,
  isSkewed,
  missedBeat,
} from '../../domain/cluster/heartbeat.js'
import { figuresOf, type ListenerFigures } from '../../domain/cluster/listenerFigures.js'
import type { Beat } from '../../domain/cluster/workerState.js'
import { type IntegrityState, integrityStateOf } from '../../domain/files/integrityState.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { ClusterClock } from '../agents/clusterClock.js'
import { figuresCapability } from '../files/integritySync.js'
import { type End, machineOptions } from '../kit/host.js'
import { pause } from '../kit/pause.js'

export interface KeepAliveOptions {
  readonly intervalMs: number
  readonly answerMsMax: number
  readonly missedBeatsMax: number
}

/** What the sender needs of its connection; anything that can ask a question of the peer will do. */
export interface Beats {
  /**
   * Sends what the beats before measured, and resolves with what is known after this one: the master's clock minus ours, in
   * milliseconds.
   */
  beat(signal: AbortSignal, skewMs: number | undefined): Promise<number | undefined>
}

export const keepAliveSender = (rule: KeepAliveOptions) =>
  setup({
    types: {
      context: {} as { heartbeat: Heartbeat; skewMs: number | undefined; skewed: boolean; peer: Beats; log: Log },
      input: {} as { peer: Beats; log: Log },
      output: {} as End,
    },
    actors: {
      beat: fromPromise<number | undefined, { peer: Beats; skewMs: number | undefined }>(({ input: { peer, skewMs }, signal }) =>
        peer.beat(signal, skewMs),
      ),
    },
    guards: {
      isLost: ({ context }) => isLost(context.heartbeat, rule.missedBeatsMax),
      hasBecomeSkewed: ({ context }) => isSkewed(context.skewMs ?? 0) && !context.skewed,
    },
    actions: {
      forgiveMissedBeats: assign({ heartbeat: healthy }),
      countMissedBeat: assign({ heartbeat: ({ context }) => missedBeat(context.heartbeat) }),
      rememberSkew: assign({ skewed: ({ context }) => isSkewed(context.skewMs ?? 0) }),
      logMissedBeat: ({ context }) =>
        context.log.warning(`The master did not answer keep-alive ${context.heartbeat.missed} of ${rule.missedBeatsMax}.`),
      logBeat: ({ context }) => context.log.debug('Successful response from master: keep-alive answered.'),
      logSkew: ({ context: { log, skewMs = 0 } }) =>
        log.warning(
          `The clocks of this node and the master are ${(Math.abs(skewMs) / 1000).toFixed(1)} s apart (this one is ${skewMs > 0 ? 'behind' : 'ahead'}): synchronize them with NTP.`,
        ),
    },
    delays: { interval: rule.intervalMs, answerTimeout: rule.answerMsMax },
  }).createMachine({
    id: 'keepAlive',
    options: machineOptions,
    context: ({ input }) => ({ heartbeat: healthy, skewMs: undefined, skewed: false, ...input }),
    initial: 'beating',
    states: {
      resting: { after: { interval: 'beating' } },
      beating: {
        invoke: {
          src: 'beat',
          input: ({ context: { peer, skewMs } }) => ({ peer, skewMs }),
          onDone: {
            target: 'comparingClocks',
            actions: ['forgiveMissedBeats', assign({ skewMs: ({ event }) => event.output }), 'logBeat'],
          },
          onError: { target: 'judging', actions: ['countMissedBeat', 'logMissedBeat'] },
        },
        after: { answerTimeout: { target: 'judging', actions: ['countMissedBeat', 'logMissedBeat'] } },
      },
      comparingClocks: {
        always: [
          { guard: 'hasBecomeSkewed', target: 'resting', actions: ['logSkew', 'rememberSkew'] },
          { target: 'resting', actions: 'rememberSkew' },
        ],
      },
      judging: { always: [{ guard: 'isLost', target: 'peerLost' }, { target: 'resting' }] },
      peerLost: { type: 'final' },
    },
    output: (): End => ({ kind: 'closed', error: new ClusterError('peerSilent', { message: 'The master stopped answering keep-alives' }) }),
  })

export interface LinkBeatsOptions {
  readonly clock: Clock
  readonly answerMsMax: number
  readonly clusterClock: ClusterClock
  /** The state of this node's integrity thread. */
  integrity(): IntegrityState
  /** What this node's listener of agents counted; undefined while there is none. */
  listener?(): Promise<ListenerFigures | undefined> | undefined
}

/** A master with it takes, and shows, where agents report to a worker. */
export const placesCapability = 'places'

/** What a question to the own listener may delay a beat. */
const countsMsMax = 500

const soonOrNothing = async <T>(asked: Promise<T>, clock: Clock, signal: AbortSignal): Promise<T | undefined> => {
  const late = new AbortController()
  const waiting = pause(clock, countsMsMax, late.signal, signal).catch(() => undefined)
  try {
    return await Promise.race([asked, waiting.then(() => undefined)])
  } finally {
    late.abort()
  }
}

/**
 * Beats over a link. The skew and the round trip that one beat measured and the state of the integrity thread travel with the next, so that the master
 * can show them; each beat sets the clock of agents.
 */
export const linkBeats = (link: Link, { answerMsMax, clock, clusterClock, integrity, listener }: LinkBeatsOptions): Beats => {
  const isCounted = link.peer.capabilities.includes(figuresCapability)
  const hasPlaces = link.peer.capabilities.includes(placesCapability)
  let roundTripMs: number | undefined
  const beat: Beats['beat'] = async (signal, skewMs) => {
    // A listener that is busy must not hold up a sign of life.
    const asked = listener?.()
    const counts = asked && (await soonOrNothing(asked, clock, signal))
    const sentAtMs = clock.now()
    const sentMonotonicMs = clock.monotonicMs()
    const { receivedAtMs } = await link.request(
      'keepAlive.beat',
      {
        sentAtMs,
        integrity: integrity(),
        ...(skewMs !== undefined && { clockSkewMs: skewMs }),
        ...(counts && { listener: figuresOf(counts, hasPlaces) }),
        ...(roundTripMs !== undefined && isCounted && { roundTripMs }),
      },
      { signal, timeoutMs: answerMsMax },
    )
    const answeredAtMs = clock.now()
    const answeredMonotonicMs = clock.monotonicMs()
    // A beat that took long says little: which half of the way was slow cannot be known.
    roundTripMs = answeredMonotonicMs - sentMonotonicMs
    const isTelling = roundTripMs < clockSkewWarningMs
    if (isTelling || !clusterClock.isMeasured) clusterClock.measure(receivedAtMs, (sentMonotonicMs + answeredMonotonicMs) / 2)
    return isTelling ? clockSkewMs({ sentAtMs, receivedAtMs, answeredAtMs }) : skewMs
  }
  return { beat }
}

export interface SilenceOptions {
  readonly checkIntervalMs: number
  readonly silenceMsMax: number
}

export interface BeatReceiver {
  readonly link: Pick<Link, 'serve'>
  readonly log: Log
  /** Called at each beat with what the worker says: its own measurement of its skew, the state of its integrity thread, its listener's counts. */
  onBeat(beat: Omit<Beat, 'atMs'>): void
}

export const keepAliveReceiver = (rule: SilenceOptions, clock: Clock) =>
  setup({
    types: {
      context: {} as { lastBeatMs: number; receiver: BeatReceiver; end: End },
      input: {} as BeatReceiver,
      events: {} as { type: 'beat' } | { type: 'answer.crashed'; error: ClusterError },
      output: {} as End,
    },
    actors: {
      answers: fromCallback<{ type: 'none' }, BeatReceiver>(({ input, sendBack }) =>
        input.link.serve(
          {
            'keepAlive.beat': (body) => {
              const { clockSkewMs: skewMs, listener, roundTripMs } = body
              input.onBeat({ clockSkewMs: skewMs, integrity: integrityStateOf(body.integrity), listener, roundTripMs })
              sendBack({ type: 'beat' })
              return { receivedAtMs: clock.now() }
            },
          },
          { onCrash: (thrown) => sendBack({ type: 'answer.crashed', error: asClusterError(thrown, 'threadCrashed') }) },
        ),
      ),
    },
    guards: { isSilent: ({ context }) => isSilent(context.lastBeatMs, clock.monotonicMs(), rule.silenceMsMax) },
    actions: {
      noteBeat: assign({ lastBeatMs: () => clock.monotonicMs() }),
      reportSilence: assign({
        end: (): End => ({
          kind: 'closed',
          error: new ClusterError('peerSilent', {
            message: `No keep-alive was received for more than ${rule.silenceMsMax / 1000} seconds`,
          }),
        }),
      }),
    },
    delays: { checkInterval: rule.checkIntervalMs },
  }).createMachine({
    id: 'keepAlive',
    options: machineOptions,
    context: ({ input }) => ({ lastBeatMs: clock.monotonicMs(), receiver: input, end: { kind: 'closed' } }),
    invoke: { src: 'answers', input: ({ context }) => context.receiver },
    on: {
      beat: { actions: 'noteBeat' },
      'answer.crashed': { target: '.peerLost', actions: assign({ end: ({ event }): End => ({ kind: 'crashed', error: event.error }) }) },
    },
    initial: 'resting',
    states: {
      resting: { after: { checkInterval: 'judging' } },
      judging: { always: [{ guard: 'isSilent', target: 'peerLost', actions: 'reportSilence' }, { target: 'resting' }] },
      peerLost: { type: 'final' },
    },
    output: ({ context }) => context.end,
  })
