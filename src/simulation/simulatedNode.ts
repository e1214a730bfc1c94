/** One node of a simulated cluster: what outlives its process, and the process while there is one. */
import type { RunningNode } from '../actors/node.js'
import type { MemoryAgentTable } from './memoryAgentTable.js'
import type { MemoryDisk } from './memoryDisk.js'
import type { ClockView } from './virtualClock.js'
import type { WatchedDisk } from './watchedDisk.js'

export interface SimulatedNode {
  readonly name: string
  readonly role: 'master' | 'worker'
  readonly clock: ClockView
  readonly disk: MemoryDisk
  /** Its table of agents; like the disk it outlives the process. */
  readonly agentTable: MemoryAgentTable
  /** Its process. */
  running: RunningNode | undefined
  /** Its process's view of the disk. */
  view: WatchedDisk | undefined
  /** When it was last without a process, in milliseconds of the virtual clock. */
  downSinceMs: number
}
