/** The suite for the Network port: what every network must do for the links over it, real or simulated. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import type { ByteStream, Endpoint, Listener, Network } from '../../ports/network.js'
import { type ComplianceCase, casesOf, codeOf } from './complianceCase.js'
import { StreamEnd } from './streamEnd.js'

export interface NetworkSuite {
  readonly dialing: Network
  /** The same network, as the host sees it that listens. */
  readonly listening: Network
  readonly listenHost: string
  /** Where the listener is found by those that dial. */
  readonly dialHost: string
  /** Waits for a promise; a network in virtual time lets the time pass meanwhile. */
  readonly run: <T>(promise: Promise<T>) => Promise<T>
  /** Lets the network go on a little, some milliseconds at most. */
  readonly turn: () => Promise<void>
}

const never = new AbortController().signal

const digestOf = (parts: readonly Uint8Array[]): string => createHash('sha256').update(Buffer.concat(parts)).digest('hex')

const tests: Readonly<Record<string, (net: Connections) => Promise<void>>> = {
  'delivers every byte intact and in order, both ways, and then a clean close, once and last': (net) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 4 }), { maxLength: 12 }),
        fc.array(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 4 }), { maxLength: 12 }),
        async (there, back) => {
          const [dialer, acceptor] = await net.connect()
          // The streams take ownership of the bytes, so the expected digest is computed first.
          const [thereDigest, backDigest] = [digestOf(there.flat()), digestOf(back.flat())]
          for (const parts of back) acceptor.stream.write(parts)
          for (const parts of there) dialer.stream.write(parts)
          dialer.stream.end()
          await net.suite.run(Promise.all([dialer.until((end) => end.isClosed), acceptor.until((end) => end.isClosed)]))
          assert.deepEqual([acceptor.digest, dialer.digest], [thereDigest, backDigest])
          for (const end of [dialer, acceptor])
            assert.deepEqual(
              end.events.filter((what) => what !== 'bytes' && what !== 'drain'),
              ['closed'],
            )
        },
      ),
      { numRuns: 25 },
    ),

  'delivers what the accepting side sends at once to a dialer that attaches in the same turn': async (net) => {
    net.onAccepted = () => net.accepted[0]?.stream.write([Buffer.from('hello')])
    const dialer = await net.dial()
    await net.suite.run(dialer.until((end) => end.byteCount === 5))
    assert.equal(Buffer.concat(dialer.parts).toString(), 'hello')
  },

  'holds a sender back while the reader pauses, bounds what is under way, and signals a drain': async (net) => {
    const [dialer, acceptor] = await net.connect()
    acceptor.stream.pause()
    const chunk = new Uint8Array(64 * 1_024).fill(7)
    let written = 0
    // A write that returns false may still find room in the kernel: only a missing drain shows that the reader is full.
    for (let quiet = 0; quiet < 50; ) {
      assert.ok(written < 64 * 1_024 * 1_024)
      if (dialer.stream.write([chunk.slice()])) quiet = 0
      else {
        const drains = dialer.events.length
        for (quiet = 0; quiet < 50 && dialer.events.length === drains; quiet++) await net.suite.turn()
      }
      written += chunk.length
    }
    assert.deepEqual([acceptor.byteCount, acceptor.events], [0, []])
    const drains = dialer.events.length
    acceptor.stream.resume()
    await net.suite.run(
      Promise.all([dialer.until((end) => end.events.length > drains), acceptor.until((end) => end.byteCount === written)]),
    )
    assert.equal(dialer.events.at(-1), 'drain')
  },

  'delivers nothing more from the moment of a pause, and all of it after the resume': async (net) => {
    const [dialer, acceptor] = await net.connect()
    acceptor.onBytes = () => acceptor.stream.pause()
    for (let i = 0; i < 40; i++) dialer.stream.write([new Uint8Array(10_000)])
    await net.suite.run(acceptor.until((end) => end.byteCount > 0))
    for (let i = 0; i < 20; i++) await net.suite.turn()
    assert.equal(acceptor.parts.length, 1)
    acceptor.onBytes = () => {}
    acceptor.stream.resume()
    await net.suite.run(acceptor.until((end) => end.byteCount === 400_000))
  },

  'sends all that was written before an end, however slowly it is read': async (net) => {
    const [dialer, acceptor] = await net.connect()
    acceptor.stream.pause()
    dialer.stream.write([new Uint8Array(3_000_000)])
    dialer.stream.end()
    for (let i = 0; i < 20; i++) await net.suite.turn()
    assert.equal(dialer.isClosed, false)
    acceptor.stream.resume()
    await net.suite.run(Promise.all([dialer.until((end) => end.isClosed), acceptor.until((end) => end.isClosed)]))
    assert.equal(acceptor.byteCount, 3_000_000)
  },

  'closes both ends of a destroyed connection, without an error and with nothing after it': async (net) => {
    const [dialer, acceptor] = await net.connect()
    acceptor.stream.write([new Uint8Array(1_000)])
    dialer.stream.destroy()
    assert.deepEqual(dialer.events, [])
    dialer.stream.destroy()
    await net.suite.run(Promise.all([dialer.until((end) => end.isClosed), acceptor.until((end) => end.isClosed)]))
    for (let i = 0; i < 10; i++) await net.suite.turn()
    assert.deepEqual(dialer.events, ['closed'])
    assert.equal(acceptor.events.length, 1)
  },

  'ignores what is written after the end': async (net) => {
    const [dialer, acceptor] = await net.connect()
    dialer.stream.write([Uint8Array.of(1)])
    dialer.stream.end()
    assert.equal(dialer.stream.write([Uint8Array.of(2)]), true)
    dialer.stream.end()
    await net.suite.run(acceptor.until((end) => end.isClosed))
    await net.suite.run(dialer.until((end) => end.isClosed))
    assert.equal(dialer.stream.write([Uint8Array.of(3)]), true)
    assert.deepEqual([acceptor.byteCount, acceptor.events.at(-1), dialer.events], [1, 'closed', ['closed']])
    assert.equal(acceptor.wasClosedWhenEnded, false)
  },

  'says where the peer is': async (net) => {
    const [dialer, acceptor] = await net.connect()
    for (const { stream } of [dialer, acceptor]) assert.match(stream.remoteAddress, /^\d+\.\d+\.\d+\.\d+$/)
  },

  'fails to dial where nothing listens, and stops a dial that is cancelled': async (net) => {
    const free = await net.listen()
    await net.suite.run(free.close())
    const nobody = { host: net.suite.dialHost, port: free.port }
    assert.equal(await codeOf(net.dial(nobody)), 'dialFailed')
    assert.equal(await codeOf(net.dial(net.endpoint, AbortSignal.abort())), 'aborted')
    const aborts = new AbortController()
    const dial = net.dial(net.endpoint, aborts.signal)
    aborts.abort()
    assert.equal(await codeOf(dial), 'aborted')
  },

  'gives each listener that asks for none a free port, and refuses one that is taken': async (net) => {
    const other = await net.listen()
    assert.notEqual(other.port, net.listener.port)
    assert.equal(await codeOf(net.listen(net.listener.port)), 'listenFailed')
    await net.suite.run(other.close())
  },

  'takes no new connections once the listener is closed, keeps those that are in, and frees the port': async (net) => {
    const [dialer, acceptor] = await net.connect()
    await net.suite.run(net.listener.close())
    assert.equal(await codeOf(net.dial()), 'dialFailed')
    dialer.stream.write([Uint8Array.of(1)])
    await net.suite.run(acceptor.until((end) => end.byteCount === 1))
    await net.open(net.listener.port)
    await net.connect()
    assert.equal(net.accepted.length, 2)
  },
}

/** A listener, and the connections that a case makes to it. */
class Connections {
  readonly suite: NetworkSuite
  readonly accepted: StreamEnd[] = []
  onAccepted: () => void = () => undefined
  readonly #streams: ByteStream[] = []
  #listener: Listener | undefined

  constructor(suite: NetworkSuite) {
    this.suite = suite
  }

  get listener(): Listener {
    assert.ok(this.#listener)
    return this.#listener
  }

  get endpoint(): Endpoint {
    return { host: this.suite.dialHost, port: this.listener.port }
  }

  /** Another listener; its connections come to `accepted` too. */
  listen(port = 0): Promise<Listener> {
    const { listenHost, listening, run } = this.suite
    return run(
      listening.listen({ host: listenHost, port }, (stream) => {
        this.accepted.push(this.#attached(stream))
        this.onAccepted()
      }),
    )
  }

  async open(port = 0): Promise<this> {
    this.#listener = await this.listen(port)
    return this
  }

  dial(endpoint: Endpoint = this.endpoint, signal: AbortSignal = never): Promise<StreamEnd> {
    const { dialing, run } = this.suite
    return run(dialing.dial(endpoint, signal).then((stream) => this.#attached(stream)))
  }

  /** Both ends of a new connection. */
  async connect(): Promise<readonly [dialer: StreamEnd, acceptor: StreamEnd]> {
    const before = this.accepted.length
    const arrival = new Promise<void>((resolve) => {
      this.onAccepted = resolve
    })
    const dialer = await this.dial()
    await this.suite.run(arrival)
    const acceptor = this.accepted[before]
    assert.ok(acceptor)
    return [dialer, acceptor]
  }

  async end(): Promise<void> {
    for (const stream of this.#streams) stream.destroy()
    await this.suite.run(this.listener.close())
  }

  #attached(stream: ByteStream): StreamEnd {
    this.#streams.push(stream)
    return new StreamEnd(stream)
  }
}

/**
 * Holds a network to: bytes arrive intact and in order, a paused reader holds its sender back, closing is clean and comes once and
 * last, and dialing and listening fail with the codes of the port.
 */
export const networkCases = (suite: () => NetworkSuite): readonly ComplianceCase[] =>
  casesOf<Connections>(
    () => new Connections(suite()).open(),
    (net) => net.end(),
    tests,
  )
