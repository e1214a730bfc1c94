import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExpiryNotices } from '../../../src/domain/cluster/certificateExpiry.js'
import { fingerprintOf, isCertifiedAs, problemText, type ShownCertificate } from '../../../src/domain/cluster/nodeCertificate.js'

const fingerprint = 'ab'.repeat(32)
const certificate = (commonNames: readonly string[], dnsNames: readonly string[] = []): ShownCertificate => ({
  ...{ commonNames, dnsNames, fingerprint },
  ...{ startsMs: 0, endsMs: 1_000 },
})
const isAs = (shown: ShownCertificate, node: string, allowed?: readonly string[]): boolean => isCertifiedAs(shown, node, allowed).ok
const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/)
const names = fc.array(name, { maxLength: 4 })

describe('a certificate', () => {
  it('is for the node that a DNS name of it says, and for that of the common name only without any', () =>
    fc.assert(
      fc.property(names, names, name, (commonNames, dnsNames, node) => {
        const shown = certificate(commonNames, dnsNames)
        expect(isAs(shown, node)).toBe((dnsNames.length > 0 ? dnsNames : commonNames).includes(node))
        for (const own of dnsNames) expect(isAs(shown, own)).toBe(true)
      }),
    ))

  it('is for no node whose name is only like its own', () => {
    for (const [own, node] of [
      ['worker-1', 'Worker-1'],
      ['worker-1', 'worker-1.'],
      ['*', 'worker-1'],
      ['*.example', 'a.example'],
      ['worker-1\0', 'worker-1'],
      ['', 'worker-1'],
    ] as const) {
      expect(isAs(certificate([own]), node)).toBe(false)
      expect(isAs(certificate(['other'], [own]), node)).toBe(false)
    }
  })

  it('is let in by a list only that has its name or its fingerprint, and for its own name only', () =>
    fc.assert(
      fc.property(names, fc.boolean(), (others, isFingerprint) => {
        const shown = certificate(['worker-1'])
        const unlike = others.filter((other) => other !== 'worker-1')
        expect(isAs(shown, 'worker-1', [...unlike, 'cd'.repeat(32)])).toBe(false)
        expect(isAs(shown, 'worker-1', [...unlike, isFingerprint ? fingerprint : 'worker-1'])).toBe(true)
        // A list never widens what a certificate is for.
        expect(isAs(shown, 'worker-2', ['worker-2', fingerprint])).toBe(false)
      }),
    ))

  it('is found by its fingerprint with or without colons, in either case', () => {
    const written = fingerprint.toUpperCase().match(/../g)?.join(':') ?? ''
    for (const text of [fingerprint, fingerprint.toUpperCase(), written]) expect(fingerprintOf(text)).toBe(fingerprint)
    for (const text of ['worker-1', fingerprint.slice(1), `${written}:00`, `${fingerprint}:`]) expect(fingerprintOf(text)).toBeUndefined()
  })

  it('with hostile names stays one short line in every sentence', () => {
    const hostile = certificate(['a\nERROR: fake', '\u001b[2J', '\u202eabc', 'x'.repeat(255)])
    const refused = isCertifiedAs(hostile, 'worker-1', undefined)
    expect(refused.ok ? '' : refused.error.message).toMatch(/^[\x20-\x7e]{1,500}$/)
  })

  it('whose dates cannot be read or said is no crash', () => {
    for (const endsMs of [Number.NaN, 9e15, -9e15]) expect(problemText('expired', { ...certificate(['a']), endsMs }, 0)).toMatch(/expired/)
  })
})

const dayMs = 86_400_000

describe('notices of an end', () => {
  it('come once at each of 30, 7 and 1 days and at the end, however often it is checked', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 * dayMs }), { minLength: 1, maxLength: 40 }), (pauses) => {
        const notices = new ExpiryNotices()
        const endsMs = 100 * dayMs
        let nowMs = 0
        const stages = new Set<number>()
        let said = 0
        for (const pause of [0, ...pauses]) {
          nowMs += pause
          said += notices.due([{ what: 'It', endsMs }], nowMs).length
          const stage = [0, 1, 7, 30].find((days) => endsMs - nowMs <= days * dayMs)
          if (stage !== undefined) stages.add(stage)
        }
        expect(said).toBe(stages.size)
      }),
    ))

  it('remember no more than a bound, however many certificates come and go', () => {
    const notices = new ExpiryNotices()
    let said = 0
    for (let at = 0; at < 5_000; at++) said += notices.due([{ what: `w${at}`, endsMs: dayMs }], 0).length
    expect(said).toBe(5_000)
    // Forgotten long ago.
    expect(notices.due([{ what: 'w0', endsMs: dayMs }], 0)).toHaveLength(1)
  })

  it('begin again with a renewed certificate, and name the time', () => {
    const notices = new ExpiryNotices()
    const due = (endsMs: number) => notices.due([{ what: 'The certificate of w1', endsMs }], 0).map(({ sentence }) => sentence)
    expect(due(6.5 * dayMs)).toEqual(['The certificate of w1 ends in 6 days, on 1970-01-07 12:00 UTC: renew it before.'])
    expect(due(6.5 * dayMs)).toEqual([])
    expect(due(40 * dayMs)).toEqual([])
    // The one before came back, as a peer does that reconnects.
    expect(due(6.5 * dayMs)).toEqual([])
    expect(due(dayMs / 2)).toEqual(['The certificate of w1 ends within a day, on 1970-01-01 12:00 UTC: renew it before.'])
    expect(due(0)).toEqual(['The certificate of w1 has ended on 1970-01-01 00:00 UTC: renew it.'])
  })
})
