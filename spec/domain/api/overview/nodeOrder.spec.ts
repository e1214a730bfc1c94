import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conditionOf, conditionRank } from '../../../../src/domain/api/overview/nodeCondition.js'
import { inNodeOrder, type NodeColumn, type NodeRow, worstFirst } from '../../../../src/domain/api/overview/nodeOrder.js'
import { clusters } from './overviewArbitraries.js'

const rows: fc.Arbitrary<readonly NodeRow[]> = clusters.map((nodes) => nodes.map((node) => ({ node, rates: undefined })))
const columns = fc.constantFrom<NodeColumn>(
  'name',
  'state',
  'since',
  'contact',
  'roundTrip',
  'skew',
  'pending',
  'agents',
  'version',
  'certificate',
  'sent',
)
const names = (ordered: readonly NodeRow[]): readonly string[] => ordered.map(({ node }) => node.name)

describe('the order of the rows', () => {
  it('depends on nothing but the rows and the column', () =>
    fc.assert(
      fc.property(rows, columns, fc.boolean(), fc.integer(), (some, column, isDescending, seed) => {
        const order = { column, isDescending }
        const shuffled = some.toSorted((a, b) => ((a.node.bytesSent ^ seed) % 97) - ((b.node.bytesSent ^ seed) % 97))
        expect(names(inNodeOrder(shuffled, order))).toEqual(names(inNodeOrder(some, order)))
        expect(names(inNodeOrder(some, order)).toSorted()).toEqual(names(some).toSorted())
      }),
    ))

  it('has the worst first unless another is asked for', () =>
    fc.assert(
      fc.property(rows, (some) => {
        const ranks = inNodeOrder(some, worstFirst).map(({ node }) => conditionRank(conditionOf(node)))
        expect(ranks).toEqual(ranks.toSorted((a, b) => a - b))
      }),
    ))

  it('has what is not known last, either way', () =>
    fc.assert(
      fc.property(rows, fc.boolean(), (some, isDescending) => {
        const known = inNodeOrder(some, { column: 'roundTrip', isDescending }).map(({ node }) => node.roundTripMs !== undefined)
        expect(known).toEqual(known.toSorted((a, b) => Number(b) - Number(a)))
      }),
    ))
})
