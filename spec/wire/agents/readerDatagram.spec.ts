import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GrowingBytes } from '../../../src/base/growingBytes.js'
import type { EventAgent } from '../../../src/wire/agents/eventLine.js'
import { datagramBytesMax, ReaderDatagrams } from '../../../src/wire/agents/readerDatagram.js'

interface Recorded {
  readonly case: string
  readonly agent: EventAgent
  readonly event_base64: string | null
  readonly datagram_base64: string
  readonly fill?: { readonly byte: number; readonly count: number }
}

const [, ...lines] = readFileSync(new URL('../../vectors/wazuh/remoted-datagrams.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const recorded = lines.map((line) => JSON.parse(line) as Recorded)

const datagramOf = (agent: EventAgent, message: Uint8Array): Buffer | undefined => {
  const into = new GrowingBytes(16)
  return new ReaderDatagrams().append(into, agent, message) ? into.bytes.subarray(0, into.length) : undefined
}

describe('the datagram of an event', () => {
  it.each(recorded.filter(({ event_base64 }) => event_base64 !== null).map((row, index) => [index, row.case, row] as const))(
    '%i is what the real remoted wrote in %s',
    (_, __, { agent, datagram_base64, event_base64, fill }) => {
      const filled = Buffer.alloc(fill?.count ?? 0, fill?.byte)
      const whole = Buffer.from(datagram_base64, 'base64')
      const expected = Buffer.concat([whole.subarray(0, -1), filled, whole.subarray(-1)])
      const event = Buffer.concat([Buffer.from(event_base64 ?? '', 'base64'), filled])
      expect(datagramOf(agent, event)?.equals(expected)).toBe(true)
    },
  )

  it('ends with its only NUL, and is never longer than a reader can take', () =>
    fc.assert(
      fc.property(
        fc.record({ id: fc.nat(), name: fc.stringMatching(/^[\w.-]{2,128}$/), ip: fc.constantFrom('any', '10.0.0.1', 'fe80::1/64') }),
        fc.oneof(
          fc.uint8Array(),
          fc.nat(65_536).map((length) => new Uint8Array(length).fill(0x61)),
        ),
        (agent, body) => {
          const datagram = datagramOf(agent, Buffer.concat([Buffer.from('1:'), body]))
          expect(datagram?.indexOf(0)).toBe((datagram?.length ?? 0) - 1)
          expect(datagram?.length).toBeLessThanOrEqual(datagramBytesMax)
        },
      ),
    ))

  it('escapes the colons of an address, so that the location is found', () =>
    expect(datagramOf({ id: 12, name: 'six', ip: 'fe80::1' }, Buffer.from('1:C|:\\x:y'))?.toString()).toBe(
      '1:[012] (six) fe80|:|:1->C|:\\x:y\0',
    ))

  it('is not made of what is no event, nor of the keep-alives that OSSEC sends as events', () => {
    const web = { id: 1, name: 'web', ip: 'any' }
    for (const text of ['', '1', 'plain text', '\0:x:y', '1:keepalive:--MARK--']) expect(datagramOf(web, Buffer.from(text))).toBeUndefined()
  })
})
