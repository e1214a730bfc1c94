/**
 * What a node counts of itself, and a master of its workers: what metrics, health and the page are made of. Plain data, O(workers) to make: nothing in it
 * is per agent or per file. Counts begin with the process of the node, times are milliseconds since 1970.
 */
import type { NodeState } from './nodeState.js'

/** What bytes on the wire are about: synced files, agents, their groups; control is all else, with what frames, seals and handshakes add. */
export const trafficKinds = ['file', 'agents', 'groups', 'control'] as const
export type TrafficKind = (typeof trafficKinds)[number]

/** Bytes on the wire. */
export type TrafficFigures = Readonly<Record<TrafficKind, number>>

/** What a master knows of a worker that is, or was, in the cluster. */
export interface WorkerFigures {
  readonly name: string
  readonly state: NodeState
  readonly isConnected: boolean
  /** When it connected, or left. */
  readonly sinceMs: number
  /** Why it left: an error's code and sentence. */
  readonly leftFor: { readonly code: string; readonly message: string } | undefined
  /** How often it joined, and left by reason (an error's code). */
  readonly joined: number
  readonly left: Readonly<Record<string, number>>
  readonly lastKeepAliveMs: number | undefined
  /** The master's clock minus the worker's. */
  readonly clockSkewMs: number | undefined
  /** Of its last keep-alive but one, as it measured it. */
  readonly roundTripMs: number | undefined
  readonly sent: TrafficFigures
  readonly received: TrafficFigures
  readonly filesPending: number
  readonly filesFailed: number
  readonly inSync: boolean
  /** When its tree was last seen to be the master's. */
  readonly inSyncMs: number | undefined
  readonly integrityChecks: number
  /** When it last carried out a plan. */
  readonly lastSyncMs: number | undefined
  readonly usesPreviousKey: boolean
}

export interface CertificateFigures {
  readonly kind: 'ca' | 'node' | 'api'
  readonly name: string
  readonly endsMs: number
}

/** A histogram's state: how many values were at most each bound, and their sum. */
export interface DurationFigures {
  readonly counts: readonly { readonly seconds: number; readonly count: number }[]
  readonly count: number
  readonly sumSeconds: number
}

/** Of the whole process that the node runs in; the event loop is that of the thread of the cluster. */
export interface ProcessFigures {
  /** Of Node.js. */
  readonly nodeVersion: string
  readonly startedMs: number
  readonly userSeconds: number
  readonly systemSeconds: number
  readonly residentBytes: number
  readonly heapUsedBytes: number
  readonly openFiles: number | undefined
  readonly openFilesMax: number
  /** How late a turn of the event loop came just now. */
  readonly eventLoopLagSeconds: number
}

export interface NodeFigures {
  readonly cluster: string
  readonly node: string
  readonly type: 'master' | 'worker'
  readonly version: string
  readonly startedMs: number
  readonly nowMs: number
  /** Of a worker: its link to the master, since when, and why there is none. */
  readonly master: { readonly isConnected: boolean; readonly sinceMs: number; readonly error: string | undefined } | undefined
  /** Of a master: it takes workers in. */
  readonly isListening: boolean
  /** Of a master. */
  readonly workers: readonly WorkerFigures[]
  /** Connections that a master refused, by reason (an error's code). Nobody knows by then whose they were. */
  readonly refusals: Readonly<Record<string, number>>
  readonly syncedFiles: number
  readonly hasScanned: boolean
  /** Rest between two checks of a worker. */
  readonly syncIntervalMs: number
  /** Of a worker: when its tree was last seen to be the master's; and whether the last plan failed for a full disk. */
  readonly inSyncMs: number | undefined
  readonly diskFull: boolean
  /** Of a worker: what it did to its own files. */
  readonly filesApplied: { readonly created: number; readonly updated: number; readonly deleted: number }
  readonly editsUndone: number
  /** A worker's own ones; on a master those that it served. */
  readonly integrityChecks: DurationFigures
  readonly syncs: DurationFigures
  /** The last scan of the whole tree. */
  readonly scanSeconds: number | undefined
  readonly watcherOverflows: number
  /** Agents by node and status, as this node's table has them; those of no node, or of one that is not known here, have the node ''. */
  readonly agents: readonly { readonly node: string; readonly status: string; readonly count: number }[]
  /** Reports of agents that wait for the table, and those that were taken in. */
  readonly agentReportsQueued: number
  readonly agentReports: number
  /** By thread. */
  readonly threadRestarts: Readonly<Record<string, number>>
  /** By level: error, warning and info. */
  readonly logLines: Readonly<Record<string, number>>
  readonly certificates: readonly CertificateFigures[]
  readonly usesPreviousKey: boolean
  readonly process: ProcessFigures | undefined
}
