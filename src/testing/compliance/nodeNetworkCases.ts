/** The suite for a network of nodes that have certificates: what both ends know of each other, and what they share with nobody else. */
import assert from 'node:assert/strict'
import type { ByteStream, Listener, Network, SecureChannel } from '../../ports/network.js'
import { type ComplianceCase, casesOf, codeOf } from './complianceCase.js'
import { StreamEnd } from './streamEnd.js'

/** By the certificate that a node has: `valid` and `other` are of the authority that both sides trust. */
export type NodeKind = 'valid' | 'other' | 'expired' | 'early' | 'stranger'

export interface NodeNetworkSuite {
  /** The network of a node with such a certificate, as it is seen from the host that dials or listens. */
  network(kind: NodeKind, side: 'dialing' | 'listening'): Network
  /** The same without TLS. */
  plain(side: 'dialing' | 'listening'): Network
  /** The name that a certificate is for. */
  nameOf(kind: NodeKind): string
  readonly listenHost: string
  readonly dialHost: string
  readonly run: <T>(promise: Promise<T>) => Promise<T>
}

const never = new AbortController().signal

class Nodes {
  readonly suite: NodeNetworkSuite
  readonly #open: ByteStream[] = []
  readonly #listeners: Listener[] = []

  constructor(suite: NodeNetworkSuite) {
    this.suite = suite
  }

  /** What comes in, one after the other. */
  async listen(network: Network): Promise<{ readonly port: number; readonly accepted: StreamEnd[] }> {
    const accepted: StreamEnd[] = []
    const listener = await this.suite.run(
      network.listen({ host: this.suite.listenHost, port: 0 }, (stream) => accepted.push(this.#attached(stream))),
    )
    this.#listeners.push(listener)
    return { port: listener.port, accepted }
  }

  async dial(network: Network, port: number): Promise<StreamEnd> {
    return this.#attached(await this.suite.run(network.dial({ host: this.suite.dialHost, port }, never)))
  }

  /** Both channels of a connection that was used in both directions. */
  async channels(dialing: NodeKind, listening: NodeKind): Promise<readonly [dialer: SecureChannel, acceptor: SecureChannel]> {
    const { port, accepted } = await this.listen(this.suite.network(listening, 'listening'))
    const dialer = await this.dial(this.suite.network(dialing, 'dialing'), port)
    dialer.stream.write([Buffer.from('there')])
    const [acceptor] = accepted
    assert.ok(acceptor)
    await this.suite.run(acceptor.until(({ byteCount }) => byteCount === 5))
    acceptor.stream.write([Buffer.from('back')])
    await this.suite.run(dialer.until(({ byteCount }) => byteCount === 4))
    const [ofDialer, ofAcceptor] = [dialer.stream.channel, acceptor.stream.channel]
    assert.ok(ofDialer && ofAcceptor)
    return [ofDialer, ofAcceptor]
  }

  async end(): Promise<void> {
    for (const stream of this.#open) stream.destroy()
    for (const listener of this.#listeners) await this.suite.run(listener.close())
  }

  #attached(stream: ByteStream): StreamEnd {
    this.#open.push(stream)
    return new StreamEnd(stream)
  }
}

const namesOf = ({ certificate }: SecureChannel): readonly string[] => [
  ...(certificate?.commonNames ?? []),
  ...(certificate?.dnsNames ?? []),
]

const tests: Readonly<Record<string, (nodes: Nodes) => Promise<void>>> = {
  'shows each side the other one, and when both certificates end': async (nodes) => {
    const { suite } = nodes
    const [dialer, acceptor] = await nodes.channels('other', 'valid')
    assert.ok(namesOf(dialer).includes(suite.nameOf('valid')))
    assert.ok(namesOf(acceptor).includes(suite.nameOf('other')))
    assert.deepEqual([dialer.problem, acceptor.problem], [undefined, undefined])
    assert.equal(dialer.certificate?.endsMs, acceptor.ownEndsMs)
    assert.equal(acceptor.certificate?.endsMs, dialer.ownEndsMs)
    assert.match(dialer.certificate?.fingerprint ?? '', /^[0-9a-f]{64}$/)
    assert.notEqual(dialer.certificate?.fingerprint, acceptor.certificate?.fingerprint)
  },

  'gives both ends of a channel the same secret, and each channel another one': async (nodes) => {
    const [first, second] = [await nodes.channels('valid', 'valid'), await nodes.channels('valid', 'valid')]
    for (const [dialer, acceptor] of [first, second]) assert.ok(Buffer.from(dialer.binding).equals(acceptor.binding))
    assert.ok(first[0].binding.byteLength >= 32)
    assert.ok(!Buffer.from(first[0].binding).equals(second[0].binding))
  },

  'says what is wrong with a certificate, on whichever side it is shown': async (nodes) => {
    for (const [kind, problem] of [
      ['expired', 'expired'],
      ['early', 'early'],
      ['stranger', 'untrusted'],
    ] as const) {
      const [, acceptor] = await nodes.channels(kind, 'valid')
      const [dialer] = await nodes.channels('valid', kind)
      assert.deepEqual([acceptor.problem, dialer.problem], [problem, problem], kind)
    }
  },

  'hands out a connection that is not over TLS as it is, and every byte of it': async (nodes) => {
    const { port, accepted } = await nodes.listen(nodes.suite.network('valid', 'listening'))
    const dialer = await nodes.dial(nodes.suite.plain('dialing'), port)
    dialer.stream.write([Buffer.from('MS')])
    dialer.stream.write([Buffer.from('TR and more')])
    await nodes.suite.run(Promise.resolve(accepted[0]?.until(({ byteCount }) => byteCount === 13)))
    const [acceptor] = accepted
    assert.ok(acceptor)
    assert.equal(Buffer.concat(acceptor.parts).toString(), 'MSTR and more')
    assert.equal(acceptor.stream.channel, undefined)
    acceptor.stream.write([Buffer.from('back')])
    acceptor.stream.end()
    await nodes.suite.run(dialer.until(({ isClosed }) => isClosed))
    assert.equal(Buffer.concat(dialer.parts).toString(), 'back')
  },

  'ends a connection that says half a handshake, or garbage after one, with an error of that end only': async (nodes) => {
    const { port, accepted } = await nodes.listen(nodes.suite.network('valid', 'listening'))
    const half = await nodes.dial(nodes.suite.plain('dialing'), port)
    half.stream.write([Buffer.of(22, 3, 1, 0, 200, 1)])
    half.stream.end()
    await nodes.suite.run(half.until(({ isClosed }) => isClosed))
    const garbage = await nodes.dial(nodes.suite.plain('dialing'), port)
    garbage.stream.write([Buffer.concat([Buffer.of(22, 3, 1, 0, 4), Buffer.alloc(900, 0xee)])])
    await nodes.suite.run(garbage.until(({ isClosed }) => isClosed))
    for (const end of accepted) await nodes.suite.run(end.until(({ isClosed }) => isClosed))
    assert.deepEqual(
      accepted.map(({ byteCount }) => byteCount),
      [0, 0],
    )
  },

  'fails a dial to a listener without TLS, and says why': async (nodes) => {
    const { suite } = nodes
    const listener = await suite.run(
      suite.plain('listening').listen({ host: suite.listenHost, port: 0 }, (stream) => {
        stream.attach({ onBytes: () => stream.destroy(), onDrain: () => {}, onClosed: () => {} })
      }),
    )
    const dial = suite.network('valid', 'dialing').dial({ host: suite.dialHost, port: listener.port }, never)
    const failed = await suite.run(
      dial.then(
        () => undefined,
        (thrown: unknown) => thrown,
      ),
    )
    await suite.run(listener.close())
    assert.equal(await codeOf(Promise.reject(failed)), 'dialFailed')
    assert.ok(failed instanceof Error && 'context' in failed)
    assert.deepEqual(failed.context, { isPlain: true })
  },

  'stops a dial whose handshake gets no answer': async (nodes) => {
    const { suite } = nodes
    const ending = new AbortController()
    const listener = await suite.run(
      suite.plain('listening').listen({ host: suite.listenHost, port: 0 }, (stream) => {
        stream.attach({ onBytes: () => ending.abort(), onDrain: () => {}, onClosed: () => {} })
      }),
    )
    const dial = suite.network('valid', 'dialing').dial({ host: suite.dialHost, port: listener.port }, ending.signal)
    assert.equal(await suite.run(codeOf(dial)), 'aborted')
    await suite.run(listener.close())
  },
}

/** Holds a network of nodes to: both ends know who the other is, share a secret of their channel, and take what is not TLS as it is. */
export const nodeNetworkCases = (suite: () => NodeNetworkSuite): readonly ComplianceCase[] =>
  casesOf<Nodes>(
    async () => new Nodes(suite()),
    (nodes) => nodes.end(),
    tests,
  )
