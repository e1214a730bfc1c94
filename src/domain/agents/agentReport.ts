/** What a listener saw of agents, as it reports it to its node. */
import { type Static, Type } from 'typebox'
import { fields, list, properties, type ReadonlyValue } from '../../base/fields.js'
import { limits } from '../../base/limits.js'
import { agentFactNames } from './agent.js'
import { agentId, anyText } from './agentQuery.js'

/** `lost`: its connection ended without a shutdown message. */
export const reportKinds = ['startup', 'keepAlive', 'shutdown', 'lost'] as const

const agentReport = fields({
  id: agentId(),
  kind: Type.Enum([...reportKinds]),
  /** With a start-up or keep-alive that says what the agent is; without, only that it is there. */
  facts: Type.Optional(fields(properties(agentFactNames, Type.Optional(anyText())))),
})

/** Reports over the local socket. */
export const reportRequest = fields({ kind: Type.Literal('report'), reports: list(agentReport, limits.controlRequestBytesMax) })

/** What was seen of one agent just now. */
export type AgentReport = ReadonlyValue<Static<typeof agentReport>>
export type ReportRequest = ReadonlyValue<Static<typeof reportRequest>>
