/** The AgentFiles port on the real disk with its thread, and on the simulated one in virtual time, for the suites that hold both to the same. */
import { createAgentFiles } from '../../src/platform/agents/agentFiles.js'
import type { AgentFiles } from '../../src/ports/agents.js'
import { createSimulatedAgentFiles } from '../../src/simulation/world/simulatedAgentFiles.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import type { CompiledWorker } from './compiledDiskWorker.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld } from './diskWorlds.js'
import { settledIn } from './settledIn.js'
import { synced } from './treeArbitraries.js'

export interface AgentFilesNode {
  readonly world: DiskWorld
  readonly files: AgentFiles
}

export interface AgentFilesKind {
  readonly on: string
  readonly create: (role: 'master' | 'worker') => AgentFilesNode
  /** How a promise settles: by itself, or because virtual time passes. */
  readonly settle: <T>(promise: Promise<T>) => Promise<T>
}

const managerName = 'manager'

/** @param worker is compiled (compileAgentFilesWorker) before the first node is made */
export const agentFilesKinds = (worker: () => CompiledWorker): readonly AgentFilesKind[] => {
  const clock = new VirtualClock()
  return [
    {
      on: 'the real disk',
      create: (role) => {
        const world = createNodeWorld()
        const { workerFile } = worker()
        return { world, files: createAgentFiles({ home: world.home, synced, role, managerName, workerFile }) }
      },
      settle: (promise) => promise,
    },
    {
      on: 'the simulated disk',
      create: (role) => {
        const world = createMemoryWorld()
        return { world, files: createSimulatedAgentFiles(world.disk, clock, { home: world.home, synced, role, managerName }) }
      },
      settle: settledIn(clock),
    },
  ]
}
