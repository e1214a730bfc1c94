/** The program as an operator meets it, whose certificates are held to Debian's openssl and to a handshake. */
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { Writable } from 'node:stream'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { certificateKind } from '../../../src/domain/certificates/certificateFacts.js'
import { runCertsTool } from '../../../src/programs/certsTool/certsCommand.js'
import { lacksOpenssl, openssl } from '../../support/certificates/openssl.js'
import { noInput } from '../ranProgram.js'
import { CertsHome, oneNode, sentences, startMs, threeNodes } from './certsWorld.js'

const made = (home: CertsHome): readonly string[] => readdirSync(home.path('wazuh-certificates')).sort()

const verified = (home: CertsHome, name: string, ...more: readonly string[]) => {
  const file = home.path(`wazuh-certificates/${name}.pem`)
  const root = home.path('wazuh-certificates/root-ca.pem')
  return openssl('verify', ...more, '-attime', String(startMs / 1_000 + 60), '-CAfile', root, '-untrusted', file, file)
}

const allFiles = [
  ...['admin-key.pem', 'admin.pem', 'dashboard-key.pem', 'dashboard.pem', 'node-1-key.pem', 'node-1.pem'],
  ...['root-ca.key', 'root-ca.pem', 'wazuh-1-key.pem', 'wazuh-1.pem', 'wazuh_2-key.pem', 'wazuh_2.pem'],
]

describe('wazuh-certs-tool -A', () => {
  it('makes the files of Wazuh, for the owner alone, and says so in its lines', async () => {
    const home = new CertsHome(threeNodes)
    const { code, err, out } = await home.run('-A', '--key', 'p256')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(sentences(out)).toEqual([
      `INFO: Verbose logging redirected to ${home.path('wazuh-certificates-tool.log')}`,
      'INFO: Generating the root certificate.',
      'INFO: Generating Admin certificates.',
      'INFO: Admin certificates created.',
      'INFO: Generating Wazuh indexer certificates.',
      'INFO: node-1: 10.0.0.1, node-1, until 2036-11-23.',
      'INFO: Wazuh indexer certificates created.',
      'INFO: Generating Filebeat certificates.',
      'INFO: wazuh-1: 10.0.0.11, w1.example.com, fd00::11, wazuh-1, until 2036-11-23.',
      'INFO: wazuh_2: 10.0.0.12, w2.example.com, wazuh_2, until 2036-11-23.',
      'INFO: Wazuh Filebeat certificates created.',
      'INFO: Generating Wazuh dashboard certificates.',
      'INFO: dashboard: 10.0.0.21, dashboard, until 2036-11-23.',
      'INFO: Wazuh dashboard certificates created.',
      `INFO: 12 files in ${home.path('wazuh-certificates')}.`,
    ])
    expect(out).toMatch(/^\d\d\/11\/2026 \d\d:\d\d:00 INFO: /)
    expect(home.text('wazuh-certificates-tool.log')).toBe(out)
    expect(made(home)).toEqual(allFiles)
    expect(statSync(home.path('wazuh-certificates')).mode & 0o777).toBe(0o700)
    for (const name of allFiles) expect([name, statSync(home.path(`wazuh-certificates/${name}`)).mode & 0o777]).toEqual([name, 0o600])
    expect(readdirSync(home.directory).sort()).toEqual(['config.yml', 'wazuh-certificates', 'wazuh-certificates-tool.log'])
  })

  it.skipIf(lacksOpenssl).each(['rsa2048', 'p256', 'p384', 'ed25519'])(
    'makes chains of %s that openssl verifies strictly',
    async (kind) => {
      const home = new CertsHome(oneNode)
      expect(await home.run('-A', '--key', kind)).toMatchObject({ code: 0 })
      for (const name of ['w1', 'admin']) expect(verified(home, name, '-x509_strict')).toMatchObject({ status: 0 })
      expect(verified(home, 'w1', '-x509_strict', '-purpose', 'sslserver', '-verify_ip', '10.0.0.1')).toMatchObject({ status: 0 })
      expect(verified(home, 'w1', '-x509_strict', '-purpose', 'sslclient', '-verify_hostname', 'w1')).toMatchObject({ status: 0 })
      expect(verified(home, 'admin', '-purpose', 'sslserver')).not.toMatchObject({ status: 0 })
      expect(home.facts('w1')?.keyType).toBe(kind)
    },
  )

  it.skipIf(lacksOpenssl)('makes the subjects of openssl, byte for byte', async () => {
    const home = new CertsHome(threeNodes)
    await home.run('-A', '--key', 'p256')
    const subjects = { admin: '/C=US/L=California/O=Wazuh/OU=Wazuh/CN=admin', 'root-ca': '/OU=Wazuh/O=Wazuh/L=California/' }
    const shown = ['-noout', '-subject_hash', '-subject', '-nameopt', 'RFC2253,show_type']
    for (const [name, subject] of Object.entries(subjects)) {
      openssl(
        'req',
        '-x509',
        '-nodes',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-keyout',
        home.path('k'),
        '-out',
        home.path('c'),
        '-subj',
        subject,
      )
      const theirs = openssl('x509', '-in', home.path('c'), ...shown)
      expect(openssl('x509', '-in', home.path(`wazuh-certificates/${name}.pem`), ...shown)).toEqual(theirs)
    }
    const admin = home.facts('admin')
    expect(admin?.subject).toBe('CN=admin,OU=Wazuh,O=Wazuh,L=California,C=US')
    expect(admin && certificateKind(admin)).toBe('admin')
  })

  it.skipIf(lacksOpenssl)('has an intermediate CA below the root when asked, and nodes bring it along', async () => {
    const home = new CertsHome(oneNode)
    expect(await home.run('-A', '--key', 'p256', '--intermediate')).toMatchObject({ code: 0 })
    expect(made(home)).toEqual(expect.arrayContaining(['intermediate-ca.key', 'intermediate-ca.pem']))
    home.write('pass', 'secret\n')
    await home.run('-ca', '--key', 'p256', '--intermediate', '--out', 'locked', '--ca-passphrase-file', 'pass')
    for (const name of ['root-ca', 'intermediate-ca']) expect(home.text(`locked/${name}.key`)).toContain('BEGIN ENCRYPTED')
    expect(verified(home, 'w1', '-x509_strict')).toMatchObject({ status: 0 })
    expect(home.text('wazuh-certificates/w1.pem')).toContain(home.text('wazuh-certificates/intermediate-ca.pem'))
    const { code, out } = await home.run(
      '-A',
      'wazuh-certificates/intermediate-ca.pem',
      'wazuh-certificates/intermediate-ca.key',
      '--intermediate',
      '--out',
      'x',
    )
    expect(code).toBe(1)
    expect(sentences(out).at(-1)).toBe('ERROR: The root CA may have no CA below it (its path length is 0)')
  })

  it.each(['p256', 'ed25519'])('makes keys of %s that shake hands by TLS 1.3 with both certificates', async (kind) => {
    const home = new CertsHome(threeNodes)
    // A handshake is judged by the real time.
    home.nowMs = Date.now()
    expect(await home.run('-A', '--key', kind, '--intermediate')).toMatchObject({ code: 0 })
    const files = (name: string) => ({
      cert: home.text(`wazuh-certificates/${name}.pem`),
      key: home.text(`wazuh-certificates/${name}-key.pem`),
      ca: home.text('wazuh-certificates/root-ca.pem'),
    })
    const server = createServer({ ...files('wazuh-1'), requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' })
    const peer = new Promise<string>((resolve) =>
      server.once('secureConnection', (socket) => resolve(String(socket.getPeerCertificate().subject.CN))),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const client = await new Promise<TLSSocket>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, servername: 'wazuh-1', ...files('wazuh_2') }, () => resolve(socket))
      socket.once('error', reject)
    })
    expect(client.authorized).toBe(true)
    expect(client.getProtocol()).toBe('TLSv1.3')
    expect(await peer).toBe('wazuh_2')
    client.destroy()
    server.close()
  })

  it('does its work to the end when nobody reads its lines any more', async () => {
    const home = new CertsHome(oneNode)
    // Between two seconds, which certificates do not know.
    home.nowMs += 567
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('gone'), { code: 'EPIPE' })) })
    const world = { env: {}, stdin: noInput(), stdout, stderr: stdout, directory: home.directory, now: () => home.nowMs }
    expect(await runCertsTool(['-A', '--key', 'p256'], world)).toBe(0)
    expect(made(home)).toHaveLength(6)
    expect(home.text('wazuh-certificates-tool.log')).toContain(`6 files in ${home.path('wazuh-certificates')}.`)
    expect(home.text('wazuh-certificates-tool.log')).not.toContain('WARNING')
  })

  it('leaves nothing behind when it cannot write, and takes an empty directory', async () => {
    const home = new CertsHome(threeNodes)
    const { code, out } = await home.run('-A', '--key', 'p256', '--out', 'no/such/place')
    expect(code).toBe(1)
    expect(sentences(out).at(-1)).toMatch(/^ERROR: .*no\/such cannot be written: it does not exist$/)
    expect(out).not.toContain('Generating')
    expect(readdirSync(home.directory)).toEqual(['config.yml'])
    mkdirSync(home.path('wazuh-certificates'))
    expect(await home.run('-A', '--key', 'p256')).toMatchObject({ code: 0 })
    expect(made(home)).toEqual(allFiles)
  })

  it('makes a node of two components once, with the one that is asked for', async () => {
    const home = new CertsHome(`${oneNode}  dashboard:\n    - name: w1\n      ip: 10.0.0.2\n`)
    await home.run('-ca', '--key', 'p256', '--out', 'ca')
    const { out } = await home.run('-wd', 'ca/root-ca.pem', 'ca/root-ca.key', '--key', 'p256')
    expect(sentences(out)).toEqual(
      expect.arrayContaining(['INFO: Generating Wazuh dashboard certificates.', 'INFO: w1: 10.0.0.1, 10.0.0.2, w1, until 2036-11-23.']),
    )
    expect(out).not.toContain('Filebeat')
    expect(made(home)).toEqual(['root-ca.key', 'root-ca.pem', 'w1-key.pem', 'w1.pem'])
    const all = sentences((await home.run('-A', '--key', 'p256', '--out', 'all')).out)
    expect(all.filter((line) => line.startsWith('INFO: w1:'))).toHaveLength(1)
    const verbose = sentences((await home.run('-A', '-v', '--key', 'p256', '--out', 'verbose')).out)
    expect(verbose.filter((line) => line.startsWith('DEBUG'))).toEqual([
      'DEBUG: Reading configuration file.',
      'DEBUG: Generating the certificates for w1 server node.',
    ])
  })

  it('touches no directory that has something in it', async () => {
    const home = new CertsHome(threeNodes)
    await home.run('-ca', '--key', 'p256')
    const before = home.text('wazuh-certificates/root-ca.key')
    const { code, out } = await home.run('-A', '--key', 'p256')
    expect(code).toBe(1)
    expect(sentences(out).at(-1)).toMatch(
      /^ERROR: Directory wazuh-certificates already exists in the same path as the script\. Please, remove the certs directory to create new certificates\./,
    )
    expect(home.text('wazuh-certificates/root-ca.key')).toBe(before)
    expect(made(home)).toEqual(['root-ca.key', 'root-ca.pem'])
  })
})

describe('wazuh-certs-tool makes with a CA that there is', () => {
  it.each([
    ['-A', ['admin', 'dashboard', 'node-1', 'wazuh-1', 'wazuh_2']],
    ['-a', ['admin']],
    ['-wi', ['node-1']],
    ['-ws', ['wazuh-1', 'wazuh_2']],
    ['-wm', ['wazuh-1', 'wazuh_2']],
    ['-wd', ['dashboard']],
  ])('with %s what Wazuh makes, the paths in either order', async (flag, names) => {
    const home = new CertsHome(threeNodes)
    await home.run('--root-ca-certificate', '--key', 'p256', '--out', 'ca')
    const [first, second] = flag === '-ws' ? ['ca/root-ca.key', 'ca/root-ca.pem'] : ['ca/root-ca.pem', 'ca/root-ca.key']
    expect(await home.run(flag, first ?? '', second ?? '', '--key', 'p256', '-tmp', '/tmp/x')).toMatchObject({ code: 0, err: '' })
    const files = names.flatMap((name) => [`${name}-key.pem`, `${name}.pem`])
    expect(made(home)).toEqual([...files, 'root-ca.key', 'root-ca.pem'].sort())
    for (const name of ['root-ca.pem', 'root-ca.key']) expect(home.text(`wazuh-certificates/${name}`)).toBe(home.text(`ca/${name}`))
    const root = new X509Certificate(home.text('ca/root-ca.pem'))
    for (const name of names) expect(new X509Certificate(home.text(`wazuh-certificates/${name}.pem`)).verify(root.publicKey)).toBe(true)
  })

  it('whose own end comes first: they end with it, and that is said', async () => {
    const home = new CertsHome(threeNodes)
    await home.run('-ca', '--key', 'p256', '--out', 'ca', '--ca-days', '10')
    const { out } = await home.run('-wd', 'ca/root-ca.pem', 'ca/root-ca.key', '--key', 'p256')
    expect(sentences(out)).toContain("WARNING: The certificates are valid until 2026-12-06 only: the CA's own ends then.")
    expect(home.facts('dashboard')?.endsMs).toBe(startMs + 10 * 86_400_000)
  })

  it('and refuses in one sentence each what is expired, no CA, another key, encrypted or not there', async () => {
    const home = new CertsHome(threeNodes)
    await home.run('-ca', '--key', 'p256', '--out', 'ca', '--ca-days', '10')
    await home.run('-A', '--key', 'p256', '--out', 'other')
    home.write('pass', 'secret wörd\n')
    await home.run('-ca', '--key', 'p256', '--out', 'locked', '--ca-passphrase-file', 'pass')
    expect(home.text('locked/root-ca.key')).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    home.write('wrong', 'another\n')
    home.write('text', 'nothing\n')
    const refusal = async (...argv: readonly string[]) => {
      const { code, out } = await home.run('-A', ...argv)
      expect(code).toBe(1)
      return sentences(out).filter((line) => line.startsWith('ERROR'))
    }
    expect(await refusal('ca/root-ca.pem', 'other/root-ca.key')).toEqual([
      'ERROR: The key other/root-ca.key does not belong to the CA certificate ca/root-ca.pem',
    ])
    expect(await refusal('other/admin.pem', 'other/admin-key.pem')).toEqual([
      'ERROR: other/admin.pem is not the certificate of a CA: it may not sign others',
    ])
    expect(await refusal('locked/root-ca.pem', 'locked/root-ca.key')).toEqual([
      'ERROR: The key locked/root-ca.key is encrypted: give its passphrase with --ca-passphrase-file FILE, or run this in a terminal',
    ])
    expect(await refusal('locked/root-ca.pem', 'locked/root-ca.key', '--ca-passphrase-file', 'wrong')).toEqual([
      'ERROR: The passphrase does not open the key locked/root-ca.key',
    ])
    expect(await refusal('missing.pem', 'ca/root-ca.key')).toEqual([`ERROR: The file ${home.path('missing.pem')} does not exists`])
    expect(await refusal('text', 'ca/root-ca.key')).toEqual(['ERROR: text has no certificate (PEM)'])
    expect(await refusal('ca/root-ca.pem', 'text')).toEqual(['ERROR: text has no private key that can be read (PEM)'])
    home.nowMs += 11 * 86_400_000
    expect(await refusal('ca/root-ca.pem', 'ca/root-ca.key')).toEqual(['ERROR: The CA certificate ca/root-ca.pem expired on 2026-12-06'])
    expect(existsSync(home.path('wazuh-certificates'))).toBe(false)
    const opened = ['locked/root-ca.pem', 'locked/root-ca.key', '--ca-passphrase-file', 'pass']
    expect(await home.run('-a', ...opened)).toMatchObject({ code: 0 })
  })

  it.skipIf(lacksOpenssl)('which may be one below another, or one of two that are trusted while they change', async () => {
    const home = new CertsHome(oneNode)
    await home.run('-ca', '--key', 'p256', '--out', 'ca', '--intermediate')
    await home.run('-ca', '--key', 'p384', '--out', 'next')
    const warnings = async (...argv: readonly string[]) => {
      const { code, out } = await home.run(...argv)
      expect(code).toBe(0)
      return sentences(out).filter((line) => line.startsWith('WARNING'))
    }
    const below = ['ca/intermediate-ca.pem', 'ca/intermediate-ca.key', '--key', 'p256']
    expect(await warnings('-A', ...below, '--out', 'alone')).toEqual([
      'WARNING: ca/intermediate-ca.pem has no root CA, which those need who check the certificates: append its certificate to the file.',
    ])
    home.write('chain.pem', home.text('ca/intermediate-ca.pem') + home.text('ca/root-ca.pem'))
    expect(await warnings('-A', 'chain.pem', ...below.slice(1))).toEqual([])
    expect(verified(home, 'w1', '-x509_strict')).toMatchObject({ status: 0 })
    expect(home.text('wazuh-certificates/w1.pem')).toContain(home.text('ca/intermediate-ca.pem'))
    expect(await home.run('check')).toMatchObject({ code: 0 })
    home.write('both.pem', home.text('next/root-ca.pem') + home.text('ca/root-ca.pem'))
    expect(await warnings('-ws', 'both.pem', 'ca/root-ca.key', '--out', 'both')).toEqual([])
    const { code, out } = await home.run('check', 'both')
    expect(code).toBe(0)
    expect(out).toMatch(/^root-ca +fine .*\nroot-ca \(2\) +fine /m)
  })
})

describe('wazuh-certs-tool --compatible', () => {
  it.skipIf(lacksOpenssl)("makes what Wazuh's tool makes: extensions, versions and all", async () => {
    const home = new CertsHome(oneNode)
    expect(await home.run('-A', '--compatible')).toMatchObject({ code: 0 })
    const text = (name: string) => openssl('x509', '-in', home.path(`wazuh-certificates/${name}.pem`), '-noout', '-text').says
    expect(text('admin')).toMatch(/Version: 1 \(0x0\)/)
    expect(text('admin')).not.toContain('X509v3')
    expect(verified(home, 'admin')).toMatchObject({ status: 0 })
    expect(verified(home, 'w1')).toMatchObject({ status: 0 })
    expect(text('root-ca')).toMatch(/Basic Constraints: critical\n\s+CA:TRUE\n/)
    expect(text('root-ca')).not.toContain('Key Usage')
    expect(text('w1')).toMatch(/Basic Constraints: *\n\s+CA:FALSE/)
    expect(text('w1')).toMatch(/Key Usage: *\n\s+Digital Signature, Non Repudiation, Key Encipherment, Data Encipherment\n/)
    expect(text('w1')).not.toContain('Extended Key Usage')
    expect(text('w1')).toMatch(/Alternative Name: *\n\s+IP Address:10\.0\.0\.1\n/)
    for (const name of ['admin', 'root-ca', 'w1']) expect(text(name)).toMatch(/sha256WithRSAEncryption[\s\S]*Public-Key: \(2048 bit\)/)
  })
})
