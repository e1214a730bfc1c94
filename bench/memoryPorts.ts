/** The files and agents of a worker in memory: hundreds of workers in one process have no threads or homes of their own. */
import type { NodePorts } from '../src/actors/nodeContext.js'
import { defaultSyncedItems } from '../src/domain/files/syncedItems.js'
import { realClock } from '../src/platform/machine/realClock.js'
import { MemoryAgentStore } from '../src/simulation/world/memoryAgentStore.js'
import { MemoryAgentTable } from '../src/simulation/world/memoryAgentTable.js'
import { MemoryDisk } from '../src/simulation/world/memoryDisk.js'
import { createSimulatedAgentFiles } from '../src/simulation/world/simulatedAgentFiles.js'
import { createSimulatedFiles } from '../src/simulation/world/simulatedFiles.js'
import { createSimulatedNodeStates } from '../src/simulation/world/simulatedNodeStates.js'

const home = '/home'

export const memoryPorts = (node: string): Pick<NodePorts, 'files' | 'agentStore' | 'agentFiles' | 'nodeStates'> => {
  const disk = new MemoryDisk({ now: () => Date.now() })
  const stageDir = `${home}/queue/cluster/${node}`
  for (const dir of [...defaultSyncedItems.items.map((item) => `${home}/${item.dir}`), stageDir]) disk.makeDirectories(dir)
  const options = { home, role: 'worker', synced: defaultSyncedItems } as const
  return {
    files: createSimulatedFiles(disk, realClock, { ...options, stageDir, delayMs: 0 }),
    agentStore: new MemoryAgentStore(new MemoryAgentTable('worker', node), realClock),
    agentFiles: createSimulatedAgentFiles(disk, realClock, { ...options, managerName: node }),
    nodeStates: createSimulatedNodeStates(disk, realClock, home),
  }
}
