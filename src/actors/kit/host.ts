/**
 * The failure boundary. What is hosted runs in an actor system of its own, with timers of its own: it can fail in any way
 * XState knows without touching its neighbours, and when it ends nothing of it is left. Its end is reported as an event.
 */
import { type AnyActorLogic, type AnyActorRef, type AnyActorScope, createActor, fromCallback, type InputFrom } from 'xstate'
import { asClusterError, ClusterError } from '../../base/errors.js'
import { invariant } from '../../base/invariant.js'
import type { Clock } from '../../ports/machine.js'

/** Of every machine: eventless transitions that follow each other without end are an error, not a hang. */
export const machineOptions = { maxIterations: 1_000 } as const

/** A machine inside a boundary ends with this output: it was done, or met something that it did not expect. */
export type End = { readonly kind: 'closed'; readonly error?: ClusterError } | { readonly kind: 'crashed'; readonly error: ClusterError }

export type ChildEvent =
  | { readonly type: 'child.crashed'; readonly error: ClusterError }
  | { readonly type: 'child.closed'; readonly error?: ClusterError }

export interface Hosted {
  send(event: { readonly type: string }): void
  /** Stops it without a report. */
  stop(): void
  /** Timers that it has running; 0 after the end. */
  readonly timers: number
}

/** A clock that knows which of its timers are running, so that they can all be cancelled. */
class BoundaryClock implements Clock {
  readonly #clock: Clock
  readonly #running = new Set<unknown>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  setTimeout(fire: () => void, delayMs: number): unknown {
    const timer: unknown = this.#clock.setTimeout(() => {
      this.#running.delete(timer)
      fire()
    }, delayMs)
    this.#running.add(timer)
    return timer
  }

  clearTimeout(timer: unknown): void {
    this.#running.delete(timer)
    this.#clock.clearTimeout(timer)
  }

  get running(): number {
    return this.#running.size
  }

  cancelAll(): void {
    for (const timer of this.#running) this.#clock.clearTimeout(timer)
    this.#running.clear()
  }
}

export interface HostOptions<L extends AnyActorLogic> {
  readonly clock: Clock
  readonly input?: InputFrom<L>
  readonly onEnd: (event: ChildEvent) => void
}

export const startHosted = <L extends AnyActorLogic>(logic: L, options: HostOptions<L>): Hosted => {
  const clock = new BoundaryClock(options.clock)
  const { scope, scoped } = withScope(logic)
  const actor = createActor(scoped, { clock, input: options.input })
  let ended = false
  const cleanUp = (): void => {
    ended = true
    actor.stop()
    for (const child of childrenOf(actor.getSnapshot())) scope()?.stopChild(child)
    clock.cancelAll()
    invariant(clock.running === 0, 'a boundary leaves no timer')
  }
  const end = (event: ChildEvent): void => {
    if (ended) return
    cleanUp()
    options.onEnd(event)
  }
  actor.subscribe({
    error: (thrown: unknown) => end({ type: 'child.crashed', error: asClusterError(thrown, 'threadCrashed') }),
    complete: () => end(endOf(actor.getSnapshot().output)),
  })
  actor.start()
  return {
    send: (event) => {
      if (!ended) actor.send(event)
    },
    stop: () => {
      if (!ended) cleanUp()
    },
    get timers() {
      return clock.running
    },
  }
}

/**
 * XState leaves the children of an actor that threw running, and stops only roots on request. The scope that a logic is
 * given can stop them. What is hosted is one machine whose children are callbacks, promises and other boundaries: a
 * machine as a plain child would need the same care.
 */
const withScope = (logic: AnyActorLogic): { readonly scoped: AnyActorLogic; readonly scope: () => AnyActorScope | undefined } => {
  let scope: AnyActorScope | undefined
  const getInitialSnapshot: AnyActorLogic['getInitialSnapshot'] = (given, input) => {
    scope = given
    return logic.getInitialSnapshot(given, input)
  }
  const scoped: AnyActorLogic = Object.create(logic, { getInitialSnapshot: { value: getInitialSnapshot } })
  return { scoped, scope: () => scope }
}

const childrenOf = (snapshot: { readonly children?: Readonly<Record<string, AnyActorRef>> }): AnyActorRef[] =>
  Object.values(snapshot.children ?? {})

const endOf = (output: unknown): ChildEvent => {
  const error = errorOf(output)
  if (isRecord(output) && output['kind'] === 'crashed') return { type: 'child.crashed', error: error ?? new ClusterError('threadCrashed') }
  return error ? { type: 'child.closed', error } : { type: 'child.closed' }
}

const errorOf = (output: unknown): ClusterError | undefined =>
  isRecord(output) && output['error'] instanceof ClusterError ? output['error'] : undefined

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

export interface HostedInput<L extends AnyActorLogic> {
  /** Handed to the logic that is hosted. */
  readonly input: InputFrom<L>
}

/** The same as an actor, for a parent that invokes it: events are passed on to the child, its end comes back. */
export const hosted = <L extends AnyActorLogic>(logic: L, clock: Clock) =>
  fromCallback<{ type: string }, HostedInput<L>>(({ input, sendBack, receive }) => {
    const child = startHosted(logic, { clock, input: input.input, onEnd: sendBack })
    receive((event) => child.send(event))
    return () => child.stop()
  })
