/** A link as an actor: it lives as long as its connection, and its end is an event. The link itself is transport's. */
import { fromCallback } from 'xstate'
import type { ClusterError } from '../../base/errors.js'
import type { Link } from '../../ports/link.js'

export interface LinkClosed {
  readonly type: 'link.closed'
  readonly error: ClusterError
}

export const linkActor = fromCallback<{ type: 'link.close'; error?: ClusterError }, Link>(({ input: link, sendBack, receive }) => {
  link.onClosed((error) => sendBack({ type: 'link.closed', error }))
  receive((event) => link.close('error', event.error))
  return () => link.close('stopping')
})
