/** What simulated datagrams promise beyond those of a real network (for that, see spec/compliance/agentNetwork.spec.ts). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DatagramSocket } from '../../../src/ports/network.js'
import { createSimulatedNetwork, type SimulatedNetwork } from '../../../src/simulation/network/simulatedNetwork.js'
import { SeededRandom } from '../../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

const nothing = { connections: 0, listeners: 0, dials: 0, datagramSockets: 0, pendingEvents: 0 }

interface World {
  readonly clock: VirtualClock
  readonly network: SimulatedNetwork
  readonly a: DatagramSocket
  readonly b: DatagramSocket
  /** What came to b: the numbers in the datagrams. */
  readonly received: number[]
  send(from: number, count: number): void
}

const world = async (seed: number, faults = { lostShare: 0, doubledShare: 0, lateShare: 0 }): Promise<World> => {
  const clock = new VirtualClock()
  const network = createSimulatedNetwork({ clock, random: new SeededRandom(seed), datagramFaults: faults })
  const received: number[] = []
  const b = await network.network('b').openDatagrams({ host: 'b', port: 1514 }, (bytes) => {
    received.push(Buffer.from(bytes).readUInt32LE())
    bytes.fill(0xff)
  })
  const a = await network.network('a').openDatagrams({ host: 'a', port: 0 }, () => {})
  const send = (from: number, count: number): void => {
    for (let i = from; i < from + count; i++) {
      const bytes = Buffer.alloc(100)
      bytes.writeUInt32LE(i)
      a.send(bytes, { address: b.address, port: b.port })
    }
  }
  return { clock, network, a, b, received, send }
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)
const sorted = (numbers: readonly number[]): readonly number[] => [...numbers].sort((x, y) => x - y)
const shares = fc.double({ min: 0, max: 1, noNaN: true })

describe('simulated datagrams', () => {
  it('all arrive, once, while nothing is wrong, and in another order than they were sent', async () => {
    const { clock, received, send } = await world(1)
    send(0, 200)
    await clock.advance(10)
    expect(sorted(received)).toEqual(range(200))
    expect(received).not.toEqual(range(200))
  })

  it('are lost, doubled and late as their shares say, and only as the seed decides', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), shares, shares, shares, async (seed, lostShare, doubledShare, lateShare) => {
        const run = async (): Promise<readonly number[]> => {
          const { clock, received, send } = await world(seed, { lostShare, doubledShare, lateShare })
          send(0, 400)
          await clock.advance(200)
          return received
        }
        const received = await run()
        const arrived = new Set(received).size
        expect(received.every((number) => number < 400)).toBe(true)
        expect(Math.abs(arrived / 400 - (1 - lostShare))).toBeLessThan(0.15)
        if (arrived > 100) expect(Math.abs(received.length / arrived - 1 - doubledShare)).toBeLessThan(0.25)
        expect(await run()).toEqual(received)
      }),
      { numRuns: 15 },
    ))

  it('are lost in a partition and without power, and kept while they are held', async () => {
    const { clock, network, received, send } = await world(1)
    network.partition('a', 'b')
    send(0, 10)
    await clock.advance(100)
    network.repair('a', 'b')
    network.hold('a', 'b')
    send(10, 10)
    await clock.advance(100)
    expect(received).toEqual([])
    network.release('a', 'b')
    await clock.advance(100)
    expect(sorted(received)).toEqual(range(20).slice(10))
    network.crash('b', 'power')
    send(20, 10)
    await clock.advance(100)
    expect(received).toHaveLength(10)
  })

  it('wait for a process that stands still, as far as its buffer goes', async () => {
    const { clock, network, received, send } = await world(1)
    network.freeze('b')
    send(0, 5_000)
    await clock.advance(100)
    expect(received).toEqual([])
    network.thaw('b')
    await clock.advance(100)
    expect(received.length).toBeGreaterThan(1_000)
    expect(received.length).toBeLessThan(5_000)
    const before = received.length
    send(0, 10)
    await clock.advance(100)
    expect(received).toHaveLength(before + 10)
  })

  it('leave nothing behind, however and whenever their sockets go', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom('close', 'process', 'power'), fc.nat(3), fc.boolean(), async (seed, end, ms, isHeld) => {
        const { a, b, clock, network, received, send } = await world(seed, { lostShare: 0, doubledShare: 0.5, lateShare: 0.5 })
        if (isHeld) network.hold('a', 'b')
        send(0, 50)
        await clock.advance(ms)
        const before = received.length
        if (end === 'close') await b.close()
        else network.crash('b', end)
        await a.close()
        expect([network.counters(), clock.pending]).toEqual([nothing, 0])
        network.heal()
        await clock.advance(100)
        expect([received.length, network.counters(), clock.pending]).toEqual([before, nothing, 0])
      }),
      { numRuns: 40 },
    ))
})
