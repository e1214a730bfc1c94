/**
 * What a master remembers of each worker that is or was in its cluster. A connection's own counts end with it: what it counted is added to what
 * earlier ones did. Workers that have left are kept for a day, so that an operator can see that they are missing.
 */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { Tally } from '../../base/tally.js'
import type { TrafficFigures, WorkerFigures } from '../../domain/cluster/nodeFigures.js'
import type { NodeState } from '../../domain/cluster/nodeState.js'
import { servedWazuhVersion } from '../../domain/cluster/wazuhVersion.js'
import type { NodeView } from '../../domain/queries/clusterAnswer.js'
import type { SortedBytes } from '../../ports/link.js'
import type { Clock } from '../../ports/machine.js'
import type { NodeStates } from './nodeStates.js'
import type { Member, Registry } from './registry.js'

/** What one connection showed last. */
type Shown = Pick<
  WorkerFigures,
  | 'clockSkewMs'
  | 'filesFailed'
  | 'filesPending'
  | 'inSync'
  | 'inSyncMs'
  | 'lastKeepAliveMs'
  | 'lastSyncMs'
  | 'roundTripMs'
  | 'usesPreviousKey'
>

interface Totals {
  readonly sent: TrafficFigures
  readonly received: TrafficFigures
  readonly integrityChecks: number
}

interface Known {
  readonly view: NodeView
  readonly certificateEndsMs: number | undefined
  readonly sinceMs: number
  readonly joined: number
  readonly left: Tally
  /** Of the connections before. */
  readonly before: Totals
  readonly now: Member | { readonly shown: Shown; readonly error: ClusterError; readonly leftAtMs: number }
}

/** A worker as the list of all nodes shows it. */
export interface KnownWorker {
  readonly view: NodeView
  readonly figures: WorkerFigures
  readonly certificateEndsMs: number | undefined
}

const none: TrafficFigures = { file: 0, agents: 0, groups: 0, control: 0 }
const nothingShown: Shown = {
  ...{ clockSkewMs: undefined, inSyncMs: undefined, lastKeepAliveMs: undefined, lastSyncMs: undefined, roundTripMs: undefined },
  ...{ filesFailed: 0, filesPending: 0, inSync: false, usesPreviousKey: false },
}
const notSinceStart = new ClusterError('notConnected', { message: 'It has not connected since the master was started' })

const nothing: Totals = { sent: none, received: none, integrityChecks: 0 }

export const nodeViewOf = ({ link: { peer }, name }: Member): NodeView => ({
  name,
  type: 'worker',
  version: peer.wazuh ?? servedWazuhVersion,
  muster: peer.version,
  address: peer.address,
})

const added = (before: TrafficFigures, bytes: number, { agents, file, groups }: SortedBytes): TrafficFigures => ({
  file: before.file + file,
  agents: before.agents + agents,
  groups: before.groups + groups,
  control: before.control + bytes - file - agents - groups,
})

const totalsOf = (before: Totals, { link, state }: Member): Totals => {
  const { bytesReceived, bytesSent, sorted } = link.counters
  return {
    sent: added(before.sent, bytesSent, sorted.sent),
    received: added(before.received, bytesReceived, sorted.received),
    integrityChecks: before.integrityChecks + state.checks,
  }
}

const shownOf = ({ link, state }: Member): Shown => ({
  lastKeepAliveMs: state.lastKeepAliveMs,
  clockSkewMs: state.clockSkewMs,
  roundTripMs: state.roundTripMs,
  filesPending: state.pending,
  filesFailed: state.failed,
  inSync: state.inSync,
  inSyncMs: state.inSyncMs,
  lastSyncMs: state.sync.last?.endMs,
  usesPreviousKey: link.peer.key === 'previous',
})

/** What operators said of nodes. */
export type FollowedStates = Pick<NodeStates, 'all' | 'changed' | 'loaded' | 'stateOf'>

export class WorkerRecords {
  readonly #known = new Map<string, Known>()
  readonly #clock: Pick<Clock, 'monotonicMs' | 'now'>
  readonly #states: FollowedStates
  readonly #node: string

  /** @param node this one, which is no worker */
  constructor(clock: Pick<Clock, 'monotonicMs' | 'now'>, states: FollowedStates, node: string) {
    this.#node = node
    this.#clock = clock
    this.#states = states
  }

  follow(registry: Pick<Registry, 'joined' | 'left'>): void {
    registry.joined.add((member) => this.#joined(member))
    registry.left.add(({ error, member }) => this.#left(member, error))
    void this.#states.loaded.then(() => this.#expectThoseBefore())
    this.#states.changed.add(({ node, state }) => state === 'removed' && this.#forget(node))
  }

  /** In order of their names. */
  workers(): readonly KnownWorker[] {
    this.#forgetOld()
    return [...this.#known.values()]
      .map((known) => knownWorker(known, this.#states.stateOf(known.view.name)))
      .sort((a, b) => (a.view.name < b.view.name ? -1 : 1))
  }

  /** An operator does not miss it. */
  #forget(name: string): void {
    const known = this.#known.get(name)
    if (known && 'error' in known.now) this.#known.delete(name)
  }

  #joined(member: Member): void {
    const before = this.#known.get(member.name)
    this.#known.set(member.name, {
      view: nodeViewOf(member),
      certificateEndsMs: member.link.peer.certificate?.endsMs,
      sinceMs: this.#clock.now(),
      joined: (before?.joined ?? 0) + 1,
      left: before?.left ?? new Tally(),
      before: before?.before ?? nothing,
      now: member,
    })
  }

  /** Workers that were in before this master was started are missed too. */
  #expectThoseBefore(): void {
    for (const [name, state] of this.#states.all()) {
      if (name === this.#node || state === 'removed' || this.#known.has(name)) continue
      this.#known.set(name, {
        view: { name, type: 'worker', version: '', address: '' },
        certificateEndsMs: undefined,
        sinceMs: this.#clock.now(),
        joined: 0,
        left: new Tally(),
        before: nothing,
        now: { error: notSinceStart, leftAtMs: this.#clock.monotonicMs(), shown: nothingShown },
      })
    }
  }

  #left(member: Member, error: ClusterError): void {
    const known = this.#known.get(member.name)
    if (!known || 'error' in known.now) return
    known.left.add(error.code)
    this.#known.delete(member.name)
    if (this.#states.stateOf(member.name) === 'removed') return
    // The longest gone stand first.
    this.#known.set(member.name, {
      ...known,
      sinceMs: this.#clock.now(),
      before: totalsOf(known.before, member),
      now: { error, leftAtMs: this.#clock.monotonicMs(), shown: { ...shownOf(member), inSync: false } },
    })
    if (this.#known.size > limits.workersGoneMax) this.#forgetOld()
  }

  #forgetOld(): void {
    const gone = [...this.#known.values()].flatMap(({ now, view }) => ('error' in now ? [{ leftAtMs: now.leftAtMs, name: view.name }] : []))
    const nowMs = this.#clock.monotonicMs()
    for (const [at, { leftAtMs, name }] of gone.entries())
      if (gone.length - at > limits.workersGoneMax || nowMs - leftAtMs > limits.workerGoneMsMax) this.#known.delete(name)
  }
}

const knownWorker = (known: Known, state: NodeState): KnownWorker => {
  const { before, certificateEndsMs, joined, left, now, sinceMs, view } = known
  const isConnected = !('error' in now)
  const leftFor = isConnected ? undefined : { code: now.error.code, message: now.error.message }
  return {
    view,
    certificateEndsMs,
    figures: {
      name: view.name,
      ...{ isConnected, joined, leftFor, sinceMs, state },
      left: left.figures,
      ...(isConnected ? totalsOf(before, now) : before),
      ...(isConnected ? shownOf(now) : now.shown),
    },
  }
}
