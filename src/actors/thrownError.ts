/** What XState's error events carry. */
import { asClusterError, ClusterError } from '../errors.js'

const errorOf = (event: unknown): unknown => (typeof event === 'object' && event !== null && 'error' in event ? event.error : event)

export const thrownIn = (event: unknown): ClusterError => asClusterError(errorOf(event), 'internal')

/** A ClusterError is something that happens; anything else is a mistake of ours, and crashes the thread. */
export const isOurs = (event: unknown): boolean => errorOf(event) instanceof ClusterError
