/** Control messages say what real agents and the real remoted mean by them, and ours are theirs to the byte. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agentControl, isControl, managerControl, parseAgentControl, parseManagerControl } from '../../../src/wire/agents/controlMessage.js'
import { readRecording } from '../../support/agents/agentRecordings.js'

const recorded = ['agent-wire', 'manager-wire'].flatMap((name) =>
  readRecording(name).lines.flatMap(({ from, key, plaintext }) =>
    key !== undefined && plaintext?.startsWith('#!-') ? [{ from, plaintext }] : [],
  ),
)

const saidByAgents = recorded.filter(({ from }) => from === 'agent')
const saidByManagers = recorded.filter(({ from }) => from === 'manager')

describe('control messages of agents', () => {
  it('print to the same bytes as those that were recorded', () => {
    const kinds = new Set<string>()
    for (const { plaintext } of saidByAgents) {
      const parsed = parseAgentControl(Buffer.from(plaintext))
      kinds.add(parsed.kind)
      if (parsed.kind === 'ignored' || (parsed.kind === 'startup' && !/^#!-agent startup (\{"version":"[^"]*"\})?$/.test(plaintext)))
        continue
      const printed = {
        startup: () => agentControl.startup(parsed.kind === 'startup' ? parsed.version : undefined),
        shutdown: agentControl.shutdown,
        keepAlive: () => agentControl.keepAlive(parsed.kind === 'keepAlive' ? parsed.text : ''),
        answer: () => (parsed.kind === 'answer' ? agentControl.answer(parsed.counter, parsed.answer) : Buffer.alloc(0)),
        requestAck: () => agentControl.requestAck(parsed.kind === 'requestAck' ? parsed.counter : ''),
      }[parsed.kind]()
      const noise = parsed.kind === 'keepAlive' ? plaintext.lastIndexOf('\n') + 1 : plaintext.length
      expect(printed.toString()).toBe(plaintext.slice(0, noise))
    }
    expect(kinds).toEqual(new Set(['startup', 'shutdown', 'keepAlive', 'answer', 'requestAck', 'ignored']))
  })

  it.each([
    ['#!-agent startup {"version":"v4.14.7"}', { kind: 'startup', version: 'v4.14.7', lacksVersion: false }],
    ['#!-agent startup ', { kind: 'startup', lacksVersion: false }],
    ['#!-agent startup nonsense', { kind: 'startup', lacksVersion: false }],
    ['#!-agent startup {}', { kind: 'startup', lacksVersion: true }],
    ['#!-agent startup {"version":4}', { kind: 'startup', lacksVersion: true }],
    ['#!-agent startup', { kind: 'ignored' }],
    ['#!-agent shutdown ', { kind: 'shutdown' }],
    ['#!-agent shutdown', { kind: 'ignored' }],
    ['#!-nonsense', { kind: 'ignored' }],
    ['#!-', { kind: 'ignored' }],
    ['#!-x\nx merged.mg\nnoise', { kind: 'keepAlive', text: 'x\nx merged.mg\n' }],
    ['#!-{"agent":{}}', { kind: 'keepAlive', text: '{"agent":{}}' }],
    ['#!-req 5 ok {}', { kind: 'answer', counter: '5', answer: 'ok {}' }],
    ['#!-req 5 ack', { kind: 'requestAck', counter: '5' }],
    ['#!-agent shutdown \0more', { kind: 'shutdown' }],
  ])('mean what remoted takes them for: %j', (text, parsed) => expect(parseAgentControl(Buffer.from(text))).toEqual(parsed))
})

describe('control messages of a manager', () => {
  it('print to the same bytes as those that were recorded', () => {
    const kinds = new Set<string>()
    for (const { plaintext } of saidByManagers) {
      const parsed = parseManagerControl(Buffer.from(plaintext))
      kinds.add(parsed.kind)
      if (parsed.kind === 'ignored' || (parsed.kind === 'error' && parsed.message === '')) continue
      const printed = {
        ack: managerControl.ack,
        error: () => managerControl.error(parsed.kind === 'error' ? parsed.message : ''),
        request: () =>
          parsed.kind === 'request' ? managerControl.request(Number.parseInt(parsed.counter, 16), parsed.request) : Buffer.alloc(0),
        answerAck: () => managerControl.answerAck(parsed.kind === 'answerAck' ? parsed.counter : ''),
        reconnect: managerControl.reconnect,
        pushStart: () => (parsed.kind === 'pushStart' ? managerControl.pushStart(parsed.sum, parsed.name) : Buffer.alloc(0)),
        pushEnd: managerControl.pushEnd,
      }[parsed.kind]()
      // Made wrong on purpose: without the newline, or with more than one name.
      if (parsed.kind === 'pushStart' && !/^#!-up file \S+ \S+\n$/.test(plaintext)) continue
      expect(printed.toString()).toBe(plaintext)
    }
    expect(kinds).toEqual(new Set(['ack', 'error', 'request', 'answerAck', 'reconnect', 'pushStart', 'pushEnd', 'ignored']))
  })

  it('acknowledge with the trailing space only', () => {
    expect(managerControl.ack().toString()).toBe('#!-agent ack ')
    expect(parseManagerControl(Buffer.from('#!-agent ack'))).toEqual({ kind: 'ignored' })
  })
})

describe('control messages', () => {
  it('of any bytes are read without an error', () =>
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string({ maxLength: 200 }).map(Buffer.from)),
        fc.constantFrom('', 'req ', 'agent startup ', 'up file '),
        (bytes, start) => {
          const text = Buffer.concat([Buffer.from(`#!-${start}`), bytes])
          expect(isControl(text)).toBe(true)
          parseAgentControl(text)
          parseManagerControl(text)
        },
      ),
    ))
})
