/** Who may be replaced by an agent that enrols: held to what the real wazuh-authd 4.14.7 decided and said, and to the retry's own rule. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { agentStatuses } from '../../../src/domain/agents/agent.js'
import {
  defaultEnrolmentRules,
  type ForceRules,
  isSameRegistration,
  keyHashOf,
  type Registration,
  replacementOf,
  signatureOf,
} from '../../../src/domain/agents/replacement.js'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const nowMs = 1_800_000_000_000

/** As it was recorded. */
const entry = {
  id: 4,
  name: 'f02',
  ip: 'any',
  key: '7342be7234f1b64673f1b58811821d3255298379530b5963fbb7490c027a2114',
}
const entryHash = '97388b396960afd5b9a38439420d9faa6c60b424'
const otherHash = 'd'.repeat(40)
const { force } = defaultEnrolmentRules
const disabled: ForceRules = { ...force, enabled: false }
const noTimes: ForceRules = { ...force, disconnectedMs: undefined, afterRegistrationMs: 0 }
const noTimesNoHash: ForceRules = { ...noTimes, keyMismatch: false }

const agoOf = (status: Registration['status'], registeredAgoMs: number, disconnectedAgoMs?: number): Registration => ({
  id: 4,
  status,
  registeredMs: nowMs - registeredAgoMs,
  disconnectedMs: disconnectedAgoMs === undefined ? 0 : nowMs - disconnectedAgoMs,
  signature: '',
})

describe('who has the name of an agent that enrols', () => {
  it.each<[string, ForceRules, Registration, string | undefined, string | undefined]>([
    ['at once, force disabled', disabled, agoOf('never_connected', 0), undefined, "won't be removed because the force option is disabled."],
    ['at once, no times', noTimes, agoOf('never_connected', 0), undefined, undefined],
    ['the right hash, no times', noTimes, agoOf('never_connected', 0), entryHash, 'key already exists on the manager.'],
    ['the right hash, no key_mismatch', noTimesNoHash, agoOf('never_connected', 0), entryHash, undefined],
    ['a wrong hash, no times', noTimes, agoOf('never_connected', 0), otherHash, undefined],
    ['active, no times', noTimes, agoOf('active', 0), undefined, undefined],
    ['just now', force, agoOf('never_connected', 0), undefined, "doesn't comply with the registration time to be removed."],
    ['just now, right hash', force, agoOf('never_connected', 0), entryHash, "doesn't comply with the registration time to be removed."],
    ['2 h ago, right hash', force, agoOf('never_connected', 2 * hourMs), entryHash, 'key already exists on the manager.'],
    ['2 h ago, wrong hash', force, agoOf('never_connected', 2 * hourMs), otherHash, undefined],
    ['active', force, agoOf('active', 2 * hourMs), undefined, "can't be replaced since it is not disconnected."],
    ['pending', force, agoOf('pending', 2 * hourMs), undefined, "can't be replaced since it is not disconnected."],
    [
      'disconnected 10 min ago',
      force,
      agoOf('disconnected', 2 * hourMs, 10 * minuteMs),
      undefined,
      'has not been disconnected long enough to be replaced.',
    ],
    [
      'registered 10 min ago',
      force,
      agoOf('disconnected', 10 * minuteMs, 2 * hourMs),
      undefined,
      "doesn't comply with the registration time to be removed.",
    ],
    ['disconnected 2 h ago, registered 3 h ago', force, agoOf('disconnected', 3 * hourMs, 2 * hourMs), undefined, undefined],
  ])('is replaced or kept as the real authd does: %s', (_, rules, holder, keyHash, says) => {
    const replacement = replacementOf(holder, entry, keyHash, rules, nowMs)
    expect(replacement).toEqual(says === undefined ? { kind: 'replaced' } : { kind: 'kept', says: `Agent '004' ${says}` })
  })

  it('shows its key by the hash that real agents send', () => expect(keyHashOf(entry)).toBe(entryHash))
})

const texts = fc.constantFrom('web', 'db', '10.0.0.1', '10.0.0.2', 'a"b')
const requests = fc.record({ name: texts, source: texts, ip: texts, keyHash: texts }, { requiredKeys: ['name', 'source', 'ip'] })

describe('an agent that enrols again', () => {
  it('is the same one within a minute, when it never connected and asks for the same, and else is not', () =>
    fc.assert(
      fc.property(
        requests,
        requests,
        fc.integer({ min: -2 * minuteMs, max: 2 * minuteMs }),
        fc.constantFrom(...agentStatuses),
        (first, second, ageMs, status) => {
          const holder: Registration = { id: 1, status, disconnectedMs: 0, registeredMs: nowMs - ageMs, signature: signatureOf(first) }
          const registered = { id: 1, name: first.name, ip: first.ip, key: 'k' }
          const asksForTheSame = JSON.stringify(Object.entries(first).sort()) === JSON.stringify(Object.entries(second).sort())
          const isSoon = Math.abs(ageMs) <= limits.enrolmentRetryMsMax
          expect(isSameRegistration(holder, registered, second, nowMs)).toBe(asksForTheSame && isSoon && status === 'never_connected')
        },
      ),
    ))
})
