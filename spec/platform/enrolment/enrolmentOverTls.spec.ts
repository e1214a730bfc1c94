import { readFileSync } from 'node:fs'
import { connect as connectPlain, type Socket } from 'node:net'
import { type ConnectionOptions, connect } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { EnrolmentServer } from '../../../src/actors/enrolment/enrolmentServer.js'
import { defaultEnrolmentRules } from '../../../src/domain/agents/replacement.js'
import { realClock } from '../../../src/platform/machine/realClock.js'
import { realRandom } from '../../../src/platform/machine/realRandom.js'
import { createAgentNetwork } from '../../../src/platform/net/agentNetwork.js'
import type { EnrolmentOptions } from '../../../src/ports/enrolment.js'
import { readReply } from '../../../src/wire/enrolment/replyText.js'
import { requestLineText } from '../../../src/wire/enrolment/requestLine.js'
import { enrolmentOptions } from '../../support/agents/enrolmentWorld.js'
import { RecordedMaster } from '../../support/agents/recordedMaster.js'

const text = (name: string): string => readFileSync(new URL(`../../vectors/tls/${name}`, import.meta.url), 'utf8')
const own = { certificate: text('server.cert'), key: text('server.key') }

const servers: EnrolmentServer[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) await server.stop()
})

const started = async (options: Partial<EnrolmentOptions> = {}) => {
  const master = new RecordedMaster(defaultEnrolmentRules.force, realClock.now())
  const lines: string[] = []
  const server = new EnrolmentServer({
    options: { ...enrolmentOptions, ...own, port: 0, localIp: '127.0.0.1', ...options },
    network: createAgentNetwork(),
    clock: realClock,
    random: realRandom,
    desk: {
      enrol: (request) => master.enrol(request),
      log: async (level, line) => {
        lines.push(`${level} ${line}`)
      },
    },
  })
  servers.push(server)
  return { server, lines, port: await server.start() }
}

interface Exchange {
  /** One element a TLS record. */
  readonly records: readonly Buffer[]
  readonly protocol: string | null
  readonly error: string | undefined
}

/** What one request gets until the other side has closed. */
const exchange = (port: number, request: string, options: ConnectionOptions & { readonly localAddress?: string } = {}): Promise<Exchange> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
    sockets.push(socket)
    const records: Buffer[] = []
    let error: string | undefined
    let protocol: string | null = null
    socket.on('secureConnect', () => {
      protocol = socket.getProtocol()
      socket.write(Buffer.from(request, 'latin1'))
    })
    socket.on('data', (record: Buffer) => records.push(record))
    socket.on('error', (thrown: NodeJS.ErrnoException) => {
      error = thrown.code
    })
    socket.on('close', () => resolve({ records, protocol, error }))
  })

const request = (name: string): string => requestLineText({ name, version: 'v4.14.7' })

/** Until the other side closes it, whatever was sent. */
const plain = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connectPlain({ host: '127.0.0.1', port })
    sockets.push(socket)
    let answer = ''
    socket.on('connect', () => socket.write(bytes))
    socket.on('data', (more: Buffer) => {
      answer += more.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })

describe('enrolment over TLS on this machine', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('gives a key in one record and closes: %s', async (version) => {
    const { port, server } = await started()
    const { protocol, records } = await exchange(port, request('agent1'), { minVersion: version, maxVersion: version })
    expect(protocol).toBe(version)
    expect(records.length).toBe(1)
    expect(records.map((record) => readReply(record))).toMatchObject([{ kind: 'key', identity: { id: '001', name: 'agent1', ip: 'any' } }])
    const refused = await exchange(port, request('agent1'))
    expect(refused.records.map(String)).toEqual(['ERROR: Duplicate agent name: agent1. Unable to add agent'])
    expect(server.counts()).toEqual({ enrolled: 1, refused: 1, handshakesFailed: 0 })
  })

  it('refuses TLS 1.1, a weak cipher, plain text and garbage, and goes on', async () => {
    const { port, server } = await started()
    const old = await exchange(port, request('agent1'), { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    expect(old).toMatchObject({ records: [], error: expect.stringContaining('PROTOCOL_VERSION') })
    const weak = await exchange(port, request('agent1'), { maxVersion: 'TLSv1.2', ciphers: 'NULL-SHA256:@SECLEVEL=0' })
    expect(weak).toMatchObject({ records: [], error: expect.stringContaining('HANDSHAKE_FAILURE') })
    expect(await plain(port, request('agent1'))).toBe('')
    expect(await plain(port, '\x16\x03\x01\xff\xffgarbage'.repeat(2_000))).not.toContain('OSSEC')
    expect((await exchange(port, request('agent1'))).records.length).toBe(1)
    expect(server.counts()).toEqual({ enrolled: 1, refused: 0, handshakesFailed: 4 })
  })

  it('lets in agents with a certificate of its authority only, that names their address when it must', async () => {
    const asked = { agentCa: text('authority.cert') }
    const { port } = await started(asked)
    expect((await exchange(port, request('agent1'))).records).toEqual([])
    expect((await exchange(port, request('agent1'), { cert: text('stranger.cert'), key: text('stranger.key') })).records).toEqual([])
    const client = { cert: text('client.cert'), key: text('client.key') }
    expect((await exchange(port, request('agent1'), client)).records.length).toBe(1)

    // It names 127.0.0.1.
    const strict = await started({ ...asked, verifiesHost: true })
    expect((await exchange(strict.port, request('agent2'), client)).records.length).toBe(1)
    expect((await exchange(strict.port, request('agent3'), { ...client, localAddress: '127.0.0.2' })).records).toEqual([])
    expect(strict.lines.filter((line) => line.includes('ssl_verify_host')).length).toBe(1)
  })

  it('serves an agent at once beside sockets that say nothing and handshakes that stop', async () => {
    const { port } = await started()
    const silent = Array.from({ length: 100 }, (_, at) => {
      const socket = connectPlain({ host: '127.0.0.1', port })
      socket.on('error', () => {})
      if (at % 2 === 0) socket.write(Buffer.from([22, 3, 1]))
      return socket
    })
    sockets.push(...silent)
    await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
    const burst = await Promise.all(Array.from({ length: 20 }, (_, at) => exchange(port, request(`agent${at}`))))
    expect(burst.map(({ records }) => records.length)).toEqual(Array(20).fill(1))
  })
})
