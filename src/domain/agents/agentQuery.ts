/** Questions about agents, as the programs on this machine ask their node: cluster_control -a, agent_control and agent_groups. */
import { type Static, Type } from 'typebox'
import { count, fields, list, type ReadonlyValue, text } from '../../base/fields.js'
import { limits } from '../../base/limits.js'
import { hashNames } from '../files/hashNames.js'
import { agentStatuses } from './agent.js'

/** Programs that show and change agents; which of them a worker serves: domain/queries/forwardedRequest. */
export const agentTools = ['agent_control', 'agent_groups'] as const
export type AgentTool = (typeof agentTools)[number]

/** Texts and lists are bounded by the request that they come in; what rules they break is said by the code that knows the rules. */
export const anyText = () => text(limits.controlRequestBytesMax)
export const anyTexts = () => list(anyText(), limits.controlRequestBytesMax)
export const agentId = () => count(limits.agentIdMax)
export const agentTool = () => Type.Enum([...agentTools])
const hashName = () => Type.Enum([...hashNames])

/** One for each kind. Without a tool the query is for cluster_control, and is answered on any node. */
export const agentQueries = [
  fields({
    kind: Type.Literal('agents'),
    nodes: Type.Optional(anyTexts()),
    statuses: Type.Optional(list(Type.Enum([...agentStatuses]), agentStatuses.length)),
    group: Type.Optional(anyText()),
    ids: Type.Optional(list(agentId(), limits.apiItemsMax)),
    tool: Type.Optional(agentTool()),
  }),
  /** How many there are of each status; `detailed`: also of each platform, and how many have the configuration of their groups. */
  fields({ kind: Type.Literal('agentSummary'), detailed: Type.Optional(Type.Boolean()) }),
  /** All that is known of these; those that do not exist are left out. */
  fields({ kind: Type.Literal('agentDetails'), ids: list(agentId(), limits.apiAgentDetailsMax) }),
  fields({ kind: Type.Literal('agent'), id: agentId(), tool: agentTool() }),
  /** `sums`: with digests of what their agents get, by this hash. */
  fields({ kind: Type.Literal('groups'), tool: agentTool(), sums: Type.Optional(hashName()) }),
  /** By SHA-256 without a hash. */
  fields({ kind: Type.Literal('groupFiles'), group: anyText(), tool: agentTool(), hash: Type.Optional(hashName()) }),
] as const

export type AgentQuery = ReadonlyValue<Static<(typeof agentQueries)[number]>>
