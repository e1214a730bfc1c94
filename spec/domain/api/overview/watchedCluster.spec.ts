import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Overview, StreamMessage } from '../../../../src/domain/api/overview/streamMessage.js'
import { masterTimeMs, nothingWatched, watchedEventsMax, withMessage } from '../../../../src/domain/api/overview/watchedCluster.js'
import type { ClusterEvent, NodeOverview } from '../../../../src/domain/queries/clusterAnswer.js'
import { clusters, healthyNode, nowMs } from './overviewArbitraries.js'

const overviewOf = (nodes: readonly NodeOverview[], atMs: number): Overview => ({
  cluster: 'wazuh',
  node: 'master',
  type: 'master',
  nowMs: atMs,
  nodes,
})
const event = (id: number): ClusterEvent => ({ id, atMs: nowMs, level: 'info', message: `event ${id}` })
const withEvents = (ids: readonly number[]) =>
  ids.reduce((watched, id) => withMessage(watched, { kind: 'event', event: event(id) }), nothingWatched)

const messages: fc.Arbitrary<StreamMessage> = fc.oneof(
  fc.tuple(clusters, fc.nat(10_000)).map(([nodes, ms]): StreamMessage => ({ kind: 'overview', overview: overviewOf(nodes, nowMs + ms) })),
  fc.nat(1_000).map((id): StreamMessage => ({ kind: 'event', event: event(id) })),
  fc.constant<StreamMessage>({ kind: 'problem', code: 'notConnected', message: 'not connected' }),
  fc.constant<StreamMessage>({ kind: 'alive', nowMs }),
)

describe('a watched cluster', () => {
  it('has rates that are no less than nothing, events in falling order and no more than its bound', () =>
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 60 }), (some) => {
        const { events, rates } = some.reduce(withMessage, nothingWatched)
        for (const { received, sent } of rates.values()) expect(Math.min(received, sent)).toBeGreaterThanOrEqual(0)
        const ids = events.map(({ id }) => id)
        expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => b - a))
      }),
    ))

  it('forgets the oldest events', () => {
    const { events } = withEvents(Array.from({ length: watchedEventsMax + 20 }, (_, at) => at + 1))
    expect(events).toHaveLength(watchedEventsMax)
    expect(events[0]?.id).toBe(watchedEventsMax + 20)
  })

  it('begins its events again when the node does', () => expect(withEvents([7, 8, 1, 2]).events.map(({ id }) => id)).toEqual([2, 1]))

  it('makes rates of two overviews, and none across a link that was made again', () => {
    const first = withMessage(nothingWatched, { kind: 'overview', overview: overviewOf([healthyNode], nowMs) })
    const next = (change: Partial<NodeOverview>) =>
      withMessage(first, { kind: 'overview', overview: overviewOf([{ ...healthyNode, bytesSent: 6_000, ...change }], nowMs + 2_000) })
    expect(next({}).rates.get('worker-1')).toEqual({ sent: 3_000, received: 0 })
    expect(next({ sinceMs: nowMs }).rates.get('worker-1')).toBeUndefined()
    expect(withMessage(next({}), { kind: 'alive', nowMs }).rates.get('worker-1')).toEqual({ sent: 0, received: 0 })
  })

  it("has the master's time, whichever node answers", () => {
    const worker = { ...healthyNode, clockSkewMs: -4_000 }
    const seenFrom = (node: string) =>
      masterTimeMs({ ...overviewOf([{ ...healthyNode, name: 'master', type: 'master' }, worker], nowMs), node })
    expect([seenFrom('master'), seenFrom('worker-1'), seenFrom('unknown')]).toEqual([nowMs, nowMs - 4_000, nowMs])
  })

  it('has a problem until the next overview', () => {
    const troubled = withMessage(nothingWatched, { kind: 'problem', code: 'notConnected', message: 'not connected' })
    expect(withMessage(troubled, { kind: 'alive', nowMs }).problem).toBe('not connected')
    expect(withMessage(troubled, { kind: 'overview', overview: overviewOf([], nowMs) }).problem).toBeUndefined()
  })
})
