/**
 * A whole node: its local integrity thread and its role, master or worker, each in a failure boundary of its own. When one
 * of them cannot be kept up, the node has failed.
 */
import { customRandom, urlAlphabet } from 'nanoid'
import type { AnyActorLogic } from 'xstate'
import type { AnswerLine, ClusterQuery } from '../domain/clusterView.js'
import type { Compression } from '../domain/compressionChoice.js'
import type { SyncedItems } from '../domain/syncedItems.js'
import { itemOf } from '../domain/syncedItems.js'
import type { SyncPlan } from '../domain/syncPlan.js'
import type { Timings } from '../domain/timings.js'
import { ClusterError } from '../errors.js'
import type { Clock, Endpoint, Files, Link, Listener, Log, Random, Transport } from '../ports.js'
import { type ChildEvent, type Hosted, startHosted } from './host.js'
import { IntegritySync, type Outcome } from './integritySync.js'
import { LocalTree } from './localTree.js'
import { master, masterRegistry, masterView } from './master.js'
import { forwardedAnswer, masterAnswer } from './queries.js'
import type { Registry } from './registry.js'
import { supervised } from './supervised.js'
import { localIntegrity } from './threads/localIntegrity.js'
import { worker } from './worker.js'

export interface NodePorts {
  readonly clock: Clock
  readonly random: Random
  readonly transport: Transport
  readonly files: Files
  readonly log: Log
}

export interface NodeIdentity {
  readonly cluster: string
  readonly node: string
  readonly type: 'master' | 'worker'
  readonly version: string
  /** Where the master listens, or where a worker finds it. */
  readonly master: Endpoint
  /** Of this node, as the others see it in `cluster_control -l`. */
  readonly address: string
  readonly synced: SyncedItems
  readonly timings: Timings
  readonly compression: Compression
}

/** What happens at a node, for programs that embed one. */
export type NodeEvent =
  | { readonly type: 'listening'; readonly address: string; readonly port: number }
  | { readonly type: 'workerJoined'; readonly node: string }
  | { readonly type: 'workerLeft'; readonly node: string; readonly error: ClusterError }
  | { readonly type: 'connected'; readonly master: string }
  | { readonly type: 'disconnected'; readonly error: ClusterError }
  /** A plan was applied; `reload` when it changed files that the manager has to read anew. */
  | {
      readonly type: 'applied'
      readonly created: number
      readonly updated: number
      readonly removed: number
      readonly failed: number
      readonly reload: boolean
    }
  | { readonly type: 'failed'; readonly error: ClusterError }

export interface RunningNode {
  readonly identity: NodeIdentity
  readonly tree: LocalTree
  /** On a master. */
  readonly registry: Registry | undefined
  /** On a worker, while it is connected. */
  readonly masterLink: Link | undefined
  /** Timers that its actors have running. */
  readonly timers: number
  /** Answers cluster_control. Fails with `notConnected` on a worker that has no master. */
  answer(query: ClusterQuery, signal: AbortSignal): AsyncIterable<AnswerLine>
  /** Stops the threads, says goodbye to the peers, closes the files. */
  stop(): Promise<void>
}

const capabilities = ['deflate-raw'] as const

export const startNode = (identity: NodeIdentity, ports: NodePorts, onEvent: (event: NodeEvent) => void): RunningNode => {
  const { clock, files, log, random } = ports
  const tree = new LocalTree(files, identity.synced, clock)
  let masterLink: Link | undefined
  let stopped = false
  let listener: Listener | undefined

  const fail = (event: ChildEvent): void => {
    if (stopped) return
    onEvent({ type: 'failed', error: event.error ?? new ClusterError('threadCrashed') })
  }
  const tag = identity.type === 'master' ? 'Master' : 'Worker'
  const local = localIntegrity({
    tree,
    clock,
    intervalMs: identity.timings.recalculateIntegrityMs,
    log: log.at({ tag, subtag: 'Local integrity' }),
  })
  const boundaries: Hosted[] = []
  const start = (logic: AnyActorLogic, input?: unknown): void => {
    boundaries.push(startHosted(logic, { clock, input, onEnd: fail }))
  }

  const masterOptions = {
    ...identity,
    ...ports,
    tree,
    capabilities,
    bind: identity.master,
    onListening: (open: Listener) => {
      listener = open
      onEvent({ type: 'listening', address: open.address, port: open.port })
    },
    onJoined: (member: { name: string }) => onEvent({ type: 'workerJoined', node: member.name }),
    onLeft: (member: { name: string }, error: ClusterError) => onEvent({ type: 'workerLeft', node: member.name, error }),
  }
  const registry = identity.type === 'master' ? masterRegistry(masterOptions) : undefined
  const role = registry
    ? master(masterOptions, registry)
    : worker({
        ...ports,
        hello: {
          cluster: identity.cluster,
          node: identity.node,
          type: 'worker',
          instance: customRandom(urlAlphabet, 21, (count) => random.bytes(count))(),
          version: identity.version,
          capabilities: [...capabilities],
        },
        master: identity.master,
        timings: identity.timings,
        integrity: {
          tree,
          sync: new IntegritySync({ tree, clock, requestTimeoutMs: identity.timings.requestTimeoutMs, compression: identity.compression }),
          onApplied: (plan, outcome) => onEvent(appliedEvent(identity.synced, plan, outcome)),
        },
        onConnected: (link) => {
          masterLink = link
          onEvent({ type: 'connected', master: link.peer.node })
        },
        onDisconnected: (error) => {
          masterLink = undefined
          onEvent({ type: 'disconnected', error })
        },
      })
  start(supervised(local, { name: 'localIntegrity', clock }), { input: undefined, log: log.at({ tag, subtag: 'Main' }) })
  start(role)

  return {
    identity,
    tree,
    registry,
    get masterLink() {
      return masterLink
    },
    get timers() {
      return boundaries.reduce((sum, boundary) => sum + boundary.timers, 0)
    },
    answer: async function* (query, signal) {
      if (registry) yield* masterAnswer(masterView({ ...identity, tree }, registry), query)
      else yield* forwardedAnswer(masterLink, query, signal, identity.timings.requestTimeoutMs)
    },
    stop: async () => {
      stopped = true
      for (const boundary of boundaries.splice(0)) boundary.stop()
      await listener?.close()
      await files.close()
    },
  }
}

const appliedEvent = (synced: SyncedItems, plan: SyncPlan, outcome: Outcome): NodeEvent => {
  const failed = new Set(outcome.failures.map((failure) => failure.path))
  const changed = [...plan.create.map((entry) => entry.path), ...plan.update.map((entry) => entry.path), ...plan.remove].filter(
    (path) => !failed.has(path),
  )
  const reload = changed.some((path) => itemOf(synced, path)?.reload === true)
  return {
    type: 'applied',
    created: outcome.created,
    updated: outcome.updated,
    removed: outcome.removed,
    failed: outcome.failures.length,
    reload,
  }
}
