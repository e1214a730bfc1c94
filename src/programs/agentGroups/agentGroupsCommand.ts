/** agent_groups: groups and the agents in them, shown and changed from any node. Questions and sentences are Wazuh's. */

import { ClusterError, type ErrorCode } from '../../base/errors.js'
import { escapeText } from '../../base/escapeText.js'
import { agentIdText, managerId } from '../../domain/agents/agent.js'
import { type GroupsChange, whyUnchanged } from '../../domain/agents/groups.js'
import { printAgentListJson } from '../agentControl/printAgentControl.js'
import { onlyLine } from '../kit/answers.js'
import { type ControlProgram, type Conversation, type ProgramOptions, runProgram } from '../kit/controlProgram.js'
import { type AgentGroupsArguments, type GroupsTask, parseAgentGroupsArguments } from './agentGroupsArguments.js'
import { assertCreatable, assertRemovable, assertThere } from './groupChecks.js'
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
          await onlyLine(ask({ kind: 'removeGroup', group, tool }), 'done')
          return `Group ${escapeText(group)} removed.`
        },
      }
    }
    case 'assign':
    case 'unassign': {
      const { id, group } = task
      if (id === managerId) throw new ClusterError('notForManager')
      const { agent } = await onlyLine(ask({ kind: 'agent', id, tool }), 'agent')
      const change = task.kind === 'assign' ? assigning(task) : unassigning(task)
      const why = whyUnchanged(agent.groups, change.groups)
      if (isNoFailure(why, task)) return change.sentence
      if (group !== undefined && (why === 'notInGroup' || (!isQuiet && why === undefined))) await assertThere(group, ask)
      if (why !== undefined) throw new ClusterError(why)
      return { question: change.question, make: () => changed(change, task, ask) }
    }
    default:
      return undefined
  }
}

type Ask = Conversation['ask']
type TaskOf<K extends GroupsTask['kind']> = Extract<GroupsTask, { readonly kind: K }>

/** Of the groups of one agent; the texts are Wazuh's. */
interface AgentChange {
  readonly groups: GroupsChange
  readonly question: string
  readonly sentence: string
}

const assigning = ({ group, id, isSingle }: TaskOf<'assign'>): AgentChange => ({
  groups: isSingle ? { kind: 'replace', ids: [id], groups: [group] } : { kind: 'assign', ids: [id], group },
  question: `Do you want to add the group ${quoted(group)} to the agent ${quotedId(id)}?`,
  sentence: `Group ${quoted(group)} added to agent ${quotedId(id)}.`,
})

const unassigning = ({ group, id }: TaskOf<'unassign'>): AgentChange =>
  group === undefined
    ? {
        groups: { kind: 'replace', ids: [id], groups: [] },
        question: `Do you want to delete all groups of agent ${quotedId(id)}?`,
        sentence: `Group unset for agent ${quotedId(id)}.`,
      }
    : {
        groups: { kind: 'unassign', ids: [id], group },
        question: `Do you want to delete the group ${quoted(group)} of agent ${quotedId(id)}?`,
        sentence: `Agent ${quotedId(id)} removed from ${escapeText(group)}.`,
      }

/** An agent that is to be in one group only, and is. */
const isNoFailure = (why: ErrorCode | undefined, task: TaskOf<'assign' | 'unassign'>): boolean =>
  why === 'inGroupAlready' && task.kind === 'assign' && task.isSingle

const changed = async ({ groups, sentence }: AgentChange, task: TaskOf<'assign' | 'unassign'>, ask: Ask): Promise<string> => {
  const done = await onlyLine(ask({ kind: 'changeGroups', change: groups, tool }), 'done')
  if (done.changed > 0) return sentence
  // Something else changed the agent after it was read.
  const { agent } = await onlyLine(ask({ kind: 'agent', id: task.id, tool }), 'agent')
  const why = whyUnchanged(agent.groups, groups)
  if (isNoFailure(why, task)) return sentence
  if (why !== undefined) throw new ClusterError(why)
  throw new ClusterError('requestFailed', {
    message: `Another program is changing the groups of agent ${quotedId(task.id)}: try again.`,
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
      if (task.id === managerId) throw new ClusterError('notForManager')
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
  errorText: ({ code, message, number }, { task }) =>
    number >= 1_700 && number < 1_800 ? `Error ${number}${isListed(task, code) ? ' - ' : ': '}${message}` : undefined,
}

/** As Wazuh writes it: what it refuses at once has a colon, what it lists as failed has a dash. */
const isListed = ({ kind }: GroupsTask, code: ErrorCode): boolean => {
  if (kind === 'assign') return code !== 'groupMissing' && code !== 'groupNameInvalid'
  if (kind === 'unassign') return code !== 'agentMissing' && code !== 'notForManager'
  return kind === 'showGroups' || kind === 'showSync' || kind === 'remove'
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runAgentGroups = (argv: readonly string[], world: ProgramOptions): Promise<number> => runProgram(agentGroups, argv, world)
