/**
 * What a node counts of itself, and a master of its workers: what metrics, health and the page are made of. Plain data, O(workers) to make: nothing in it
 * is per agent or per file.
 */

/** Since the worker connected; of a worker that has left, as they were. */
export interface WorkerFigures {
  readonly name: string
  readonly isConnected: boolean
  /** When it connected, or left. Milliseconds since 1970, as all times here. */
  readonly sinceMs: number
  /** How often it joined, and left by reason (an error's code). */
  readonly joined: number
  readonly left: Readonly<Record<string, number>>
  readonly lastKeepAliveMs: number | undefined
  /** The master's clock minus the worker's. */
  readonly clockSkewMs: number | undefined
  readonly roundTripMs: number | undefined
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly filesPending: number
  readonly filesFailed: number
  readonly inSync: boolean
  readonly integrityChecks: number
  readonly lastSyncMs: number | undefined
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

export interface NodeFigures {
  readonly cluster: string
  readonly node: string
  readonly type: 'master' | 'worker'
  readonly version: string
  readonly startedMs: number
  readonly nowMs: number
  /** Of a worker: its link to the master, and why there is none. */
  readonly master: { readonly isConnected: boolean; readonly sinceMs: number; readonly error: string | undefined } | undefined
  /** Of a master. */
  readonly workers: readonly WorkerFigures[]
  readonly syncedFiles: number
  readonly hasScanned: boolean
  /** Of a worker: when its tree was last seen to be the master's; and whether the last plan failed for a full disk. */
  readonly inSyncMs: number | undefined
  readonly diskFull: boolean
  readonly filesApplied: { readonly created: number; readonly updated: number; readonly deleted: number }
  readonly editsUndone: number
  readonly integrityChecks: DurationFigures
  readonly syncs: DurationFigures
  readonly scanSeconds: number | undefined
  readonly watcherOverflows: number
  /** Agents of each node by status, as this node's table has them. */
  readonly agents: readonly { readonly node: string; readonly status: string; readonly count: number }[]
  readonly agentReportsQueued: number
  readonly agentReports: number
  /** By thread. */
  readonly threadRestarts: Readonly<Record<string, number>>
  /** By level. */
  readonly logLines: Readonly<Record<string, number>>
  readonly certificates: readonly CertificateFigures[]
  readonly usesPreviousKey: boolean
}
