/** The suite for TLS of the AgentNetwork port: whom a listener lets in, whose handshakes end how, and that bytes go through. */
import assert from 'node:assert/strict'
import { proxyHeaderLine } from '../../wire/proxy/proxyHeader.js'
import { type ComplianceCase, casesOf, codeOf } from './complianceCase.js'
import { handshakeMsMax, TlsConnections, type TlsSuite } from './tlsConnections.js'

const source = { address: '192.0.2.7', port: 40_000 }
const target = { address: '192.0.2.8', port: 1_515 }

const tests: Readonly<Record<string, (net: TlsConnections) => Promise<void>>> = {
  'delivers every byte intact, both ways, and a clean close after the last': async (net) => {
    const [dialer, acceptor] = await net.connect()
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) & 0xff))
    dialer.stream.write([bytes.subarray(0, 5), bytes.subarray(5)])
    await net.run(acceptor.until((end) => end.byteCount === bytes.length))
    acceptor.stream.write([Buffer.from('OSSEC '), Buffer.from("K:'001'")])
    acceptor.stream.end()
    await net.run(Promise.all([dialer.until((end) => end.isClosed), acceptor.until((end) => end.isClosed)]))
    assert.ok(bytes.equals(Buffer.concat(acceptor.parts)))
    assert.equal(Buffer.concat(dialer.parts).toString(), "OSSEC K:'001'")
    assert.deepEqual([dialer.events.at(-1), acceptor.events.at(-1), net.refused], ['closed', 'closed', []])
  },

  'delivers what is sent right after the handshake, from either side': async (net) => {
    net.onAccepted = (end) => end.stream.write([Buffer.from('hello')])
    const dialer = await net.dial()
    dialer.stream.write([Buffer.from('and back')])
    await net.run(dialer.until((end) => end.byteCount === 5))
    await net.run(net.accepted[0]?.until((end) => end.byteCount === 8) ?? Promise.reject(new Error('nobody was let in')))
  },

  'says where the peer is, and names it only when it was asked for a certificate': async (net) => {
    const [dialer] = await net.connect({ tls: net.suite.identities.client })
    const [stream] = net.streams
    assert.match(dialer.stream.remoteAddress, /^\d+\.\d+\.\d+\.\d+$/)
    assert.match(stream?.remoteAddress ?? '', /^\d+\.\d+\.\d+\.\d+$/)
    assert.deepEqual(stream?.peerNames, [])
  },

  'lets in only peers with a certificate of the authority, and knows all its names': async (net) => {
    const { authority, client, stranger } = net.suite.identities
    await net.listen({ clientCa: authority })
    await net.connect({ tls: client })
    assert.deepEqual([...(net.streams[0]?.peerNames ?? [])].sort(), [...client.names].sort())
    for (const tls of [stranger, {}]) {
      const refused = net.refusal()
      await net.codeOrClosed(tls)
      assert.equal((await net.run(refused)).code, 'handshakeRefused')
    }
    assert.equal(net.accepted.length, 1)
  },

  'lets a client refuse a server whose authority it does not know, and takes any without one': async (net) => {
    const refused = net.refusal()
    assert.equal(await net.codeOfDial({ ca: net.suite.identities.authority }), 'handshakeRefused')
    assert.equal((await net.run(refused)).code, 'handshakeRefused')
    await net.listen(net.suite.identities.client)
    await net.connect({ tls: { ca: net.suite.identities.authority } })
  },

  'refuses plain text, garbage and a connection that is closed, each once, and goes on': async (net) => {
    for (const bytes of [
      Buffer.from("OSSEC A:'agent1'\n"),
      Buffer.alloc(300, 0),
      Buffer.concat([Buffer.of(22, 3, 1, 0, 9), Buffer.alloc(900, 0xee)]),
    ]) {
      const refused = net.refusal()
      const end = await net.dialPlain()
      end.stream.write([bytes])
      assert.equal((await net.run(refused)).code, 'handshakeRefused')
      await net.run(end.until(({ isClosed }) => isClosed))
    }
    const refused = net.refusal()
    const closing = await net.dialPlain()
    closing.stream.end()
    assert.equal((await net.run(refused)).code, 'handshakeRefused')
    assert.equal(net.refused.length, 4)
    await net.connect()
  },

  'ends a handshake that is not over in time, however it drips': async (net) => {
    const silent = net.refusal()
    const end = await net.dialPlain()
    assert.equal((await net.run(silent)).code, 'handshakeTimeout')
    await net.run(end.until(({ isClosed }) => isClosed))
    const dripping = await net.dialPlain()
    for (const byte of [22, 3, 1, 0x3f, 0xff, 1, 0, 0, 9, 9, 9, 9]) {
      dripping.stream.write([Buffer.of(byte)])
      await net.suite.sleep(handshakeMsMax / 8)
    }
    assert.deepEqual(
      net.refused.map(({ code }) => code),
      ['handshakeTimeout', 'handshakeTimeout'],
    )
  },

  'asks once for each connection before it shakes hands, and closes those that are not let in without a word': async (net) => {
    const asked: string[] = []
    await net.listen({
      admits: (address) => {
        asked.push(address)
        return asked.length !== 2
      },
    })
    await net.connect()
    assert.notEqual(await net.codeOfDial({}), 'none')
    await net.connect()
    assert.deepEqual([asked.length, new Set(asked).size, net.refused, net.accepted.length], [3, 1, [], 2])
    assert.equal(asked[0], net.streams[0]?.remoteAddress)
  },

  'takes the address of a peer from the header of a listed proxy, before it asks and shakes hands': async (net) => {
    const asked: string[] = []
    await net.listen({
      proxies: [net.dialerAddress],
      admits: (address) => {
        asked.push(address)
        return true
      },
    })
    await net.connect({ header: proxyHeaderLine(source, target) })
    assert.deepEqual([asked, net.streams.map((stream) => stream.remoteAddress)], [[source.address], [source.address]])
  },

  'refuses a listed proxy that sends no header, and a header from anybody else': async (net) => {
    const stranger = net.refusal()
    const end = await net.dialPlain()
    end.stream.write([proxyHeaderLine(source, target)])
    assert.equal((await net.run(stranger)).code, 'handshakeRefused')
    await net.listen({ proxies: [net.dialerAddress] })
    const refused = net.refusal()
    assert.notEqual(await net.codeOfDial({}), 'none')
    assert.equal((await net.run(refused)).code, 'handshakeRefused')
    assert.equal(net.accepted.length, 0)
  },

  'says nothing of a proxy that only sees whether somebody listens': async (net) => {
    await net.listen({ proxies: [net.dialerAddress] })
    for (const bytes of [[], [Buffer.from('PROXY UNKNOWN\r\n')]]) {
      const end = await net.dialPlain()
      end.stream.write(bytes)
      end.stream.end()
      await net.run(end.until(({ isClosed }) => isClosed))
    }
    await net.connect({ header: proxyHeaderLine(source, target) })
    assert.deepEqual(net.refused, [])
  },

  'refuses certificates, keys and ciphers that cannot be used': async (net) => {
    const { client, server } = net.suite.identities
    const nonsense = 'nonsense'
    for (const tls of [{ certificate: nonsense }, { key: nonsense }, { key: client.key }, { clientCa: nonsense }, { ciphers: nonsense }])
      assert.equal(await codeOf(net.listen({ ...server, ...tls })), 'configInvalid')
    assert.equal(await net.codeOfDial({ ca: nonsense }), 'configInvalid')
  },

  'agrees with the ciphers that Wazuh asks for': async (net) => {
    await net.listen({ ciphers: 'HIGH:!ADH:!EXP:!MD5:!RC4:!3DES:!CAMELLIA:@STRENGTH' })
    await net.connect()
  },

  'fails to dial where nothing listens, where something else answers, and when it is cancelled': async (net) => {
    await net.run(net.listener.close())
    assert.equal(await net.codeOfDial({}), 'dialFailed')
    const plain = await net.run(
      net.suite.listening.listen({ host: net.suite.listenHost, port: 0 }, (stream) => {
        net.attached(stream).stream.write([Buffer.from('220 another service\r\n')])
      }),
    )
    assert.equal(await net.codeOfDial({}, plain.port), 'handshakeRefused')
    await net.run(plain.close())
    await net.listen()
    assert.equal(await net.codeOfDial({}, net.listener.port, AbortSignal.abort()), 'aborted')
  },

  'ends what is under way when it is closed, keeps those that are in, and frees the port': async (net) => {
    const [dialer, acceptor] = await net.connect()
    const { port } = net.listener
    const waiting = await net.dialPlain()
    waiting.stream.write([Buffer.of(22)])
    await net.run(net.listener.close())
    await net.run(waiting.until((end) => end.isClosed))
    dialer.stream.write([Buffer.of(1)])
    await net.run(acceptor.until((end) => end.byteCount === 1))
    await net.listen({}, port)
    await net.connect()
    assert.deepEqual(net.refused, [])
  },
}

/**
 * Holds TLS to: only whom the listener admits shakes hands, only whose certificates are wanted is let in, each handshake ends once and
 * in time, and what is not TLS is refused at no other's cost.
 */
export const tlsCases = (suite: () => TlsSuite): readonly ComplianceCase[] =>
  casesOf<TlsConnections>(
    () => new TlsConnections(suite()).begin(),
    (net) => net.end(),
    tests,
  )
