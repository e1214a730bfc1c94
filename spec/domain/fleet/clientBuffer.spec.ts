/** The buffer of an agent: its room, its rate, and what it drops. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClientBuffer } from '../../../src/domain/fleet/clientBuffer.js'

const steps = fc.array(fc.record({ ms: fc.integer({ min: 0, max: 5_000 }), takes: fc.boolean() }), { maxLength: 50 })
const rules = fc.record({ eventsMax: fc.integer({ min: 1, max: 200 }), perSecondMax: fc.integer({ min: 1, max: 1_000 }) })

describe('the buffer of an agent', () => {
  it('makes events at the rate, keeps no more than it has room for, and sends each once or drops it', () =>
    fc.assert(
      fc.property(
        rules,
        fc.integer({ min: 0, max: 2_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        steps,
        (given, rate, phase, run) => {
          const buffer = new ClientBuffer(given, rate, phase)
          let passedMs = 0
          let sent = 0
          for (const { ms, takes } of run) {
            buffer.pass(ms)
            passedMs += ms
            if (takes) sent += buffer.take()
            expect(buffer.waiting).toBeLessThanOrEqual(given.eventsMax)
          }
          const made = sent + buffer.dropped + buffer.waiting
          expect(Math.abs(made - (phase + (passedMs * rate) / 1_000))).toBeLessThanOrEqual(1)
        },
      ),
    ))

  it('sends no more than its limit in any second, however much waits', () =>
    fc.assert(
      fc.property(rules, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 50 }), (given, gaps) => {
        const buffer = new ClientBuffer(given, 10_000, 0)
        buffer.pass(10_000)
        let sent = buffer.take()
        let passedMs = 0
        for (const ms of gaps) {
          buffer.pass(ms)
          passedMs += ms
          sent += buffer.take()
        }
        expect(sent).toBeLessThanOrEqual(given.perSecondMax * (1 + passedMs / 1_000) + 1)
      }),
    ))
})
