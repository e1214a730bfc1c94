/** agent_groups: groups and the agents in them, shown and changed on the master. Questions and sentences are Wazuh's. */
import { type AgentView, agentIdText } from '../domain/agent.js'
import type { GroupsChange } from '../domain/agentGroups.js'
import { ClusterError } from '../errors.js'
import { type AgentGroupsArguments, type GroupsTask, parseAgentGroupsArguments } from './agentGroupsArguments.js'
import { type ControlProgram, type ControlWorld, type Conversation, runProgram } from './controlProgram.js'
import { escapeText } from './escapeText.js'
import { onlyLine } from './onlyLine.js'
import { printAgentListJson } from './printAgentControl.js'
import {
  agentGroupsJson,
  agentGroupsText,
  agentSyncJson,
  agentSyncText,
  printAgentsOfGroup,
  printGroupFiles,
  printGroupFilesJson,
  printGroups,
  printGroupsJson,
} from './printGroups.js'

const tool = 'agent_groups'

const quoted = (text: string): string => `'${escapeText(text)}'`
const quotedId = (id: number): string => `'${agentIdText(id)}'`

/** What changes something: a question, and the sentence for what was done. */
interface Change {
  readonly question: string
  /** Returns the sentence. */
  make(): Promise<string>
}

/** A sentence instead when there is nothing to change. */
const changeOf = async (task: GroupsTask, { ask }: Conversation): Promise<Change | string | undefined> => {
  switch (task.kind) {
    case 'create': {
      const { group } = task
      return {
        question: `Do you want to create the group ${quoted(group)}?`,
        make: async () => {
          await onlyLine(ask({ kind: 'createGroup', group, tool }), 'done')
          return `Group ${quoted(group)} created.`
        },
      }
    }
    case 'remove': {
      const { group } = task
      return {
        question: `Do you want to remove the ${quoted(group)} group?`,
        make: async () => {
          const { changed } = await onlyLine(ask({ kind: 'removeGroup', group, tool }), 'done')
          return `Group ${quoted(group)} removed.\n${changed === 0 ? 'No affected agents.' : `${changed} affected agent(s).`}`
        },
      }
    }
    case 'assign':
    case 'unassign': {
      const { agent } = await onlyLine(ask({ kind: 'agent', id: task.id, tool }), 'agent')
      return task.kind === 'assign' ? assigning(task, agent, ask) : unassigning(task, agent, ask)
    }
    default:
      return undefined
  }
}

type Ask = Conversation['ask']
type TaskOf<K extends GroupsTask['kind']> = Extract<GroupsTask, { readonly kind: K }>

const assigning = ({ group, id, isSingle }: TaskOf<'assign'>, { groups }: AgentView, ask: Ask): Change | string => {
  const isThere = groups.includes(group) && (!isSingle || groups.length === 1)
  if (isThere) return `Agent ${quotedId(id)} already belongs to group ${quoted(group)}.`
  if (isSingle)
    return {
      question: `Do you want to set the group ${quoted(group)} to the agent ${quotedId(id)}?`,
      make: () => changed({ kind: 'replace', ids: [id], groups: [group] }, id, ask, `Group ${quoted(group)} set to agent ${quotedId(id)}.`),
    }
  return {
    question: `Do you want to add the group ${quoted(group)} to the agent ${quotedId(id)}?`,
    make: () => changed({ kind: 'assign', ids: [id], group }, id, ask, `Group ${quoted(group)} added to agent ${quotedId(id)}.`),
  }
}

const unassigning = ({ group, id }: TaskOf<'unassign'>, { groups }: AgentView, ask: Ask): Change | string => {
  if (group === undefined)
    return {
      question: `Do you want to delete all groups of agent ${quotedId(id)}?`,
      make: () => changed({ kind: 'replace', ids: [id], groups: [] }, id, ask, `All groups unset for agent ${quotedId(id)}.`),
    }
  if (!groups.includes(group))
    throw new ClusterError('groupInvalid', { message: `Agent ${quotedId(id)} does not belong to group '${group}'` })
  return {
    question: `Do you want to delete the group ${quoted(group)} of agent ${quotedId(id)}?`,
    make: () => changed({ kind: 'unassign', ids: [id], group }, id, ask, `Group ${quoted(group)} unset for agent ${quotedId(id)}.`),
  }
}

const changed = async (change: GroupsChange, id: number, ask: Ask, sentence: string): Promise<string> => {
  const done = await onlyLine(ask({ kind: 'changeGroups', change, tool }), 'done')
  if (done.changed > 0) return sentence
  throw new ClusterError('requestFailed', {
    message: `The groups of agent ${quotedId(id)} did not change: it has the most that it may have, or only 'default', or is gone by now.`,
  })
}

const show = async (task: GroupsTask, json: boolean, { ask, print }: Conversation): Promise<void> => {
  switch (task.kind) {
    case 'listGroups':
      return print((json ? printGroupsJson : printGroups)(ask({ kind: 'groups', tool })))
    case 'listAgents':
      return print((json ? printAgentListJson : printAgentsOfGroup(task.group))(ask({ kind: 'agents', group: task.group, tool })))
    case 'listFiles':
      return print((json ? printGroupFilesJson : printGroupFiles(task.group))(ask({ kind: 'groupFiles', group: task.group, tool })))
    case 'showGroups': {
      const { agent } = await onlyLine(ask({ kind: 'agent', id: task.id, tool }), 'agent')
      return print([json ? agentGroupsJson(agent) : agentGroupsText(agent)])
    }
    case 'showSync': {
      const { isSynchronized } = await onlyLine(ask({ kind: 'agent', id: task.id, tool }), 'agent')
      return print([json ? agentSyncJson(task.id, isSynchronized) : agentSyncText(task.id, isSynchronized)])
    }
    default:
  }
}

const agentGroups: ControlProgram<AgentGroupsArguments> = {
  parse: parseAgentGroupsArguments,
  carryOut: async ({ json, quiet, task }, conversation) => {
    const change = await changeOf(task, conversation)
    if (change === undefined) {
      await show(task, json, conversation)
      return 0
    }
    if (typeof change === 'string') {
      await conversation.print([`${change}\n`])
      return 0
    }
    const isWanted = quiet || (await conversation.confirm(change.question))
    await conversation.print([`${isWanted ? await change.make() : 'Cancelled.'}\n`])
    return isWanted ? 0 : 1
  },
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runAgentGroups = (argv: readonly string[], world: ControlWorld): Promise<number> => runProgram(agentGroups, argv, world)
