/**
 * Checks one line of an answer, as it comes from a daemon or from the master through a worker. Fields that a newer daemon
 * adds are let be.
 */
import Type, { type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { ok, type Result, refuse } from '../../base/errors.js'
import { count, timeMs } from '../../base/fields.js'
import { agentAnswers } from './agentAnswer.js'
import type { AnswerLine } from './clusterView.js'

const line = <K extends string, T extends Record<string, TSchema>>(kind: K, rest: T) => Type.Object({ kind: Type.Literal(kind), ...rest })

const nodeView = {
  name: Type.String(),
  type: Type.Union([Type.Literal('master'), Type.Literal('worker')]),
  version: Type.String(),
  muster: Type.Optional(Type.String()),
  address: Type.String(),
}
const span = { startMs: timeMs(), endMs: timeMs() }
const chunked = Type.Optional(Type.Object({ ...span, chunks: count() }))
const worker = Type.Object({
  lastKeepAliveMs: Type.Optional(timeMs()),
  clockSkewMs: Type.Optional(Type.Number()),
  integrityCheck: Type.Optional(Type.Object(span)),
  integritySync: Type.Optional(Type.Object({ ...span, shared: count(), missing: count(), extra: count() })),
  agentInfo: chunked,
  agentGroups: chunked,
  agentGroupsFull: chunked,
  key: Type.Optional(Type.Union([Type.Literal('current'), Type.Literal('previous')])),
  integrityFree: Type.Boolean(),
  agentInfoFree: Type.Optional(Type.Boolean()),
})
const filesSummary = {
  node: Type.String(),
  inSync: Type.Boolean(),
  files: count(),
  pending: count(),
  failed: count(),
  failuresLeftOut: count(),
  code: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
}
const fileRow = {
  node: Type.String(),
  file: Type.String(),
  state: Type.Union([Type.Literal('synced'), Type.Literal('pending'), Type.Literal('failed')]),
  code: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
}

const answerLine = Compile(
  Type.Union([
    line('file', { row: Type.Object(fileRow) }),
    ...agentAnswers,
    line('cluster', { name: Type.String(), unknownNodes: Type.Array(Type.String()) }),
    line('node', { node: Type.Object(nodeView) }),
    line('health', { node: Type.Object({ ...nodeView, activeAgents: count(), worker: Type.Optional(worker) }) }),
    line('filesOf', { summary: Type.Object(filesSummary) }),
    line('error', { code: Type.String(), number: count(), message: Type.String() }),
    line('end', {}),
  ]),
)

/** The answer line of one JSON text. Refuses with `malformed`. */
export const parseAnswerLine = (json: string): Result<AnswerLine> => {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return refuse('malformed', { message: 'A line of the answer is not JSON' })
  }
  return answerLine.Check(value) ? ok(value) : refuse('malformed', { message: 'A line of the answer has a wrong shape' })
}
