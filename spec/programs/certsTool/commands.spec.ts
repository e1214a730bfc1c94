/** The commands that Wazuh's tool does not have: list, check, renew, add, bundle, request and sign. */

import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, readdirSync, renameSync, statSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { dayMs } from '../../../src/domain/certificates/expiry.js'
import { lacksOpenssl, openssl } from '../../support/certificates/openssl.js'
import { isMissing } from '../../support/debianProgram.js'
import { CertsHome, oneNode, sentences, threeNodes } from './certsWorld.js'

const withFiles = async (...more: readonly string[]): Promise<CertsHome> => {
  const home = new CertsHome(threeNodes)
  expect(await home.run('-A', '--key', 'p256', ...more)).toMatchObject({ code: 0 })
  return home
}

const inside = (home: CertsHome): readonly string[] => readdirSync(home.path('wazuh-certificates')).sort()
const text = (home: CertsHome, name: string): string => home.text(`wazuh-certificates/${name}`)
const errors = (out: string): readonly string[] => sentences(out).filter((line) => line.startsWith('ERROR'))

/** With one bit of its signature changed. */
const tampered = (pem: string): string => {
  const [, label = '', body = ''] = /^-----BEGIN ([A-Z ]+)-----([^-]*)/.exec(pem) ?? []
  const der = Buffer.from(body, 'base64')
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1)
  return `-----BEGIN ${label}-----\n${der.toString('base64')}\n-----END ${label}-----\n`
}

interface Shown {
  readonly error: number
  readonly message?: string
  readonly data: {
    readonly state: string
    readonly faults: readonly string[]
    readonly certificates: readonly {
      readonly name: string
      readonly state: string
      readonly days_left: number
      readonly names: readonly string[]
      readonly key: string
      readonly problems: readonly { readonly says: string }[]
    }[]
  }
}

const checked = async (home: CertsHome, ...argv: readonly string[]) => {
  const { code, out } = await home.run('check', '--json', ...argv)
  const { data } = JSON.parse(out) as Shown
  return {
    code,
    state: data.state,
    faults: data.faults,
    problems: data.certificates.flatMap(({ name, problems }) => problems.map(({ says }) => `${name}: ${says}`)),
  }
}

const fine = { code: 0, state: 'fine', faults: [], problems: [] }

describe('wazuh-certs-tool list', () => {
  it('shows what each certificate is for, as a table and as JSON', async () => {
    const home = await withFiles()
    const { code, err, out } = await home.run('list')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const lines = out.split('\n').map((line) => line.trimEnd().split(/ {2,}/))
    expect(lines).toEqual([
      ['NAME', 'KIND', 'ENDS', 'DAYS LEFT', 'KEY', 'FOR'],
      ['root-ca', 'ca', '2036-11-23', '3650', 'p256', 'L=California,O=Wazuh,OU=Wazuh'],
      ['admin', 'admin', '2036-11-23', '3650', 'p256', 'CN=admin,OU=Wazuh,O=Wazuh,L=California,C=US'],
      ['dashboard', 'node', '2036-11-23', '3650', 'p256', '10.0.0.21, dashboard'],
      ['node-1', 'node', '2036-11-23', '3650', 'p256', '10.0.0.1, node-1'],
      ['wazuh-1', 'node', '2036-11-23', '3650', 'p256', '10.0.0.11, w1.example.com, fd00::11, wazuh-1'],
      ['wazuh_2', 'node', '2036-11-23', '3650', 'p256', '10.0.0.12, w2.example.com, wazuh_2'],
      [''],
    ])
    const json = JSON.parse((await home.run('list', '-j')).out) as Shown
    expect(json.data.certificates.map(({ name }) => name)).toEqual(['admin', 'dashboard', 'node-1', 'root-ca', 'wazuh-1', 'wazuh_2'])
    expect(json.data.certificates[4]).toMatchObject({
      days_left: 3_650,
      key: 'fits',
      names: expect.arrayContaining(['fd00::11']),
      state: 'fine',
    })
  })

  it('says in one sentence that there is no such directory', async () => {
    const home = new CertsHome()
    const says = `There is no directory ${home.path('nowhere')}.`
    expect(await home.run('list', 'nowhere')).toEqual({ code: 1, out: '', err: `ERROR: ${says}\n` })
    expect(await home.run('check', 'nowhere')).toMatchObject({ code: 2, out: '' })
    expect(JSON.parse((await home.run('check', 'nowhere', '--json')).out)).toMatchObject({ message: says })
  })
})

describe('wazuh-certs-tool check', () => {
  it('has exit code 0 while all is fine, 1 when one ends soon, 2 when one has ended', async () => {
    const home = await withFiles('--days', '100')
    expect(await checked(home)).toEqual(fine)
    expect(await checked(home, '--within', '101d')).toMatchObject({
      code: 1,
      state: 'soon',
      problems: expect.arrayContaining(['node-1: ends soon']),
    })
    home.nowMs += 71 * dayMs
    expect(await checked(home)).toMatchObject({ code: 1, problems: expect.arrayContaining(['node-1: ends soon', 'admin: ends soon']) })
    expect(await checked(home, '--within', '24h')).toEqual(fine)
    home.nowMs += 30 * dayMs
    const { code, out } = await home.run('check')
    expect(code).toBe(2)
    expect(out).toMatch(/^NAME +STATE +ENDS +DAYS LEFT +SAYS *\nadmin +broken +2027-03-06 +-1 +expired *\n/)
    expect(out).toMatch(/\nroot-ca +fine /)
  })

  it('finds keys that do not fit or are open, foreign CAs, foreign files and a missing root', async () => {
    const home = await withFiles()
    await home.run('-A', '--key', 'p256', '--out', 'other')
    home.write('wazuh-certificates/node-1-key.pem', home.text('other/node-1-key.pem'))
    home.write('wazuh-certificates/dashboard.pem', home.text('other/dashboard.pem'))
    home.write('wazuh-certificates/dashboard-key.pem', home.text('other/dashboard-key.pem'))
    home.write('wazuh-certificates/notes.pem', 'hello')
    home.write('wazuh-certificates/wazuh_2.pem', tampered(text(home, 'wazuh_2.pem')))
    home.write('wazuh-certificates/admin-key.pem', 'hello')
    chmodSync(home.path('wazuh-certificates/wazuh-1-key.pem'), 0o744)
    expect(await checked(home)).toEqual({
      code: 2,
      state: 'broken',
      faults: [`${home.path('wazuh-certificates/notes.pem')} has no certificate (PEM)`],
      problems: [
        'admin: the key cannot be read',
        'dashboard: not signed by the CA of this directory',
        'node-1: the key does not belong to it',
        'wazuh-1: every user can read the key',
        'wazuh_2: not signed by the CA of this directory',
      ],
    })
    home.nowMs -= 2 * dayMs
    expect((await checked(home)).problems).toContain('wazuh-1: not valid yet')
    const bare = await withFiles()
    spawnSync('rm', [bare.path('wazuh-certificates/root-ca.pem')])
    expect(await checked(bare)).toMatchObject({ code: 2, faults: [`${bare.path('wazuh-certificates')} has no root-ca.pem`] })
  })

  it("names what is poor about those of Wazuh's own tool, and is content with them", async () => {
    const home = new CertsHome(oneNode)
    await home.run('-A', '--compatible')
    expect(await checked(home)).toEqual({ ...fine, problems: ['admin: version 1'] })
  })
})

describe('wazuh-certs-tool renew', () => {
  it('makes new pairs with the same subjects and addresses of what ends soon, and keeps the old ones', async () => {
    const home = await withFiles('--days', '100')
    home.write('config.yml', threeNodes.replace('wazuh-1', 'wazuh-9'))
    expect(await home.run('add', '--days', '3000')).toMatchObject({ code: 0 })
    home.nowMs += 80 * dayMs
    const before = new Map(inside(home).map((name) => [name, text(home, name)]))
    const { code, out } = await home.run('renew')
    expect(code).toBe(0)
    expect(sentences(out).slice(1).sort()).toEqual([
      'INFO: admin: no addresses, until 2036-11-23.',
      'INFO: dashboard: 10.0.0.21, dashboard, until 2036-11-23.',
      'INFO: node-1: 10.0.0.1, node-1, until 2036-11-23.',
      'INFO: wazuh-1: 10.0.0.11, w1.example.com, fd00::11, wazuh-1, until 2036-11-23.',
      'INFO: wazuh_2: 10.0.0.12, w2.example.com, wazuh_2, until 2036-11-23.',
      "WARNING: The certificates are valid until 2036-11-23 only: the CA's own ends then.",
    ])
    for (const [name, content] of before) {
      const isOld = !/^(root-ca|wazuh-9)/.test(name)
      expect([name, text(home, name) === content]).toEqual([name, !isOld])
      if (isOld) expect(text(home, `${name}.old`)).toBe(content)
      expect(statSync(home.path(`wazuh-certificates/${name}`)).mode & 0o777).toBe(0o600)
    }
    expect(home.facts('admin')).toMatchObject({ subject: 'CN=admin,OU=Wazuh,O=Wazuh,L=California,C=US', keyType: 'p256' })
    expect(await checked(home)).toEqual(fine)
    expect(sentences((await home.run('renew', 'all')).out).at(-1)).toBe('INFO: No certificate is to be renewed.')
  })

  it('renews a named one whenever it ends, by the same key when asked', async () => {
    const home = await withFiles()
    const [key, certificate] = [text(home, 'node-1-key.pem'), text(home, 'node-1.pem')]
    expect(await home.run('renew', 'node-1', '--keep-key')).toMatchObject({ code: 0 })
    expect(text(home, 'node-1-key.pem')).toBe(key)
    expect(text(home, 'node-1.pem')).not.toBe(certificate)
    expect(existsSync(home.path('wazuh-certificates/node-1-key.pem.old'))).toBe(false)
    expect(await home.run('renew', 'node-1', 'dashboard', '--key', 'ed25519')).toMatchObject({ code: 0 })
    expect([home.facts('node-1')?.keyType, home.facts('dashboard')?.keyType, home.facts('admin')?.keyType]).toEqual([
      'ed25519',
      'ed25519',
      'p256',
    ])
    expect(await checked(home)).toEqual(fine)
  })

  it('makes a certificate modern that Wazuh made, and lets nobody else read its key any more', async () => {
    const home = new CertsHome(oneNode)
    await home.run('-A', '--compatible')
    chmodSync(home.path('wazuh-certificates/w1-key.pem'), 0o744)
    expect(await home.run('renew', 'w1', 'admin', '--key', 'p256')).toMatchObject({ code: 0 })
    expect(home.facts('w1')?.altNames).toEqual(['10.0.0.1'])
    expect(new X509Certificate(text(home, 'w1.pem')).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
    expect(statSync(home.path('wazuh-certificates/w1-key.pem')).mode & 0o777).toBe(0o640)
    expect(await checked(home)).toEqual(fine)
  })

  it.each([
    [['nothing'], /There is no certificate "nothing.pem" in wazuh-certificates$/],
    [['root-ca'], /root-ca is not renewed: it is that of a CA/],
    [['foreign'], /foreign is not renewed: the CA of this directory did not sign it$/],
    [['node-1', '--ca-cert', 'x', '--ca-key', 'y'], /The file .*\/x does not exists$/],
  ])('refuses %j in one sentence, and changes nothing', async (argv, sentence) => {
    const home = await withFiles()
    await home.run('-A', '--key', 'p256', '--out', 'other')
    home.write('wazuh-certificates/foreign.pem', home.text('other/dashboard.pem'))
    const before = inside(home).map((name) => text(home, name))
    const { code, out } = await home.run('renew', ...argv)
    expect(code).toBe(1)
    expect(errors(out)).toEqual([expect.stringMatching(sentence)])
    expect(inside(home).map((name) => text(home, name))).toEqual(before)
  })

  it('asks at a terminal for the passphrase of the key of the CA, and does not show it', async () => {
    const home = new CertsHome(threeNodes)
    home.write('pass', 'secret\n')
    await home.run('-A', '--key', 'p256', '--intermediate', '--ca-passphrase-file', 'pass')
    const modes: boolean[] = []
    const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => modes.push(isRaw) })
    terminal.write('secrex\u007ft\r')
    const { code, out } = await home.typed(terminal, 'renew', 'node-1')
    expect({ code, modes }).toEqual({ code: 0, modes: [true, false] })
    expect(out).toContain('Passphrase of wazuh-certificates/intermediate-ca.key: \n')
    expect(out).not.toContain('secret')
    expect(errors((await home.run('renew', 'node-1')).out)).toEqual([expect.stringContaining('is encrypted: give its passphrase')])
  })
})

describe('wazuh-certs-tool add', () => {
  it('makes certificates for a named node, and for those of config.yml that have none', async () => {
    const home = await withFiles()
    const before = new Map(inside(home).map((name) => [name, text(home, name)]))
    // No day is lost, so that there is nothing to warn of.
    home.nowMs += 30_000
    expect(await home.run('add', 'wazuh-4', '10.0.0.14', 'w4.example.com', '--key', 'p256')).toMatchObject({ code: 0 })
    expect(home.facts('wazuh-4')?.altNames).toEqual(['10.0.0.14', 'w4.example.com', 'wazuh-4'])
    await home.run('add', 'w9.example.com', '10.0.0.19', 'W9.example.com', '--key', 'p256')
    expect(home.facts('w9.example.com')?.altNames).toEqual(['10.0.0.19', 'W9.example.com'])
    home.write(
      'new.yml',
      'nodes:\n  server:\n    - name: wazuh-4\n      ip: 10.0.0.14\n    - name: wazuh-5\n      ip: 10.0.0.15\n      node_type: worker\n',
    )
    const { out } = await home.run('add', '--config', 'new.yml', '--key', 'p256')
    expect(sentences(out).slice(1)).toEqual(['INFO: wazuh-5: 10.0.0.15, wazuh-5, until 2036-11-23.'])
    expect(sentences((await home.run('add', '--config', 'new.yml')).out).at(-1)).toBe('INFO: Every node of new.yml has its certificate.')
    for (const [name, content] of before) expect(text(home, name)).toBe(content)
    expect(await checked(home)).toEqual(fine)
    renameSync(home.path('wazuh-certificates/root-ca.key'), home.path('usb.key'))
    expect(errors((await home.run('add', 'w6', '10.0.0.16')).out)).toEqual([
      `ERROR: The file ${home.path('wazuh-certificates/root-ca.key')} does not exists; --ca-key FILE names another`,
    ])
    expect(await home.run('add', 'w6', '10.0.0.16', '--ca-key', 'usb.key', '--key', 'p256')).toMatchObject({ code: 0 })
    expect(await checked(home)).toEqual(fine)
  })

  it.each([
    [['wazuh-1', '10.0.0.1'], /wazuh-1 has a certificate or a key already/],
    [['w4', '10.0.0.1', '--out', 'nowhere'], /There is no directory nowhere$/],
    [['w4', '10.0.0.1', '--ca-key', 'usb.key'], /The file .*\/usb\.key does not exists$/],
  ])('refuses %j in one sentence, and changes nothing', async (argv, sentence) => {
    const home = await withFiles()
    const { code, out } = await home.run('add', ...argv)
    expect(code).toBe(1)
    expect(errors(out)).toEqual([expect.stringMatching(sentence)])
  })
})

describe.skipIf(isMissing('tar', 'tar'))('wazuh-certs-tool bundle', () => {
  it("packs what a node needs for Debian's tar, and never the key of the CA", async () => {
    const home = await withFiles('--intermediate')
    expect(await home.run('bundle', 'wazuh-1')).toEqual({
      code: 0,
      out: `${home.path('wazuh-1.tar')}: wazuh-1.pem, wazuh-1-key.pem, root-ca.pem\n`,
      err: '',
    })
    expect(statSync(home.path('wazuh-1.tar')).mode & 0o777).toBe(0o600)
    const tar = (...argv: readonly string[]) =>
      spawnSync('tar', argv, { cwd: home.directory, encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } })
    expect(
      tar('-tvf', 'wazuh-1.tar')
        .stdout.split('\n')
        .map((line) => line.replace(/ +\d+ /, ' ')),
    ).toEqual([
      '-rw------- root/root 2026-11-26 12:00 wazuh-1.pem',
      '-rw------- root/root 2026-11-26 12:00 wazuh-1-key.pem',
      '-rw------- root/root 2026-11-26 12:00 root-ca.pem',
      '',
    ])
    for (const name of ['wazuh-1.pem', 'wazuh-1-key.pem', 'root-ca.pem'])
      expect(tar('-xOf', 'wazuh-1.tar', name)).toMatchObject({ status: 0, stdout: text(home, name), stderr: '' })
    expect(await home.run('bundle', 'wazuh-1')).toMatchObject({ code: 1, err: expect.stringContaining('it is there already') })
  })

  it.each(['root-ca', 'intermediate-ca', '../x', 'nobody', ''])('of %j is refused', async (name) => {
    const home = await withFiles()
    const { code, err, out } = await home.run('bundle', name)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^ERROR: .*\.\n$/)
    expect(readdirSync(home.directory).filter((file) => file.endsWith('.tar'))).toEqual([])
  })
})

describe('wazuh-certs-tool request and sign', () => {
  it('make a certificate for a key that never was where the CA is', async () => {
    const home = await withFiles()
    expect(await home.run('request', 'w4', '10.0.0.14', 'w4.example.com', '--key', 'p384')).toMatchObject({ code: 0 })
    expect(statSync(home.path('w4-key.pem')).mode & 0o777).toBe(0o600)
    expect(await home.run('sign', 'w4.csr')).toMatchObject({ code: 0 })
    expect(home.facts('w4')).toMatchObject({ commonName: 'w4', altNames: ['10.0.0.14', 'w4.example.com', 'w4'], keyType: 'p384' })
    expect(existsSync(home.path('wazuh-certificates/w4-key.pem'))).toBe(false)
    expect(await checked(home)).toEqual(fine)
    const own = new X509Certificate(text(home, 'w4.pem')).publicKey
    expect(await home.run('renew', 'w4')).toMatchObject({ code: 0 })
    expect(new X509Certificate(text(home, 'w4.pem')).publicKey.equals(own)).toBe(true)
    expect(errors((await home.run('sign', 'w4.csr')).out)).toEqual([expect.stringContaining('w4.pem is in wazuh-certificates already')])
    expect(errors((await home.run('request', 'w4', '10.0.0.14')).out)).toEqual([expect.stringContaining('w4-key.pem is in')])
  })

  it.skipIf(lacksOpenssl)("take a request of openssl's, its names and nothing else that it asks for", async () => {
    const home = await withFiles()
    const request = (file: string, subject: string, ...more: readonly string[]) =>
      openssl(
        'req',
        '-new',
        '-nodes',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-keyout',
        home.path('k'),
        '-out',
        home.path(file),
        '-subj',
        subject,
        ...more,
      )
    expect(
      request('a.csr', '/C=DE/CN=w4', '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'subjectAltName=IP:10.0.0.14,email:a@b.c'),
    ).toMatchObject({ status: 0 })
    const { code, out } = await home.run('sign', 'a.csr')
    expect(code).toBe(0)
    expect(sentences(out).filter((line) => line.startsWith('WARNING'))).toEqual([
      'WARNING: The request a.csr: it asks for usages or constraints, which are decided here. That is left out.',
      'WARNING: The request a.csr: it asks for "a@b.c" (email), which is neither an IP address nor a DNS name. That is left out.',
    ])
    expect(home.facts('w4')).toMatchObject({
      isAuthority: false,
      altNames: ['10.0.0.14', 'w4'],
      subject: 'CN=w4,OU=Wazuh,O=Wazuh,L=California,C=US',
    })
    for (const [subject, says] of [
      ['/CN=admin', 'admin is the name of a certificate of its own'],
      ['/CN=Admin', 'admin is the name of a certificate of its own'],
      ['/CN=a/CN=b', 'has 2 common names'],
      ['/O=x', 'has 0 common names'],
      ['/CN=..\\/x', 'Only alphanumeric characters'],
    ] as const) {
      request('b.csr', subject)
      expect(errors((await home.run('sign', 'b.csr')).out)).toEqual([expect.stringContaining(says)])
    }
  })

  it.each([
    ['', 'x.csr has no request for a certificate (PEM)'],
    [
      '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n',
      'x.csr has a request for a certificate that cannot be read',
    ],
  ])('refuse what is no request (%#)', async (content, says) => {
    const home = await withFiles()
    home.write('x.csr', content)
    expect(errors((await home.run('sign', 'x.csr')).out)).toEqual([`ERROR: ${says}`])
  })

  it('refuse a request that another key signed', async () => {
    const home = await withFiles()
    await home.run('request', 'w4', '10.0.0.14', '--key', 'ed25519')
    home.write('w4.csr', tampered(home.text('w4.csr')))
    expect(errors((await home.run('sign', 'w4.csr')).out)).toEqual(['ERROR: The request w4.csr is not signed by its own key'])
  })
})
