/** The requests that this side of a link has asked: each ends with its reply, an error, its time-out, or its signal. */
import { setMaxListeners } from 'node:events'
import type { Deadline, Deadlines, Due } from '../base/deadlines.js'
import { ClusterError, ok, type Result, refuse } from '../base/errors.js'
import type { TrafficKind } from '../domain/cluster/nodeFigures.js'
import type { RequestOptions } from '../ports/link.js'
import { decodeBody, decodeFailure, encodeRequest, type RequestType, requestTypeOf } from '../wire/muster/codec.js'
import type { RequestName } from '../wire/muster/messages.js'
import { PendingRequests } from '../wire/muster/pendingRequests.js'

/** One listener for all requests under a signal: adding and removing one per request would cost more than the request. */
interface SignalGroup {
  readonly signal: AbortSignal
  readonly listener: () => void
  requests: number
}

const idleGroupsMax = 4

class OutgoingRequest implements Due {
  readonly id: number
  readonly type: RequestType
  readonly group: SignalGroup
  readonly resolve: (reply: never) => void
  readonly reject: (error: ClusterError) => void
  readonly deadline: Deadline
  readonly #owner: OutgoingRequests

  constructor(
    owner: OutgoingRequests,
    id: number,
    type: RequestType,
    options: RequestOptions,
    ends: Pick<OutgoingRequest, 'resolve' | 'reject'>,
  ) {
    this.#owner = owner
    this.id = id
    this.type = type
    this.group = owner.join(options.signal)
    this.resolve = ends.resolve
    this.reject = ends.reject
    this.deadline = owner.deadlines.add(options.timeoutMs, this)
  }

  due(): void {
    this.#owner.abandon(this, new ClusterError('requestTimeout', { message: `The peer did not answer ${this.type.name} in time` }))
  }
}

export interface OutgoingRequestsOptions {
  readonly deadlines: Deadlines
  readonly inFlightMax: number
  /** Control bytes that may wait to be sent before a new request is refused. */
  readonly queuedBytesMax: number
  queuedBytes(): number
  queue(record: Uint8Array, kind: TrafficKind): void
  countReceived(kind: TrafficKind, bytes: number): void
}

export class OutgoingRequests {
  readonly deadlines: Deadlines
  readonly #options: OutgoingRequestsOptions
  readonly #pending: PendingRequests<OutgoingRequest>
  readonly #groups = new Map<AbortSignal, SignalGroup>()
  /** Groups without requests, oldest first: the next request often comes under the same signal. */
  readonly #idleGroups = new Set<SignalGroup>()
  #closed: ClusterError | undefined

  constructor(options: OutgoingRequestsOptions) {
    this.#options = options
    this.deadlines = options.deadlines
    this.#pending = new PendingRequests(options.inFlightMax)
  }

  get size(): number {
    return this.#pending.size
  }

  ask(name: RequestName, body: unknown, options: RequestOptions, ends: Pick<OutgoingRequest, 'resolve' | 'reject'>): void {
    if (this.#closed) {
      ends.reject(this.#closed)
      return
    }
    if (options.signal.aborted) {
      ends.reject(aborted(name))
      return
    }
    if (this.#options.queuedBytes() > this.#options.queuedBytesMax) {
      ends.reject(new ClusterError('overloaded', { message: 'The peer does not take what is queued for it' }))
      return
    }
    const id = this.#pending.nextId()
    if (!id.ok) {
      ends.reject(id.error)
      return
    }
    const type = requestTypeOf(name)
    // Throws inside the caller's promise when the body is not what the table allows.
    const record = encodeRequest(type, id.value, body)
    this.#pending.add(id.value, new OutgoingRequest(this, id.value, type, options, ends))
    this.#options.queue(record, type.traffic)
  }

  /** Fails when the answer is to nothing that was asked, or is not what the table says. */
  onReply(id: number, frame: Buffer, from: number, to: number): Result<void> {
    const request = this.#pending.answered(id)
    if (request === 'abandoned') return ok(undefined)
    if (!request) return notAsked(id)
    this.#leave(request)
    this.#options.countReceived(request.type.traffic, to - from)
    const body = decodeBody(frame, from, to, request.type.isReply)
    if (!body.ok) {
      request.reject(body.error)
      return refuse(body.error.code, { message: `The reply to ${request.type.name} has a wrong shape`, cause: body.error })
    }
    // The table's check of this very type has said that it is its reply.
    request.resolve(body.value as never)
    return ok(undefined)
  }

  onErrorReply(id: number, frame: Buffer, from: number, to: number): Result<void> {
    const request = this.#pending.answered(id)
    if (request === 'abandoned') return ok(undefined)
    if (!request) return notAsked(id)
    this.#leave(request)
    this.#options.countReceived(request.type.traffic, to - from)
    const failure = decodeFailure(frame, from, to)
    request.reject(failure.ok ? failure.value : failure.error)
    return failure.ok ? ok(undefined) : failure
  }

  close(error: ClusterError): void {
    this.#closed = error
    for (const group of this.#groups.values()) group.signal.removeEventListener('abort', group.listener)
    this.#groups.clear()
    this.#idleGroups.clear()
    for (const request of this.#pending.clear()) request.reject(error)
  }

  abandon(request: OutgoingRequest, error: ClusterError): void {
    this.#pending.abandon(request.id)
    this.#leave(request)
    request.reject(error)
  }

  join(signal: AbortSignal): SignalGroup {
    let group = this.#groups.get(signal)
    if (!group) {
      const joined: SignalGroup = { signal, listener: () => this.#abort(joined), requests: 0 }
      // A node's own signal is listened to once by each link: many are no leak.
      setMaxListeners(0, signal)
      signal.addEventListener('abort', joined.listener, { once: true })
      this.#groups.set(signal, joined)
      group = joined
    }
    if (group.requests++ === 0) this.#idleGroups.delete(group)
    return group
  }

  #leave(request: OutgoingRequest): void {
    this.deadlines.remove(request.deadline)
    const { group } = request
    if (--group.requests > 0) return
    this.#idleGroups.add(group)
    if (this.#idleGroups.size <= idleGroupsMax) return
    for (const oldest of this.#idleGroups) {
      this.#drop(oldest)
      break
    }
  }

  #drop(group: SignalGroup): void {
    this.#idleGroups.delete(group)
    this.#groups.delete(group.signal)
    group.signal.removeEventListener('abort', group.listener)
  }

  #abort(group: SignalGroup): void {
    for (const request of [...this.#pending]) if (request.group === group) this.abandon(request, aborted(request.type.name))
    this.#drop(group)
  }
}

const aborted = (name: RequestName): ClusterError => new ClusterError('aborted', { message: `The request ${name} was stopped` })

const notAsked = (id: number): Result<never> => refuse('malformed', { message: `An answer came to request ${id}, which was not asked` })
