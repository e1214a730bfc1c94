/** Says why the daemon could not even be asked. */
import { ClusterError } from '../base/errors.js'
import { homeOfSocket } from './controlSocketPath.js'

/** Wazuh's sentence, and the home that was asked. */
export const notRunning = (socketPath: string, cause?: unknown): ClusterError =>
  new ClusterError('notRunning', { message: `Cluster is not running. No daemon answers on the home ${homeOfSocket(socketPath)}.`, cause })

/** The error of connecting to the local socket, as a sentence for an operator. */
export const notConnected = (error: unknown, socketPath: string): ClusterError => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') return notRunning(socketPath, error)
  if (code === 'EACCES' || code === 'EPERM')
    return new ClusterError('requestFailed', { message: `This user may not use ${socketPath}: run this command as root.`, cause: error })
  if (code === 'EAGAIN') return new ClusterError('overloaded', { message: 'Too many local clients are waiting; try again', cause: error })
  return new ClusterError('requestFailed', { message: `The daemon cannot be asked at ${socketPath}: ${String(error)}`, cause: error })
}
