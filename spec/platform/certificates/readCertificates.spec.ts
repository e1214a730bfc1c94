import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { certificateKind, namesOf } from '../../../src/domain/certificates/certificateFacts.js'
import { readCertificates } from '../../../src/platform/certificates/readCertificates.js'

const text = (name: string): string => readFileSync(fileURLToPath(new URL(`../../vectors/tls/${name}`, import.meta.url)), 'utf8')

describe('a certificate out of PEM', () => {
  it('says its names, its kind and when it ends', () => {
    const [authority, client] = readCertificates(text('authority.cert') + text('client.cert'), 'x.pem')
    expect(authority && certificateKind(authority)).toBe('ca')
    expect(client && certificateKind(client)).toBe('node')
    expect(client && namesOf(client)).toContain('127.0.0.1')
    expect(client?.issuer).toBe(authority?.subject)
    expect(client?.startsMs).toBeLessThan(client?.endsMs ?? 0)
    expect(client?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    expect(client?.serial).toMatch(/^[0-9a-f]+$/)
  })

  it.each([
    ['', 'x.pem has no certificate (PEM)'],
    [text('client.key'), 'x.pem has no certificate (PEM)'],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'x.pem has a certificate that cannot be read'],
    [text('client.cert').repeat(limits.certificatesPerFileMax + 1), `x.pem has more than ${limits.certificatesPerFileMax} certificates`],
  ])('that is not one is named in a sentence (%#)', (pem, message) =>
    expect(() => readCertificates(pem, 'x.pem')).toThrow(expect.objectContaining({ code: 'configInvalid', message })),
  )
})
