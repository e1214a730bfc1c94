/** The line that an answer consists of. */

import { ClusterError } from '../../base/errors.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'

type LineOf<K extends AnswerLine['kind']> = Extract<AnswerLine, { readonly kind: K }>

const isOf = <K extends AnswerLine['kind']>(line: AnswerLine, kind: K): line is LineOf<K> => line.kind === kind

/** Fails with `malformed` when the answer has no line of this kind. Reads the answer to its end: only then it is a whole one. */
export const onlyLine = async <K extends AnswerLine['kind']>(answer: AsyncIterable<AnswerLine>, kind: K): Promise<LineOf<K>> => {
  let found: LineOf<K> | undefined
  for await (const line of answer) if (isOf(line, kind)) found = line
  if (found) return found
  throw new ClusterError('malformed', { message: `The answer has no '${kind}'` })
}
