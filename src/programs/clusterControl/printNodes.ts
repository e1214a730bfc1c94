/** `cluster_control -l`: the table of the nodes. */

import { escapeText, safeJson } from '../../base/escapeText.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { NodeView } from '../../domain/queries/clusterAnswer.js'
import { masterFirst } from '../kit/answers.js'
import { tableText } from '../kit/table.js'

const nodesOf = async (answer: AsyncIterable<AnswerLine>): Promise<readonly NodeView[]> => {
  const nodes: NodeView[] = []
  for await (const line of answer) if (line.kind === 'node') nodes.push(line.node)
  return nodes.sort(masterFirst)
}

const row = ({ name, type, version, address }: NodeView): readonly string[] => [name, type, version, address].map(escapeText)

export async function* printNodes(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  yield tableText(['Name', 'Type', 'Version', 'Address'], (await nodesOf(answer)).map(row))
}

/** `{"items": [{"name", "type", "version", "address", "muster_version"}], "total": N}` */
export async function* printNodesJson(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  const items = (await nodesOf(answer)).map(({ name, type, version, address, muster }) => ({
    ...{ name, type, version, address },
    muster_version: muster,
  }))
  yield `${safeJson({ items, total: items.length }, 2)}\n`
}
