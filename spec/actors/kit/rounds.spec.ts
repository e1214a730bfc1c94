import { describe, expect, it } from 'vitest'
import { assign, sendTo, setup } from 'xstate'
import { startHosted } from '../../../src/actors/kit/host.js'
import { type RoundEnded, rounds, roundWanted } from '../../../src/actors/kit/rounds.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

const roundMs = 10

/** A machine that wants the same round after round; `work` gets the number of the round. */
const start = (work: (round: number) => Promise<string> | string) => {
  const clock = new VirtualClock()
  const signals: AbortSignal[] = []
  const seen: unknown[] = []
  const machine = setup({
    types: { context: {} as { round: number }, events: {} as RoundEnded<'work', string> },
    actors: {
      work: rounds('work', (round: number, signal) => {
        signals.push(signal)
        const outcome = work(round)
        return new Promise((resolve) => {
          clock.setTimeout(() => resolve(outcome), roundMs)
        })
      }),
    },
    actions: {
      next: assign({ round: ({ context }) => context.round + 1 }),
      work: sendTo('work', ({ context }) => roundWanted(context.round)),
      see: ({ event }) => seen.push(event.type === 'work.done' ? event.output : event.error),
    },
  }).createMachine({
    id: 'machine',
    context: { round: 0 },
    invoke: { src: 'work', id: 'work' },
    initial: 'working',
    states: {
      working: {
        entry: ['next', 'work'],
        on: { 'work.done': { target: 'resting', actions: 'see' }, 'work.failed': { target: 'resting', actions: 'see' } },
      },
      resting: { after: { 100: 'working' } },
    },
  })
  const hosted = startHosted(machine, { clock, onEnd: (event) => seen.push(event) })
  return { clock, hosted, seen, signals }
}

describe('rounds', () => {
  it('report the outcome of their own input; thrown and rejected failures are outcomes too', async () => {
    const failed = new Error('failed')
    const thrown = new Error('thrown')
    const { clock, hosted, seen, signals } = start((round) => {
      if (round === 2) return Promise.reject(failed)
      if (round === 3) throw thrown
      return `round ${round}`
    })
    await clock.advance(100 + 100 + 100 + 4 * roundMs)
    expect(seen).toEqual(['round 1', failed, thrown, 'round 4'])
    expect(new Set(signals).size).toBe(1)
    hosted.stop()
    expect(clock.pending).toBe(0)
  })

  it('end with their machine: their signal is aborted, and nothing more is reported', async () => {
    const { clock, hosted, seen, signals } = start((round) => `round ${round}`)
    await clock.advance(roundMs / 2)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    hosted.stop()
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    await clock.advance(1_000)
    expect(seen).toEqual([])
  })
})
