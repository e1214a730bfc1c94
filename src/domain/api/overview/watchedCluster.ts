/** What somebody who watches the stream of a node knows of the cluster: messages come in, what is shown comes out. */
import type { ClusterEvent, NodeOverview } from '../../queries/clusterAnswer.js'
import type { Overview, StreamMessage } from './streamMessage.js'

/** Bytes a second, of one node's link. */
export interface LinkRates {
  readonly sent: number
  readonly received: number
}

export interface WatchedCluster {
  readonly overview: Overview | undefined
  /** By node; of the last two overviews. */
  readonly rates: ReadonlyMap<string, LinkRates>
  /** The newest first. */
  readonly events: readonly ClusterEvent[]
  /** Why the node cannot say how the cluster is now. */
  readonly problem: string | undefined
}

export const nothingWatched: WatchedCluster = { overview: undefined, rates: new Map(), events: [], problem: undefined }

export const watchedEventsMax = 500

/** When the overview was made, by the master's clock, which the times of the rows are of; the node that answers has another. */
export const masterTimeMs = ({ node, nodes, nowMs }: Overview): number =>
  nowMs + (nodes.find(({ name }) => name === node)?.clockSkewMs ?? 0)

/** Overviews that come closer together are one: a rate over a few milliseconds says nothing. */
const rateMsMin = 500

/** Undefined where a counter was reset, or when the node was not there before. */
const linkRates = (before: NodeOverview | undefined, node: NodeOverview, seconds: number): LinkRates | undefined => {
  if (!before || before.sinceMs !== node.sinceMs) return undefined
  const [sent, received] = [node.bytesSent - before.bytesSent, node.bytesReceived - before.bytesReceived]
  return sent < 0 || received < 0 ? undefined : { sent: sent / seconds, received: received / seconds }
}

const ratesBetween = (before: Overview, overview: Overview): ReadonlyMap<string, LinkRates> => {
  const seconds = (overview.nowMs - before.nowMs) / 1_000
  const earlier = new Map(before.nodes.map((node) => [node.name, node]))
  const rates = overview.nodes.map((node) => [node.name, linkRates(earlier.get(node.name), node, seconds)] as const)
  return new Map(rates.flatMap(([name, rate]) => (rate ? [[name, rate]] : [])))
}

const withOverview = (watched: WatchedCluster, overview: Overview): WatchedCluster => {
  const before = watched.overview
  const isNext = before !== undefined && overview.nowMs - before.nowMs >= rateMsMin
  return { ...watched, overview, problem: undefined, rates: isNext ? ratesBetween(before, overview) : watched.rates }
}

/** Ids rise; one that does not is of a node that started again, and counts from the beginning. */
const withEvent = (events: readonly ClusterEvent[], event: ClusterEvent): readonly ClusterEvent[] =>
  event.id > (events[0]?.id ?? 0) ? [event, ...events.slice(0, watchedEventsMax - 1)] : [event]

export const withMessage = (watched: WatchedCluster, message: StreamMessage): WatchedCluster => {
  switch (message.kind) {
    case 'overview':
      return withOverview(watched, message.overview)
    case 'event':
      return { ...watched, events: withEvent(watched.events, message.event) }
    case 'problem':
      return { ...watched, problem: message.message, rates: new Map() }
    case 'alive':
      // Nothing has changed, not even what was sent.
      return { ...watched, rates: new Map([...watched.rates.keys()].map((node) => [node, { sent: 0, received: 0 }])) }
  }
}
