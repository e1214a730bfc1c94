/** What agent_groups prints of groups, their agents and their files: Wazuh's texts, and JSON with the names of Wazuh's API. */

import { escapeText, safeJson } from '../../base/escapeText.js'
import { type AgentView, agentIdText } from '../../domain/agents/agent.js'
import type { GroupFileView, GroupView } from '../../domain/queries/agentAnswer.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'

type Answer = AsyncIterable<AnswerLine>
type Printed = AsyncGenerator<string, void, undefined>

const answered = (data: unknown): string => `${safeJson({ error: 0, data })}\n`

const groupsIn = async (answer: Answer): Promise<{ readonly groups: readonly GroupView[]; readonly unassigned: number }> => {
  const groups: GroupView[] = []
  let unassigned = 0
  for await (const line of answer) {
    if (line.kind === 'groups') groups.push(...line.groups)
    if (line.kind === 'unassigned') unassigned = line.agents
  }
  return { groups, unassigned }
}

export async function* printGroups(answer: Answer): Printed {
  const { groups, unassigned } = await groupsIn(answer)
  yield `Groups (${groups.length}):\n`
  for (const { agents, name } of groups) yield `  ${escapeText(name)} (${agents})\n`
  yield `Unassigned agents: ${unassigned}.\n`
}

/** `{"error":0,"data":{"groups":[{"name","count"}],"unassigned_agents":N}}` */
export async function* printGroupsJson(answer: Answer): Printed {
  const { groups, unassigned } = await groupsIn(answer)
  yield answered({ groups: groups.map(({ agents, name }) => ({ name, count: agents })), unassigned_agents: unassigned })
}

export const printAgentsOfGroup = (group: string) =>
  async function* (answer: Answer): Printed {
    const shown = escapeText(group)
    for await (const line of answer) {
      if (line.kind === 'agentsShape')
        yield line.shape.count === 0 ? `No agents found in group '${shown}'.\n` : `${line.shape.count} agent(s) in group '${shown}':\n`
      if (line.kind !== 'agents') continue
      let text = ''
      for (const [id, name] of line.rows) text += `  ID: ${agentIdText(id)}  Name: ${escapeText(name)}.\n`
      yield text
    }
  }

const filesIn = async (answer: Answer): Promise<readonly GroupFileView[]> => {
  const files: GroupFileView[] = []
  for await (const line of answer) if (line.kind === 'groupFiles') files.push(...line.files)
  return files
}

export const printGroupFiles = (group: string) =>
  async function* (answer: Answer): Printed {
    const files = await filesIn(answer)
    yield `${files.length} files for '${escapeText(group)}' group:\n`
    const names = files.map(({ name }) => escapeText(name))
    const longest = names.reduce((chars, { length }) => Math.max(chars, length), 0)
    for (const [at, { digest }] of files.entries()) yield `  ${(names[at] ?? '').padEnd(longest + 2)}[${escapeText(digest)}]\n`
  }

/** `{"error":0,"data":[{"filename","hash"}]}` */
export async function* printGroupFilesJson(answer: Answer): Printed {
  yield answered((await filesIn(answer)).map(({ digest, name }) => ({ filename: name, hash: digest })))
}

export const agentGroupsText = ({ groups, id, name }: AgentView): string =>
  `The agent '${escapeText(name)}' with ID '${agentIdText(id)}' belongs to groups: ${groups.length === 0 ? 'Null' : groups.map(escapeText).join(', ')}.\n`

/** `{"error":0,"data":{"id","name","group":[…]}}` */
export const agentGroupsJson = ({ groups, id, name }: AgentView): string => answered({ id: agentIdText(id), name, group: groups })

/** As Wazuh writes it, with the blank at its end. */
export const agentSyncText = (id: number, isSynchronized: boolean): string =>
  `Agent '${agentIdText(id)}' is${isSynchronized ? '' : ' not'} synchronized. \n`

/** `{"error":0,"data":{"id","synced"}}` */
export const agentSyncJson = (id: number, isSynchronized: boolean): string => answered({ id: agentIdText(id), synced: isSynchronized })
