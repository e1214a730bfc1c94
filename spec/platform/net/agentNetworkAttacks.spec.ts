/** What the real network does for agents beyond the compliance suites: one record, old protocols, floods, both families. */
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import type { ClusterError } from '../../../src/base/errors.js'
import { createAgentNetwork } from '../../../src/platform/net/agentNetwork.js'
import type { Listener, TlsServerOptions, TlsStream } from '../../../src/ports/network.js'
import { StreamEnd } from '../../../src/testing/compliance/streamEnd.js'

const pem = (name: string): string => readFileSync(new URL(`../../vectors/tls/${name}`, import.meta.url), 'utf8')
const network = createAgentNetwork()
const never = new AbortController().signal
const host = '127.0.0.1'

const toClose: { close(): unknown }[] = []
afterEach(async () => {
  for (const open of toClose.splice(0)) await open.close()
})

interface Listening {
  readonly port: number
  readonly listener: Listener
  readonly refused: ClusterError[]
  /** Resolves when there have been this many. */
  refusals(count: number): Promise<void>
}

const listening = async (onStream: (stream: TlsStream) => void, tls: Partial<TlsServerOptions> = {}): Promise<Listening> => {
  const refused: ClusterError[] = []
  let check = (): void => {}
  const listener = await network.listenTls(
    { host, port: 0 },
    { certificate: pem('server.cert'), key: pem('server.key'), handshakeMsMax: 5_000, ...tls },
    onStream,
    (error) => {
      refused.push(error)
      check()
    },
  )
  toClose.push(listener)
  return {
    port: listener.port,
    listener,
    refused,
    refusals: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (refused.length >= count) resolve()
        }
        check()
      }),
  }
}

const opened = (port: number): Socket => {
  const socket = connect(port, host)
  socket.on('error', () => {})
  socket.resume()
  toClose.push({ close: () => socket.destroy() })
  return socket
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()))

/** Sizes of the records with application data, with what TLS 1.2 adds to each. */
const dataRecords = (bytes: Buffer): readonly number[] => {
  const sizes: number[] = []
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3))
    if (bytes[at] === 23) sizes.push(bytes.readUInt16BE(at + 3))
  return sizes
}

const answer = [Buffer.from("OSSEC K:'"), Buffer.from('001 agent1 any '), Buffer.from(`${'5'.repeat(64)}'`)]

describe('the network of agents', () => {
  it('sends what is written at once as one TLS record, followed by its close_notify', async () => {
    const { port } = await listening((stream) => {
      stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
      stream.write(answer)
      stream.end()
    })
    const wire: Buffer[] = []
    // TLS takes over its socket whole: only somebody in the middle sees the records.
    const relay = createServer((near) => {
      const far = opened(port)
      far.on('data', (bytes: Buffer) => wire.push(bytes))
      near.pipe(far).pipe(near)
    })
    toClose.push(relay)
    await new Promise<void>((resolve) => relay.listen(0, host, resolve))
    const address = relay.address()
    const relayPort = typeof address === 'object' && address ? address.port : 0
    const client = connectTls({ host, port: relayPort, rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
    client.resume()
    await closed(client)
    const bytes = Buffer.concat(wire)
    const [size = 0, ...more] = dataRecords(bytes)
    const text = Buffer.concat(answer).length
    expect([more, size >= text && size < text + 64]).toEqual([[], true])
    const alert = 21
    expect(bytes.lastIndexOf(Buffer.of(alert, 3, 3))).toBeGreaterThan(bytes.indexOf(Buffer.of(23, 3, 3)))
  })

  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s, whatever the ciphers allow', async (version) => {
    const { port, refusals, refused } = await listening(() => {})
    const client = connectTls({
      host,
      port,
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ciphers: 'ALL:@SECLEVEL=0',
    })
    client.on('error', () => {})
    toClose.push({ close: () => client.destroy() })
    await refusals(1)
    expect(refused.map(({ code, message }) => [code, message])).toEqual([
      ['handshakeRefused', 'The TLS handshake failed: unsupported protocol'],
    ])
  })

  it('shakes hands once: a peer that wants to do it again is not obeyed', async () => {
    const { port } = await listening((stream) => stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} }))
    const client = connectTls({ host, port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
    toClose.push({ close: () => client.destroy() })
    const error = new Promise<string>((resolve) => client.on('error', ({ message }) => resolve(message)))
    await new Promise<void>((resolve) => client.once('secureConnect', () => resolve()))
    const renegotiated = new Promise<string>((resolve) => client.renegotiate({}, (cause) => resolve(cause?.message ?? 'done')))
    expect(await Promise.race([error, renegotiated])).toMatch(/no renegotiation/)
  })

  it('refuses a flood before any handshake, and lets in who is admitted all the while', async () => {
    let floods = 0
    const streams: StreamEnd[] = []
    const { port, refused } = await listening((stream) => streams.push(new StreamEnd(stream)), {
      handshakeMsMax: 3_600_000,
      admits: () => {
        floods++
        return floods > 200
      },
    })
    const flood = Array.from({ length: 200 }, () => opened(port))
    await Promise.all(flood.map(closed))
    const end = new StreamEnd(await network.dialTls({ host, port }, {}, never))
    end.stream.write([Buffer.from('hello')])
    end.stream.end()
    await end.until(({ isClosed }) => isClosed)
    expect([refused, streams.length]).toEqual([[], 1])
  })

  it('keeps nobody waiting behind connections that say nothing, drip, or send garbage', async () => {
    const { port, refusals } = await listening((stream) => {
      stream.attach({ onBytes: () => stream.end(), onDrain: () => {}, onClosed: () => {} })
    })
    for (let i = 0; i < 60; i++) {
      const socket = opened(port)
      if (i % 3 === 1) socket.write(Buffer.of(22, 3, 1))
      if (i % 3 === 2) socket.write(Buffer.alloc(100, i))
    }
    await refusals(20)
    const end = new StreamEnd(await network.dialTls({ host, port }, {}, never))
    end.stream.write([Buffer.from('hello')])
    await end.until(({ isClosed }) => isClosed)
  })

  it('takes datagrams of both families on one socket, and writes each peer as what it is', async () => {
    const got: string[] = []
    let check = (): void => {}
    const both = await network.openDatagrams({ host: '::', port: 0 }, (bytes, from) => {
      got.push(`${from.address} ${Buffer.from(bytes).toString()}`)
      both.send(Buffer.from('pong'), from)
      check()
    })
    const answers = new Promise<void>((resolve) => {
      check = () => {
        if (got.length === 4) resolve()
      }
    })
    const peers = await Promise.all(
      ['127.0.0.1', '::1'].map((address) =>
        network.openDatagrams({ host: address, port: 0 }, (bytes) => {
          got.push(`answer ${Buffer.from(bytes).toString()}`)
          check()
        }),
      ),
    )
    toClose.push(both, ...peers)
    for (const peer of peers) peer.send(Buffer.from('ping'), { address: peer.address, port: both.port })
    await answers
    expect(got.sort()).toEqual(['127.0.0.1 ping', '::1 ping', 'answer pong', 'answer pong'])
  })
})
