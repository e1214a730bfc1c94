/** What an admitted peer can take from a master: its share of the time, and no memory for long. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ok } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import type { Link } from '../../src/ports/link.js'
import type { Clock } from '../../src/ports/machine.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { SessionLink } from '../../src/transport/sessionLink.js'
import { createTransport, type TransportOptions } from '../../src/transport/transport.js'
import { MemoryNetwork, type MemoryNetworkOptions } from '../support/memoryNetwork.js'
import {
  endpoint,
  forever,
  hello,
  outcome,
  patient,
  recordingAcceptor,
  sessionPair,
  transportOver,
  welcome,
} from '../support/sessionPair.js'

const endOf = (link: Link): { code?: string } => {
  const end: { code?: string } = {}
  link.onClosed((error) => {
    end.code = error.code
  })
  return end
}

const queuedBytes = (link: Link): number => (link instanceof SessionLink ? link.queuedBytes : 0)

/** A master and several workers of it. */
const linksOf = async (
  workers: number,
  network: MemoryNetworkOptions,
  limitsOfMaster: TransportOptions['limits'],
  clockOf = (clock: Clock): Clock => clock,
) => {
  const clock = new VirtualClock()
  const wires = new MemoryNetwork(network)
  const acceptor = recordingAcceptor(() => ok(welcome))
  const random = new SeededRandom('master')
  const transport = createTransport({
    network: wires,
    clock: clockOf(clock),
    random,
    keys: { current: 'a shared key' },
    limits: limitsOfMaster,
  })
  await transport.listen(endpoint, acceptor.policy)
  const dialed: Link[] = []
  for (let worker = 0; worker < workers; worker++) {
    const { value } = await outcome(clock, transportOver(wires, clock).dial(endpoint, { ...hello, node: `w${worker}` }, forever))
    if (value) dialed.push(value)
  }
  await clock.advance(0)
  return { clock, wires, dialed, masters: acceptor.links }
}

describe('a peer that reads nothing', () => {
  it('is cut off within the bound, although it sends keep-alives', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 100, max: 29_000 }), async (everyMs) => {
        const { clock, network, worker, master } = await sessionPair({ highWaterBytes: 200 })
        master.serve({ 'keepAlive.beat': () => ({ receivedAtMs: clock.now() }) })
        const end = endOf(master)
        network.streams[0]?.[0].pause()
        const beat = (): void => {
          worker.request('keepAlive.beat', { sentAtMs: clock.now() }, { signal: forever, timeoutMs: 1_000 }).catch(() => undefined)
        }
        // Small replies are taken by the wire until it is full.
        for (let count = 0; count < 20; count++) beat()
        await clock.advance(0)
        for (let ms = 0; ms < limits.sendStallMsMax - everyMs; ms += everyMs) {
          beat()
          await clock.advance(everyMs)
          expect(end.code).toBeUndefined()
        }
        beat()
        await clock.advance(2 * everyMs)
        expect(end.code).toBe('overloaded')
        expect(queuedBytes(master)).toBe(0)
      }),
      { numRuns: 20 },
    ))

  it('stays connected while it reads something now and then, however slowly', async () => {
    const { clock, network, worker, master } = await sessionPair({ highWaterBytes: 1_000, readSizes: [60_000] })
    const [reader] = network.streams[0] ?? []
    const end = endOf(master)
    for (let count = 0; count < 100; count++)
      worker.request('session.echo', { payload: new Uint8Array(50_000) }, { signal: forever, timeoutMs: 1 }).catch(() => undefined)
    for (let turn = 0; turn < 10; turn++) {
      reader?.pause()
      await clock.advance(limits.sendStallMsMax - 1_000)
      reader?.resume()
      await clock.advance(0)
    }
    expect(end.code).toBeUndefined()
  })

  it('is the one that is cut off when too much waits for all peers together', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ worker: fc.nat(4), kilobytes: fc.integer({ min: 1, max: 20 }) }), { minLength: 60, maxLength: 90 }),
        async (asked) => {
          const sendQueuesBytesMax = 200_000
          const { clock, dialed, masters, wires } = await linksOf(5, { highWaterBytes: 1_000 }, { sendQueuesBytesMax })
          for (const [dialer] of wires.streams) dialer.pause()
          const ends = masters.map(endOf)
          for (const { kilobytes, worker } of asked) {
            const before = masters.map(queuedBytes)
            const payload = new Uint8Array(kilobytes * 1_000)
            dialed[worker]?.request('session.echo', { payload }, patient).catch(() => undefined)
            await clock.settle()
            expect(masters.reduce((sum, link) => sum + queuedBytes(link), 0)).toBeLessThanOrEqual(sendQueuesBytesMax)
            for (const [index, end] of ends.entries())
              if (end.code && before[index])
                expect((before[index] ?? 0) + payload.byteLength + 100).toBeGreaterThanOrEqual(Math.max(...before))
          }
        },
      ),
      { numRuns: 15 },
    ))
})

describe('a peer whose requests cost the master much', () => {
  it('gets its share of the time and all its answers, while those of others come at once', async () => {
    let workedMs = 0
    const late = (clock: Clock): Clock => ({
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs() + workedMs,
      setTimeout: (fire, ms) => clock.setTimeout(fire, ms),
      clearTimeout: (timer) => clock.clearTimeout(timer),
    })
    const { clock, dialed, masters } = await linksOf(2, {}, {}, late)
    const costMs = 10
    for (const link of masters)
      link.serve({
        'integrity.buckets': () => {
          workedMs += costMs
          return { differing: [] }
        },
      })
    const [costly, other] = dialed
    const requests = 1_000
    let answered = 0
    for (let count = 0; count < requests; count++)
      void costly?.request('integrity.buckets', { digests: new Uint8Array(4_096) }, patient).then(() => {
        answered += 1
      })
    await clock.settle()
    expect(workedMs).toBeLessThanOrEqual(limits.peerWorkBurstMs + costMs)
    expect(
      (await outcome(clock, other?.request('session.echo', { payload: new Uint8Array(1) }, patient) ?? Promise.reject())).error,
    ).toBeUndefined()
    const restedMs = 500
    await clock.advance(restedMs)
    expect(answered).toBeLessThan(requests)
    const shareMs = ((restedMs + workedMs) * limits.peerWorkPercentMax) / 100
    expect(workedMs).toBeGreaterThan(shareMs / 2)
    expect(workedMs).toBeLessThanOrEqual(limits.peerWorkBurstMs + 2 * costMs + shareMs)
    await clock.advance((requests * costMs * 100) / limits.peerWorkPercentMax)
    expect([answered, workedMs]).toEqual([requests, requests * costMs])
    expect(clock.pending).toBeLessThanOrEqual(4)
  })
})
