/**
 * The workers that are in, by name. Each is a root actor in its own failure boundary: thousands of children of one XState
 * parent would be copied at every spawn, and one that fails must not be able to touch another.
 */
import { ClusterError, type Result } from '../../base/errors.js'
import { invariant } from '../../base/invariant.js'
import { decideAdmission } from '../../domain/cluster/joinRule.js'
import { type NodeState, nodeRemoved } from '../../domain/cluster/nodeState.js'
import { WorkerState } from '../../domain/cluster/workerState.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { Hello, RequestBody } from '../../wire/muster/messages.js'
import { type Hosted, startHosted } from '../kit/host.js'
import { Signal } from '../kit/signal.js'
import type { OnRestart } from '../kit/supervised.js'
import { type ConnectionThread, connection } from './connection.js'
import { loggedLink } from './loggedLink.js'
import type { NodeStates } from './nodeStates.js'
import { PeerLogs } from './peerLogs.js'

export interface Member {
  readonly name: string
  readonly link: Link
  readonly state: WorkerState
  readonly log: Log
}

export interface RegistryOptions {
  readonly cluster: string
  readonly masterNode: string
  readonly workersMax: number
  readonly states: NodeStates
  readonly clock: Clock
  readonly onRestart?: OnRestart
  /** Run once per member. */
  readonly threads: readonly ConnectionThread<Member>[]
  readonly log: Log
}

/** How long the holder of a name has to answer when another process claims it. */
const proofMsMax = 3_000

interface Held extends Member {
  readonly instance: string
  readonly hosted: Hosted
}

export class Registry {
  /** A worker is in, in place of the one of its name if there was one. */
  readonly joined = new Signal<Member>()
  /** A worker is out, and why; not emitted by `closeAll`. */
  readonly left = new Signal<{ readonly member: Member; readonly error: ClusterError }>()
  /** A worker has carried out a plan. */
  readonly applied = new Signal<{ readonly member: Member; readonly report: RequestBody<'integrity.report'> }>()
  /** The listener of a worker's agents has no counts any more: it does not run, or does not answer. */
  readonly listenerLost = new Signal<Member>()
  readonly #options: RegistryOptions
  readonly #connection: ReturnType<typeof connection<Member>>
  readonly #held = new Map<string, Held>()
  readonly #probed = new Set<string>()
  readonly #logs: PeerLogs
  #expected: Hello | undefined

  constructor(options: RegistryOptions) {
    this.#options = options
    this.#connection = connection(options.threads, options.clock, options.onRestart)
    this.#logs = new PeerLogs(options.log, options.clock, 2 * options.workersMax)
    this.joined.add(({ name }) => options.states.note(name))
    options.states.changed.add(({ node, state }) => {
      if (state === 'removed') this.#close(node, nodeRemoved(node))
    })
  }

  /** Decides on a worker; an accepted one must be `add`ed in the same turn. */
  admit(hello: Hello): Result<undefined> {
    const { cluster, masterNode, states, workersMax } = this.#options
    const instanceOf = (node: string): string | undefined => this.#held.get(node)?.instance
    const stateOf = (node: string): NodeState => states.stateOf(node)
    const decision = decideAdmission({ cluster, masterNode, workersMax, workers: this.#held.size, instanceOf, stateOf }, hello)
    if (decision.ok) this.#expected = hello
    else if (decision.error.code === 'duplicateName') this.#probe(hello.node)
    return decision
  }

  add(link: Link): void {
    const hello = this.#expected
    this.#expected = undefined
    invariant(hello !== undefined && hello.node === link.peer.node, 'a link is added right after its hello was admitted')
    this.#remove(hello.node, new ClusterError('linkLost', { message: 'The worker reconnected' }))
    const { clock } = this.#options
    const log = this.#logs.of(hello.node, { tag: `Worker ${hello.node}`, subtag: 'Main' })
    const member: Member = { name: hello.node, link: loggedLink(link, log, clock), state: new WorkerState(), log }
    let hasEnded = false
    const hosted = startHosted(this.#connection, {
      clock,
      input: member,
      onEnd: ({ error }) => {
        hasEnded = true
        this.#ended(member, error ?? new ClusterError('linkClosed'))
      },
    })
    // The link may have been closed since its hello: the name must not stay with a connection that has ended already.
    if (hasEnded) return
    this.#held.set(member.name, { ...member, instance: hello.instance, hosted })
    this.joined.emit(member)
  }

  get size(): number {
    return this.#held.size
  }

  get(name: string): Member | undefined {
    return this.#held.get(name)
  }

  /** In no order. */
  links(): Link[] {
    return [...this.#held.values()].map(({ link }) => link)
  }

  /** Ordered by name. */
  members(): Member[] {
    return [...this.#held.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Says goodbye to every worker and forgets it. */
  closeAll(): void {
    for (const { hosted } of this.#held.values()) hosted.stop()
    this.#held.clear()
  }

  #ended(member: Member, error: ClusterError): void {
    if (this.#held.get(member.name)?.link !== member.link) return
    this.#held.delete(member.name)
    this.left.emit({ member, error })
  }

  #remove(name: string, error: ClusterError): void {
    const held = this.#held.get(name)
    if (!held) return
    this.#held.delete(name)
    held.hosted.stop()
    this.left.emit({ member: held, error })
  }

  /** Another process claims this name: the connection that we have may be dead without our knowing, so it has to prove itself. */
  #probe(name: string): void {
    const held = this.#held.get(name)
    if (!held || this.#probed.has(name)) return
    this.#probed.add(name)
    held.link
      .request('session.echo', { payload: new Uint8Array() }, { signal: new AbortController().signal, timeoutMs: proofMsMax })
      .catch(() => {
        if (this.#held.get(name) !== held) return
        this.#close(name, new ClusterError('peerSilent', { message: 'It did not answer when another worker claimed its name' }))
      })
      .finally(() => this.#probed.delete(name))
  }

  /** Ends the connection, and says why to the worker. */
  #close(name: string, error: ClusterError): void {
    const event: { readonly type: 'connection.close'; readonly error: ClusterError } = { type: 'connection.close', error }
    this.#held.get(name)?.hosted.send(event)
  }
}
