/** Two versions of each node: Wazuh's, which agents and Wazuh's tools compare, and Muster's, which only our own logs and views show. */
import { expect, it } from 'vitest'
import type { AnswerLine } from '../../src/domain/queries/answerLine.js'
import type { ClusterQuery } from '../../src/domain/queries/clusterQuery.js'
import { SimulatedCluster } from '../../src/simulation/cluster.js'

const { signal } = new AbortController()

it("nodes and agent 000 show the version of Wazuh that their node serves, and Muster's beside it", async () => {
  const cluster = new SimulatedCluster({ seed: 1, nodes: 2 })
  cluster.startAll()
  await cluster.clock.advance(5_000)
  const answered = async (name: string, query: ClusterQuery): Promise<readonly AnswerLine[]> => {
    const lines: AnswerLine[] = []
    const reading = (async () => {
      for await (const line of cluster.node(name).running?.query(query, signal) ?? []) lines.push(line)
    })()
    await cluster.clock.advance(1_000)
    await reading
    return lines
  }
  for (const name of ['master', 'w1']) {
    for (const kind of ['nodes', 'health'] as const) {
      const nodes = (await answered(name, { kind })).flatMap((line) => ('node' in line ? [line.node] : []))
      expect(nodes).toMatchObject([
        { name: 'master', version: '4.14.6', muster: '1.0.0' },
        { name: 'w1', version: '4.14.6', muster: '1.0.0' },
      ])
    }
    const rows = (await answered(name, { kind: 'agents' })).flatMap((line) => (line.kind === 'agents' ? line.rows : []))
    expect(rows[0]?.slice(0, 6)).toEqual([0, 'master', '127.0.0.1', 'active', 'Wazuh v4.14.6', 'master'])
  }
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
})
