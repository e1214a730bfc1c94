/** The list of what happened: bounded, in order, safe to show, and nothing is missed by who asks again. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../../src/base/limits.js'
import { EventRing } from '../../../../src/domain/cluster/monitoring/eventRing.js'
import { hostileText } from '../../../support/figuresArbitraries.js'

const events = fc.array(fc.record({ message: hostileText, isRoutine: fc.boolean() }), { maxLength: 60 })

describe('the ring of events', () => {
  it('has the latest events of each kind, within its bound, with ids that rise', () =>
    fc.assert(
      fc.property(events, fc.integer({ min: 2, max: 20 }), (added, eventsMax) => {
        const ring = new EventRing(1_000, eventsMax)
        for (const { isRoutine, message } of added) ring.add({ level: 'info', message }, 5, isRoutine)
        const kept = ring.after(0)
        const latest = (isRoutine: boolean) =>
          added
            .map((event, at) => ({ ...event, id: at + 1 }))
            .filter((event) => event.isRoutine === isRoutine)
            .slice(-Math.floor(eventsMax / 2))
        const expected = [...latest(true), ...latest(false)].map(({ id }) => id).sort((a, b) => a - b)
        expect(kept.map(({ id }) => id)).toEqual(expected)
      }),
    ))

  it('shows who asks with the last id nothing twice and leaves nothing out', () =>
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5 }), { maxLength: 20 }), (counts) => {
        const ring = new EventRing(1_000)
        const seen: string[] = []
        let last = 0
        let said = 0
        for (const count of counts) {
          for (let at = 0; at < count; at++) ring.add({ level: 'info', message: `event ${said++}` }, 5, said % 2 === 0)
          for (const { id, message } of ring.after(last)) {
            seen.push(message)
            last = id
          }
        }
        expect(seen).toEqual(Array.from({ length: said }, (_, at) => `event ${at}`))
      }),
    ))

  it('shows all to who comes with an id of another life of the master', () => {
    const ring = new EventRing(60_000)
    ring.add({ level: 'info', message: 'one' }, 60_000)
    expect(ring.after(59).map(({ id }) => id)).toEqual([60])
    expect(ring.after(1_000_000).map(({ id }) => id)).toEqual([60])
  })

  it('keeps no text that is too long, or that steers a terminal', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3 * limits.clusterEventCharsMax }), (message) => {
        const ring = new EventRing(0)
        ring.add({ level: 'error', node: 'w1', message }, 1)
        const said = ring.after(0)[0]?.message ?? ''
        expect(said.length).toBeLessThanOrEqual(limits.clusterEventCharsMax + 1)
        expect(said).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      }),
    ))
})
