/** What XState's error events carry. */
import { asClusterError, type ClusterError, isCrash } from '../../base/errors.js'

const errorOf = (event: unknown): unknown => (typeof event === 'object' && event !== null && 'error' in event ? event.error : event)

export const thrownIn = (event: unknown): ClusterError => asClusterError(errorOf(event), 'internal')

/** What the thread crashes with: nothing when the error is something that happens in the world. */
export const crashIn = (event: unknown): ClusterError | undefined => (isCrash(errorOf(event)) ? thrownIn(event) : undefined)

/** The peer broke the rules of the protocol: asking it again at once would be answered alike. */
export const isMalformed = (event: unknown): boolean => thrownIn(event).code === 'malformed'
