/** Questions that the programs on a machine ask their node, and the answers as data: printed as text or as JSON by control/. */

import type { AgentQuery } from '../agents/agentQuery.js'
import type { AgentAnswer } from './agentAnswer.js'

export type ClusterQuery =
  | AgentQuery
  | { readonly kind: 'nodes'; readonly nodes?: readonly string[] }
  | { readonly kind: 'health'; readonly nodes?: readonly string[] }
  | { readonly kind: 'files'; readonly nodes?: readonly string[]; readonly all: boolean }

export interface NodeView {
  readonly name: string
  readonly type: 'master' | 'worker'
  /** Of Wazuh, as the node serves it. */
  readonly version: string
  /** Muster's; an earlier build's answer does not have it. */
  readonly muster?: string
  readonly address: string
}

export interface SpanView {
  /** Milliseconds since 1970, by the master's clock. */
  readonly startMs: number
  readonly endMs: number
}

/** Times are missing until the first one happened. */
export interface NodeHealth extends NodeView {
  readonly activeAgents: number
  readonly worker?: {
    readonly lastKeepAliveMs?: number
    /** The master's clock minus the worker's. */
    readonly clockSkewMs?: number
    readonly integrityCheck?: SpanView
    readonly integritySync?: SpanView & { readonly shared: number; readonly missing: number; readonly extra: number }
    readonly agentInfo?: SpanView & { readonly chunks: number }
    readonly agentGroups?: SpanView & { readonly chunks: number }
    readonly agentGroupsFull?: SpanView & { readonly chunks: number }
    /** Which of the master's keys it came in with; older masters do not say. */
    readonly key?: 'current' | 'previous'
    /** No check or sync is under way. */
    readonly integrityFree: boolean
    /** No agent-info is being taken in; missing means free. */
    readonly agentInfoFree?: boolean
  }
}

export interface FileRow {
  readonly node: string
  readonly file: string
  readonly state: 'synced' | 'pending' | 'failed'
  readonly code?: string
  readonly error?: string
}

export interface FilesSummary {
  readonly node: string
  readonly inSync: boolean
  readonly files: number
  readonly pending: number
  readonly failed: number
  /** Failures beyond limits.reportedFailuresMax, which the worker did not name. */
  readonly failuresLeftOut: number
  /** Why the files are not compared, and will not be before somebody does something about it. */
  readonly code?: string
  readonly error?: string
}

/** An answer is a sequence of these, one JSON text a line, so that no answer has to be held whole. */
export type AnswerLine =
  | AgentAnswer
  | { readonly kind: 'cluster'; readonly name: string; readonly unknownNodes: readonly string[] }
  | { readonly kind: 'node'; readonly node: NodeView }
  | { readonly kind: 'health'; readonly node: NodeHealth }
  | { readonly kind: 'filesOf'; readonly summary: FilesSummary }
  | { readonly kind: 'file'; readonly row: FileRow }
  | { readonly kind: 'error'; readonly code: string; readonly number: number; readonly message: string }
  | { readonly kind: 'end' }
