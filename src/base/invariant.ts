/** Assertions that stay on in production: a broken one is a bug of ours, never of a peer or an operator. */

export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

export function invariant(holds: boolean, says: string): asserts holds {
  if (!holds) throw new InvariantError(says)
}

/** For a switch over a closed union: the compiler proves that it is never reached. */
export const unreachable = (value: never): never => {
  throw new InvariantError(`not a case: ${String(value)}`)
}
