import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorTable, isErrorCode } from '../../../src/base/errors.js'
import { isAgentIp } from '../../../src/domain/agents/keyLine.js'
import { judgedRequest, type RequestRules } from '../../../src/domain/enrolment/judgedRequest.js'
import { saysOnMaster, saysOnWorker } from '../../../src/domain/enrolment/masterRefusals.js'
import { requestedGroups } from '../../../src/domain/enrolment/requestedGroups.js'
import { requestedIp, sourceIp } from '../../../src/domain/enrolment/requestedIp.js'

const rules: RequestRules = { isMaster: true, usesSourceIp: false, wazuhVersion: '4.14.7', allowHigherVersions: false, managerName: 'vm' }

const textBytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 60 })

describe('what a node decides of a request', () => {
  it('keeps from the master what client.keys or a path could not contain', () =>
    fc.assert(
      fc.property(textBytes, textBytes, textBytes, (name, groups, ip) => {
        const judged = judgedRequest({ name, groups, ip }, rules, '10.0.0.1')
        if (!judged.ok) {
          // A space that does not break is a space.
          expect(judged.refusal.logs).toMatch(/^[\x20-\x7e\u00a0-\uffff]*$/)
          return
        }
        expect(judged.request.name).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9_.-]+$/)
        expect(isAgentIp(judged.request.ip)).toBe(true)
        for (const group of judged.request.groups) expect(group).toMatch(/^[A-Za-z0-9._-]+$/)
      }),
      { numRuns: 1_000, examples: [['\u00c2\u00a0', '', '']] },
    ))

  it.each([
    [{ usesSourceIp: false }, undefined, 'any'],
    [{ usesSourceIp: true }, undefined, '10.0.0.1'],
    [{ usesSourceIp: true }, 'any', 'any'],
    [{ usesSourceIp: false }, 'src', '10.0.0.1'],
    [{ usesSourceIp: false }, 'sr', undefined],
    [{ usesSourceIp: true }, '10.9.0.0/24', '10.9.0.0/24'],
  ])('registers the address by %j and IP %j', (given, ip, registered) => {
    const judged = judgedRequest({ name: 'agent1', ...(ip !== undefined && { ip }) }, { ...rules, ...given }, '10.0.0.1')
    expect(judged.ok ? judged.request.ip : undefined).toBe(registered)
  })

  it('refuses the name of its manager only where agents ask the master', () => {
    expect(judgedRequest({ name: 'vm' }, rules, '10.0.0.1').ok).toBe(false)
    expect(judgedRequest({ name: 'vm' }, { ...rules, isMaster: false }, '10.0.0.1').ok).toBe(true)
  })

  it('takes 128 groups, each once, and no more', () => {
    const names = (count: number): string => Array.from({ length: count }, (_, at) => `g${at}`).join(',')
    expect(requestedGroups(names(128))).toMatchObject({ ok: true, groups: { length: 128 } })
    expect(requestedGroups(names(129))).toEqual({ ok: false, says: 'Maximum multigroup reached: Limit is 128' })
    expect(requestedGroups('web,db,web')).toEqual({ ok: true, groups: ['web', 'db'] })
    expect(requestedGroups('a,,b')).toMatchObject({ says: "Invalid group name: a,,b... consecutive ',' are not allowed" })
    expect(requestedGroups(`a,${'g'.repeat(256)}`)).toMatchObject({
      says: expect.stringMatching(/^Invalid group name: g{255}\.\.\. group is too large$/),
    })
  })

  it('writes addresses as Wazuh does, and the same twice', () =>
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 32 }), (address, bits) => {
        const written = requestedIp(`${address}/${bits}`)
        expect(written).toMatch(/^([0-9.]+|([0-9A-F]{4}:){7}[0-9A-F]{4})\/[0-9]+$/)
        expect(requestedIp(written ?? '')).toBe(written)
        expect(requestedIp(sourceIp(address))).toBe(sourceIp(address))
      }),
    ))

  it('takes an IPv4 address inside an IPv6 one for what it is', () => {
    expect(sourceIp('::ffff:10.1.2.3')).toBe('10.1.2.3')
    expect(sourceIp('fe80::1%eth0')).toBe('FE80:0000:0000:0000:0000:0000:0000:0001')
    expect(sourceIp('unknown')).toBe('unknown')
  })

  it('has a sentence for every error of the master', () => {
    const request = { name: 'agent1', ip: '10.0.0.1', groups: ['web'] }
    for (const code of Object.keys(errorTable)) {
      if (!isErrorCode(code)) continue
      expect(saysOnMaster(request, { code })).toMatch(/^[A-Z]/)
      expect(saysOnWorker({ code })).toMatch(/^[A-Z]/)
      if (errorTable[code].retryable) expect(saysOnWorker({ code })).toBe('Cannot comunicate with master')
    }
  })
})
