import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { passwordIn } from '../../../src/domain/enrolment/passwordFile.js'
import {
  defaultCertificatePath,
  defaultKeyPath,
  type EnrolmentFiles,
  loadEnrolmentFiles,
} from '../../../src/platform/enrolment/enrolmentFiles.js'

const nowMs = Date.UTC(2026, 0, 1)

let home = ''

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-enrolment-'))
  mkdirSync(join(home, 'etc'))
})

afterEach(() => rmSync(home, { recursive: true }))

const load = (options: Partial<EnrolmentFiles> = {}) =>
  loadEnrolmentFiles(
    { home, certificatePath: defaultCertificatePath, keyPath: defaultKeyPath, usesPassword: false, keyKind: 'p256', ...options },
    nowMs,
  )

/** A pair that need not be made. */
const givePair = (): void => {
  writeFileSync(inHome(defaultCertificatePath), 'c')
  writeFileSync(inHome(defaultKeyPath), 'k')
}

const inHome = (path: string): string => join(home, path)

describe('the files of the enrolment service', () => {
  it('are made when neither is there, kept, whole after a crash; one that is missing is named', async () => {
    const made = await load()
    expect(readdirSync(inHome('etc')).sort()).toEqual(['sslmanager.cert', 'sslmanager.key'])
    for (const path of [defaultCertificatePath, defaultKeyPath]) expect(statSync(inHome(path)).mode & 0o777 & ~0o640).toBe(0)
    expect(await load()).toEqual(made)
    // A crash between the two names.
    renameSync(inHome(defaultCertificatePath), inHome(`${defaultCertificatePath}.new`))
    expect(await load()).toEqual(made)
    rmSync(inHome(defaultCertificatePath))
    await expect(load()).rejects.toMatchObject({
      code: 'configInvalid',
      message: expect.stringContaining('sslmanager.cert does not exist'),
    })
    expect(existsSync(inHome(defaultCertificatePath))).toBe(false)
    givePair()
    rmSync(inHome(defaultKeyPath))
    await expect(load()).rejects.toMatchObject({ code: 'configInvalid', message: expect.stringContaining('sslmanager.key does not exist') })
  })

  it('are not made under names that an operator chose', async () => {
    const given = { certificatePath: 'etc/own.cert', keyPath: inHome('etc/own.key') }
    await expect(load(given)).rejects.toMatchObject({ code: 'configInvalid' })
    expect(readdirSync(inHome('etc'))).toEqual([])
    writeFileSync(inHome('etc/own.cert'), 'c')
    writeFileSync(inHome('etc/own.key'), 'k')
    expect(await load(given)).toMatchObject({ certificate: 'c', key: 'k' })
  })

  it('have a password exactly when one is asked for, and never none by mistake', async () => {
    givePair()
    await expect(load({ usesPassword: true })).rejects.toMatchObject({
      code: 'configInvalid',
      message: expect.stringContaining('does not exist'),
    })
    writeFileSync(inHome('etc/authd.pass'), 'topsecret\nmore\n')
    expect((await load()).password).toBeUndefined()
    expect((await load({ usesPassword: true })).password).toBe('topsecret')
    writeFileSync(inHome('etc/authd.pass'), '\ntopsecret\n')
    const refusal: unknown = await load({ usesPassword: true }).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'configInvalid' })
    expect(String(refusal)).not.toContain('topsecret')
  })

  it('have the authorities of agents whole, or are refused', async () => {
    givePair()
    await expect(load({ agentCaPath: 'etc/ca.pem' })).rejects.toMatchObject({ code: 'configInvalid' })
    writeFileSync(inHome('etc/ca.pem'), 'x'.repeat(300_000))
    await expect(load({ agentCaPath: 'etc/ca.pem' })).rejects.toMatchObject({ code: 'configInvalid' })
    writeFileSync(inHome('etc/ca.pem'), readFileSync(new URL(import.meta.url)))
    expect((await load({ agentCaPath: 'etc/ca.pem' })).agentCa).toContain('the authorities of agents whole')
  })
})

describe('the password of agents', () => {
  it.each([
    ['topsecret\n', 'topsecret'],
    ['two words', 'two words'],
    ['crlfpw\r\n', 'crlfpw\r'],
    ['filepw\nsecond\n', 'filepw'],
    ['x\n', undefined],
    ['', undefined],
    ['a\0b\n', undefined],
  ])('is the first line of its file: %j', (content, password) => {
    expect(passwordIn(content)).toBe(password)
  })
})
