/** What agent_groups prints of groups, their agents and their files: Wazuh's words. */
import { agentIdText } from '../domain/agent.js'
import type { GroupFileView, GroupView } from '../domain/agentAnswer.js'
import type { AnswerLine } from '../domain/clusterView.js'
import { escapeText } from './escapeText.js'

export async function* printGroups(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  const groups: GroupView[] = []
  let unassigned = 0
  for await (const line of answer) {
    if (line.kind === 'groups') groups.push(...line.groups)
    if (line.kind === 'unassigned') unassigned = line.agents
  }
  yield `Groups (${groups.length}):\n`
  for (const { agents, name } of groups) yield `  ${escapeText(name)} (${agents})\n`
  yield `Unassigned agents: ${unassigned}.\n`
}

export const printAgentsOfGroup = (group: string) =>
  async function* (answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
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

export const printGroupFiles = (group: string) =>
  async function* (answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
    const files: GroupFileView[] = []
    for await (const line of answer) if (line.kind === 'groupFiles') files.push(...line.files)
    yield `${files.length} files for '${escapeText(group)}' group:\n`
    const names = files.map(({ name }) => escapeText(name))
    const longest = names.reduce((chars, { length }) => Math.max(chars, length), 0)
    for (const [at, { digest }] of files.entries()) yield `  ${(names[at] ?? '').padEnd(longest + 2)}[${escapeText(digest)}]\n`
  }
