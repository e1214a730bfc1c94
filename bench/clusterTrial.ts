/** A trial on a cluster of real daemons: it says what it does and when, and shows the last lines of every daemon when it fails. */
import type { ProcessCluster } from '../examples/demo/processCluster.js'

const startedMs = performance.now()

/** A line with the seconds since the start. */
export const say = (what: string): void => void process.stderr.write(`${((performance.now() - startedMs) / 1_000).toFixed(0)} s: ${what}\n`)

/** @param trial whether the figures are as they must be: the exit code of the program */
export const runTrial = async (cluster: ProcessCluster, trial: () => Promise<boolean>): Promise<void> => {
  try {
    process.exitCode = (await trial()) ? 0 : 1
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`)
    for (const daemon of cluster.daemons) process.stderr.write(`The last lines of ${daemon.name}:\n${daemon.lastLines()}\n`)
    process.exitCode = 1
  } finally {
    await cluster.close()
  }
}
