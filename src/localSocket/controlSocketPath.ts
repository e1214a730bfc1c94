/** Where the daemon of a home answers cluster_control. */
import { join, resolve } from 'node:path'

/** Longer paths do not fit into the system's address of a unix socket (sockaddr_un, with its final NUL). */
export const socketPathBytesMax = 107

export const controlSocketPath = (home: string): string => join(home, 'queue', 'cluster', 'muster.sock')

/** Where a real manager's programs ask the daemon, in Wazuh's protocol. */
export const wazuhSocketPath = (home: string): string => join(home, 'queue', 'cluster', 'c-internal.sock')

/** Absolute, whatever way the home was named. */
export const homeOfSocket = (socketPath: string): string => resolve(socketPath, '../../..')
