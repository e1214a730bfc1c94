/** What agent_control and agent_groups have a master do, and its answers: by the door of all operations (agents/agentOperations). */
import { ClusterError } from '../../base/errors.js'
import type { AgentCommand } from '../../domain/agents/agentCommand.js'
import type { AgentAnswer } from '../../domain/queries/agentAnswer.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { AgentOperations } from '../agents/agentOperations.js'
import { agentPages } from '../agents/agentPages.js'
import type { LocalAgents } from '../agents/nodeAgents.js'

export interface CommandView {
  readonly cluster: string
  readonly agents: LocalAgents
  readonly operations: AgentOperations
}

export async function* commandAnswer(
  view: CommandView,
  command: AgentCommand,
  signal: AbortSignal,
): AsyncGenerator<AnswerLine, void, undefined> {
  yield { kind: 'cluster', name: view.cluster, unknownNodes: [] }
  await view.agents.table.usable(signal)
  if (command.kind === 'reconnectAgents') {
    const { ids, nodes } = command
    for (const outcome of await view.operations.reconnect({ ...(ids && { ids }), ...(nodes && { nodes }) }, signal))
      yield { kind: 'reconnected', ...outcome }
  } else yield await carriedOut(view, command, signal)
  yield { kind: 'end' }
}

type ChangeCommand = Exclude<AgentCommand, { readonly kind: 'reconnectAgents' }>

const carriedOut = async ({ agents, operations }: CommandView, command: ChangeCommand, signal: AbortSignal): Promise<AgentAnswer> => {
  switch (command.kind) {
    case 'changeGroups':
      if ('ids' in command.change) await assertThere(agents, command.change.ids)
      return { kind: 'done', changed: await operations.changeGroups(command.change, signal) }
    case 'createGroup':
      await operations.createGroup(command.group, signal)
      return { kind: 'done', changed: 0 }
    case 'removeGroup':
      return { kind: 'done', changed: await operations.removeGroup(command.group, signal) }
    case 'addAgent':
      return { kind: 'added', entry: await operations.add(command, signal) }
    case 'removeAgent':
      await operations.remove(command.id, signal)
      return { kind: 'done', changed: 1 }
  }
}

/** @throws ClusterError `agentMissing` */
const assertThere = async (agents: LocalAgents, ids: readonly number[]): Promise<void> => {
  const missing = new Set(ids)
  for await (const page of agentPages(agents.store, { ids })) for (const { id } of page) missing.delete(id)
  if (missing.size > 0) throw new ClusterError('agentMissing')
}
