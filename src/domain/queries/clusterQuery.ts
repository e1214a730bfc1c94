/** Questions that the programs on a machine ask their node; those about agents are domain/agents/agentQuery's. */
import { type Static, Type } from 'typebox'
import { fields, list, type ReadonlyValue, text } from '../../base/fields.js'
import { limits } from '../../base/limits.js'
import { agentQueries } from '../agents/agentQuery.js'

/** Any text will do for a name: one that no node can have is answered as unknown, not as malformed. */
const nodes = Type.Optional(list(text(limits.controlRequestBytesMax), limits.controlRequestBytesMax))

/** One for each kind. */
export const clusterQueries = [
  fields({ kind: Type.Literal('nodes'), nodes }),
  fields({ kind: Type.Literal('health'), nodes }),
  fields({ kind: Type.Literal('files'), nodes, all: Type.Boolean() }),
  /** What each node says of itself: its master asks it; `whole`: with the last warnings and errors of its log, and more of its configuration. */
  fields({ kind: Type.Literal('nodeReports'), nodes, whole: Type.Optional(Type.Boolean()) }),
  /** A row for every node that is or was in the cluster. */
  fields({ kind: Type.Literal('overview') }),
  /** What happened after the event of this id (0: all that is remembered). */
  fields({ kind: Type.Literal('events'), after: Type.Integer({ minimum: 0 }) }),
  /** Whether all is well: of the node that is asked, and then of the whole cluster as its master sees it. */
  fields({ kind: Type.Literal('check') }),
  ...agentQueries,
] as const

export type ClusterQuery = ReadonlyValue<Static<(typeof clusterQueries)[number]>>
