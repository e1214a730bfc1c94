/**
 * The HTTP service (API, health, metrics, page), as its node needs it, and what it needs of its node. It runs in a thread of its own: its
 * handshakes, its password hashes and its end are not felt by the cluster. All that crosses is plain data.
 * Every call fails with a ClusterError.
 */

import type { ClusterError } from '../base/errors.js'
import type { AgentCommand } from '../domain/agents/agentCommand.js'
import type { NodeFigures } from '../domain/cluster/nodeFigures.js'
import type { NodeReport } from '../domain/cluster/nodeReport.js'
import type { ListeningPlace } from '../domain/listener/listeningPlace.js'
import type { AnswerLine } from '../domain/queries/answerLine.js'
import type { ClusterQuery } from '../domain/queries/clusterQuery.js'
import type { LogLevel } from './machine.js'

/** Of `api` in cluster.json, with the identity of the node. */
export interface ApiOptions {
  /** The manager's directory. */
  readonly home: string
  readonly cluster: string
  readonly node: string
  readonly type: 'master' | 'worker'
  /** Muster's. */
  readonly version: string
  readonly wazuhVersion: string
  /** What `<cluster>` says, for `/cluster/local/config`; never the key. */
  readonly configuration: NodeReport['configuration']
  /** Of `<global>`, and of `<remote>`. */
  readonly agentsDisconnectionMs: number
  readonly listening: readonly ListeningPlace[]
  /** What a question to the cluster may take, for each part of its answer. */
  readonly requestMsMax: number
  readonly address: string
  readonly port: number
  /** Paths, absolute or relative to the home; without both the service speaks plain HTTP, and listens on the loopback interface only. */
  readonly certificatePath: string | undefined
  readonly keyPath: string | undefined
  /** Clients must show a certificate of one of these authorities. */
  readonly clientCaPath: string | undefined
  /** Names that a request's Host may have besides the addresses and names that are the node's own. */
  readonly hosts: readonly string[]
}

/** What the service asks of its node. */
export interface ApiDesk {
  /** Begins an answer, a worker's from its master, and says its number. At most limits.apiAnswersMax at the same time. */
  ask(request: ClusterQuery | AgentCommand): Promise<number>
  /** The next lines; undefined after the last ones. Fails with what the question failed with. */
  next(answer: number): Promise<readonly AnswerLine[] | undefined>
  /** Nobody reads on. */
  cancel(answer: number): Promise<void>
  /** Of this node. */
  figures(): Promise<NodeFigures>
  log(level: LogLevel, message: string): Promise<void>
}

export interface RunningApi {
  readonly port: number
  /** That it shows. */
  readonly certificate?: { readonly name: string; readonly endsMs: number }
  /** Resolves when it has died. */
  readonly died: Promise<ClusterError>
  stop(): Promise<void>
}

/** Starts the service. Fails with `listenFailed`, and with `configInvalid` for files that cannot be used. */
export interface ApiHost {
  start(options: ApiOptions, desk: ApiDesk): Promise<RunningApi>
}
