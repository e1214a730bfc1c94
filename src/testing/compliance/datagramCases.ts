/** The suite for datagrams of the AgentNetwork port: each arrives whole and as it was, says where it is from, and harms nothing. */
import assert from 'node:assert/strict'
import type { AgentNetwork, DatagramSocket, DatagramSource } from '../../ports/network.js'
import { type ComplianceCase, casesOf, codeOf } from './complianceCase.js'

export interface DatagramSuite {
  readonly here: AgentNetwork
  /** The same network, as another host sees it. */
  readonly there: AgentNetwork
  readonly hereHost: string
  readonly thereHost: string
  /** Waits for a promise; a network in virtual time lets the time pass meanwhile. */
  readonly run: <T>(promise: Promise<T>) => Promise<T>
  /** Lets this much time pass, and what falls into it happen. */
  readonly sleep: (ms: number) => Promise<void>
}

/** The largest that IPv4 carries. */
const bytesMax = 65_507

const tests: Readonly<Record<string, (net: Datagrams) => Promise<void>>> = {
  'delivers each whole and as it was, of any size, with where it is from': async (net) => {
    const [a, b] = [await net.open('here'), await net.open('there')]
    for (const size of [0, 1, 900, 9_000, bytesMax]) {
      const bytes = Buffer.from(Array.from({ length: size }, (_, i) => (i * 13) & 0xff))
      const [got] = await net.exchange(b, () => a.socket.send(Buffer.from(bytes), b.where), 1)
      assert.ok(got && bytes.equals(got.bytes))
      assert.deepEqual(got.from, a.where)
    }
  },

  'carries an answer back to where a datagram came from': async (net) => {
    const [a, b] = [await net.open('here'), await net.open('there')]
    const [question] = await net.exchange(b, () => a.socket.send(Buffer.from('#ping'), b.where), 1)
    assert.ok(question)
    const [answer] = await net.exchange(a, () => b.socket.send(Buffer.from('#pong'), question.from), 1)
    assert.deepEqual([answer?.bytes.toString(), answer?.from], ['#pong', b.where])
  },

  'gives what it delivers to the receiver, to keep': async (net) => {
    const [a, b] = [await net.open('here'), await net.open('there')]
    const sent = Array.from({ length: 20 }, (_, i) => Buffer.alloc(100, i))
    const sendAll = (): void => {
      for (const bytes of sent) a.socket.send(Buffer.from(bytes), b.where)
    }
    await net.exchange(b, sendAll, sent.length)
    assert.deepEqual(new Set(b.received.map(({ bytes }) => bytes.toString('hex'))), new Set(sent.map((bytes) => bytes.toString('hex'))))
  },

  'loses what is too long, has nobody to take it or nowhere to go, and goes on': async (net) => {
    const [a, b, gone] = [await net.open('here'), await net.open('there'), await net.open('there')]
    await net.run(gone.socket.close())
    for (let i = 0; i < 3; i++) {
      a.socket.send(Buffer.alloc(bytesMax + 1), b.where)
      a.socket.send(Buffer.of(1), gone.where)
      a.socket.send(Buffer.of(1), { address: b.where.address, port: 0 })
      a.socket.send(Buffer.of(1), { address: b.where.address, port: 70_000 })
      a.socket.send(Buffer.of(1), { address: 'not an address', port: 1 })
      await net.suite.sleep(20)
    }
    const [got] = await net.exchange(b, () => a.socket.send(Buffer.of(7), b.where), 1)
    assert.deepEqual([got?.bytes, b.received.length], [Buffer.of(7), 1])
  },

  'opens a free port when it is asked for none, refuses one that is taken, and frees it when it is closed': async (net) => {
    const [a, b] = [await net.open('here'), await net.open('here')]
    assert.notEqual(a.socket.port, b.socket.port)
    assert.equal(await codeOf(net.open('here', a.socket.port)), 'listenFailed')
    await net.run(a.socket.close())
    await net.open('here', a.socket.port)
  },

  'neither sends nor delivers anything once it is closed, however often': async (net) => {
    const [a, b] = [await net.open('here'), await net.open('there')]
    a.socket.send(Buffer.of(1), b.where)
    await net.run(b.socket.close())
    await net.run(b.socket.close())
    b.socket.send(Buffer.of(2), a.where)
    await net.suite.sleep(50)
    assert.deepEqual([a.received, b.received.filter(({ afterClose }) => afterClose)], [[], []])
  },
}

interface Received {
  readonly bytes: Buffer
  readonly from: DatagramSource
  readonly afterClose: boolean
}

/** One socket, and what came to it. */
class DatagramEnd {
  readonly received: Received[] = []
  readonly where: DatagramSource
  readonly socket: DatagramSocket
  onReceived: () => void = () => {}

  constructor(socket: DatagramSocket) {
    const { address, port } = socket
    this.where = { address, port }
    let isClosed = false
    this.socket = {
      address,
      port,
      send: (bytes, to) => socket.send(bytes, to),
      close: () => {
        const closed = socket.close()
        isClosed = true
        return closed
      },
    }
    this.take = (bytes, from) => {
      this.received.push({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), from, afterClose: isClosed })
      this.onReceived()
    }
  }

  readonly take: (bytes: Uint8Array, from: DatagramSource) => void
}

class Datagrams {
  readonly suite: DatagramSuite
  readonly #ends: DatagramEnd[] = []

  constructor(suite: DatagramSuite) {
    this.suite = suite
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.suite.run(promise)
  }

  async open(where: 'here' | 'there', port = 0): Promise<DatagramEnd> {
    const host = where === 'here' ? this.suite.hereHost : this.suite.thereHost
    let end: DatagramEnd | undefined
    const socket = await this.run(this.suite[where].openDatagrams({ host, port }, (bytes, from) => end?.take(bytes, from)))
    end = new DatagramEnd(socket)
    this.#ends.push(end)
    return end
  }

  /** What comes to the end once this is done, until there are this many. */
  async exchange(end: DatagramEnd, act: () => void, count: number): Promise<readonly Received[]> {
    const before = end.received.length
    const arrived = new Promise<void>((resolve) => {
      end.onReceived = () => {
        if (end.received.length >= before + count) resolve()
      }
    })
    act()
    await this.run(arrived)
    return end.received.slice(before)
  }

  async end(): Promise<void> {
    for (const { socket } of this.#ends) await this.run(socket.close())
  }
}

/** Holds datagrams to: whole or not at all, unchanged, from where they say; and that nothing sent or lost harms a socket. */
export const datagramCases = (suite: () => DatagramSuite): readonly ComplianceCase[] =>
  casesOf<Datagrams>(
    async () => new Datagrams(suite()),
    (net) => net.end(),
    tests,
  )
