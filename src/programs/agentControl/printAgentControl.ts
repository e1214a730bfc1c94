/** What agent_control prints of agents: Wazuh's texts, and its JSON. */

import { escapeText, safeJson } from '../../base/escapeText.js'
import { momentText, notAvailable } from '../../base/momentText.js'
import { type AgentStatus, type AgentView, agentIdText, managerId } from '../../domain/agents/agent.js'
import type { AgentRow } from '../../domain/queries/agentAnswer.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'

const statusTexts: Readonly<Record<AgentStatus, string>> = {
  active: 'Active',
  disconnected: 'Disconnected',
  never_connected: 'Never connected',
  pending: 'Pending',
}

type Identity = Pick<AgentView, 'id' | 'name' | 'registeredIp' | 'status'>

type Identified = { readonly [K in 'id' | 'name' | 'ip' | 'status']: string }

const identified = ({ id, name, registeredIp, status }: Identity): Identified => ({
  id: agentIdText(id),
  name,
  ip: registeredIp,
  status: statusTexts[status],
})

const identityOf = ([id, name, , status, , , registeredIp]: AgentRow): Identity => ({ id, name, registeredIp, status })

/** As Wazuh writes it: in text and in CSV the manager's own status is another one, and in a list its name. */
const statusOf = ({ id, status }: Identity): string => `${statusTexts[status]}${id === managerId ? '/Local' : ''}`

const inList = (identity: Identity): Identified => ({
  ...identified(identity),
  name: escapeText(identity.id === managerId ? `${identity.name} (server)` : identity.name),
  ip: escapeText(identity.registeredIp),
  status: statusOf(identity),
})

async function* printRows(
  answer: AsyncIterable<AnswerLine>,
  lineOf: (agent: Identified) => string,
): AsyncGenerator<string, void, undefined> {
  for await (const line of answer) if (line.kind === 'agents') yield line.rows.map((row) => lineOf(inList(identityOf(row)))).join('')
  yield '\n'
}

export async function* printAgentList(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  yield '\nWazuh agent_control. List of available agents:\n'
  yield* printRows(answer, ({ id, ip, name, status }) => `   ID: ${id}, Name: ${name}, IP: ${ip}, ${status}\n`)
}

export const printAgentListCsv = (answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> =>
  printRows(answer, ({ id, ip, name, status }) => `${id},${name},${ip},${status},\n`)

/** `{"error":0,"data":[{"id","name","ip","status"}]}`, as Wazuh writes it. */
export async function* printAgentListJson(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  let isFirst = true
  yield '{"error":0,"data":['
  for await (const line of answer) {
    if (line.kind !== 'agents' || line.rows.length === 0) continue
    yield `${isFirst ? '' : ','}${line.rows.map((row) => safeJson(identified(identityOf(row)))).join(',')}`
    isFirst = false
  }
  yield ']}\n'
}

const shown = (text: string | undefined): string => (text ? escapeText(text) : notAvailable)

export const agentInfoText = (agent: AgentView): string => {
  const { disconnectedMs, disconnection, facts, groups, node, seenMs } = agent
  const { id, ip, name } = identified(agent)
  return [
    '',
    'Wazuh agent_control. Agent information:',
    `   Agent ID:   ${id}${agent.id === managerId ? ' (local instance)' : ''}`,
    `   Agent Name: ${escapeText(name)}`,
    `   IP address: ${escapeText(ip)}`,
    `   Status:     ${statusOf(agent)}`,
    '',
    `   Operating system:    ${shown(facts?.osUname)}`,
    `   Client version:      ${shown(facts?.version)}`,
    `   Configuration hash:  ${shown(facts?.configSum)}`,
    `   Shared file hash:    ${shown(facts?.mergedSum)}`,
    `   Last keep alive:     ${momentText(seenMs)}`,
    ...(disconnectedMs ? [`   Disconnected at:     ${momentText(disconnectedMs)} (${disconnection ?? 'none'})`] : []),
    `   Last address:        ${shown(facts?.ip)}`,
    `   Node:                ${shown(node)}`,
    `   Groups:              ${shown(groups.join(', '))}`,
    '',
    '',
  ].join('\n')
}

/** What is not known, as Wazuh writes it; nodes do not say when scans were. */
const unknown = 'Unknown'

/** One line: ID, name, IP, status, operating system, version, last keep-alive in seconds since 1970, and the times of two scans. */
export const agentInfoCsv = (agent: AgentView): string => {
  const { facts, seenMs } = agent
  const { id, ip, name } = identified(agent)
  const seen = seenMs === undefined ? undefined : String(Math.floor(seenMs / 1_000))
  const said = [facts?.osUname, facts?.version, seen, undefined, undefined].map((text) => escapeText(text || unknown))
  return `${[id, escapeText(name), escapeText(ip), statusOf(agent), ...said].join(',')},\n`
}

export const agentInfoJson = (agent: AgentView): string => {
  const { disconnectedMs, disconnection, facts, groups, node, seenMs } = agent
  const data = {
    ...identified(agent),
    ...(facts && { os: facts.osUname, version: facts.version, configSum: facts.configSum, mergedSum: facts.mergedSum, lastIp: facts.ip }),
    ...(facts && {
      osName: facts.osName,
      osVersion: facts.osVersion,
      osPlatform: facts.osPlatform,
      osArch: facts.osArch,
      labels: facts.labels,
    }),
    ...(seenMs !== undefined && { lastKeepAlive: momentText(seenMs) }),
    ...(disconnectedMs ? { disconnection_time: momentText(disconnectedMs), disconnection_reason: disconnection } : {}),
    ...(node !== undefined && { node_name: node }),
    group: groups,
  }
  return `${safeJson({ error: 0, data })}\n`
}
