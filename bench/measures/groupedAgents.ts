/** 100 000 agents on the master, all with groups; the worker knows the agents, not yet their groups. */
import { SqliteAgentStore } from '../../src/platform/agents/sqliteAgentStore.js'
import type { Workshop } from '../workshop.js'
import { type AgentCluster, startAgentCluster } from './agentCluster.js'

export const groupedAgents = 100_000
/** An agent gets this group when the row changes something. */
export const movedGroup = 'moved'
const changeIdsMax = 10_000

/** Every agent is in `linux`, every fourth in `web` too. */
const giveGroups = async (home: string): Promise<void> => {
  const store = new SqliteAgentStore({ home, role: 'master' })
  await store.open()
  for (let first = 1; first <= groupedAgents; first += changeIdsMax) {
    const ids = Array.from({ length: changeIdsMax }, (_, index) => first + index)
    await store.addAgents(
      ids.map((id) => ({ id, name: `host-${id}`, ip: 'any', key: 'unknown' })),
      0,
    )
    await store.changeGroups({ kind: 'replace', ids, groups: ['linux'] })
    await store.changeGroups({ kind: 'assign', ids: ids.filter((id) => id % 4 === 0), group: 'web' })
  }
  await store.close()
}

/** The worker's gate is closed. */
export const startGroupedAgents = (workshop: Workshop): Promise<AgentCluster> =>
  startAgentCluster(workshop, {
    agents: groupedAgents,
    workers: 1,
    gated: true,
    groups: ['linux', 'web', movedGroup],
    prepare: giveGroups,
    // Groups are announced from the start, not only after the workers had time to connect.
    timings: { agentGroupStartDelayMs: 0 },
  })
