/** Lets an answer through unless it was asked about nodes that the cluster does not have. */

import { ClusterError } from '../../base/errors.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'

/** Fails with `unknownNode`, before anything was printed: the answer's first line names the unknown ones. */
export async function* knownNodes(answer: AsyncIterable<AnswerLine>): AsyncGenerator<AnswerLine, void, undefined> {
  for await (const line of answer) {
    if (line.kind === 'cluster' && line.unknownNodes.length > 0)
      throw new ClusterError('unknownNode', { message: `Unknown node ID: ${line.unknownNodes.join(', ')}` })
    yield line
  }
}
