/** What simulated TLS promises beyond real TLS (for that, see spec/compliance/agentNetwork.spec.ts): under faults, and when crowded. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import type { ByteStream } from '../../../src/ports/network.js'
import { simulatedIdentity } from '../../../src/simulation/network/simulatedCertificates.js'
import { createSimulatedNetwork } from '../../../src/simulation/network/simulatedNetwork.js'
import { listenSimulatedTls } from '../../../src/simulation/network/simulatedTls.js'
import { SeededRandom } from '../../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

const nothing = { connections: 0, listeners: 0, dials: 0, datagramSockets: 0, pendingEvents: 0 }
const never = new AbortController().signal
const port = 1515
const handshakeMsMax = 5_000

const listening = async (seed: number) => {
  const clock = new VirtualClock()
  const network = createSimulatedNetwork({ clock, random: new SeededRandom(seed), segmentedShare: 0.5 })
  const streams: ByteStream[] = []
  const refused: string[] = []
  const counts = { admitted: 0 }
  const listener = await network.network('manager').listenTls(
    { host: '', port },
    {
      ...simulatedIdentity('itself', ['manager']),
      handshakeMsMax,
      admits: () => {
        counts.admitted++
        return true
      },
    },
    (stream) => {
      streams.push(stream)
      stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
    },
    ({ code }) => refused.push(code),
  )
  return { clock, network, streams, refused, counts, listener }
}

const faults = ['none', 'crash', 'power', 'partition', 'freeze', 'reset', 'close'] as const

describe('simulated TLS', () => {
  it('ends each handshake once and leaves nothing behind, whatever happens in its middle, on either side', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom(...faults),
        fc.constantFrom('agent', 'manager'),
        fc.nat(12),
        async (seed, fault, where, afterMs) => {
          const { clock, counts, listener, network, refused, streams } = await listening(seed)
          const dialled: ByteStream[] = []
          let isFailed = false
          network
            .network('agent')
            .dialTls({ host: 'manager', port }, {}, never)
            .then(
              (stream) => {
                dialled.push(stream)
                stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
              },
              () => {
                isFailed = true
              },
            )
          await clock.advance(afterMs / 2)
          if (fault === 'crash') network.crash(where)
          if (fault === 'power') network.crash(where, 'power')
          if (fault === 'partition') network.partition('agent', 'manager')
          if (fault === 'freeze') network.freeze(where)
          if (fault === 'reset') network.reset('agent', 'manager')
          if (fault === 'close') await listener.close()
          await clock.advance(1_000)
          if (fault === 'crash' || fault === 'power') expect(network.counters(where)).toEqual(nothing)
          await clock.advance(2 * handshakeMsMax + 2 * limits.handshakeMsMax)
          network.heal()
          await clock.advance(2 * handshakeMsMax + 2 * limits.handshakeMsMax)
          const isSilent = fault === 'close' || ((fault === 'crash' || fault === 'power') && where === 'manager')
          if (!isSilent) expect(streams.length + refused.length).toBe(counts.admitted)
          expect(streams.length + refused.length).toBeLessThanOrEqual(counts.admitted)
          if (!(fault === 'crash' || fault === 'power')) expect(dialled.length).toBe(isFailed ? 0 : 1)
          for (const stream of [...streams, ...dialled]) stream.destroy()
          await listener.close()
          network.boot('agent')
          network.boot('manager')
          await clock.advance(60_000)
          for (const host of ['agent', 'manager']) network.crash(host)
          expect([network.counters(), clock.pending]).toEqual([nothing, 0])
        },
      ),
      { numRuns: 200 },
    ))

  it('lets the oldest that has not ended give way when there are too many, and others in all the while', async () => {
    const clock = new VirtualClock()
    const network = createSimulatedNetwork({ clock, random: new SeededRandom(1) })
    const refused: string[] = []
    const streams: ByteStream[] = []
    const host = { handshakes: new Set<{ abandon(): void }>(), later: (callback: () => void) => queueMicrotask(callback) }
    const attach = (stream: ByteStream): void => stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
    await listenSimulatedTls(
      { network: network.network('manager'), clock, host },
      { host: '', port },
      { ...simulatedIdentity('itself', ['manager']), handshakeMsMax },
      {
        onConnection: (stream) => {
          streams.push(stream)
          attach(stream)
        },
        onAcceptError: ({ code }) => refused.push(code),
      },
      20,
    )
    for (let i = 0; i < 50; i++) void network.network('stranger').dial({ host: 'manager', port }, new AbortController().signal).then(attach)
    await clock.advance(100)
    expect([refused.length, new Set(refused), host.handshakes.size]).toEqual([30, new Set(['overloaded']), 20])
    void network.network('agent').dialTls({ host: 'manager', port }, {}, never).then(attach)
    await clock.advance(100)
    expect(streams).toHaveLength(1)
    await clock.advance(handshakeMsMax)
    expect([host.handshakes.size, refused.length, clock.pending]).toEqual([0, 50, 0])
  })
})
