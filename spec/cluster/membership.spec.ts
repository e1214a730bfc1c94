/** Membership by keep-alives: a dead worker is noticed within the bound, and a living one is never taken for dead. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { silenceDetectionMsMax } from '../../src/domain/cluster/heartbeat.js'
import { SimulatedCluster } from '../../src/simulation/cluster.js'
import { runs } from '../support/runs.js'

const timings = fc.record({
  keepAliveMs: fc.integer({ min: 1_000, max: 60_000 }),
  checkLastKeepAliveMs: fc.integer({ min: 1_000, max: 60_000 }),
  requestTimeoutMs: fc.integer({ min: 2_000, max: 20_000 }),
})

describe('membership', () => {
  it('a worker that is cut off leaves the registry within the bound, and is back after the cut ends', () =>
    fc.assert(
      fc.asyncProperty(timings, async (given) => {
        const silenceMsMax = given.keepAliveMs * 2
        const cluster = new SimulatedCluster({ seed: 7, nodes: 3, timings: { ...given, silenceMsMax } })
        cluster.startAll()
        await cluster.clock.advance(5_000)
        expect(cluster.isMember('w1')).toBe(true)
        cluster.network.isolate('w1')
        await cluster.clock.advance(
          silenceDetectionMsMax({ checkIntervalMs: given.checkLastKeepAliveMs, silenceMsMax }) + given.keepAliveMs,
        )
        expect(cluster.isMember('w1')).toBe(false)
        expect(cluster.isMember('w2')).toBe(true)
        cluster.network.rejoin('w1')
        await cluster.clock.advance(cluster.convergenceMsMax)
        expect(cluster.isMember('w1')).toBe(true)
        await cluster.stopAll()
        expect(cluster.violations).toEqual([])
      }),
      { numRuns: runs(12) },
    ))

  it('no worker is ever lost while every message arrives within the allowed delay', () =>
    fc.assert(
      fc.asyncProperty(timings, fc.integer({ min: 0, max: 450 }), async (given, delayThousandths) => {
        const cluster = new SimulatedCluster({
          linesKept: 100_000,
          seed: 8,
          nodes: 3,
          timings: { ...given, silenceMsMax: given.keepAliveMs * 2 + given.requestTimeoutMs },
        })
        const latencyMs = Math.floor((given.requestTimeoutMs * delayThousandths) / 1_000)
        cluster.startAll()
        await cluster.clock.advance(30_000)
        cluster.network.setLatency({ minMs: latencyMs / 2, maxMs: latencyMs })
        await cluster.clock.advance(10 * 60_000)
        expect(cluster.trace.lines().filter((line) => line.includes('workerLeft') || line.includes('disconnected'))).toEqual([])
        expect(cluster.isMember('w1') && cluster.isMember('w2')).toBe(true)
        cluster.network.heal()
        await cluster.stopAll()
        expect(cluster.violations).toEqual([])
      }),
      { numRuns: runs(12) },
    ))

  it('a worker whose machine lost power can come back before the master has noticed that it was gone', async () => {
    const cluster = new SimulatedCluster({ seed: 9, nodes: 3 })
    cluster.startAll()
    await cluster.clock.advance(5_000)
    cluster.crash('w1', 'power')
    await cluster.clock.advance(2_000)
    cluster.start('w1')
    const isBack = await cluster.clock.runUntil(() => cluster.node('w1').running?.masterLink !== undefined, 30_000)
    expect(isBack).toBe(true)
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })
})
