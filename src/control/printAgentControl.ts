/** What agent_control prints of agents: Wazuh's words, and its JSON. */
import { type AgentStatus, type AgentView, agentIdText, managerId } from '../domain/agent.js'
import type { AgentRow } from '../domain/agentAnswer.js'
import type { AnswerLine } from '../domain/clusterView.js'
import { escapeText, safeJson } from '../domain/escapeText.js'
import { momentText, notAvailable } from './moment.js'

const statusTexts: Readonly<Record<AgentStatus, string>> = {
  active: 'Active',
  disconnected: 'Disconnected',
  never_connected: 'Never connected',
  pending: 'Pending',
}

type Identity = Pick<AgentView, 'id' | 'name' | 'registeredIp' | 'status'>

const identified = ({ id, name, registeredIp, status }: Identity): { readonly [K in 'id' | 'name' | 'ip' | 'status']: string } => {
  const isManager = id === managerId
  return {
    id: agentIdText(id),
    name: isManager ? `${name} (server)` : name,
    ip: registeredIp,
    status: isManager ? `${statusTexts[status]}/Local` : statusTexts[status],
  }
}

const listed = ([id, name, , status, , , registeredIp]: AgentRow) => identified({ id, name, registeredIp, status })

export async function* printAgentList(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  yield '\nWazuh agent_control. List of available agents:\n'
  for await (const line of answer) {
    if (line.kind !== 'agents') continue
    let text = ''
    for (const row of line.rows) {
      const { id, ip, name, status } = listed(row)
      text += `   ID: ${id}, Name: ${escapeText(name)}, IP: ${escapeText(ip)}, ${status}\n`
    }
    yield text
  }
  yield '\n'
}

/** `{"error":0,"data":[{"id","name","ip","status"}]}`, an agent a line. */
export async function* printAgentListJson(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  let isFirst = true
  yield '{"error":0,"data":['
  for await (const line of answer) {
    if (line.kind !== 'agents') continue
    let text = ''
    for (const row of line.rows) {
      text += `${isFirst ? '' : ','}\n${safeJson(listed(row))}`
      isFirst = false
    }
    yield text
  }
  yield `${isFirst ? '' : '\n'}]}\n`
}

const shown = (text: string | undefined): string => (text ? escapeText(text) : notAvailable)

export const agentInfoText = (agent: AgentView): string => {
  const { disconnectedMs, disconnection, facts, groups, node, seenMs } = agent
  const { id, ip, name, status } = identified(agent)
  return [
    '',
    'Wazuh agent_control. Agent information:',
    `   Agent ID:   ${id}${agent.id === managerId ? ' (local instance)' : ''}`,
    `   Agent Name: ${escapeText(name)}`,
    `   IP address: ${escapeText(ip)}`,
    `   Status:     ${status}`,
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
