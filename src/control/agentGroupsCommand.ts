/** agent_groups: groups and the agents in them, shown and changed on the master. Questions and sentences are Wazuh's. */
import { type AgentView, agentIdText } from '../domain/agent.js'
import type { GroupsChange } from '../domain/agentGroups.js'
import { escapeText } from '../domain/escapeText.js'
import { ClusterError } from '../errors.js'
import { type AgentGroupsArguments, type GroupsTask, parseAgentGroupsArguments } from './agentGroupsArguments.js'
import { type ControlProgram, type ControlWorld, type Conversation, runProgram } from './controlProgram.js'
import { assertCreatable, assertRemovable, assertThere, changesNothing } from './groupChecks.js'
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

/** A sentence instead when there is nothing to change. Unless nobody is asked, it fails when the change is not possible. */
const changeOf = async ({ quiet: isQuiet, task }: AgentGroupsArguments, { ask }: Conversation): Promise<Change | string | undefined> => {
  switch (task.kind) {
    case 'create': {
      const { group } = task
      if (!isQuiet) await assertCreatable(group, ask)
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
      if (!isQuiet) await assertRemovable(group, ask)
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
      const change = task.kind === 'assign' ? assigning(task, agent) : unassigning(task, agent)
      if (typeof change === 'string') return change
      if (!isQuiet && task.kind === 'assign') await assertThere(task.group, ask)
      if (!isQuiet && changesNothing(agent.groups, change.groups)) throw unchanged(task.id)
      return { question: change.question, make: () => changed(change, task.id, ask) }
    }
    default:
      return undefined
  }
}

type Ask = Conversation['ask']
type TaskOf<K extends GroupsTask['kind']> = Extract<GroupsTask, { readonly kind: K }>

/** Of the groups of one agent. */
interface AgentChange {
  readonly groups: GroupsChange
  readonly question: string
  readonly sentence: string
}

const assigning = ({ group, id, isSingle }: TaskOf<'assign'>, { groups }: AgentView): AgentChange | string => {
  const isThere = groups.includes(group) && (!isSingle || groups.length === 1)
  if (isThere) return `Agent ${quotedId(id)} already belongs to group ${quoted(group)}.`
  if (isSingle)
    return {
      groups: { kind: 'replace', ids: [id], groups: [group] },
      question: `Do you want to set the group ${quoted(group)} to the agent ${quotedId(id)}?`,
      sentence: `Group ${quoted(group)} set to agent ${quotedId(id)}.`,
    }
  return {
    groups: { kind: 'assign', ids: [id], group },
    question: `Do you want to add the group ${quoted(group)} to the agent ${quotedId(id)}?`,
    sentence: `Group ${quoted(group)} added to agent ${quotedId(id)}.`,
  }
}

const unassigning = ({ group, id }: TaskOf<'unassign'>, { groups }: AgentView): AgentChange => {
  if (group === undefined)
    return {
      groups: { kind: 'replace', ids: [id], groups: [] },
      question: `Do you want to delete all groups of agent ${quotedId(id)}?`,
      sentence: `All groups unset for agent ${quotedId(id)}.`,
    }
  if (!groups.includes(group))
    throw new ClusterError('groupInvalid', { message: `Agent ${quotedId(id)} does not belong to group '${group}'` })
  return {
    groups: { kind: 'unassign', ids: [id], group },
    question: `Do you want to delete the group ${quoted(group)} of agent ${quotedId(id)}?`,
    sentence: `Group ${quoted(group)} unset for agent ${quotedId(id)}.`,
  }
}

const changed = async ({ groups, sentence }: AgentChange, id: number, ask: Ask): Promise<string> => {
  const done = await onlyLine(ask({ kind: 'changeGroups', change: groups, tool }), 'done')
  if (done.changed > 0) return sentence
  throw unchanged(id)
}

const unchanged = (id: number): ClusterError =>
  new ClusterError('requestFailed', {
    message: `The groups of agent ${quotedId(id)} did not change: it has the most that it may have, or only 'default', or is gone by now.`,
  })

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
  carryOut: async (given, conversation) => {
    const { json, quiet, task } = given
    const change = await changeOf(given, conversation)
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
