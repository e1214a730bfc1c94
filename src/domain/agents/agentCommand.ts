/** Commands over agents and groups, as agent_control and agent_groups give them to their node. */
import { type Static, Type } from 'typebox'
import { fields, list, type ReadonlyValue } from '../../base/fields.js'
import { limits } from '../../base/limits.js'
import { agentId, agentTool, anyText, anyTexts } from './agentQuery.js'

const ids = () => list(agentId(), limits.controlRequestBytesMax)

/** See GroupsChange. */
const change = Type.Union([
  fields({ kind: Type.Literal('assign'), ids: ids(), group: anyText() }),
  fields({ kind: Type.Literal('replace'), ids: ids(), groups: anyTexts() }),
  fields({ kind: Type.Literal('unassign'), ids: ids(), group: anyText() }),
  fields({ kind: Type.Literal('dissolve'), group: anyText() }),
])

/** One for each kind. */
export const agentCommands = [
  fields({ kind: Type.Literal('changeGroups'), change, tool: agentTool() }),
  fields({ kind: Type.Literal('createGroup'), group: anyText(), tool: agentTool() }),
  fields({ kind: Type.Literal('removeGroup'), group: anyText(), tool: agentTool() }),
  fields({
    kind: Type.Literal('addAgent'),
    name: anyText(),
    ip: anyText(),
    /** Made by the program: asking again with the same key is answered with the agent that is there already. */
    key: anyText(),
    groups: anyTexts(),
    tool: agentTool(),
  }),
  fields({ kind: Type.Literal('removeAgent'), id: agentId(), tool: agentTool() }),
  /** Asks agents that are connected to reconnect: these, or all; those of these nodes only. */
  fields({
    kind: Type.Literal('reconnectAgents'),
    ids: Type.Optional(list(agentId(), limits.reconnectIdsMax)),
    nodes: Type.Optional(list(anyText(), limits.workersMax)),
    tool: agentTool(),
  }),
] as const

export type AgentCommand = ReadonlyValue<Static<(typeof agentCommands)[number]>>
