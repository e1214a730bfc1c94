/** What the account says of events, held to a model that knows what became of each. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountOf, ReceivedEvents, type SentRange } from '../../../src/domain/fleet/eventAccount.js'
import { eventLog, eventMessage, parseEventLog } from '../../../src/domain/fleet/eventText.js'

const connections = fc.array(
  fc.record({
    end: fc.constantFrom('agreed', 'broken', 'datagrams'),
    /** Of each event of the connection: how many copies of it are in a segment. */
    copies: fc.array(fc.nat(2), { maxLength: 12 }),
  }),
  { maxLength: 8 },
)

describe('the account of events', () => {
  it('calls lost what is missing before the last received, and in an agreed end all that is missing', () =>
    fc.assert(
      fc.property(connections, fc.integer({ min: 1, max: 3 }), (made, agents) => {
        const next = new Map<number, number>()
        const received = new ReceivedEvents()
        const wanted = { sent: 0, received: 0, duplicated: 0, lost: 0, inFlight: 0, datagramsMissing: 0, strange: 0 }
        const ranges = made.map(({ copies, end }, index): SentRange => {
          const agent = 1 + (index % agents)
          const from = next.get(agent) ?? 1
          const to = from + copies.length
          next.set(agent, to)
          copies.forEach((count, at) => {
            for (let copy = 0; copy < count; copy++) received.add(agent, from + at)
            wanted.sent += 1
            if (count > 0) {
              wanted.received += 1
              wanted.duplicated += count - 1
            } else if (end === 'datagrams') wanted.datagramsMissing += 1
            else if (end === 'broken' && copies.slice(at).every((later) => later === 0)) wanted.inFlight += 1
            else wanted.lost += 1
          })
          return { agent, from, to, end }
        })
        const { lostRanges, ...account } = accountOf(ranges, received)
        expect(account).toEqual(wanted)
        expect(lostRanges.length > 0).toBe(wanted.lost > 0)
      }),
    ))

  it('counts what nobody sent apart', () => {
    const received = new ReceivedEvents()
    received.add(1, 1)
    received.add(1, 9)
    expect(accountOf([{ agent: 1, from: 1, to: 2, end: 'agreed' }], received)).toMatchObject({ received: 2, strange: 1, lost: 0 })
  })
})

describe('the text of an event', () => {
  const events = fc.record({
    agent: fc.integer({ min: 1, max: 2 ** 31 }),
    sequence: fc.integer({ min: 1, max: 2 ** 31 }),
    sentMs: fc.integer({ min: 0, max: 2 ** 42 }),
  })

  it('is read back whatever its size, which it has exactly when its numbers have room', () =>
    fc.assert(
      fc.property(events, fc.integer({ min: 0, max: 65_000 }), (event, bytes) => {
        const log = eventLog('r1', event, bytes)
        expect(parseEventLog('r1', log)).toEqual(event)
        if (bytes >= 60) expect(log.length).toBe(bytes)
        expect(eventMessage('r1', event, bytes)).toBe(`1:muster-agents:${log}`)
      }),
    ))

  it('of another run, or of any other program, is not an event of this one', () =>
    fc.assert(
      fc.property(events, fc.string(), (event, text) => {
        expect(parseEventLog('r1', eventLog('r2', event, 100))).toBeUndefined()
        expect(parseEventLog('r1', text)).toBeUndefined()
      }),
    ))
})
