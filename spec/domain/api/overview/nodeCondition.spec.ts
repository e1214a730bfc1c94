import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conditionOf, conditionRank, conditions } from '../../../../src/domain/api/overview/nodeCondition.js'
import { healthyNode, workerRows } from './overviewArbitraries.js'

describe('the condition of a node', () => {
  it('is good only for one that is connected, in sync and without a failed file', () =>
    fc.assert(
      fc.property(workerRows, (node) => {
        const isGood = conditions[conditionOf(node)].severity === 'good'
        expect(isGood).toBe(node.isConnected && node.inSync && node.failed === 0 && node.state === 'ready')
      }),
    ))

  it('never gets better when files begin to fail or the link is lost', () =>
    fc.assert(
      fc.property(workerRows, (node) => {
        const rank = conditionRank(conditionOf(node))
        if (node.state !== 'removed' && node.isConnected) {
          expect(conditionRank(conditionOf({ ...node, failed: node.failed + 1 }))).toBeLessThanOrEqual(rank)
          if (node.state === 'ready') expect(conditionRank(conditionOf({ ...node, isConnected: false }))).toBeLessThanOrEqual(rank)
        }
      }),
    ))

  it.each([
    ['inSync', {}],
    ['lost', { isConnected: false }],
    ['away', { isConnected: false, state: 'drained' }],
    ['removed', { isConnected: false, state: 'removed' }],
    ['failing', { failed: 1, inSync: false, pending: 3 }],
    ['syncing', { inSync: false, pending: 3 }],
    ['comparing', { inSync: false }],
    ['incomparable', { inSync: false, error: 'The items differ' }],
    ['drained', { state: 'drained' }],
    ['syncing', { inSync: false, pending: 3, state: 'drained' }],
    ['serving', { type: 'master' }],
  ] as const)('is %s of %j', (condition, change) => expect(conditionOf({ ...healthyNode, ...change })).toBe(condition))
})
