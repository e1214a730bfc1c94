/** The order of a table's rows: by any column, either way, and by default the worst first. */
import type { NodeOverview } from '../../queries/clusterAnswer.js'
import { conditionOf, conditionRank } from './nodeCondition.js'
import type { LinkRates } from './watchedCluster.js'

export interface NodeRow {
  readonly node: NodeOverview
  readonly rates: LinkRates | undefined
}

/** What a column is ordered by. Undefined is unknown, and stands last either way. */
const sortKeys = {
  name: ({ node }) => node.name,
  state: ({ node }) => conditionRank(conditionOf(node)),
  // The latest change first.
  since: ({ node }) => -node.sinceMs,
  contact: ({ node }) => (node.lastKeepAliveMs === undefined ? undefined : -node.lastKeepAliveMs),
  roundTrip: ({ node }) => node.roundTripMs,
  skew: ({ node }) => (node.clockSkewMs === undefined ? undefined : Math.abs(node.clockSkewMs)),
  files: ({ node }) => node.files,
  pending: ({ node }) => node.pending,
  failed: ({ node }) => node.failed,
  agents: ({ node }) => node.activeAgents,
  sent: ({ rates }) => rates?.sent,
  received: ({ rates }) => rates?.received,
  version: ({ node }) => node.version,
  address: ({ node }) => node.address,
  certificate: ({ node }) => node.certificateEndsMs,
} as const satisfies Record<string, (row: NodeRow) => string | number | undefined>

export type NodeColumn = keyof typeof sortKeys

export interface NodeOrder {
  readonly column: NodeColumn
  readonly isDescending: boolean
}

export const worstFirst: NodeOrder = { column: 'state', isDescending: false }

const collator = new Intl.Collator('en', { numeric: true })
const compareTexts = (a: string, b: string): number => collator.compare(a, b) || (a < b ? -1 : Number(a > b))

const compareKeys = (a: string | number, b: string | number): number =>
  typeof a === 'number' && typeof b === 'number' ? a - b : compareTexts(String(a), String(b))

/** Equal rows stand worst first, then the master, then by name. */
const compareEqual = (a: NodeOverview, b: NodeOverview): number =>
  conditionRank(conditionOf(a)) - conditionRank(conditionOf(b)) ||
  Number(b.type === 'master') - Number(a.type === 'master') ||
  compareTexts(a.name, b.name)

const compareRows = (a: NodeRow, b: NodeRow, { column, isDescending }: NodeOrder): number => {
  const [keyA, keyB] = [sortKeys[column](a), sortKeys[column](b)]
  if (keyA === undefined || keyB === undefined) return Number(keyA === undefined) - Number(keyB === undefined)
  return isDescending ? compareKeys(keyB, keyA) : compareKeys(keyA, keyB)
}

export const inNodeOrder = (rows: readonly NodeRow[], order: NodeOrder): readonly NodeRow[] =>
  rows.toSorted((a, b) => compareRows(a, b, order) || compareEqual(a.node, b.node))
