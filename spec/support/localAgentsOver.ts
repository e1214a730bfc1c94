/** The agents of one node over a simulated disk and table, for specs of the threads that use them. */
import { ClusterClock } from '../../src/actors/agents/clusterClock.js'
import { LocalAgents } from '../../src/actors/agents/nodeAgents.js'
import { MemoryAgentStore } from '../../src/simulation/world/memoryAgentStore.js'
import { MemoryAgentTable } from '../../src/simulation/world/memoryAgentTable.js'
import { MemoryDisk } from '../../src/simulation/world/memoryDisk.js'
import { createSimulatedAgentFiles } from '../../src/simulation/world/simulatedAgentFiles.js'
import type { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { synced } from './treeArbitraries.js'

const home = '/home'

export interface SimulatedAgentsOptions {
  readonly agents: LocalAgents
  readonly table: MemoryAgentTable
  readonly disk: MemoryDisk
  /** Writes client.keys with agents of these IDs. */
  writeKeys(ids: readonly number[]): void
}

export const localAgentsOver = (clock: VirtualClock, role: 'master' | 'worker', node: string = role): SimulatedAgentsOptions => {
  const disk = new MemoryDisk({ now: () => clock.now() })
  disk.makeDirectories(`${home}/etc/shared/default`)
  disk.makeDirectories(`${home}/var/multigroups`)
  const table = new MemoryAgentTable(role, `table of ${node}`)
  const agents = new LocalAgents({
    node,
    role,
    store: new MemoryAgentStore(table, clock),
    files: createSimulatedAgentFiles(disk, clock, { home, role, managerName: node, synced }),
    clock: new ClusterClock(clock, role),
    timers: clock,
    disconnectionMs: 600_000,
    home,
    manager: 'none',
  })
  const writeKeys = (ids: readonly number[]): void => {
    const lines = ids.map((id) => `${String(id).padStart(3, '0')} agent${id} any ${'0'.repeat(64)}\n`)
    disk.edit(`${home}/etc/client.keys`, Buffer.from(lines.join('')), 0o640)
  }
  return { agents, table, disk, writeKeys }
}
