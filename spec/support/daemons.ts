/** Real clusters for the end-to-end specs: daemons out of dist/ on 127.0.0.1, in a temporary directory, gone afterwards. */
import { fileURLToPath } from 'node:url'
import { ProcessCluster } from '../../examples/demo/processCluster.js'

export const repository = fileURLToPath(new URL('../..', import.meta.url))
const programs = fileURLToPath(new URL('../../dist/cli/', import.meta.url))

/** Short enough for a test to see a second round, long enough for a loaded machine. */
export const clusterJson = { intervals: { worker: { connection_retry: 2, sync_integrity: 1, keep_alive: 1 } } }

export const master = 'master'
export const worker = 'worker-1'
export const secondWorker = 'worker-2'

/** Runs `use` with a cluster that is configured and not started; shows the logs when it fails. */
export const withCluster = async (
  nodes: readonly string[],
  use: (cluster: ProcessCluster) => Promise<void>,
  hasAgents: boolean | 'ownAddresses' = false,
): Promise<void> => {
  const cluster = new ProcessCluster({ programs, nodes, clusterJson, hasAgents })
  try {
    await cluster.prepare()
    await use(cluster)
  } catch (error) {
    for (const daemon of cluster.daemons) console.error(`The last lines of ${daemon.name}:\n${daemon.lastLines()}`)
    throw error
  } finally {
    await cluster.close()
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
