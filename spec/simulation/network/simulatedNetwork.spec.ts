/** What the simulated network promises beyond TCP's behaviour (for that, see spec/compliance/network.spec.ts). */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ByteStream } from '../../../src/ports/network.js'
import {
  createSimulatedNetwork,
  type SimulatedNetwork,
  type SimulatedNetworkOptions,
} from '../../../src/simulation/network/simulatedNetwork.js'
import { SeededRandom } from '../../../src/simulation/world/seededRandom.js'
import { Trace } from '../../../src/simulation/world/trace.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

const never = new AbortController().signal
const port = 1516

/** What came out of one end of a connection. */
class Inbox {
  readonly stream: ByteStream
  readonly sizes: number[] = []
  bytes = 0
  drains = 0
  closed: { readonly error: Error | undefined } | undefined
  readonly #hash = createHash('sha256')

  constructor(stream: ByteStream) {
    this.stream = stream
    stream.attach({
      onBytes: (bytes) => {
        expect(this.closed).toBeUndefined()
        this.sizes.push(bytes.length)
        this.bytes += bytes.length
        this.#hash.update(bytes)
        bytes.fill(0)
      },
      onDrain: () => {
        this.drains++
      },
      onClosed: (error) => {
        expect(this.closed).toBeUndefined()
        this.closed = { error }
      },
    })
  }

  get digest(): string {
    return this.#hash.copy().digest('hex')
  }
}

const digestOf = (parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

interface World {
  readonly clock: VirtualClock
  readonly network: SimulatedNetwork
  readonly a: Inbox
  readonly b: Inbox
}

const nothing = { connections: 0, listeners: 0, dials: 0, datagramSockets: 0, pendingEvents: 0 }

const emptyWorld = (seed: number, options: Partial<SimulatedNetworkOptions> = {}): { clock: VirtualClock; network: SimulatedNetwork } => {
  const clock = new VirtualClock()
  const network = createSimulatedNetwork({ clock, random: new SeededRandom(seed), ...options })
  for (const node of ['a', 'b', 'c']) network.network(node)
  return { clock, network }
}

/** Hosts a and b with one connection, dialled by a. */
const connected = async (seed: number, options: Partial<SimulatedNetworkOptions> = {}): Promise<World> => {
  const { clock, network } = emptyWorld(seed, options)
  const inboxes: { a?: Inbox; b?: Inbox } = {}
  const listener = await network.network('b').listen({ host: 'b', port }, (stream) => {
    inboxes.b = new Inbox(stream)
  })
  void network
    .network('a')
    .dial({ host: 'b', port }, never)
    .then((stream) => {
      inboxes.a = new Inbox(stream)
    })
  await clock.advance(100)
  await listener.close()
  const { a, b } = inboxes
  if (!a || !b) throw new Error('the two did not connect')
  return { clock, network, a, b }
}

const seeds = fc.nat()
const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 })
const writes = fc.array(fc.record({ parts, afterMs: fc.nat(5) }), { maxLength: 20 })

describe('a simulated connection', () => {
  it('delivers all bytes, in order and intact, both ways, however they are written and cut', () =>
    fc.assert(
      fc.asyncProperty(
        seeds,
        writes,
        writes,
        fc.constantFrom(1_000, 100_000, Number.POSITIVE_INFINITY),
        async (seed, there, back, bytesPerSecond) => {
          const { clock, network, a, b } = await connected(seed, { segmentedShare: 0.8, bytesPerSecond })
          for (const write of there) {
            a.stream.write(write.parts)
            await clock.advance(write.afterMs)
          }
          for (const write of back) b.stream.write(write.parts)
          await clock.advance(1_000_000)
          a.stream.end()
          await clock.advance(1_000)
          expect(b.digest).toBe(digestOf(there.flatMap((write) => write.parts)))
          expect(a.digest).toBe(digestOf(back.flatMap((write) => write.parts)))
          expect([a.closed, b.closed]).toEqual([{ error: undefined }, { error: undefined }])
          expect(network.counters()).toEqual(nothing)
          expect(clock.pending).toBe(0)
        },
      ),
      { numRuns: 60 },
    ))

  it('takes at least the latency, and no more than it when nothing else slows it down', () =>
    fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1, max: 500 }), fc.nat(500), async (seed, minMs, moreMs) => {
        const { clock, network, a, b } = await connected(seed)
        network.setLatency({ minMs, maxMs: minMs + moreMs })
        const sentMs = clock.monotonicMs()
        a.stream.write([Uint8Array.of(1)])
        await clock.runUntil(() => b.bytes === 1, 10_000)
        const tookMs = clock.monotonicMs() - sentMs
        expect(tookMs).toBeGreaterThanOrEqual(minMs)
        expect(tookMs).toBeLessThanOrEqual(minMs + moreMs)
      }),
      { numRuns: 40 },
    ))

  it('carries no more than its bandwidth, and is fast as soon as the bandwidth rises', async () => {
    const { clock, network, a, b } = await connected(1)
    network.setBandwidth(10_000)
    a.stream.write([new Uint8Array(100_000)])
    await clock.advance(5_000)
    expect(b.bytes).toBeGreaterThan(45_000)
    expect(b.bytes).toBeLessThanOrEqual(50_000)
    network.setBandwidth(Number.POSITIVE_INFINITY)
    await clock.advance(110)
    expect(b.bytes).toBe(100_000)
  })

  it('keeps a sender that waits for drains within the window and one high-water mark of an idle reader', () =>
    fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1, max: 50_000 }), async (seed, size) => {
        const windowBytes = 256 * 1_024
        const { clock, a, b } = await connected(seed, { windowBytes })
        b.stream.pause()
        let written = 0
        let writable = true
        for (let i = 0; i < 1_000 && writable; i++) {
          writable = a.stream.write([new Uint8Array(size)])
          written += size
          await clock.advance(1)
        }
        if (size * 1_000 > windowBytes + 65_536) expect(writable).toBe(false)
        expect(written).toBeLessThanOrEqual(windowBytes + 65_536 + size)
        expect([b.bytes, a.drains]).toEqual([0, 0])
        b.stream.resume()
        await clock.advance(1_000)
        expect(b.bytes).toBe(written)
        expect(a.drains).toBe(writable ? 0 : 1)
      }),
      { numRuns: 10 },
    ))

  it('delivers the same bytes at the same times for the same seed, and at other times for another', async () => {
    const run = async (seed: number): Promise<string> => {
      const trace = new Trace()
      const { clock, a, b } = await connected(seed, { trace, segmentedShare: 0.5 })
      for (let i = 0; i < 50; i++) {
        a.stream.write([new Uint8Array(i * 37)])
        b.stream.write([new Uint8Array(i)])
        await clock.advance(i % 7)
      }
      await clock.advance(1_000)
      expect(trace.count).toBeGreaterThan(50)
      return trace.hash()
    }
    expect(await run(7)).toBe(await run(7))
    expect(await run(7)).not.toBe(await run(8))
  })
})

describe('a blocked way', () => {
  it('lets no bytes and no end across, and everything once it is free again', () =>
    fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom('partition', 'hold', 'isolate'), writes, writes, async (seed, how, before, during) => {
        const { clock, network, a, b } = await connected(seed)
        for (const write of before) a.stream.write(write.parts)
        if (how === 'isolate') network.isolate('b')
        else network[how]('a', 'b')
        const taken = b.bytes
        for (const write of during) {
          a.stream.write(write.parts)
          await clock.advance(write.afterMs)
        }
        a.stream.end()
        await clock.advance(60_000)
        expect(b.bytes).toBe(taken)
        expect([a.closed, b.closed]).toEqual([undefined, undefined])
        if (how === 'isolate') network.rejoin('b')
        else if (how === 'hold') network.release('a', 'b')
        else network.repair('a', 'b')
        await clock.advance(1_000)
        expect(b.digest).toBe(digestOf([...before, ...during].flatMap((write) => write.parts)))
        expect([a.closed, b.closed]).toEqual([{ error: undefined }, { error: undefined }])
        expect(network.counters()).toEqual(nothing)
      }),
      { numRuns: 40 },
    ))

  it('needs as many repairs as partitions, and one heal for all', async () => {
    const { clock, network, a, b } = await connected(1)
    network.partition('a', 'b')
    network.partition('b', 'a')
    a.stream.write([Uint8Array.of(1)])
    network.repair('a', 'b')
    await clock.advance(1_000)
    expect(b.bytes).toBe(0)
    network.heal()
    await clock.advance(1_000)
    expect(b.bytes).toBe(1)
  })

  it('hides a destroyed end from its peer until the peer says something after the repair', async () => {
    const { clock, network, a, b } = await connected(1)
    network.partition('a', 'b')
    a.stream.write([Uint8Array.of(1)])
    network.crash('a')
    await clock.advance(3_600_000)
    expect([b.bytes, b.closed]).toEqual([0, undefined])
    network.repair('a', 'b')
    await clock.advance(1_000)
    expect([b.bytes, b.closed]).toEqual([0, undefined])
    b.stream.write([Uint8Array.of(1)])
    await clock.advance(1_000)
    expect(b.closed?.error?.message).toContain('ECONNRESET')
    expect(network.counters()).toEqual(nothing)
  })
})

describe('what is under way', () => {
  it('leaves no timer behind once both ends are closed', async () => {
    const { clock, network, a, b } = await connected(1)
    a.stream.write([new Uint8Array(1_000)])
    a.stream.destroy()
    b.stream.destroy()
    expect([network.counters(), clock.pending]).toEqual([nothing, 0])
  })

  it('never arrives when it is a reset that a partition catches', async () => {
    const { clock, network, b } = await connected(1)
    network.crash('a')
    network.partition('a', 'b')
    network.repair('a', 'b')
    await clock.advance(3_600_000)
    expect(b.closed).toBeUndefined()
  })
})

describe('a dial', () => {
  it('that is given up on the way back closes what the other side accepted', async () => {
    const { clock, network } = emptyWorld(1, { latency: { minMs: 100, maxMs: 100 } })
    const accepted: Inbox[] = []
    await network.network('b').listen({ host: 'b', port }, (stream) => accepted.push(new Inbox(stream)))
    const aborts = new AbortController()
    const dial = network.network('a').dial({ host: 'b', port }, aborts.signal)
    const refused = expect(dial).rejects.toMatchObject({ code: 'aborted' })
    await clock.advance(150)
    expect(accepted[0]?.closed).toBeUndefined()
    aborts.abort()
    await refused
    await clock.advance(200)
    expect(accepted[0]?.closed).toBeDefined()
    expect(network.counters()).toMatchObject({ connections: 0, dials: 0, pendingEvents: 0 })
  })

  const dialled = async (prepare: (world: ReturnType<typeof emptyWorld>) => void, abortAtMs?: number, host = 'b') => {
    const world = emptyWorld(1)
    prepare(world)
    const aborts = new AbortController()
    if (abortAtMs !== undefined) world.clock.setTimeout(() => aborts.abort(), abortAtMs)
    const outcome: { at?: number; error?: unknown; stream?: ByteStream } = {}
    const done = (): void => {
      outcome.at = world.clock.monotonicMs()
    }
    world.network
      .network('a')
      .dial({ host, port }, aborts.signal)
      .then((stream) => {
        outcome.stream = stream
        done()
      })
      .catch((error: unknown) => {
        outcome.error = error
        done()
      })
    await world.clock.advance(20_000)
    return { ...world, outcome }
  }

  it('is refused within a round trip where nothing listens', async () => {
    const { outcome, network, clock } = await dialled(() => {})
    expect(outcome.error).toMatchObject({ code: 'dialFailed', context: { errno: 'ECONNREFUSED' } })
    expect(outcome.at).toBeLessThanOrEqual(4)
    expect([network.counters(), clock.pending]).toEqual([nothing, 0])
  })

  it('hangs until it gives up behind a partition or at a machine without power', async () => {
    for (const prepare of [
      ({ network }: { network: SimulatedNetwork }) => network.partition('a', 'b'),
      ({ network }: { network: SimulatedNetwork }) => network.crash('b', 'power'),
    ]) {
      const { outcome, network, clock } = await dialled(prepare)
      expect(outcome).toMatchObject({ at: 10_000, error: { code: 'dialFailed', context: { errno: 'ETIMEDOUT' } } })
      expect([network.counters(), clock.pending]).toEqual([nothing, 0])
    }
  })

  it('ends at once when it is cancelled', async () => {
    const { outcome, network } = await dialled(({ network }) => network.hold('a', 'b'), 300)
    expect(outcome).toMatchObject({ at: 300, error: { code: 'aborted' } })
    expect(network.counters()).toEqual(nothing)
  })

  it('gets through when the way is repaired in time', async () => {
    const { outcome } = await dialled(({ network, clock }) => {
      void network.network('b').listen({ host: 'b', port }, (stream) => new Inbox(stream))
      network.partition('a', 'b')
      clock.setTimeout(() => network.repair('a', 'b'), 5_000)
    })
    expect(outcome.stream?.remoteAddress).toBe('10.0.0.2')
    expect(outcome.at).toBeGreaterThan(5_000)
  })

  it('knows hosts by name and by address, and fails for a name that no host has', async () => {
    const listening = ({ network }: { network: SimulatedNetwork }): void => {
      void network.network('b').listen({ host: 'b', port }, (stream) => new Inbox(stream))
    }
    expect((await dialled(listening, undefined, '10.0.0.2')).outcome.stream).toBeDefined()
    expect((await dialled(listening, undefined, 'nobody')).outcome.error).toMatchObject({
      code: 'dialFailed',
      context: { errno: 'ENOTFOUND' },
    })
  })
})

describe('a crash', () => {
  it('ends all sockets, listeners and dials of its node, calls no callback again, and resets its peers', async () => {
    const { clock, network, a, b } = await connected(1)
    await network.network('a').listen({ host: 'a', port }, () => {})
    network.partition('a', 'c')
    void network.network('a').dial({ host: 'c', port }, never)
    await clock.advance(10)
    expect(network.counters('a')).toMatchObject({ connections: 1, listeners: 1, dials: 1 })
    b.stream.write([Uint8Array.of(1)])
    network.crash('a')
    expect(network.counters('a')).toMatchObject({ connections: 0, listeners: 0, dials: 0 })
    await clock.advance(20_000)
    expect([a.bytes, a.closed]).toEqual([0, undefined])
    expect(b.closed?.error?.message).toContain('ECONNRESET')
    expect([network.counters(), clock.pending]).toEqual([nothing, 0])
  })

  it('by a power loss is silent, and the machine resets unknown connections once it is back', async () => {
    const { clock, network, b } = await connected(1)
    network.crash('a', 'power')
    b.stream.write([Uint8Array.of(1)])
    await clock.advance(3_600_000)
    expect(b.closed).toBeUndefined()
    network.boot('a')
    await clock.advance(1_000)
    expect(b.closed?.error?.message).toContain('ECONNRESET')
    expect([network.counters(), clock.pending]).toEqual([nothing, 0])
  })
})

describe('a frozen process', () => {
  it('receives nothing while its machine takes bytes and connections, and everything when it thaws', async () => {
    const { clock, network, a, b } = await connected(1)
    const accepted: Inbox[] = []
    await network.network('b').listen({ host: 'b', port }, (stream) => accepted.push(new Inbox(stream)))
    network.freeze('b')
    a.stream.write([Uint8Array.of(1, 2, 3)])
    let connectedToo = false
    void network
      .network('a')
      .dial({ host: 'b', port }, never)
      .then((stream) => {
        connectedToo = true
        stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
        stream.write([Uint8Array.of(4)])
      })
    await clock.advance(60_000)
    expect([b.bytes, accepted.length, connectedToo, a.closed]).toEqual([0, 0, true, undefined])
    network.thaw('b')
    await clock.advance(10)
    expect([b.bytes, accepted.length, accepted[0]?.bytes]).toEqual([3, 1, 1])
  })

  it('learns of a reset when it thaws', async () => {
    const { clock, network, b } = await connected(1)
    network.freeze('b')
    network.reset('a', 'b')
    await clock.advance(1_000)
    expect(b.closed).toBeUndefined()
    network.thaw('b')
    await clock.advance(0)
    expect(b.closed?.error?.message).toContain('ECONNRESET')
    expect(network.counters()).toEqual(nothing)
  })
})
