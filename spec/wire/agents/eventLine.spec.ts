import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GrowingBytes } from '../../../src/base/growingBytes.js'
import { limits } from '../../../src/base/limits.js'
import { type EventAgent, EventLines, eventLineBytesMax } from '../../../src/wire/agents/eventLine.js'
import { type EventRecord, eventTimeMs, readEventLine } from '../../../src/wire/agents/eventRecord.js'

const node = { managerName: 'manager', cluster: 'muster', node: 'node-1', hidden: false }
const web: EventAgent = { id: 7, name: 'web', ip: 'any' }

const lineOf = (message: Uint8Array, agent = web, nowMs = 0, of = node): Buffer => {
  const into = new GrowingBytes(16)
  new EventLines(of).append(into, agent, message, nowMs)
  return into.bytes.subarray(0, into.length)
}

const recordOf = (...given: Parameters<typeof lineOf>): EventRecord => {
  const record = readEventLine(lineOf(...given))
  if (!record.ok) throw new Error(record.error.message)
  return record.value
}

/** As WHATWG says it, each part that is not UTF-8 replaced. */
const decoded = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => new Uint8Array(Buffer.from(text))),
  fc.constantFrom('"', '\\', '\0', '\n', '\x7f', '|', ':', '->', '\u2028').map((text) => new Uint8Array(Buffer.from(text))),
  // What only begins like a character, is too long for its value, a surrogate, or above the last one.
  fc
    .constantFrom('c3', 'e4b8', 'f09f99', 'c080', 'e08080', 'eda080', 'f4908080', 'f5', 'ff', '80', 'f09f', 'efbfbd', 'f48fbfbf')
    .map((hex) => new Uint8Array(Buffer.from(hex, 'hex'))),
)
const bytes = fc.array(piece, { maxLength: 12 }).map((pieces) => new Uint8Array(Buffer.concat(pieces)))
const escaped = (location: Uint8Array): Uint8Array => {
  const text = Buffer.from(location).toString('latin1')
  return new Uint8Array(Buffer.from(text.replaceAll(/[:|]/g, '|$&'), 'latin1'))
}

describe('the line of an event', () => {
  it('says of any message what was sent, whatever its bytes are', () =>
    fc.assert(
      fc.property(fc.constantFrom(...'189dpu:\0"\\'), bytes, bytes, (queue, location, log) => {
        const message = Buffer.concat([Buffer.from(`${queue}:`), escaped(location), Buffer.from(':'), log])
        expect(recordOf(message)).toMatchObject({ queue, location: decoded(location), full_log: decoded(log) })
      }),
      { numRuns: 1_000 },
    ))

  it('is one line, and valid JSON in UTF-8, for any bytes at all', () =>
    fc.assert(
      fc.property(bytes, (message) => {
        const line = lineOf(message)
        expect(line.indexOf(0x0a)).toBe(line.length - 1)
        const record = recordOf(message)
        const [queue, location] = [record.queue, record.location].map((field) => (field === undefined ? 0 : 1))
        if (queue === 0) expect(record.full_log).toBe(decoded(message))
        else if (location === 0) expect(record.full_log).toBe(decoded(message.subarray(2)))
      }),
      { numRuns: 1_000 },
    ))

  it('escapes each byte, at each place of a run, as JSON.stringify does it', () => {
    for (let byte = 0; byte < 128; byte++)
      for (const before of ['', 'a', 'a'.repeat(100)]) {
        const log = `${before}${String.fromCharCode(byte)}z`
        expect(lineOf(Buffer.from(`1:x:${log}`)).toString()).toContain(`"full_log":${JSON.stringify(log)}}`)
      }
  })

  it('has the fields of Wazuh’s archives, in their form', () => {
    const agent = { id: 3, name: 'web', ip: '10.0.0.3' }
    expect(lineOf(Buffer.from('1:/var/log/x:hello'), agent, Date.UTC(2026, 10, 26, 13, 15, 22, 123)).toString()).toBe(
      '{"timestamp":"2026-11-26T13:15:22.123+0000","agent":{"id":"003","name":"web","ip":"10.0.0.3"},"manager":{"name":"manager"},' +
        '"cluster":{"name":"muster","node":"node-1"},"queue":"1","location":"/var/log/x","full_log":"hello"}\n',
    )
  })

  it('leaves out the cluster when it is hidden, and the address that is any', () => {
    const record = recordOf(Buffer.from('1:x:y'), web, 0, { ...node, hidden: true })
    expect(record.cluster).toBeUndefined()
    expect(record.agent).toEqual({ id: '007', name: 'web' })
  })

  it('says the address that the agent reported before the one it is registered with', () =>
    expect(recordOf(Buffer.from('1:x:y'), { ...web, ip: '10.0.0.0/8', reportedIp: '10.1.1.1' }).agent.ip).toBe('10.1.1.1'))

  it('reads a location with a drive as analysisd does, and keeps an arrow of the agent’s own', () => {
    expect(recordOf(Buffer.from('1:C|:\\x||y.log:a:b'))).toMatchObject({ location: 'C:\\x|y.log', full_log: 'a:b' })
    expect(recordOf(Buffer.from('1:(web2) any->/x:a')).location).toBe('(web2) any->/x')
  })

  it('keeps what is no event whole, without the fields that it lacks', () => {
    expect(recordOf(Buffer.from('plain text'))).toMatchObject({ full_log: 'plain text' })
    expect(recordOf(Buffer.from('plain text'))).not.toHaveProperty('queue')
    expect(recordOf(Buffer.from('1:no colon'))).toMatchObject({ queue: '1', full_log: 'no colon' })
    expect(recordOf(Buffer.from('1:no colon'))).not.toHaveProperty('location')
    expect(recordOf(new Uint8Array())).toMatchObject({ full_log: '' })
  })

  it('says any time to the millisecond', () =>
    fc.assert(
      fc.property(fc.array(fc.nat(253_402_300_799_999), { minLength: 1, maxLength: 5 }), (times) => {
        const into = new GrowingBytes(16)
        const lines = new EventLines(node)
        for (const timeMs of times.flatMap((time) => [time, time + 0.5, Math.max(0, time - 1)])) {
          into.length = 0
          lines.append(into, web, Buffer.from('1:x:y'), timeMs)
          const record = readEventLine(into.bytes.subarray(0, into.length))
          expect(record.ok && eventTimeMs(record.value)).toBe(Math.floor(timeMs))
        }
      }),
    ))

  it('never needs more than its bound, names of agents with anything in them included', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 128 }), fc.constantFrom(0, 0xff, 0x22, 0x41), (name, byte) => {
        const line = lineOf(Buffer.alloc(limits.eventBytesMax, byte), { id: 1, name, ip: name })
        expect(line.length).toBeLessThanOrEqual(limits.eventLineBytesMax)
        expect(line.length).toBeLessThanOrEqual(eventLineBytesMax(limits.eventBytesMax, 4_096))
        const record = readEventLine(line)
        expect(record.ok && record.value.agent.name).toBe(Buffer.from(name).toString())
      }),
      { numRuns: 20 },
    ))
})

describe('what reads lines', () => {
  it('refuses any other bytes, and fails at none', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => new Uint8Array(Buffer.from(text))),
        ),
        (line) => {
          expect(readEventLine(line).ok).toBe(false)
        },
      ),
    )
    const whole = lineOf(Buffer.from('1:x:y'))
    for (let length = 0; length < whole.length - 1; length++) expect(readEventLine(whole.subarray(0, length)).ok).toBe(false)
  })
})
