/** What a worker without a master answers and reports, over the daemon's own code. */
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../src/simulation/cluster.js'

const { signal } = new AbortController()

const sentenceOf = async (cluster: SimulatedCluster): Promise<string> => {
  const answer = cluster.node('w1').running?.query({ kind: 'nodes' }, signal) ?? []
  try {
    for await (const line of answer) return line.kind
    return 'nothing'
  } catch (thrown) {
    return String(thrown instanceof Error && 'sentence' in thrown ? thrown.sentence : thrown)
  }
}

describe('a worker that cannot reach its master', () => {
  it('says why in its answer to cluster_control, also after a connection was lost', async () => {
    const cluster = new SimulatedCluster({ seed: 5, nodes: 2 })
    cluster.start('w1')
    expect(await sentenceOf(cluster)).toBe('Error 3023 - Worker node is not connected to master')
    await cluster.clock.advance(5_000)
    expect(await sentenceOf(cluster)).toBe('Error 3023 - Worker node is not connected to master: The name master is not known: ENOTFOUND')
    cluster.start('master')
    await cluster.clock.advance(20_000)
    expect(cluster.node('w1').running?.masterLink).toBeDefined()
    cluster.network.partition('master', 'w1')
    await cluster.clock.runUntil(() => cluster.node('w1').running?.masterLink === undefined, 200_000)
    expect(await sentenceOf(cluster)).toMatch(/^Error 3023 - Worker node is not connected to master: The master stopped answering/)
    cluster.heal()
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })

  it('says why to an embedding program that enrols or removes an agent', async () => {
    const cluster = new SimulatedCluster({ seed: 5, nodes: 2 })
    cluster.start('w1')
    await cluster.clock.advance(5_000)
    const operations = cluster.node('w1').running?.agentOperations
    const why = 'Worker node is not connected to master: The name master is not known: ENOTFOUND'
    const request = { name: 'first', ip: 'any', key: 'a'.repeat(64), groups: [] }
    await expect(operations?.add(request, signal)).rejects.toMatchObject({ code: 'notConnected', message: why })
    await expect(operations?.remove(1, signal)).rejects.toMatchObject({ code: 'notConnected', message: why })
    await cluster.stopAll()
  })

  it('emits an event when the log has a line about it, about once a minute', async () => {
    const cluster = new SimulatedCluster({ seed: 6, nodes: 2, linesKept: 10_000 })
    cluster.start('w1')
    await cluster.clock.advance(10 * 60_000)
    const events = cluster.trace.lines().filter((line) => line.includes('event dialFailed'))
    const logged = cluster.trace.lines().filter((line) => line.includes('Could not connect to master'))
    expect(events.length).toBe(logged.length)
    expect(events.length).toBeGreaterThanOrEqual(9)
    expect(events.length).toBeLessThanOrEqual(11)
    cluster.heal()
    await cluster.stopAll()
  })
})
