/** Headers of strangers, and what is counted of them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { AddressCounts, LoginFailures } from '../../../src/domain/api/addressCounts.js'
import { parseAuthorization, parseCookie } from '../../../src/domain/api/authorization.js'
import { isFromOwnPage } from '../../../src/domain/api/csrfRule.js'
import { hostAllowList, parseHost } from '../../../src/domain/api/hostAllowList.js'
import { isLoopbackAddress } from '../../../src/domain/api/loopback.js'
import { Sessions } from '../../../src/domain/api/sessions.js'

describe('the Authorization header', () => {
  it('gives the name and the password that were written, with colons and all characters in the password', () =>
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ unit: 'binary' }), (name, password) => {
        fc.pre(!name.includes(':') && !/\p{Cs}/u.test(`${name}${password}`))
        const header = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
        expect(parseAuthorization(header)).toEqual({ kind: 'basic', user: name, password })
      }),
    ))

  it('of any other shape is unusable, never more', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => `Basic ${text}`),
          fc.string().map((text) => `bearer ${text}`),
        ),
        (header) => {
          expect(['basic', 'bearer', 'unusable']).toContain(parseAuthorization(header)?.kind)
        },
      ),
    ))

  it('is unusable without a name, in another encoding, or with a token of another shape', () => {
    for (const header of [
      '',
      'Basic',
      'Basic  ',
      `Basic ${btoa(':x')}`,
      `Basic ${btoa('no colon')}`,
      'Basic /+8=',
      'Bearer a.b',
      'Digest x',
      'Basic a b',
    ])
      expect([header, parseAuthorization(header)?.kind]).toEqual([header, 'unusable'])
  })
})

describe('a cookie', () => {
  it('is found among others, and not taken when there are two', () => {
    expect(parseCookie('a=1; muster=xyz; b=2', 'muster')).toBe('xyz')
    expect(parseCookie('muster=xyz; muster=abc', 'muster')).toBeUndefined()
    expect(parseCookie('xmuster=xyz', 'muster')).toBeUndefined()
    expect(parseCookie(undefined, 'muster')).toBeUndefined()
  })
})

describe('the Host header', () => {
  const isAllowed = hostAllowList({ hosts: ['node.example', '10.0.0.7', 'FD00::7'], port: 55_000, scheme: 'https' })

  it('may be a name or an address of the service with its port, and nothing else', () => {
    for (const host of [
      'node.example:55000',
      'NODE.example.:55000',
      '10.0.0.7:55000',
      '[fd00:0::7]:55000',
      'localhost:55000',
      '[::1]:55000',
    ])
      expect([host, isAllowed(host)]).toEqual([host, true])
    for (const host of [
      undefined,
      '',
      'node.example',
      'node.example:443',
      'localhost..:55000',
      'node.example..:55000',
      '10.0.0.8:55000',
      'a.node.example:55000',
      'node.example:55000:1',
      'fd00::7:55000',
    ])
      expect([host, isAllowed(host)]).toEqual([host, false])
    expect(hostAllowList({ hosts: [], port: 443, scheme: 'https' })('localhost')).toBe(true)
  })

  it('of any characters is never allowed unless its name is known', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (host) => {
        if (isAllowed(host))
          expect(['node.example', '10.0.0.7', 'fd00::7', 'localhost', '127.0.0.1', '::1']).toContain(parseHost(host)?.name)
      }),
    ))
})

describe('a request of a browser that changes something', () => {
  const request = {
    method: 'POST',
    contentType: 'application/json; charset=utf-8',
    secFetchSite: 'same-origin',
    origin: 'https://node:55000',
    ownOrigin: 'https://node:55000',
  }

  it('is from our own page only with JSON and the same origin', () => {
    expect(isFromOwnPage(request)).toBe(true)
    expect(isFromOwnPage({ ...request, secFetchSite: undefined })).toBe(true)
    for (const change of [
      { contentType: 'text/plain' },
      { contentType: undefined },
      { secFetchSite: 'cross-site' },
      { secFetchSite: 'same-site' },
      { secFetchSite: 'none' },
    ])
      expect([change, isFromOwnPage({ ...request, ...change })]).toEqual([change, false])
    expect(isFromOwnPage({ ...request, secFetchSite: undefined, origin: undefined })).toBe(false)
    expect(isFromOwnPage({ ...request, secFetchSite: undefined, origin: 'null' })).toBe(false)
    expect(isFromOwnPage({ ...request, method: 'GET', contentType: undefined, secFetchSite: 'cross-site' })).toBe(true)
  })
})

describe('counts by address', () => {
  it('are of a window, and of no more addresses than are kept', () => {
    const counts = new AddressCounts(60_000)
    expect([counts.add('10.0.0.1', 0), counts.add('10.0.0.1', 59_999), counts.add('10.0.0.1', 60_000)]).toEqual([1, 2, 1])
    for (let at = 0; at < 2 * limits.apiAddressesMax; at++) counts.add(`10.1.${at >> 8}.${at & 255}`, 60_000)
    expect(counts.size).toBe(limits.apiAddressesMax)
  })

  it('block an address after its failures, and one network of IPv6 as one address', () => {
    const failures = new LoginFailures()
    for (let at = 1; at < limits.apiLoginFailuresMax; at++) expect(failures.failed(`fd00::${at.toString(16)}`, 0)).toBe(false)
    expect(failures.isBlocked('fd00::1', 0)).toBe(false)
    expect(failures.failed('fd00::ffff', 1_000)).toBe(true)
    expect([
      failures.isBlocked('fd00::1', limits.apiLoginBlockedMs + 999),
      failures.isBlocked('fd00::1', limits.apiLoginBlockedMs + 1_000),
    ]).toEqual([true, false])
  })
})

describe('sessions', () => {
  const session = { user: 'alice', fingerprint: 'x' }

  it('end by rest and by age, however much they are used', () => {
    const sessions = new Sessions()
    sessions.begin('rested', session, 0)
    expect(sessions.use('rested', limits.apiSessionIdleMs - 1)).toBeDefined()
    expect(sessions.use('rested', 2 * limits.apiSessionIdleMs - 1)).toBeUndefined()
    sessions.begin('used', session, 0)
    for (let nowMs = 0; nowMs < limits.apiSessionMs; nowMs += 600_000) expect(sessions.use('used', nowMs)).toBeDefined()
    expect(sessions.use('used', limits.apiSessionMs)).toBeUndefined()
    expect(sessions.size).toBe(0)
  })

  it('are no more than are kept, and say when they end', () => {
    const sessions = new Sessions()
    let ended = 0
    sessions.begin('first', session, 0)
    sessions.onEnd('first', () => ended++)
    for (let at = 0; at < limits.apiSessionsMax; at++) sessions.begin(String(at), { ...session, user: 'bob' }, 0)
    expect([sessions.size, ended]).toEqual([limits.apiSessionsMax, 1])
    sessions.endOf('bob')
    expect(sessions.size).toBe(0)
  })
})

describe('a loopback address', () => {
  it('is one that only this machine has', () => {
    for (const address of ['127.0.0.1', '127.8.9.1', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])
      expect([address, isLoopbackAddress(address)]).toEqual([address, true])
    for (const address of ['0.0.0.0', '::', '10.127.0.1', '1.127.0.1', '::ffff:10.0.0.1', '1::1', 'fd00::1', '', '::ffff:0.0.0.1'])
      expect([address, isLoopbackAddress(address)]).toEqual([address, false])
  })
})
