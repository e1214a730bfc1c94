/** `cluster_control -l`: the table of the nodes. */

import { escapeText, safeJson } from '../../base/escapeText.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { NodeView } from '../../domain/queries/clusterAnswer.js'
import type { AbsentNode } from '../kit/answers.js'
import { masterFirst } from '../kit/answers.js'
import { tableText } from '../kit/table.js'

interface Nodes {
  readonly connected: readonly NodeView[]
  /** Drained and removed ones. */
  readonly absent: readonly AbsentNode[]
}

const nodesOf = async (answer: AsyncIterable<AnswerLine>): Promise<Nodes> => {
  const connected: NodeView[] = []
  const absent: AbsentNode[] = []
  for await (const line of answer) {
    if (line.kind === 'node') connected.push(line.node)
    if (line.kind === 'absent') absent.push({ name: line.node, state: line.state })
  }
  return { connected: connected.sort(masterFirst), absent }
}

/** Wazuh's columns; one more behind them while a node is not ready. */
export async function* printNodes(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  const { connected } = await nodesOf(answer)
  const hasStates = connected.some(({ state = 'ready' }) => state !== 'ready')
  const rows = connected.map(({ name, type, version, address, state = 'ready' }) =>
    [name, type, version, address, ...(hasStates ? [state] : [])].map(escapeText),
  )
  yield tableText(['Name', 'Type', 'Version', 'Address', ...(hasStates ? ['State'] : [])], rows)
}

/** `{"items": [{"name", "type", "version", "address", "muster_version", "state"}], "total": N, "not_connected": [{"name", "state"}]}` */
export async function* printNodesJson(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  const { absent, connected } = await nodesOf(answer)
  const items = connected.map(({ name, type, version, address, muster, state }) => ({
    ...{ name, type, version, address },
    ...{ muster_version: muster, state },
  }))
  yield `${safeJson({ items, total: items.length, ...(absent.length > 0 && { not_connected: absent }) }, 2)}\n`
}
