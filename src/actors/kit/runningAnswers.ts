/**
 * The answers that run for one peer. They count until their work has ended, not until their request is answered or their stream
 * is gone: a peer that takes back what it asked for must not have more under way than one that waits.
 */
import { asClusterError, ClusterError, type ErrorCode, isCrash } from '../../base/errors.js'
import type { TrafficKind } from '../../domain/cluster/nodeFigures.js'
import type { Link, OutgoingStream } from '../../ports/link.js'
import type { ServingEnd } from './servingThread.js'

export interface StreamedAnswer {
  readonly link: Pick<Link, 'openStream'>
  /** Of the stream that the peer expects. */
  readonly stream: number
  readonly kind: TrafficKind
  /** How long the stream may make no progress, where it is not that of the link. */
  readonly idleMsMax?: number
  /** The thread that answers. */
  readonly thread: ServingEnd
  /** What the peer learns of a crash; the thread learns the rest. */
  readonly otherwise: ErrorCode
  /** Sends all of it, and ends the stream. Must stop its work when the stream's signal is aborted. */
  send(stream: OutgoingStream): Promise<void>
}

export class RunningAnswers {
  readonly #what: string
  readonly #runningMax: number
  /** By thread: what stops its answers. One listener for all of them: many of them are no leak. */
  readonly #stops = new WeakMap<AbortSignal, Set<() => void>>()
  #running = 0

  /** `what` they are, in the plural, for the sentence of a refusal. */
  constructor(what: string, runningMax: number) {
    this.#what = what
    this.#runningMax = runningMax
  }

  get running(): number {
    return this.#running
  }

  /** Work that ends with the answer to its request. Fails with `overloaded` when as many run as may. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#assertFree()
    this.#running += 1
    try {
      return await work()
    } finally {
      this.#running -= 1
    }
  }

  /** Begins an answer that goes on after its request is answered. Throws `overloaded`, or why the stream cannot be sent. */
  begin({ idleMsMax, kind, link, otherwise, send, stream: id, thread }: StreamedAnswer): void {
    this.#assertFree()
    const stream = link.openStream(id, kind, idleMsMax)
    stream.signal.throwIfAborted()
    const stop = (): void => stream.reset(new ClusterError('aborted', { message: 'The thread that sent it has ended' }))
    const stops = this.#stopsOf(thread)
    stops.add(stop)
    this.#running += 1
    send(stream)
      .catch((thrown: unknown) => {
        stream.reset(isCrash(thrown) ? new ClusterError(otherwise) : asClusterError(thrown, otherwise))
        if (isCrash(thrown)) thread.crash(thrown)
      })
      .finally(() => {
        stops.delete(stop)
        this.#running -= 1
      })
  }

  #stopsOf({ signal }: ServingEnd): Set<() => void> {
    const known = this.#stops.get(signal)
    if (known) return known
    const stops = new Set<() => void>()
    this.#stops.set(signal, stops)
    const stopAll = (): void => {
      for (const stop of [...stops]) stop()
    }
    signal.addEventListener('abort', stopAll, { once: true })
    return stops
  }

  #assertFree(): void {
    if (this.#running >= this.#runningMax)
      throw new ClusterError('overloaded', { message: `At most ${this.#runningMax} ${this.#what} of one worker run at the same time` })
  }
}
