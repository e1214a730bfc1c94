/** The threads that a node runs once, independent of its connections: its tree, its agents, and on the master what all workers share. */
import type { AnyActorLogic } from 'xstate'
import type { Manager } from '../domain/agents/leftToManager.js'
import type { Timings } from '../domain/cluster/timings.js'
import type { Clock, Log } from '../ports/machine.js'
import { localAgentGroups, type PublishedGroups } from './agents/localAgentGroups.js'
import { localAgents } from './agents/localAgents.js'
import { mergedFiles } from './agents/mergedFiles.js'
import type { LocalAgents } from './agents/nodeAgents.js'
import { localIntegrity } from './files/localIntegrity.js'
import type { LocalTree } from './files/localTree.js'

export interface NodeThreadsOptions {
  readonly role: 'master' | 'worker'
  readonly manager: Manager
  readonly tree: LocalTree
  readonly agents: LocalAgents
  readonly groups: PublishedGroups
  readonly timings: Timings
  readonly clock: Clock
  /** Tagged with the role. */
  readonly log: Log
}

export interface NodeThread {
  readonly name: string
  readonly logic: AnyActorLogic
}

export const nodeThreads = ({ agents, clock, groups, log, manager, role, timings, tree }: NodeThreadsOptions): readonly NodeThread[] => {
  const intervalMs = timings.recalculateIntegrityMs
  const threads: readonly NodeThread[] = [
    { name: 'localIntegrity', logic: localIntegrity({ tree, clock, intervalMs, log: log.at({ subtag: 'Local integrity' }) }) },
    {
      name: 'localAgents',
      logic: localAgents({ agents, tree, clock, checkIntervalMs: intervalMs, log: log.at({ subtag: 'Local agents' }) }),
    },
  ]
  if (role === 'worker') return threads
  const publishing = { intervalMs: timings.masterSyncAgentGroupsMs, startDelayMs: timings.agentGroupStartDelayMs }
  const onMaster: readonly NodeThread[] = [
    ...threads,
    {
      name: 'localAgentGroups',
      logic: localAgentGroups({ agents, published: groups, clock, ...publishing, log: log.at({ subtag: 'Local agent-groups' }) }),
    },
  ]
  if (manager === 'wazuh') return onMaster
  return [
    ...onMaster,
    { name: 'mergedFiles', logic: mergedFiles({ agents, tree, clock, intervalMs, log: log.at({ subtag: 'Merged files' }) }) },
  ]
}
