/**
 * Questions about agents and commands over them, as the programs on this machine ask them of their node: cluster_control -a,
 * agent_control, agent_groups, and a listener that reports its agents.
 */
import Type from 'typebox'
import { count, fields, list, text } from '../../base/fields.js'
import { limits } from '../../base/limits.js'
import { type AgentFacts, type AgentStatus, agentFactNames, agentStatuses } from './agent.js'
import type { GroupsChange } from './groups.js'

/** Programs that show and change agents; which of them a worker serves: domain/queries/forwardedQuery. */
export const agentTools = ['agent_control', 'agent_groups'] as const
export type AgentTool = (typeof agentTools)[number]

export const reportKinds = ['startup', 'keepAlive', 'shutdown', 'lost'] as const

/** What a listener saw of an agent just now. */
export interface AgentReport {
  readonly id: number
  /** `lost`: its connection ended without a shutdown message. */
  readonly kind: (typeof reportKinds)[number]
  /** With a start-up or keep-alive that says what the agent is; without, only that it is there. */
  readonly facts?: Partial<AgentFacts>
}

/** Without a tool the query is for cluster_control or a listener, and is answered on any node. */
export type AgentQuery =
  | {
      readonly kind: 'agents'
      readonly nodes?: readonly string[]
      readonly statuses?: readonly AgentStatus[]
      readonly group?: string
      readonly tool?: AgentTool
    }
  | { readonly kind: 'agent'; readonly id: number; readonly tool: AgentTool }
  | { readonly kind: 'groups'; readonly tool: AgentTool }
  | { readonly kind: 'groupFiles'; readonly group: string; readonly tool: AgentTool }
  | { readonly kind: 'changeGroups'; readonly change: GroupsChange; readonly tool: AgentTool }
  | { readonly kind: 'createGroup'; readonly group: string; readonly tool: AgentTool }
  | { readonly kind: 'removeGroup'; readonly group: string; readonly tool: AgentTool }
  | {
      readonly kind: 'addAgent'
      readonly name: string
      readonly ip: string
      /** Made by who asks: asking again with the same key is answered with the agent that is there already. */
      readonly key: string
      readonly groups: readonly string[]
      readonly tool: AgentTool
    }
  | { readonly kind: 'removeAgent'; readonly id: number; readonly tool: AgentTool }
  | { readonly kind: 'report'; readonly reports: readonly AgentReport[] }

/** Texts and lists are bounded by the query that they come in; what rules they break is said by who knows the rules. */
const anyText = () => text(limits.controlRequestBytesMax)
const anyTexts = () => list(anyText(), limits.controlRequestBytesMax)
const anyIds = () => list(agentId(), limits.controlRequestBytesMax)
const agentId = () => count(limits.agentIdMax)
const tool = Type.Enum([...agentTools])

const change = Type.Union([
  fields({ kind: Type.Literal('assign'), ids: anyIds(), group: anyText() }),
  fields({ kind: Type.Literal('replace'), ids: anyIds(), groups: anyTexts() }),
  fields({ kind: Type.Literal('unassign'), ids: anyIds(), group: anyText() }),
  fields({ kind: Type.Literal('dissolve'), group: anyText() }),
])

const facts = Type.Partial(Type.Record(Type.Enum([...agentFactNames]), anyText()), { additionalProperties: false })
const report = fields({
  id: agentId(),
  kind: Type.Enum([...reportKinds]),
  facts: Type.Optional(facts),
})

/** One for each kind of AgentQuery. */
export const agentQueries = [
  fields({
    kind: Type.Literal('agents'),
    nodes: Type.Optional(anyTexts()),
    statuses: Type.Optional(list(Type.Enum([...agentStatuses]), agentStatuses.length)),
    group: Type.Optional(anyText()),
    tool: Type.Optional(tool),
  }),
  fields({ kind: Type.Literal('agent'), id: agentId(), tool }),
  fields({ kind: Type.Literal('groups'), tool }),
  fields({ kind: Type.Literal('groupFiles'), group: anyText(), tool }),
  fields({ kind: Type.Literal('changeGroups'), change, tool }),
  fields({ kind: Type.Literal('createGroup'), group: anyText(), tool }),
  fields({ kind: Type.Literal('removeGroup'), group: anyText(), tool }),
  fields({ kind: Type.Literal('addAgent'), name: anyText(), ip: anyText(), key: anyText(), groups: anyTexts(), tool }),
  fields({ kind: Type.Literal('removeAgent'), id: agentId(), tool }),
  fields({ kind: Type.Literal('report'), reports: list(report, limits.controlRequestBytesMax) }),
] as const
