/** What XState's error events carry. */
import { asClusterError, type ClusterError, isCrash } from '../../base/errors.js'

const thrownBy = (event: unknown): unknown => (typeof event === 'object' && event !== null && 'error' in event ? event.error : event)

export const errorOf = (event: unknown): ClusterError => asClusterError(thrownBy(event), 'internal')

/** What the thread crashes with: nothing when the error is something that happens in the world. */
export const crashIn = (event: unknown): ClusterError | undefined => (isCrash(thrownBy(event)) ? errorOf(event) : undefined)

/** The peer broke the rules of the protocol: asking it again at once would be answered alike. */
export const isMalformed = (event: unknown): boolean => errorOf(event).code === 'malformed'
