import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AnyActorLogic, createMachine, fromCallback, fromPromise } from 'xstate'
import { type ChildEvent, startHosted } from '../../../src/actors/kit/host.js'
import { supervised } from '../../../src/actors/kit/supervised.js'
import { ClusterError } from '../../../src/base/errors.js'
import { decideRestart, defaultRestartPolicy } from '../../../src/domain/cluster/restartPolicy.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../../support/recordingLog.js'

const supervise = (clock: VirtualClock, thread: AnyActorLogic) => {
  const log = recordingLog()
  const ends: ChildEvent[] = []
  const child = startHosted(supervised(thread, { name: 'integrity', clock }), {
    clock,
    input: { input: 'its input', log },
    onEnd: (event) => ends.push(event),
  })
  return { child, ends, log }
}

/** A thread that crashes these many milliseconds after its starts, in turn; records its starts and what it holds. */
const crashingAfter = (clock: VirtualClock, livesMs: readonly number[]) => {
  const startsMs: number[] = []
  let held = 0
  const thread = fromCallback(() => {
    held += 1
    startsMs.push(clock.monotonicMs())
    return () => {
      held -= 1
    }
  })
  const logic = createMachine({
    invoke: { src: thread },
    initial: 'living',
    states: {
      living: {
        invoke: {
          src: fromPromise(
            ({ signal }) =>
              new Promise<void>((_, reject) => {
                const lifeMs = livesMs[startsMs.length - 1]
                if (lifeMs === undefined) return
                const timer = clock.setTimeout(() => reject(new Error('boom')), lifeMs)
                signal.addEventListener('abort', () => clock.clearTimeout(timer))
              }),
          ),
        },
      },
    },
  })
  return { logic, startsMs, held: () => held }
}

describe('a supervised thread', () => {
  it('is restarted and given up exactly as the restart policy says, to the millisecond', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.nat(200), fc.nat(30_000)), { minLength: 1, maxLength: 12 }), async (livesMs) => {
        const clock = new VirtualClock()
        const crashing = crashingAfter(clock, livesMs)
        const { child, ends, log } = supervise(clock, crashing.logic)
        await clock.advance(1_000_000)

        const wantedMs = [0]
        let nowMs = 0
        let crashesMs: readonly number[] = []
        let isGivenUp = false
        for (const lifeMs of livesMs) {
          nowMs += lifeMs
          const decision = decideRestart(crashesMs, nowMs, defaultRestartPolicy)
          if (decision.kind === 'escalate') {
            isGivenUp = true
            break
          }
          crashesMs = decision.crashesMs
          nowMs += decision.delayMs
          wantedMs.push(nowMs)
        }
        expect(crashing.startsMs).toEqual(wantedMs)
        expect(crashing.held()).toBe(isGivenUp ? 0 : 1)
        expect(ends).toMatchObject(isGivenUp ? [{ type: 'child.crashed', error: { code: 'threadCrashed' } }] : [])
        expect(log.lines.filter((line) => line.includes("Thread 'integrity' crashed")).length).toBe(
          wantedMs.length - 1 + (isGivenUp ? 1 : 0),
        )
        expect(log.lines.every((line) => line.includes('boom'))).toBe(true)
        child.stop()
        expect(crashing.held()).toBe(0)
        expect(child.timers).toBe(0)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 60 },
    ))

  it('that crashes at once is given up at its sixth crash, after growing delays', async () => {
    const clock = new VirtualClock()
    const crashing = crashingAfter(clock, [0, 0, 0, 0, 0, 0, 0, 0])
    const { ends } = supervise(clock, crashing.logic)
    await clock.advance(60_000)
    expect(crashing.startsMs).toEqual([0, 100, 300, 700, 1_500, 3_100])
    expect(ends).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('that crashes more rarely than five times a minute is never given up', async () => {
    const clock = new VirtualClock()
    const crashing = crashingAfter(
      clock,
      Array.from({ length: 100 }, () => 12_000),
    )
    const { child, ends } = supervise(clock, crashing.logic)
    await clock.advance(3_000_000)
    expect(ends).toEqual([])
    expect(crashing.startsMs).toHaveLength(101)
    child.stop()
    expect(clock.pending).toBe(0)
  })

  it.each([
    [
      'throws in its first action',
      createMachine({
        entry: () => {
          throw new Error('boom')
        },
      }),
    ],
    [
      'cannot make its context',
      createMachine({
        context: () => {
          throw new Error('boom')
        },
      }),
    ],
    [
      'is a callback that throws',
      fromCallback(() => {
        throw new Error('boom')
      }),
    ],
    ['is a promise that rejects', fromPromise(() => Promise.reject(new Error('boom')))],
  ])('that %s each time is given up without a trace', async (_, logic) => {
    const clock = new VirtualClock()
    const { ends } = supervise(clock, logic)
    await clock.advance(60_000)
    expect(ends).toMatchObject([{ type: 'child.crashed' }])
    expect(clock.pending).toBe(0)
  })

  it('that is done ends with the error that it gave, and is not started again', async () => {
    const clock = new VirtualClock()
    const error = new ClusterError('peerSilent')
    const { ends, log } = supervise(
      clock,
      createMachine({ initial: 'a', states: { a: { after: { 5: 'b' } }, b: { type: 'final' } }, output: { kind: 'closed', error } }),
    )
    await clock.advance(60_000)
    expect(ends).toEqual([{ type: 'child.closed', error }])
    expect(log.lines).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('gets the same input at each start', async () => {
    const clock = new VirtualClock()
    const inputs: unknown[] = []
    const { child } = supervise(
      clock,
      fromPromise<void, unknown>(({ input }) => {
        inputs.push(input)
        return inputs.length < 3 ? Promise.reject(new Error('boom')) : new Promise(() => {})
      }),
    )
    await clock.advance(10_000)
    expect(inputs).toEqual(['its input', 'its input', 'its input'])
    child.stop()
  })

  it('leaves no timer when it is stopped while it waits for its restart', async () => {
    const clock = new VirtualClock()
    const { child, ends } = supervise(clock, crashingAfter(clock, [5]).logic)
    await clock.advance(50)
    expect(clock.pending).toBe(1)
    child.stop()
    expect(clock.pending).toBe(0)
    expect(ends).toEqual([])
  })
})
