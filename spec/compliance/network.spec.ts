/** One suite for every Network: what the links rely on, held by real TCP and by the simulated network. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTcpNetwork } from '../../src/platform/net/tcp.js'
import type { ByteStream, Endpoint, Listener, Network } from '../../src/ports/network.js'
import { createSimulatedNetwork } from '../../src/simulation/network/simulatedNetwork.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'

const never = new AbortController().signal

interface World {
  readonly dialing: Network
  readonly listening: Network
  readonly listenHost: string
  readonly dialHost: string
  /** Lets time pass until the promise is settled. */
  run<T>(promise: Promise<T>): Promise<T>
  /** Lets a little time pass. */
  turn(): Promise<void>
}

const tcpWorld = (): World => {
  const network = createTcpNetwork()
  return {
    dialing: network,
    listening: network,
    listenHost: '127.0.0.1',
    dialHost: '127.0.0.1',
    run: (promise) => promise,
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

const simulatedWorld = (): World => {
  const clock = new VirtualClock()
  const network = createSimulatedNetwork({ clock, random: new SeededRandom(1), segmentedShare: 0.7 })
  return {
    dialing: network.network('w1'),
    listening: network.network('master'),
    listenHost: 'master',
    dialHost: 'master',
    run: async (promise) => {
      let settled = false
      const outcome = promise.finally(() => {
        settled = true
      })
      outcome.catch(() => {})
      if (!(await clock.runUntil(() => settled, 3_600_000)))
        throw new Error('what was waited for did not happen within an hour of virtual time')
      return outcome
    },
    turn: () => clock.advance(5),
  }
}

/** One attached end, with all events that it received. */
class End {
  readonly stream: ByteStream
  readonly events: string[] = []
  readonly parts: Uint8Array[] = []
  onBytes: () => void = () => {}
  readonly #watchers = new Set<() => void>()

  constructor(stream: ByteStream) {
    this.stream = stream
    stream.attach({
      onBytes: (bytes) => {
        this.parts.push(bytes)
        this.#note('bytes')
        this.onBytes()
      },
      onDrain: () => this.#note('drain'),
      onClosed: (error) => this.#note(error ? 'closed with an error' : 'closed'),
    })
  }

  get byteCount(): number {
    return this.parts.reduce((sum, part) => sum + part.length, 0)
  }

  get digest(): string {
    const hash = createHash('sha256')
    for (const part of this.parts) hash.update(part)
    return hash.digest('hex')
  }

  get isClosed(): boolean {
    return this.events.at(-1)?.startsWith('closed') ?? false
  }

  /** Resolves once an event makes the predicate hold. */
  until(holds: (end: End) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds(this)) return
        this.#watchers.delete(check)
        resolve()
      }
      this.#watchers.add(check)
      check()
    })
  }

  #note(what: string): void {
    this.events.push(what)
    for (const watcher of [...this.#watchers]) watcher()
  }
}

const digestOf = (parts: readonly Uint8Array[]): string => createHash('sha256').update(Buffer.concat(parts)).digest('hex')

describe.each([
  { name: 'TCP', create: tcpWorld },
  { name: 'the simulated network', create: simulatedWorld },
])('$name', ({ create }) => {
  let world: World
  let listener: Listener
  let accepted: End[]
  let streams: ByteStream[]

  const listen = (port = 0): Promise<Listener> =>
    world.run(
      world.listening.listen({ host: world.listenHost, port }, (stream) => {
        streams.push(stream)
        accepted.push(new End(stream))
        onAccepted()
      }),
    )
  let onAccepted: () => void
  const endpoint = (): Endpoint => ({ host: world.dialHost, port: listener.port })

  /** Both ends of a new connection. */
  const connect = async (): Promise<readonly [dialer: End, acceptor: End]> => {
    const before = accepted.length
    const arrival = new Promise<void>((resolve) => {
      onAccepted = resolve
    })
    const dialer = await world.run(
      world.dialing.dial(endpoint(), never).then((stream) => {
        streams.push(stream)
        return new End(stream)
      }),
    )
    await world.run(arrival)
    const acceptor = accepted[before]
    if (!acceptor) throw new Error('nothing was accepted')
    return [dialer, acceptor]
  }

  beforeEach(async () => {
    world = create()
    accepted = []
    streams = []
    onAccepted = () => {}
    listener = await listen()
  })
  afterEach(async () => {
    for (const stream of streams) stream.destroy()
    await world.run(listener.close())
  })

  it('delivers every byte intact and in order, both ways, and then a clean close, once and last', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 4 }), { maxLength: 12 }),
        fc.array(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 4 }), { maxLength: 12 }),
        async (there, back) => {
          const [dialer, acceptor] = await connect()
          // The streams take ownership of the bytes, so the expected digest is computed first.
          const [thereDigest, backDigest] = [digestOf(there.flat()), digestOf(back.flat())]
          for (const parts of back) acceptor.stream.write(parts)
          for (const parts of there) dialer.stream.write(parts)
          dialer.stream.end()
          await world.run(Promise.all([dialer.until((end) => end.isClosed), acceptor.until((end) => end.isClosed)]))
          expect([acceptor.digest, dialer.digest]).toEqual([thereDigest, backDigest])
          for (const end of [dialer, acceptor])
            expect(end.events.filter((what) => what !== 'bytes' && what !== 'drain')).toEqual(['closed'])
        },
      ),
      { numRuns: 25 },
    ))

  it('delivers what the accepting side sends at once to a dialer that attaches in the same turn', async () => {
    onAccepted = () => accepted[0]?.stream.write([Buffer.from('hello')])
    const dialer = await world.run(world.dialing.dial(endpoint(), never).then((stream) => new End(stream)))
    streams.push(dialer.stream)
    await world.run(dialer.until((end) => end.byteCount === 5))
    expect(Buffer.concat(dialer.parts).toString()).toBe('hello')
  })

  it('holds a sender back while the reader pauses, bounds what is under way, and signals a drain', async () => {
    const [dialer, acceptor] = await connect()
    acceptor.stream.pause()
    const chunk = new Uint8Array(64 * 1_024).fill(7)
    let written = 0
    // A write that returns false may still find room in the kernel: only a missing drain shows that the reader is full.
    for (let quiet = 0; quiet < 50; ) {
      expect(written).toBeLessThan(64 * 1_024 * 1_024)
      if (dialer.stream.write([chunk.slice()])) quiet = 0
      else {
        const drains = dialer.events.length
        for (quiet = 0; quiet < 50 && dialer.events.length === drains; quiet++) await world.turn()
      }
      written += chunk.length
    }
    expect([acceptor.byteCount, acceptor.events]).toEqual([0, []])
    const drains = dialer.events.length
    acceptor.stream.resume()
    await world.run(Promise.all([dialer.until((end) => end.events.length > drains), acceptor.until((end) => end.byteCount === written)]))
    expect(dialer.events.at(-1)).toBe('drain')
  })

  it('delivers nothing more from the moment of a pause, and all of it after the resume', async () => {
    const [dialer, acceptor] = await connect()
    acceptor.onBytes = () => acceptor.stream.pause()
    for (let i = 0; i < 40; i++) dialer.stream.write([new Uint8Array(10_000)])
    await world.run(acceptor.until((end) => end.byteCount > 0))
    for (let i = 0; i < 20; i++) await world.turn()
    expect(acceptor.parts).toHaveLength(1)
    acceptor.onBytes = () => {}
    acceptor.stream.resume()
    await world.run(acceptor.until((end) => end.byteCount === 400_000))
  })

  it('sends all that was written before an end, however slowly it is read', async () => {
    const [dialer, acceptor] = await connect()
    acceptor.stream.pause()
    dialer.stream.write([new Uint8Array(3_000_000)])
    dialer.stream.end()
    for (let i = 0; i < 20; i++) await world.turn()
    expect(dialer.isClosed).toBe(false)
    acceptor.stream.resume()
    await world.run(Promise.all([dialer.until((end) => end.isClosed), acceptor.until((end) => end.isClosed)]))
    expect(acceptor.byteCount).toBe(3_000_000)
  })

  it('closes both ends of a destroyed connection, without an error and with nothing after it', async () => {
    const [dialer, acceptor] = await connect()
    acceptor.stream.write([new Uint8Array(1_000)])
    dialer.stream.destroy()
    expect(dialer.events).toEqual([])
    dialer.stream.destroy()
    await world.run(Promise.all([dialer.until((end) => end.isClosed), acceptor.until((end) => end.isClosed)]))
    for (let i = 0; i < 10; i++) await world.turn()
    expect(dialer.events).toEqual(['closed'])
    expect(acceptor.events).toHaveLength(1)
  })

  it('ignores what is written after the end', async () => {
    const [dialer, acceptor] = await connect()
    dialer.stream.write([Uint8Array.of(1)])
    dialer.stream.end()
    expect(dialer.stream.write([Uint8Array.of(2)])).toBe(true)
    dialer.stream.end()
    await world.run(acceptor.until((end) => end.isClosed))
    await world.run(dialer.until((end) => end.isClosed))
    expect(dialer.stream.write([Uint8Array.of(3)])).toBe(true)
    expect([acceptor.byteCount, acceptor.events.at(-1), dialer.events]).toEqual([1, 'closed', ['closed']])
  })

  it('says where the peer is', async () => {
    const [dialer, acceptor] = await connect()
    for (const { stream } of [dialer, acceptor]) expect(stream.remoteAddress).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
  })

  it('fails to dial where nothing listens, and stops a dial that is cancelled', async () => {
    const free = await listen()
    await world.run(free.close())
    const nobody = { host: world.dialHost, port: free.port }
    await expect(world.run(world.dialing.dial(nobody, never))).rejects.toMatchObject({ name: 'ClusterError', code: 'dialFailed' })
    await expect(world.run(world.dialing.dial(endpoint(), AbortSignal.abort()))).rejects.toMatchObject({ code: 'aborted' })
    const aborts = new AbortController()
    const dial = world.dialing.dial(endpoint(), aborts.signal)
    aborts.abort()
    await expect(world.run(dial)).rejects.toMatchObject({ code: 'aborted' })
  })

  it('gives each listener that asks for none a free port, and refuses one that is taken', async () => {
    const other = await listen()
    expect(other.port).not.toBe(listener.port)
    await expect(listen(listener.port)).rejects.toMatchObject({ name: 'ClusterError', code: 'listenFailed' })
    await world.run(other.close())
  })

  it('takes no new connections once the listener is closed, keeps those that are in, and frees the port', async () => {
    const [dialer, acceptor] = await connect()
    await world.run(listener.close())
    await expect(world.run(world.dialing.dial(endpoint(), never))).rejects.toMatchObject({ code: 'dialFailed' })
    dialer.stream.write([Uint8Array.of(1)])
    await world.run(acceptor.until((end) => end.byteCount === 1))
    listener = await listen(listener.port)
    await connect()
    expect(accepted).toHaveLength(2)
  })
})
