/** The agents of one node over a simulated disk and table, for specs of the threads that use them. */
import { ClusterClock } from '../../../src/actors/agents/clusterClock.js'
import { localAgents } from '../../../src/actors/agents/localAgents.js'
import { type ActiveAgents, LocalAgents } from '../../../src/actors/agents/nodeAgents.js'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { type Hosted, startHosted } from '../../../src/actors/kit/host.js'
import type { Manager } from '../../../src/domain/agents/leftToManager.js'
import { defaultEnrolmentRules } from '../../../src/domain/agents/replacement.js'
import type { Clock } from '../../../src/ports/machine.js'
import { MemoryAgentStore } from '../../../src/simulation/world/memoryAgentStore.js'
import { MemoryAgentTable } from '../../../src/simulation/world/memoryAgentTable.js'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { createSimulatedAgentFiles } from '../../../src/simulation/world/simulatedAgentFiles.js'
import { ScriptedFiles } from '../files/scriptedFiles.js'
import { synced } from '../files/treeArbitraries.js'
import { recordingLog } from '../recordingLog.js'

const home = '/home'

export interface SimulatedAgentsOptions {
  readonly agents: LocalAgents
  readonly table: MemoryAgentTable
  readonly disk: MemoryDisk
  /** Writes client.keys with agents of these IDs. */
  writeKeys(ids: readonly number[]): void
  /** Starts the thread that keeps the table, which has the agents of client.keys when this resolves. While nothing changes, it checks client.keys once an hour. */
  keepTable(): Promise<Hosted>
}

export interface SimulatedAgentsInput {
  readonly manager?: Manager
  /** What an earlier process of the node left. */
  readonly table?: MemoryAgentTable
  readonly activeAgents?: ActiveAgents
}

export const localAgentsOver = (
  clock: Clock & { advance?(ms: number): Promise<void> },
  role: 'master' | 'worker',
  node: string = role,
  { activeAgents, manager = 'none', table = new MemoryAgentTable(role, `table of ${node}`, manager) }: SimulatedAgentsInput = {},
): SimulatedAgentsOptions => {
  const disk = new MemoryDisk({ now: () => clock.now() })
  disk.makeDirectories(`${home}/etc/shared/default`)
  disk.makeDirectories(`${home}/var/multigroups`)
  const agents = new LocalAgents({
    node,
    role,
    store: new MemoryAgentStore(table, clock),
    files: createSimulatedAgentFiles(disk, clock, { home, role, managerName: node, synced }),
    clock: new ClusterClock(clock, role),
    timers: clock,
    disconnectionMs: 600_000,
    manager,
    enrolmentRules: defaultEnrolmentRules,
    activeAgents,
  })
  const writeKeys = (ids: readonly number[]): void => {
    const lines = ids.map((id) => `${String(id).padStart(3, '0')} agent${id} any ${'0'.repeat(64)}\n`)
    disk.edit(`${home}/etc/client.keys`, Buffer.from(lines.join('')), 0o640)
  }
  const keepTable = async (): Promise<Hosted> => {
    const tree = new LocalTree(new ScriptedFiles(clock), synced, clock)
    const logic = localAgents({ agents, tree, clock, checkIntervalMs: 3_600_000, log: recordingLog() })
    const thread = startHosted(logic, { clock, onEnd: () => undefined })
    const ready = agents.table.ready(new AbortController().signal)
    await clock.advance?.(5)
    await ready
    return thread
  }
  return { agents, table, disk, writeKeys, keepTable }
}
