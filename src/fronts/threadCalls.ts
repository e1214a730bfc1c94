/**
 * Calls between a node and a thread of its own, in both directions over one port of messages: bounded in time and number, and errors
 * cross with their code and sentence. What may be called is a type; what crosses must be plain data.
 */
import { createBirpc } from 'birpc'
import { asClusterError, ClusterError } from '../base/errors.js'
import { limits } from '../base/limits.js'
import { isRefusal, refusalIn, refusalOf } from '../platform/machine/threadAnswer.js'

/** Whatever has only methods that take and answer plain data. */
export type Methods<T> = { readonly [K in keyof T]: (...given: never) => Promise<unknown> }
type Given<T extends Methods<T>, K extends keyof T> = Parameters<T[K]>
type Answer<T extends Methods<T>, K extends keyof T> = Awaited<ReturnType<T[K]>>

/** The end of a port, or a thread as its parent sees it. */
export interface CallPort {
  postMessage(message: unknown): void
  on(event: 'message', receive: (message: unknown) => void): unknown
  off(event: 'message', receive: (message: unknown) => void): unknown
}

/** What one end may call of the other. */
export interface Calls<Theirs extends Methods<Theirs>> {
  /** Fails with what the other end refused, `overloaded` when too many calls wait, `requestTimeout`, and with the error of `close`. */
  call<K extends keyof Theirs & string>(name: K, ...given: Given<Theirs, K>): Promise<Answer<Theirs, K>>
  /** From now on the other end may call these. */
  serve<Own extends Methods<Own>>(own: Own): void
  /** Calls that wait fail with it, later ones too. */
  close(error: ClusterError): void
}

export const exchangeCalls = <Theirs extends Methods<Theirs>>(port: CallPort): Calls<Theirs> => {
  let waiting = 0
  let served: ReadonlyMap<string, (...given: never) => Promise<unknown>> = new Map()
  let closed: ClusterError | undefined
  const rpc = createBirpc<object, object, false>(
    {},
    {
      post: (message: unknown) => port.postMessage(message),
      on: (receive) => port.on('message', receive),
      off: (receive) => port.off('message', receive),
      proxify: false,
      timeout: limits.frontCallMsMax,
      onTimeoutError: (name) => {
        throw new ClusterError('requestTimeout', { message: `'${name}' was not answered within ${limits.frontCallMsMax / 1_000} s` })
      },
      resolver: (name) => {
        const method = served.get(name)
        return method && answering(method)
      },
    },
  )
  // What may be called and with what is in our own types: birpc's are of an object that it makes.
  const call = rpc.$call as (name: string, ...given: readonly unknown[]) => Promise<unknown>
  const ask = async (name: string, given: readonly unknown[]): Promise<unknown> => {
    if (closed) throw closed
    if (waiting >= limits.frontCallsMax)
      throw new ClusterError('overloaded', { message: `${limits.frontCallsMax} calls are already waiting for the other thread` })
    waiting += 1
    try {
      const answer = await call(name, ...given).catch((thrown: unknown) => {
        throw closed ?? asClusterError(thrown)
      })
      if (isRefusal(answer)) throw refusalIn(answer)
      return answer
    } finally {
      waiting -= 1
    }
  }
  return {
    // The other end serves what its type says.
    call: (name, ...given) => ask(name, given) as Promise<Answer<Theirs, typeof name>>,
    serve: (own) => {
      served = new Map(Object.entries(own))
    },
    close: (error) => {
      closed ??= error
      if (!rpc.$closed) rpc.$close(closed)
    },
  }
}

/** A method whose errors are part of what it answers: threads know plain errors only. */
const answering =
  (method: (...given: never) => Promise<unknown>) =>
  async (...given: readonly unknown[]): Promise<unknown> => {
    try {
      return await (method as (...given: readonly unknown[]) => Promise<unknown>)(...given)
    } catch (thrown) {
      return refusalOf(asClusterError(thrown))
    }
  }
