/** The master's answers about agents and groups, and the commands over them, as agent_control, agent_groups and cluster_control -a ask. */

import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { type AgentFilter, type AgentView, agentIdText, managerId } from '../../domain/agents/agent.js'
import type { AgentQuery, AgentTool } from '../../domain/agents/agentQuery.js'
import type { GroupsChange } from '../../domain/agents/groups.js'
import { unpackFacts } from '../../domain/agents/packedFacts.js'
import { wazuhVersionText } from '../../domain/cluster/wazuhVersion.js'
import { type AgentAnswer, agentRow, answerPages, widenedShape } from '../../domain/queries/agentAnswer.js'
import type { NodeView } from '../../domain/queries/clusterView.js'
import type { Log } from '../../ports/machine.js'
import type { LocalAgents } from '../agents/nodeAgents.js'

export interface AgentsView {
  readonly self: NodeView
  /** The name of the machine: the manager's own in a list of agents. */
  readonly managerName: string
  readonly agents: LocalAgents
  /** Told of what operators change. */
  readonly log: Log
}

/** All but `report`, which every node takes itself. */
export type MasterAgentQuery = Exclude<AgentQuery, { readonly kind: 'report' }>

export async function* agentAnswer(
  view: AgentsView,
  query: MasterAgentQuery,
  signal: AbortSignal,
): AsyncGenerator<AgentAnswer, void, undefined> {
  const { agents, log } = view
  await agents.table.usable(signal)
  switch (query.kind) {
    case 'agents':
      if (query.tool !== undefined && query.group !== undefined) await assertGroup(agents, query.group, signal)
      yield* listing(view, query)
      break
    case 'agent': {
      const agent = query.id === managerId ? managerOf(view) : await agentOf(agents, query.id, query.tool)
      const sum = agent.groups.length > 0 ? await agents.files.mergedSum(agent.groups, signal) : undefined
      yield { kind: 'agent', agent, isSynchronized: sum !== undefined && agent.facts?.mergedSum === sum }
      break
    }
    case 'groups':
      yield* groups(agents, signal)
      break
    case 'groupFiles': {
      const files = await agents.files.groupFiles(query.group, signal)
      for (const page of answerPages(files.map(({ digest, name }) => ({ name, digest })))) yield { kind: 'groupFiles', files: page }
      break
    }
    case 'changeGroups':
      if ('ids' in query.change) await assertThere(agents, query.change.ids)
      yield { kind: 'done', changed: await changeGroups(view, query.change, signal) }
      break
    case 'createGroup':
      await agents.groups.create(query.group, signal)
      log.info(`Group '${query.group}' was created.`)
      yield { kind: 'done', changed: 0 }
      break
    case 'removeGroup':
      yield { kind: 'done', changed: await removeGroup(view, query.group, signal) }
      break
    case 'addAgent': {
      const entry = await agents.keys.add(query, signal)
      log.info(`Agent '${entry.name}' was enrolled as ${agentIdText(entry.id)}.`)
      yield { kind: 'added', entry }
      break
    }
    case 'removeAgent':
      await agents.keys.remove(query.id, signal)
      log.info(`Agent ${agentIdText(query.id)} was removed.`)
      yield { kind: 'done', changed: 1 }
      break
  }
}

const changeGroups = async ({ agents, log }: AgentsView, change: GroupsChange, signal: AbortSignal): Promise<number> => {
  const changed = await agents.groups.change(change, signal)
  const whose = 'ids' in change && change.ids.length === 1 ? `agent ${agentIdText(change.ids[0] ?? 0)}` : counted(changed, 'agent')
  if (changed > 0) log.info(`The groups of ${whose} were changed.`)
  return changed
}

const removeGroup = async ({ agents, log }: AgentsView, group: string, signal: AbortSignal): Promise<number> => {
  const changed = await agents.groups.remove(group, signal)
  log.info(`Group '${group}' was removed, from ${counted(changed, 'agent')}.`)
  return changed
}

/** Each of the programs has Wazuh's number for it. @throws ClusterError `agentMissing` or `unknownAgent` */
const agentOf = async (agents: LocalAgents, id: number, tool: AgentTool): Promise<AgentView> => {
  const [agent] = await agents.store.list({ ids: [id] }, 0)
  if (agent) return agent
  if (tool === 'agent_groups') throw new ClusterError('agentMissing')
  throw new ClusterError('unknownAgent', { message: `Agent '${agentIdText(id)}' does not exist` })
}

const managerOf = ({ managerName, self }: AgentsView): AgentView => ({
  id: managerId,
  name: managerName,
  registeredIp: '127.0.0.1',
  status: 'active',
  node: self.name,
  facts: { ...unpackFacts(''), version: wazuhVersionText(self.version) },
  groups: [],
  groupHash: '',
})

async function* agentPages(agents: LocalAgents, filter: AgentFilter): AsyncGenerator<readonly AgentView[], void, undefined> {
  for (let after = 0; ; ) {
    const page = await agents.store.list(filter, after)
    yield page
    const last = page.at(-1)
    if (page.length < limits.agentPageRowsMax || !last) return
    after = last.id
  }
}

/** @throws ClusterError `agentMissing` */
const assertThere = async (agents: LocalAgents, ids: readonly number[]): Promise<void> => {
  const missing = new Set(ids)
  for await (const page of agentPages(agents, { ids })) for (const { id } of page) missing.delete(id)
  if (missing.size > 0) throw new ClusterError('agentMissing')
}

/** The master first, as the agent 000, when the filter lets it. */
async function* listing(view: AgentsView, query: AgentFilter): AsyncGenerator<AgentAnswer, void, undefined> {
  const { agents, self } = view
  const filter: AgentFilter = {
    ...(query.nodes && { nodes: query.nodes }),
    ...(query.statuses && { statuses: query.statuses }),
    ...(query.group !== undefined && { group: query.group }),
  }
  const manager = agentRow(managerOf(view))
  const isShown = (query.nodes?.includes(self.name) ?? true) && (query.statuses?.includes('active') ?? true) && query.group === undefined
  const shape = await agents.store.shape(filter)
  yield { kind: 'agentsShape', shape: isShown ? widenedShape(shape, manager) : shape }
  if (isShown) yield { kind: 'agents', rows: [manager] }
  for await (const page of agentPages(agents, filter)) for (const rows of answerPages(page.map(agentRow))) yield { kind: 'agents', rows }
}

/** Agents may have a group whose directory was deleted by hand. */
const assertGroup = async (agents: LocalAgents, group: string, signal: AbortSignal): Promise<void> => {
  const { count } = await agents.store.shape({ group })
  if (count === 0) await agents.groups.assertThere([group], signal)
}

async function* groups(agents: LocalAgents, signal: AbortSignal): AsyncGenerator<AgentAnswer, void, undefined> {
  const sizes = await agents.store.groupSizes()
  const names = [...new Set([...(await agents.files.groups(signal)), ...sizes.keys()])].sort()
  const views = names.map((name) => ({ name, agents: sizes.get(name) ?? 0 }))
  for (const page of answerPages(views)) yield { kind: 'groups', groups: page }
  const { withoutGroups } = await agents.store.counts()
  yield { kind: 'unassigned', agents: withoutGroups }
}
