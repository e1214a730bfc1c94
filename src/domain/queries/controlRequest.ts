/** What comes over the local socket, one JSON text: a question, a command or reports. A worker forwards the first two as they are. */
import { Type } from 'typebox'
import { type Result, refuse } from '../../base/errors.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { limits } from '../../base/limits.js'
import { shapeOf } from '../../base/shapeOf.js'
import { type AgentCommand, agentCommands } from '../agents/agentCommand.js'
import { type ReportRequest, reportRequest } from '../agents/agentReport.js'
import { type NodeCommand, nodeCommand } from '../cluster/nodeState.js'
import { type ClusterQuery, clusterQueries } from './clusterQuery.js'

/** What changes something. */
export type ControlCommand = AgentCommand | NodeCommand
export type ControlRequest = ClusterQuery | ControlCommand | ReportRequest

const commands = [...agentCommands, nodeCommand] as const
const request = shapeOf(Type.Union([...clusterQueries, ...commands, reportRequest]))

/** Refuses with `tooLarge` or `malformed`. */
export const parseControlRequest = (json: string): Result<ControlRequest> => {
  if (json.length > limits.controlRequestBytesMax) return refuse('tooLarge', { message: 'The query is too long' })
  return parsedJson(json, request, 'The query', 'is not one that this version of wazuh-clusterd knows')
}

const commandKinds: ReadonlySet<string> = new Set(commands.map(({ properties }) => properties.kind.const))

export const isCommand = (request: ControlRequest): request is ControlCommand => commandKinds.has(request.kind)
