/**
 * Ports of whole operations (Files, AgentFiles), whose last argument is a signal: their operations by name, as they run where nothing else
 * has to wait, and a port made of one function that runs any of them. What an operation takes and answers is said once, in the port.
 */

/** What an operation takes, without the signal. */
export type Given<P, K extends keyof P> = P[K] extends (...given: [...infer G, AbortSignal]) => unknown ? G : never
export type Answer<P, K extends keyof P> = P[K] extends (...given: never) => Promise<infer A> ? A : never

/** The operations inside a thread, or in virtual time. */
export type Synchronous<P, K extends keyof P> = { readonly [N in K]: (...given: Given<P, N>) => Answer<P, N> }

/** These operations of a port, each as a call of `run` by its name. */
export const calledOperations = <P, K extends keyof P & string>(
  names: readonly K[],
  run: <N extends K>(name: N, given: Given<P, N>, signal: AbortSignal) => Promise<Answer<P, N>>,
): Pick<P, K> => {
  const called =
    (name: K) =>
    (...given: [...Given<P, K>, AbortSignal]) =>
      run(name, given.slice(0, -1) as Given<P, K>, given.at(-1) as AbortSignal)
  // Object.fromEntries forgets the names of the keys, which are these names by construction.
  return Object.fromEntries(names.map((name) => [name, called(name)])) as unknown as Pick<P, K>
}
