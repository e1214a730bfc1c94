/** The suite for every Clock: the real one, the virtual one, and a node's view of it. */
import { describe, it } from 'vitest'
import { realClock } from '../../src/platform/machine/realClock.js'
import type { Clock } from '../../src/ports/machine.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type ClockSuite, clockCases } from '../../src/testing/compliance/clockCases.js'

const realWorld = (): ClockSuite => ({ clock: realClock, run: (promise) => promise })

const virtualWorld = (see: (clock: VirtualClock) => Clock) => (): ClockSuite => {
  const clock = new VirtualClock()
  return {
    clock: see(clock),
    run: async (promise) => {
      let settled = false
      void promise.then(() => {
        settled = true
      })
      if (!(await clock.runUntil(() => settled, 60_000)))
        throw new Error('what was waited for did not happen within a minute of virtual time')
    },
  }
}

describe.each([
  { name: 'the real clock', create: realWorld },
  { name: 'the virtual clock', create: virtualWorld((clock) => clock) },
  { name: "a node's view of the virtual clock", create: virtualWorld((clock) => clock.view({ skewMs: -3_000, driftPpm: 50 })) },
])('$name', ({ create }) => {
  for (const { title, run } of clockCases(create)) it(title, run)
})
