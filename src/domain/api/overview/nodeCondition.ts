/** How a node is, in one word, for those who must see at once which of many needs them: decided from its row alone. */
import type { NodeOverview } from '../../queries/clusterAnswer.js'

/** What a condition asks of an operator: to act, to wait, to know, nothing; `off` is not part of the cluster any more. */
export type Severity = 'bad' | 'busy' | 'note' | 'good' | 'off'

/** The worst first; the word for it, and what it means. */
export const conditions = {
  lost: { severity: 'bad', word: 'not connected', meaning: 'was here and is gone' },
  failing: { severity: 'bad', word: 'files fail', meaning: 'connected, but files cannot be written' },
  incomparable: { severity: 'bad', word: 'not compared', meaning: 'connected, but its files cannot be compared' },
  away: { severity: 'note', word: 'drained, away', meaning: 'was drained, then left' },
  comparing: { severity: 'busy', word: 'comparing', meaning: 'finding out what differs' },
  syncing: { severity: 'busy', word: 'syncing', meaning: 'takes files from the master' },
  drained: { severity: 'note', word: 'drained', meaning: 'in sync, its agents were asked to leave' },
  serving: { severity: 'good', word: 'serving', meaning: 'the master' },
  inSync: { severity: 'good', word: 'in sync', meaning: 'has what the master has' },
  removed: { severity: 'off', word: 'removed', meaning: 'is refused until it is added again' },
} as const satisfies Record<string, { readonly severity: Severity; readonly word: string; readonly meaning: string }>

export type Condition = keyof typeof conditions

export const conditionNames = Object.keys(conditions) as readonly Condition[]

/** What decides, so that a caller may ask about less than a row. */
export type JudgedNode = Pick<NodeOverview, 'type' | 'isConnected' | 'state' | 'inSync' | 'pending' | 'failed' | 'error'>

export const conditionOf = (node: JudgedNode): Condition => {
  if (node.state === 'removed') return 'removed'
  if (!node.isConnected) return node.state === 'drained' ? 'away' : 'lost'
  if (node.failed > 0) return 'failing'
  if (node.type === 'master') return 'serving'
  if (node.inSync) return node.state === 'drained' ? 'drained' : 'inSync'
  if (node.pending > 0) return 'syncing'
  return node.error === undefined ? 'comparing' : 'incomparable'
}

/** 0 for the worst. */
export const conditionRank = (condition: Condition): number => conditionNames.indexOf(condition)
