/** The master's answers about agents and groups, as agent_control, agent_groups and cluster_control -a ask. */

import { ClusterError } from '../../base/errors.js'
import { type AgentFilter, type AgentView, agentIdText, managerId } from '../../domain/agents/agent.js'
import type { AgentQuery, AgentTool } from '../../domain/agents/agentQuery.js'
import { agentConfigName, mergedName } from '../../domain/agents/mergedFile.js'
import { unpackFacts } from '../../domain/agents/packedFacts.js'
import { wazuhVersionText } from '../../domain/cluster/wazuhVersion.js'
import type { HashName } from '../../domain/files/hashNames.js'
import { type AgentAnswer, agentRow, answerPages, type GroupView, widenedShape } from '../../domain/queries/agentAnswer.js'
import type { NodeView } from '../../domain/queries/clusterAnswer.js'
import { agentPages } from '../agents/agentPages.js'
import type { LocalAgents } from '../agents/nodeAgents.js'

export interface AgentsView {
  readonly self: NodeView
  /** The name of the machine: the manager's own in a list of agents. */
  readonly managerName: string
  readonly agents: LocalAgents
}

export async function* agentAnswer(view: AgentsView, query: AgentQuery, signal: AbortSignal): AsyncGenerator<AgentAnswer, void, undefined> {
  const { agents } = view
  await agents.table.usable(signal)
  switch (query.kind) {
    case 'agents':
      if (query.tool !== undefined && query.group !== undefined) await assertGroup(agents, query.group, signal)
      yield* listing(view, query)
      break
    case 'agentSummary':
      yield* summary(agents, query.detailed ?? false, signal)
      break
    case 'agentDetails':
      yield* details(view, query.ids, signal)
      break
    case 'agent': {
      const agent = query.id === managerId ? managerOf(view) : await agentOf(agents, query.id, query.tool)
      yield { kind: 'agent', agent, isSynchronized: await new MergedSums(agents, signal).isSynchronized(agent) }
      break
    }
    case 'groups':
      yield* groups(agents, query.sums, signal)
      break
    case 'groupFiles': {
      const files = await agents.files.groupFiles(query.group, query.hash ?? 'sha256', undefined, signal)
      for (const page of answerPages(files.map(({ digest, name }) => ({ name, digest })))) yield { kind: 'groupFiles', files: page }
      break
    }
  }
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

/** Which agents have the merged file of their groups; each file is asked for once. */
class MergedSums {
  readonly #agents: LocalAgents
  readonly #signal: AbortSignal
  readonly #byGroups = new Map<string, string | undefined>()

  constructor(agents: LocalAgents, signal: AbortSignal) {
    this.#agents = agents
    this.#signal = signal
  }

  async isSynchronized({ facts, groups }: AgentView): Promise<boolean> {
    if (groups.length === 0 || !facts?.mergedSum) return false
    const key = groups.join(',')
    if (!this.#byGroups.has(key)) this.#byGroups.set(key, await this.#agents.files.mergedSum(groups, this.#signal))
    return this.#byGroups.get(key) === facts.mergedSum
  }
}

async function* summary(agents: LocalAgents, isDetailed: boolean, signal: AbortSignal): AsyncGenerator<AgentAnswer, void, undefined> {
  const { byStatus: counts } = await agents.store.counts()
  if (!isDetailed) return yield { kind: 'agentSummary', counts }
  const sums = new MergedSums(agents, signal)
  const platforms = new Map<string, number>()
  const configuration = { synced: 0, notSynced: 0 }
  for await (const page of agentPages(agents.store, {}))
    for (const agent of page) {
      const name = agent.facts?.osPlatform
      if (name) platforms.set(name, (platforms.get(name) ?? 0) + 1)
      configuration[(await sums.isSynchronized(agent)) ? 'synced' : 'notSynced'] += 1
    }
  yield { kind: 'agentSummary', counts, configuration }
  const views = [...platforms].map(([name, count]) => ({ name, agents: count }))
  for (const page of answerPages(views)) yield { kind: 'agentPlatforms', platforms: page }
}

async function* details(view: AgentsView, ids: readonly number[], signal: AbortSignal): AsyncGenerator<AgentAnswer, void, undefined> {
  const { agents, managerName, self } = view
  if (ids.includes(managerId)) yield { kind: 'agentDetails', agent: managerOf(view), isSynchronized: false, manager: managerName }
  const registrations = await agents.store.registrations(ids)
  const registered = new Map(registrations.map(({ id, registeredMs }) => [id, registeredMs]))
  const sums = new MergedSums(agents, signal)
  for await (const page of agentPages(agents.store, { ids }))
    for (const agent of page) {
      const registeredMs = registered.get(agent.id)
      yield {
        ...{ kind: 'agentDetails', agent, isSynchronized: await sums.isSynchronized(agent) },
        ...(registeredMs && { registeredMs }),
        ...(agent.node === self.name && { manager: managerName }),
      }
    }
}

/** The master first, as the agent 000, when the filter lets it. */
async function* listing(view: AgentsView, query: AgentFilter): AsyncGenerator<AgentAnswer, void, undefined> {
  const { agents, self } = view
  const filter: AgentFilter = {
    ...(query.nodes && { nodes: query.nodes }),
    ...(query.statuses && { statuses: query.statuses }),
    ...(query.group !== undefined && { group: query.group }),
    ...(query.ids && { ids: query.ids }),
  }
  const manager = agentRow(managerOf(view))
  const isShown =
    (query.nodes?.includes(self.name) ?? true) && (query.statuses?.includes('active') ?? true) && query.group === undefined && !query.ids
  const shape = await agents.store.shape(filter)
  yield { kind: 'agentsShape', shape: isShown ? widenedShape(shape, manager) : shape }
  if (isShown) yield { kind: 'agents', rows: [manager] }
  for await (const page of agentPages(agents.store, filter))
    for (const rows of answerPages(page.map(agentRow))) yield { kind: 'agents', rows }
}

/** Agents may have a group whose directory was deleted by hand. */
const assertGroup = async (agents: LocalAgents, group: string, signal: AbortSignal): Promise<void> => {
  const { count } = await agents.store.shape({ group })
  if (count === 0) await agents.groups.assertThere([group], signal)
}

async function* groups(agents: LocalAgents, hash: HashName | undefined, signal: AbortSignal): AsyncGenerator<AgentAnswer, void, undefined> {
  const sizes = await agents.store.groupSizes()
  const names = [...new Set([...(await agents.files.groups(signal)), ...sizes.keys()])].sort()
  const views: GroupView[] = []
  for (const name of names) views.push({ name, agents: sizes.get(name) ?? 0, ...(hash && (await groupSums(agents, name, hash, signal))) })
  for (const page of answerPages(views)) yield { kind: 'groups', groups: page }
  const { withoutGroups } = await agents.store.counts()
  yield { kind: 'unassigned', agents: withoutGroups }
}

/** Of a group that is not on the disk there is nothing. */
const groupSums = async (
  agents: LocalAgents,
  group: string,
  hash: HashName,
  signal: AbortSignal,
): Promise<Pick<GroupView, 'configSum' | 'mergedSum'>> => {
  try {
    const files = await agents.files.groupFiles(group, hash, [agentConfigName, mergedName], signal)
    return Object.fromEntries(files.map(({ digest, name }) => [name === mergedName ? 'mergedSum' : 'configSum', digest]))
  } catch (thrown) {
    if (thrown instanceof ClusterError && thrown.code === 'groupMissing') return {}
    throw thrown
  }
}
