/** The columns of the table of nodes: heading, order, and what a cell says. */
import { escapeText } from '../../base/escapeText.js'
import { certificateDaysBad, certificateDaysNoted, clockSkewShownMs } from '../../domain/api/overview/clusterFindings.js'
import { ageText, bytesText, countText, daysUntil, delayText, utcText } from '../../domain/api/overview/figureTexts.js'
import type { NodeColumn, NodeRow } from '../../domain/api/overview/nodeOrder.js'

/** What a cell may depend on besides its row. */
export interface CellWorld {
  readonly nowMs: number
  /** What most nodes have; another one is marked. */
  readonly version: string
}

export interface Cell {
  readonly text: string
  /** All of it, where the cell has a part. */
  readonly title?: string
  readonly mark?: 'bad' | 'note' | 'busy' | undefined
}

export interface ColumnOfNodes {
  readonly key: NodeColumn
  readonly heading: string
  readonly title: string
  readonly isNumber: boolean
  readonly cell: (row: NodeRow, world: CellWorld) => Cell
}

const none: Cell = { text: '–' }

const age = (ms: number | undefined, nowMs: number): Cell => (ms === undefined ? none : { text: ageText(nowMs - ms), title: utcText(ms) })

const counts = (count: number, mark: Cell['mark']): Cell => ({ text: countText(count), mark: count > 0 ? mark : undefined })

const rate = (bytesPerSecond: number | undefined): Cell =>
  bytesPerSecond === undefined ? none : { text: `${bytesText(bytesPerSecond)}/s` }

const skew = (skewMs: number | undefined): Cell => {
  if (skewMs === undefined) return none
  const direction = skewMs > 0 ? 'behind the master' : 'ahead of the master'
  return { text: delayText(Math.abs(skewMs)), title: direction, mark: Math.abs(skewMs) > clockSkewShownMs ? 'note' : undefined }
}

const certificate = (endsMs: number | undefined, nowMs: number): Cell => {
  if (endsMs === undefined) return none
  const days = daysUntil(endsMs, nowMs)
  const title = utcText(endsMs)
  if (days < 0) return { text: 'ended', title, mark: 'bad' }
  const mark = days < certificateDaysBad ? 'bad' : 'note'
  return { text: `${countText(days)} d`, title, mark: days < certificateDaysNoted ? mark : undefined }
}

/** Name and state, which come before these, are more than a text. */
export const figureColumns: readonly ColumnOfNodes[] = [
  {
    key: 'since',
    heading: 'Since',
    title: 'For how long it has been connected, or away',
    isNumber: true,
    cell: ({ node }, { nowMs }) => age(node.sinceMs, nowMs),
  },
  {
    key: 'contact',
    heading: 'Contact',
    title: 'Since its last keep-alive',
    isNumber: true,
    cell: ({ node }, { nowMs }) => age(node.lastKeepAliveMs, nowMs),
  },
  { key: 'failed', heading: 'Failed', title: 'Files that it cannot write', isNumber: true, cell: ({ node }) => counts(node.failed, 'bad') },
  {
    key: 'pending',
    heading: 'To sync',
    title: 'Files that it has to take or delete',
    isNumber: true,
    cell: ({ node }) => counts(node.pending, 'busy'),
  },
  {
    key: 'files',
    heading: 'Files',
    title: 'Files that are kept the same',
    isNumber: true,
    cell: ({ node }) => counts(node.files, undefined),
  },
  {
    key: 'agents',
    heading: 'Agents',
    title: 'Active agents that report to it',
    isNumber: true,
    cell: ({ node }) => counts(node.activeAgents, undefined),
  },
  {
    key: 'roundTrip',
    heading: 'RTT',
    title: 'Round trip between it and the master',
    isNumber: true,
    cell: ({ node }) => (node.roundTripMs === undefined ? none : { text: delayText(node.roundTripMs) }),
  },
  {
    key: 'skew',
    heading: 'Clock',
    title: "How far its clock is from the master's",
    isNumber: true,
    cell: ({ node }) => skew(node.clockSkewMs),
  },
  {
    key: 'sent',
    heading: 'Sent',
    title: 'Bytes a second that the master sends it',
    isNumber: true,
    cell: ({ rates }) => rate(rates?.sent),
  },
  {
    key: 'received',
    heading: 'Received',
    title: 'Bytes a second that the master receives from it',
    isNumber: true,
    cell: ({ rates }) => rate(rates?.received),
  },
  {
    key: 'version',
    heading: 'Version',
    title: 'Of Wazuh; one that most others do not have is marked',
    isNumber: false,
    cell: ({ node }, { version }) => ({
      text: escapeText(node.version),
      title: escapeText(node.version),
      mark: node.version === version ? undefined : 'note',
    }),
  },
  {
    key: 'address',
    heading: 'Address',
    title: 'Where it comes from',
    isNumber: false,
    cell: ({ node }) => ({ text: escapeText(node.address), title: escapeText(node.address) }),
  },
  {
    key: 'certificate',
    heading: 'Cert.',
    title: 'Until its certificate ends',
    isNumber: true,
    cell: ({ node }, { nowMs }) => certificate(node.certificateEndsMs, nowMs),
  },
]

/** What most rows have; of equally frequent ones the first in order. */
export const mostFrequent = (values: readonly string[]): string => {
  const counted = new Map<string, number>()
  for (const value of values) counted.set(value, (counted.get(value) ?? 0) + 1)
  return [...counted].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))[0]?.[0] ?? ''
}
