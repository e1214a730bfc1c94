/** What only real TLS has: sessions that are taken up again, versions, files that change, and a port that strangers talk to. */
import { X509Certificate } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { isCertifiedAs } from '../../../src/domain/cluster/nodeCertificate.js'
import { shownCertificate } from '../../../src/platform/net/certificateNames.js'
import { NodeCertificateFiles } from '../../../src/platform/net/nodeCertificateFiles.js'
import { createNodeNetwork } from '../../../src/platform/net/nodeNetwork.js'
import type { ByteStream, Listener } from '../../../src/ports/network.js'
import type { NodeKind } from '../../../src/testing/compliance/nodeNetworkCases.js'
import { foreignAuthority, nodeVector, vectorPaths } from '../../support/certificates/nodeCertificates.js'

const never = new AbortController().signal
const endings: (() => unknown)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end()
})

/** Answers every byte with one of its own. */
const echoing = async (
  certificates: NodeCertificateFiles,
): Promise<{ listener: Listener; streams: ByteStream[]; closed: (Error | undefined)[] }> => {
  const streams: ByteStream[] = []
  const closed: (Error | undefined)[] = []
  const listener = await createNodeNetwork(certificates).listen({ host: '127.0.0.1', port: 0 }, (stream) => {
    streams.push(stream)
    stream.attach({ onBytes: (bytes) => stream.write([bytes]), onDrain: () => {}, onClosed: (error) => closed.push(error) })
  })
  endings.push(() => listener.close())
  return { listener, streams, closed }
}

const securedBy = async (port: number, options: object): Promise<TLSSocket> => {
  const { context } = nodeVector('other')
  const socket = connect({ host: '127.0.0.1', port, ...context, rejectUnauthorized: false, ...options })
  endings.push(() => socket.destroy())
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  return socket
}

const echoed = async (socket: TLSSocket): Promise<void> => {
  const answered = new Promise((resolve) => socket.once('data', resolve))
  socket.write('x')
  await answered
}

/** Certificates in a directory of their own, which a test changes. */
const inDirectory = (kind: NodeKind) => {
  const directory = mkdtempSync(join(tmpdir(), 'muster-tls-'))
  endings.push(() => rmSync(directory, { recursive: true }))
  const paths = { ca: join(directory, 'ca.pem'), cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
  const put = (name: 'ca' | 'cert' | 'key', of: NodeKind): void => {
    copyFileSync(vectorPaths(of)[name], `${paths[name]}.new`)
    renameSync(`${paths[name]}.new`, paths[name])
  }
  for (const name of ['ca', 'cert', 'key'] as const) put(name, kind)
  return { paths, put, certificates: new NodeCertificateFiles(paths) }
}

describe('the names of a certificate', () => {
  const shown = (subjectaltname: string) => shownCertificate({ ...leaf.toLegacyObject(), subjectaltname })?.dnsNames
  const leaf = new X509Certificate(readFileSync(vectorPaths('other').cert))

  it('are those of its DNS entries alone, not what stands inside of another one', () => {
    expect(shown('IP Address:127.0.0.1, DNS:node_2')).toEqual(['node_2'])
    expect(shown('URI:"http://x/, DNS:evil", DNS:good, email:"a, DNS:worse"')).toEqual(['good'])
    expect(shown('DNS:"a, DNS:b", DNS:good')).toEqual(['a, DNS:b', 'good'])
    expect(shown('othername:<unsupported>, Registered ID:1.2.3, DNS:good')).toEqual(['good'])
  })

  it('leave no way to the common name where one of them cannot be read or is too long', () => {
    for (const text of ['"x, DNS:evil", DNS:good', `DNS:${'x'.repeat(300)}`, 'DNS:"\\q"', 'DNS:']) {
      const read = shownCertificate({ ...leaf.toLegacyObject(), subjectaltname: text })
      expect(read && isCertifiedAs(read, 'unused-name', undefined).ok).toBe(false)
      expect(shown(text)).not.toContain('evil')
    }
  })
})

describe('TLS between nodes', () => {
  it('takes up no session again: each connection shows its certificates', async () => {
    const { listener, streams } = await echoing(nodeVector('valid'))
    const sessions: Buffer[] = []
    const first = await securedBy(listener.port, {})
    first.on('session', (session: Buffer) => sessions.push(session))
    await echoed(first)
    await echoed(first)
    for (const session of sessions) {
      const again = await securedBy(listener.port, { session, cert: undefined, key: undefined })
      await echoed(again)
      expect(again.isSessionReused()).toBe(false)
      expect(streams.at(-1)?.channel?.problem).toBe('missing')
    }
  })

  it('is TLS 1.3, and no version before', async () => {
    const { closed, listener } = await echoing(nodeVector('valid'))
    expect((await securedBy(listener.port, {})).getProtocol()).toBe('TLSv1.3')
    await expect(securedBy(listener.port, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert|version/)
    expect(closed.map((error) => error?.message).join()).toContain('The TLS handshake failed')
  })

  it('knows a peer that shows no certificate as one without', async () => {
    const { listener, streams } = await echoing(nodeVector('valid'))
    await echoed(await securedBy(listener.port, { cert: undefined, key: undefined }))
    expect(streams[0]?.channel).toMatchObject({ certificate: undefined, problem: 'missing' })
  })

  it('shows the new certificate on the next connection, and the one before while half is replaced', async () => {
    const { certificates, put } = inDirectory('valid')
    const { listener } = await echoing(certificates)
    const shown = async (): Promise<unknown> => (await securedBy(listener.port, {})).getPeerCertificate().subject.CN
    expect(await shown()).toBe('node-1')
    put('cert', 'other')
    expect(certificates.refresh()).toEqual({ kind: 'same' })
    expect(certificates.refresh()).toMatchObject({ kind: 'kept' })
    expect(certificates.refresh()).toEqual({ kind: 'same' })
    expect(await shown()).toBe('node-1')
    put('key', 'other')
    expect(certificates.refresh()).toEqual({ kind: 'taken' })
    expect(await shown()).toBe('unused-name')
    expect(certificates.inUse.own).toMatchObject({ commonNames: ['unused-name'], dnsNames: ['node_2'] })
  })

  it('trusts two authorities of one file, of the same name, while nodes go from one to the other', async () => {
    const { certificates, paths } = inDirectory('valid')
    const { listener, streams } = await echoing(certificates)
    const stranger = vectorPaths('stranger')
    const asStranger = { cert: readFileSync(stranger.cert), key: readFileSync(stranger.key) }
    await echoed(await securedBy(listener.port, asStranger))
    writeFileSync(paths.ca, Buffer.concat([readFileSync(foreignAuthority), readFileSync(vectorPaths('valid').ca)]))
    expect(certificates.refresh()).toEqual({ kind: 'taken' })
    expect(certificates.inUse.authorities).toHaveLength(2)
    await echoed(await securedBy(listener.port, asStranger))
    await echoed(await securedBy(listener.port, {}))
    expect(streams.map(({ channel }) => channel?.problem)).toEqual(['untrusted', undefined, undefined])
  })

  it('says which file cannot be used, and why', () => {
    const { certificates, paths } = inDirectory('valid')
    const why = (): unknown => {
      certificates.refresh()
      return certificates.refresh()
    }
    writeFileSync(paths.ca, '')
    expect(why()).toMatchObject({ kind: 'kept', why: `${paths.ca} has no certificate (PEM)` })
    copyFileSync(vectorPaths('valid').cert, paths.ca)
    expect(why()).toMatchObject({
      kind: 'kept',
      why: expect.stringContaining(`${paths.ca} holds a certificate that is not an authority's: `) as string,
    })
    rmSync(paths.ca)
    expect(why()).toMatchObject({ kind: 'kept', why: `${paths.ca} does not exist` })
  })

  it('begins no more handshakes than its pace allows, however many begin to speak', async () => {
    const { closed, listener, streams } = await echoing(nodeVector('valid'))
    const hello = Buffer.concat([Buffer.of(22, 3, 1, 0, 4), Buffer.alloc(900, 0xee)])
    const sockets = Array.from({ length: 400 }, () => {
      const socket = connectPlain({ host: '127.0.0.1', port: listener.port }, () => socket.write(hello))
      socket.on('error', () => undefined)
      socket.resume()
      endings.push(() => socket.destroy())
      return socket
    })
    const startMs = performance.now()
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))))
    // 256 at once, then 128 a second.
    expect(performance.now() - startMs).toBeGreaterThan(900)
    expect([streams.length, closed.length]).toEqual([400, 400])
    const stream = await createNodeNetwork(nodeVector('other')).dial({ host: '127.0.0.1', port: listener.port }, never)
    expect(stream.channel?.problem).toBeUndefined()
    stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
    stream.destroy()
  })
})
