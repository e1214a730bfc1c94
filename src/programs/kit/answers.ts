/** What the programs make of an answer: whether it is about existing nodes, its only line, the order of its nodes. */
import { ClusterError } from '../../base/errors.js'
import type { NodeState } from '../../domain/cluster/nodeState.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { NodeView } from '../../domain/queries/clusterAnswer.js'

/** Fails with `unknownNode`, before anything was printed: the answer's first line names the unknown ones. */
export async function* knownNodes(answer: AsyncIterable<AnswerLine>): AsyncGenerator<AnswerLine, void, undefined> {
  for await (const line of answer) {
    if (line.kind === 'cluster' && line.unknownNodes.length > 0)
      throw new ClusterError('unknownNode', { message: `Unknown node ID: ${line.unknownNodes.join(', ')}` })
    yield line
  }
}

/** A node that is not connected, and that an operator drained or removed. */
export interface AbsentNode {
  readonly name: string
  readonly state: NodeState
}

type LineOf<K extends AnswerLine['kind']> = Extract<AnswerLine, { readonly kind: K }>

const isOf = <K extends AnswerLine['kind']>(line: AnswerLine, kind: K): line is LineOf<K> => line.kind === kind

/** Fails with `malformed` when the answer has no line of this kind. Reads the answer to its end: only then it is a whole one. */
export const onlyLine = async <K extends AnswerLine['kind']>(answer: AsyncIterable<AnswerLine>, kind: K): Promise<LineOf<K>> => {
  let found: LineOf<K> | undefined
  for await (const line of answer) if (isOf(line, kind)) found = line
  if (found) return found
  throw new ClusterError('malformed', { message: `The answer has no '${kind}'` })
}

/** The order in which nodes are shown: the master, then the workers by name, the same on every machine. */
export const masterFirst = (one: NodeView, other: NodeView): number => {
  if (one.type !== other.type) return one.type === 'master' ? -1 : 1
  if (one.name === other.name) return 0
  return one.name < other.name ? -1 : 1
}
