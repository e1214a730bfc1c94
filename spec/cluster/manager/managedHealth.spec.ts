/** How many agents are active at each node, beside real managers: wazuh-db of the master says it, while it answers. */
import { expect, it } from 'vitest'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'

const { signal } = new AbortController()

it('health counts the active agents that wazuh-db has, of the master too, and does without it', async () => {
  const cluster = new SimulatedCluster({ seed: 3, nodes: 2, manager: 'wazuh' })
  const { managed } = cluster
  const db = cluster.master.manager?.db
  if (!managed || !db) throw new Error('There is no manager')
  managed.populate(3, [])
  cluster.startAll()
  await cluster.clock.advance(60_000)
  const activeAt = async (name: string): Promise<unknown> => {
    const lines: AnswerLine[] = []
    const asking = (async () => {
      for await (const line of cluster.node(name).running?.query({ kind: 'health' }, signal) ?? []) lines.push(line)
    })()
    await cluster.clock.advance(20_000)
    await asking
    return lines.flatMap((line) => (line.kind === 'health' ? [[line.node.name, line.node.activeAgents]] : []))
  }
  const counts = (master: unknown) => [
    ['master', master],
    ['w1', 0],
  ]
  expect(await activeAt('w1')).toEqual(counts(0))
  for (const id of [1, 2]) db.agentSendsKeepAlive(id)
  expect(await activeAt('master')).toEqual(counts(2))
  expect(await activeAt('w1')).toEqual(counts(2))
  db.stop()
  // The node's own table, which may not have them yet.
  expect(await activeAt('w1')).toEqual(counts(expect.any(Number)))
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
})
