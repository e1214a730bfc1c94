/**
 * `cluster_control -a`: the table of the agents. A page is printed as it comes; the columns are as wide as the answer's first
 * line says.
 */

import { ClusterError } from '../../base/errors.js'
import { escapeText, safeJson } from '../../base/escapeText.js'
import { momentText } from '../../base/momentText.js'
import { type AgentListShape, agentIdText } from '../../domain/agents/agent.js'
import type { AgentRow } from '../../domain/queries/agentAnswer.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import { headerRow, type Row, rowText } from '../kit/table.js'

/** What an agent has not said yet, as Wazuh writes it. */
const unknown = 'unknown'

const headers = headerRow(['ID', 'Name', 'IP', 'Status', 'Version', 'Node name'])

const widthsOf = ({ idDigits, ipChars, nameChars, nodeChars, statusChars, versionChars }: AgentListShape): readonly number[] =>
  [idDigits, nameChars, ipChars, statusChars, Math.max(versionChars, unknown.length), Math.max(nodeChars, unknown.length)].map(
    (chars, at) => Math.max(chars, headers[at]?.length ?? 0) + 2,
  )

const cells = ([id, name, ip, status, version, node]: AgentRow): Row => [
  agentIdText(id),
  escapeText(name),
  escapeText(ip),
  status,
  version === '' ? unknown : escapeText(version),
  node === '' ? unknown : escapeText(node),
]

export async function* printAgents(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  let widths: readonly number[] | undefined
  for await (const line of answer) {
    if (line.kind === 'agentsShape') {
      widths = widthsOf(line.shape)
      yield rowText(headers, widths)
    }
    if (line.kind !== 'agents') continue
    if (!widths) throw new ClusterError('malformed', { message: 'Agents came without the shape of their list' })
    let text = ''
    for (const row of line.rows) text += rowText(cells(row), widths)
    yield text
  }
}

/** The names are those of Wazuh's API, which leaves out what is not known, as JSON does with what is undefined. */
const itemOf = (row: AgentRow): object => {
  const [id, name, ip, status, version, node, registeredIp, groups, seenMs, disconnectedMs, disconnection] = row
  return {
    id: agentIdText(id),
    name,
    ip,
    registerIP: registeredIp,
    status,
    version: version || undefined,
    node_name: node || undefined,
    group: groups === '' ? undefined : groups.split(','),
    lastKeepAlive: seenMs > 0 ? momentText(seenMs) : undefined,
    disconnection_time: disconnectedMs > 0 ? momentText(disconnectedMs) : undefined,
    disconnection_reason: disconnection === 'none' ? undefined : disconnection,
  }
}

/** `{"items":[…],"total":N}`, an agent a line. */
export async function* printAgentsJson(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  let total = 0
  yield '{"items":['
  for await (const line of answer) {
    if (line.kind !== 'agents') continue
    let text = ''
    for (const row of line.rows) text += `${total++ > 0 ? ',' : ''}\n${safeJson(itemOf(row))}`
    yield text
  }
  yield `${total > 0 ? '\n' : ''}],"total":${total}}\n`
}
