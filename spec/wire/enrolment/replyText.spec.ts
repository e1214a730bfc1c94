import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorReply, keyReply, readReply } from '../../../src/wire/enrolment/replyText.js'
import { agentRecordings, textOf } from '../../support/agents/enrolmentRecordings.js'

const keyEntries = fc.record({
  id: fc.integer({ min: 1, max: 99_999_999 }),
  name: fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{1,127}$/),
  ip: fc.oneof(fc.constant('any'), fc.ipV4(), fc.ipV6()),
  key: fc.stringMatching(/^[0-9a-f]{64}$/),
})

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** What a server of the test sent, one TLS record each; Node sends at most 16 KiB in one. */
const records = agentRecordings.filter(({ sent }) => sent !== undefined && sent.length > 0)

describe('the answer to an agent that enrols', () => {
  it('brings the agent exactly what it was written from', () =>
    fc.assert(
      fc.property(keyEntries, (entry) => {
        const reply = readReply(keyReply(entry))
        expect(reply).toMatchObject({ kind: 'key', identity: { name: entry.name, ip: entry.ip, key: entry.key } })
      }),
    ))

  it('brings an error within its bound, whatever it quotes', () =>
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 5_000 }), (says) => {
        const reply = errorReply(says)
        expect(reply.length).toBeLessThanOrEqual(2_070)
        expect(readReply(reply).kind).toBe('refused')
      }),
    ))

  it('is judged without an exception, whatever it is', () =>
    fc.assert(fc.property(fc.uint8Array(), (record) => readReply(record).kind.length > 0)))

  it.each(records)('is judged as agent-auth does: $case', ({ client_keys, client_keys_before, exit, sent = [], stderr = '' }) => {
    const printed: string[] = []
    let keys = client_keys_before ?? null
    for (const part of sent) {
      if (part.wait_ms !== undefined) continue
      const reply = readReply(bytes(textOf(part).slice(0, 16_384)))
      if (reply.kind === 'refused') printed.push(`agent-auth: ERROR: ${reply.says}`)
      if (reply.kind === 'invalid') printed.push(`agent-auth: ERROR: ${reply.reason}`)
      if (reply.kind === 'key') {
        const { id, ip, key, name } = reply.identity
        keys = `${id} ${name} ${ip} ${key}\n`
        printed.push('agent-auth: INFO: Valid key received')
      }
      if (reply.kind === 'invalid' || reply.kind === 'key') break
    }
    expect(keys).toBe(client_keys)
    if (exit !== null) expect(printed.at(-1) === 'agent-auth: INFO: Valid key received').toBe(exit === 0)
    for (const line of printed) expect(stderr).toContain(line.slice(0, 1_000))
    expect(stderr.split('(from manager)').length - 1).toBe(printed.filter((line) => stderr.includes(`${line} (from manager)`)).length)
  })
})
