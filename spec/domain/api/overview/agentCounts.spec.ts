import fc from 'fast-check'
import { expect, it } from 'vitest'
import { agentCounts } from '../../../../src/domain/api/overview/agentCounts.js'
import { clusters } from './overviewArbitraries.js'

it('agents by node and status add up, whatever the statuses are called', () =>
  fc.assert(
    fc.property(clusters, (nodes) => {
      const { rows, total, totals } = agentCounts(nodes)
      expect(rows.map(({ node }) => node)).toEqual(nodes.map(({ name }) => name))
      for (const { counts, total: all } of rows) expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all)
      expect(totals.reduce((sum, count) => sum + count, 0)).toBe(total)
      expect(total).toBe(nodes.flatMap(({ agents }) => Object.values(agents)).reduce((sum, count) => sum + count, 0))
    }),
  ))
