/** The machine of all threads that work in rounds: when a round begins, what a wake does, and how failures end it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChildEvent, startHosted } from '../../../src/actors/kit/host.js'
import { pause } from '../../../src/actors/kit/pause.js'
import { type PeriodicThread, periodicThread, type Round, type RoundEnd } from '../../../src/actors/kit/periodicThread.js'
import { Signal } from '../../../src/actors/kit/signal.js'
import { supervised } from '../../../src/actors/kit/supervised.js'
import { ClusterError } from '../../../src/base/errors.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../../support/recordingLog.js'

const everyMs = 1_000

type Options = Partial<Pick<PeriodicThread<unknown, object, 'first' | 'second'>, 'gatherMs' | 'startsResting' | 'restMs' | 'waitsOut'>>

interface World {
  readonly clock: VirtualClock
  readonly wakes: Signal
  /** When rounds began, and which of them were woken. */
  readonly startsMs: number[]
  readonly woken: boolean[]
  readonly failures: string[]
  readonly states: string[]
  readonly ends: ChildEvent[]
  readonly signals: Set<AbortSignal>
  stop(): Promise<void>
}

/** A thread whose rounds do `work`, with the number of the round and the clock. */
const start = (work: (round: number, clock: VirtualClock) => Promise<RoundEnd | 'second'>, options: Options = {}): World => {
  const clock = new VirtualClock()
  const wakes = new Signal()
  const world = { startsMs: [] as number[], woken: [] as boolean[], failures: [] as string[], states: [] as string[] }
  const ends: ChildEvent[] = []
  const signals = new Set<AbortSignal>()
  const first = (_: object, { isWoken, signal, startMs }: Round): Promise<RoundEnd | 'second'> => {
    expect(startMs).toBe(clock.monotonicMs())
    world.startsMs.push(startMs)
    world.woken.push(isWoken)
    signals.add(signal)
    return work(world.startsMs.length, clock)
  }
  const logic = periodicThread({
    id: 'thread',
    clock,
    everyMs,
    begin: () => ({}),
    wakes: (_, wake) => [wakes.add(wake)],
    initial: 'first',
    steps: { first, second: async () => 'done' },
    onFailure: (_, { code }) => world.failures.push(code),
    onState: (_, state) => world.states.push(state),
    ...options,
  })
  const hosted = startHosted(logic, { clock, onEnd: (event) => ends.push(event) })
  const stop = async (): Promise<void> => {
    hosted.stop()
    await clock.settle()
    expect(hosted.timers).toBe(0)
    wakes.emit()
    await clock.advance(10 * everyMs)
  }
  return { clock, wakes, ...world, ends, signals, stop }
}

/** When rounds of this length begin, worked out by hand. */
const expectedStarts = (wakesMs: readonly number[], roundMs: number, gatherMs: number, untilMs: number): number[] => {
  const starts: number[] = []
  for (let atMs = 0; atMs <= untilMs; ) {
    starts.push(atMs)
    const [startMs, endMs] = [atMs, atMs + roundMs]
    const wokenMs = wakesMs.find((wakeMs) => wakeMs > startMs && wakeMs < endMs + everyMs)
    atMs = wokenMs === undefined ? endMs + everyMs : Math.max(wokenMs, endMs) + gatherMs
  }
  return starts
}

describe('a periodic thread', () => {
  it('begins a round at once, after each interval, and once for all wakes in the meantime', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: 6_000 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 700 }),
        fc.constantFrom(0, 50),
        async (instants, roundMs, gatherMs) => {
          // No two things happen at the same instant: their order then is not specified.
          const wakesMs = instants.sort((a, b) => a - b).map((instant, index) => instant + (index + 1) / 1024)
          const untilMs = 8_000.5
          const { clock, startsMs, stop, wakes } = start((_, timers) => pause(timers, roundMs).then(() => 'done'), { gatherMs })
          for (const wakeMs of wakesMs) clock.setTimeout(() => wakes.emit(), wakeMs)
          await clock.advance(untilMs)
          expect(startsMs).toEqual(expectedStarts(wakesMs, roundMs, gatherMs, untilMs))
          await stop()
        },
      ),
      { numRuns: 60 },
    ))

  it('rests first when it is configured to, and for as long as it says', async () => {
    const rests = [300, 20, 700]
    const { clock, startsMs, stop } = start(async () => 'done', { startsResting: true, restMs: () => rests.shift() ?? everyMs })
    await clock.advance(2_100)
    expect(startsMs).toEqual([300, 320, 1_020, 2_020])
    await stop()
  })

  it('knows whether it was woken since the last round began', async () => {
    const { clock, stop, wakes, woken } = start((_, timers) => pause(timers, 10).then(() => 'done'))
    await clock.advance(5)
    wakes.emit()
    await clock.advance(everyMs + 20)
    wakes.emit()
    await clock.advance(5)
    expect(woken).toEqual([false, true, false, true])
    await stop()
  })

  it('goes from step to step, shows each of them, and then that it rests', async () => {
    const { clock, states, stop } = start(async (round) => (round === 1 ? 'second' : 'done'))
    await clock.advance(everyMs)
    expect(states).toEqual(['first', 'second', 'resting', 'first', 'resting'])
    await stop()
  })

  it('begins another round at once if a round asks for it, and rests after a failed one', async () => {
    const ends: RoundEnd[] = ['again', 'failed']
    const { clock, startsMs, stop, wakes, woken } = start((round, timers) => pause(timers, 10).then(() => ends[round - 1] ?? 'done'))
    await clock.advance(15)
    wakes.emit()
    await clock.advance(everyMs)
    expect(startsMs).toEqual([0, 10])
    wakes.emit()
    await clock.advance(1)
    expect(startsMs).toEqual([0, 10, 1_015])
    expect(woken).toEqual([false, false, true])
    await stop()
  })

  it('ends on a failure that is a crash, and on no other', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<unknown>(new ClusterError('fileFailed'), new ClusterError('malformed'), new ClusterError('linkLost')), {
          minLength: 1,
        }),
        fc.constantFrom<unknown>(new ClusterError('internal'), new TypeError('boom'), 'thrown'),
        async (failures, crash) => {
          const {
            clock,
            ends,
            startsMs,
            stop,
            failures: reported,
          } = start(async (round) => {
            throw failures[round - 1] ?? crash
          })
          await clock.advance(failures.length * everyMs - 1)
          expect(ends).toEqual([])
          await clock.advance(1)
          expect(ends).toMatchObject([{ type: 'child.crashed', error: { code: 'internal' } }])
          expect(startsMs).toEqual([...failures, crash].map((_, round) => round * everyMs))
          expect(reported).toHaveLength(failures.length + 1)
          await stop()
        },
      ),
      { numRuns: 40 },
    ))

  it('forgets what woke it during a round that failed, and is woken again while it rests', async () => {
    const { clock, startsMs, stop, wakes } = start(async (_, timers) => {
      await pause(timers, 10)
      throw new ClusterError('fileFailed')
    })
    await clock.advance(5)
    wakes.emit()
    await clock.advance(500)
    expect(startsMs).toEqual([0])
    wakes.emit()
    await clock.advance(1)
    expect(startsMs).toEqual([0, 505])
    await stop()
  })

  it('is not woken after a failure that only time can fix, and then has one round for all wakes', async () => {
    const { clock, startsMs, stop, wakes, woken } = start(
      async (round) => {
        if (round === 1) throw new ClusterError('malformed')
        return 'done'
      },
      { waitsOut: ({ code }) => code === 'malformed' },
    )
    for (let passedMs = 0; passedMs < everyMs; passedMs += 100) {
      wakes.emit()
      await clock.advance(100)
    }
    expect([startsMs, woken]).toEqual([
      [0, everyMs],
      [false, true],
    ])
    await clock.advance(everyMs - 1)
    expect(startsMs).toHaveLength(2)
    await stop()
  })

  it('leaves no timer, aborts its work and stays asleep when it is stopped at any moment', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(3_000), async (ms) => {
        const { clock, ends, signals, startsMs, stop, wakes } = start((_, timers) => pause(timers, 400).then(() => 'done'), {
          gatherMs: 50,
        })
        clock.setTimeout(() => wakes.emit(), 1_200)
        await clock.advance(ms)
        const rounds = startsMs.length
        await stop()
        expect(startsMs).toHaveLength(rounds)
        expect([...signals].map(({ aborted }) => aborted)).toEqual([true])
        expect(ends).toEqual([])
      }),
      { numRuns: 30 },
    ))

  it('starts fresh after a crash, and keeps no earlier state', async () => {
    const clock = new VirtualClock()
    const rounds: number[] = []
    const logic = periodicThread({
      id: 'thread',
      clock,
      everyMs,
      begin: () => ({ round: 0 }),
      wakes: () => [],
      initial: 'working',
      steps: {
        working: async (kept) => {
          kept.round += 1
          rounds.push(kept.round)
          if (kept.round === 3) throw new TypeError('boom')
          return 'done'
        },
      },
      onFailure: () => undefined,
    })
    const log = recordingLog()
    const child = startHosted(supervised(logic, { name: 'thread', clock }), {
      clock,
      input: { input: undefined, log },
      onEnd: () => undefined,
    })
    await clock.advance(4 * everyMs)
    expect(rounds).toEqual([1, 2, 3, 1, 2])
    child.stop()
  })
})
