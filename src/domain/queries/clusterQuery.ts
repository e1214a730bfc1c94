/** Checks a query: from the local socket, or forwarded by a worker. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { ok, type Result, refuse } from '../../base/errors.js'
import { fields, list, text } from '../../base/fields.js'
import { limits } from '../../base/limits.js'
import { agentQueries } from '../agents/agentQuery.js'
import type { ClusterQuery } from './clusterView.js'

/** Any text will do for a name: one that no node can have is answered as unknown, not as malformed. */
const nodes = Type.Optional(list(text(limits.controlRequestBytesMax), limits.controlRequestBytesMax))

const query = Compile(
  Type.Union([
    fields({ kind: Type.Literal('nodes'), nodes }),
    fields({ kind: Type.Literal('health'), nodes }),
    fields({ kind: Type.Literal('files'), nodes, all: Type.Boolean() }),
    ...agentQueries,
  ]),
)

/** The query of one JSON text. Refuses with `tooLarge` or `malformed`. */
export const parseQuery = (json: string): Result<ClusterQuery> => {
  if (json.length > limits.controlRequestBytesMax) return refuse('tooLarge', { message: 'The query is too long' })
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return refuse('malformed', { message: 'The query is not JSON' })
  }
  if (!query.Check(value)) return refuse('malformed', { message: 'The query is not one that this version of wazuh-clusterd knows' })
  return ok(value)
}
