/** How the log and the list of events say that a worker came or went. */
import type { ClusterError } from '../../../base/errors.js'
import { fullStop } from '../../../base/fullStop.js'
import type { EventInput } from './eventRing.js'

export interface JoinedMember {
  readonly node: string
  readonly address: string
  readonly version: string
  readonly key: 'current' | 'previous'
}

export const joinedSentence = ({ address, key, node, version }: JoinedMember): EventInput => ({
  level: 'info',
  node,
  message: `Worker '${node}' connected from ${address} (version ${version}).${key === 'previous' ? ' It used the previous cluster key.' : ''}`,
})

export const leftSentence = (node: string, error: ClusterError): EventInput => {
  if (error.code === 'peerStopping') return { level: 'info', node, message: `Worker '${node}' disconnected: it is stopping.` }
  if (error.code === 'nodeRemoved')
    return { level: 'info', node, message: `Worker '${node}' was disconnected: it was removed from the cluster.` }
  return { level: 'error', node, message: `Worker '${node}' was lost: ${fullStop(error.message)}` }
}
