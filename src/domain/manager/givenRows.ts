/** What a master's wazuh-db is to be given of an agent, and whether it knows better already. */
import { limits } from '../../base/limits.js'
import { type AgentFacts, type AgentView, shownIp } from '../agents/agent.js'
import { labelsOf } from './agentLabels.js'
import { codeOfDisconnection, disconnectionOfCode } from './statusCodes.js'
import type { WazuhAgent, WazuhPresence } from './wazuhAgent.js'

/** An agent of which some node reported where it is. */
export type SeenAgent = AgentView & { readonly node: string; readonly seenMs: number }

export const isSeen = (view: AgentView): view is SeenAgent => view.node !== undefined && view.seenMs !== undefined

const seconds = (timeMs: number): number => Math.floor(timeMs / 1_000)

/**
 * The whole row, which overwrites every column there: what our table does not know of the agent is as in `held`, wazuh-db's own row.
 */
export const fullRow = (view: SeenAgent, held: Partial<WazuhAgent> = {}): WazuhAgent => {
  const { disconnectedMs = 0, disconnection = 'none', facts, id, name, node, seenMs } = view
  const code = codeOfDisconnection(disconnection) || Number(facts?.statusCode ?? '0')
  // Filled in place: to spread one into another would cost more than all else.
  const row: { -readonly [K in keyof WazuhAgent]: WazuhAgent[K] } = facts ? { id } : { ...held, id }
  row.name = name
  row.node_name = node
  row.last_keepalive = seconds(seenMs)
  row.connection_status = view.status
  row.disconnection_time = seconds(disconnectedMs)
  row.status_code = Number.isSafeInteger(code) ? code : 0
  if (facts) fillIn(row, facts, shownIp(view))
  // wazuh-db refuses a row without it.
  row.group_config_status ??= 'not synced'
  return row
}

const fillIn = (row: { -readonly [K in keyof WazuhAgent]: WazuhAgent[K] }, facts: AgentFacts, ip: string): void => {
  if (ip) row.ip = ip
  if (facts.osName) row.os_name = facts.osName
  if (facts.osVersion) row.os_version = facts.osVersion
  if (facts.osMajor) row.os_major = facts.osMajor
  if (facts.osMinor) row.os_minor = facts.osMinor
  if (facts.osCodename) row.os_codename = facts.osCodename
  if (facts.osBuild) row.os_build = facts.osBuild
  if (facts.osPlatform) row.os_platform = facts.osPlatform
  if (facts.osUname) row.os_uname = facts.osUname
  if (facts.osArch) row.os_arch = facts.osArch
  if (facts.version) row.version = facts.version
  if (facts.configSum) row.config_sum = facts.configSum
  if (facts.mergedSum) row.merged_sum = facts.mergedSum
  if (facts.managerHost) row.manager_host = facts.managerHost
  const config = facts.groupConfigStatus
  if (config === 'synced' || config === 'not synced') row.group_config_status = config
  if (facts.labels) row.labels = labelsOf(facts.labels)
}

/** A time that a wrong clock made, which loses to anything. */
const isBeyond = (timeSeconds: number, nowMs: number): boolean => timeSeconds * 1_000 > nowMs + limits.agentFutureMsMax

/** Of the master. */
export interface Here {
  readonly node: string
  readonly nowMs: number
}

/** What a worker reports may be stamped this much later than it was: it asks each second, and has whole ones. */
const uncertainSeconds = 2

/**
 * Whether wazuh-db knows of a newer sign of life at another node, such as at this one, whose agents only it knows. Within one second, which is
 * all that it has, a connected agent wins. One that is connected here wins as long as the stamp of another node is uncertain: a row of ours
 * would take what it has just said of itself, while the next sign of life of an agent that is there is given anyway.
 */
export const isOutdated = ({ node, seenMs, status }: SeenAgent, held: WazuhPresence, { node: own, nowMs }: Here): boolean => {
  const { connection_status, last_keepalive = 0, node_name = '' } = held
  if (node_name === '' || node_name === node || isBeyond(last_keepalive, nowMs)) return false
  const isConnected = connection_status !== 'disconnected'
  const aheadSeconds = seconds(seenMs) - last_keepalive
  if (node_name === own && isConnected) return aheadSeconds <= uncertainSeconds
  return aheadSeconds < 0 || (aheadSeconds === 0 && status === 'disconnected' && isConnected)
}

/** Whether wazuh-db lacks what our table has of an agent: it lost what it had taken, or refused it. What its manager's daemons decided stays. */
export const isMissing = (view: SeenAgent, held: WazuhAgent, here: Here): boolean => {
  const { connection_status, last_keepalive = 0, node_name = '' } = held
  if (isOutdated(view, held, here)) return false
  if (last_keepalive !== seconds(view.seenMs)) return last_keepalive < seconds(view.seenMs) || isBeyond(last_keepalive, here.nowMs)
  return node_name !== view.node || (connection_status !== view.status && !isSilence(held))
}

/** wazuh-monitord of the master called it silent. */
export const isSilence = ({ connection_status, status_code = 0 }: WazuhAgent): boolean =>
  connection_status === 'disconnected' && disconnectionOfCode(status_code) === 'keepAliveMissed'
