/** The NodeStatesStore of a simulated node: the same code as the real one's, called inline after a little virtual time. */
import { NodeStatesFile } from '../../disk/cluster/nodeStatesFile.js'
import type { Disk } from '../../ports/files.js'
import type { Clock } from '../../ports/machine.js'
import type { NodeStatesStore } from '../../ports/nodeStatesStore.js'
import { SimulatedCalls } from './simulatedCalls.js'

const callMs = 0.1

export const createSimulatedNodeStates = (disk: Disk, clock: Clock, home: string): NodeStatesStore => {
  const file = new NodeStatesFile(disk, home)
  const calls = new SimulatedCalls(clock, callMs)
  return {
    load: () => calls.run(undefined, () => file.load()),
    save: (states) => calls.run(undefined, () => file.save(states)),
    close: () => calls.close(),
  }
}
