/**
 * What a node's wazuh-db says of the node's agents, as reports of this node. wazuh-db has whole seconds by the machine's clock, and of a
 * mere keep-alive no time at all, so a report gets a stamp from what is certain. A sign of life is stamped no earlier than it was: the next
 * one of the same node is always newer. An end is stamped no later than it was, and no earlier than what this node reported before: it never
 * beats a sign of life at another node that came after it.
 */
import type { AgentDetails, AgentFacts, AgentUpdates, Presence } from '../agents/agent.js'
import { siftFacts } from '../agents/packedFacts.js'
import { labelsText } from './agentLabels.js'
import { disconnectionOfCode, isWithoutSign } from './statusCodes.js'
import type { WazuhAgent, WazuhStates } from './wazuhAgent.js'

/** Of one answer of wazuh-db. Whole milliseconds by the master's clock, as far as it is known. */
export interface AnswerTimes {
  readonly node: string
  /** When it was taken. */
  readonly takenMs: number
  /** When what it says had not happened yet: the answer before it was taken then. 0: not known. */
  readonly sinceMs: number
  /** The master's clock minus the machine's. */
  readonly skewMs: number
}

/** An answer so long after the one before says of keep-alives and start-ups no more than that they were. */
const gapMsMax = 60_000

/** Whether it is left open when that happened of which an answer has no time: who wants to know reads the rows (see heldUpdates). */
export const areLeftOpen = ({ sinceMs, takenMs }: Pick<AnswerTimes, 'sinceMs' | 'takenMs'>): boolean => takenMs - sinceMs > gapMsMax

type Stamp = Pick<Presence, 'seenMs' | 'status' | 'disconnectedMs' | 'disconnection'>
type StatusRow = Pick<WazuhAgent, 'last_keepalive' | 'connection_status' | 'disconnection_time' | 'status_code'>

/** Of rows that were taken: what they say happened since the answer before. What is left open is not among them. */
export const takenUpdates = ({ syncreq, syncreq_keepalive, syncreq_status }: WazuhStates, times: AnswerTimes): AgentUpdates => {
  const { node } = times
  const presences: Presence[] = []
  const details: AgentDetails[] = []
  const seenMs = whenever(times)
  if (seenMs !== undefined)
    for (const { id } of syncreq_keepalive)
      presences.push({ id, seenMs, epochMs: seenMs, status: 'active', node, disconnectedMs: 0, disconnection: 'none' })
  for (const row of syncreq) {
    const stamp = takenStamp(row, times)
    if (stamp) put(row, node, stamp, presences, details)
  }
  for (const row of syncreq_status) {
    // Without the time of its last sign of life a silence says nothing that is to be had from the master's own clock.
    const stamp = isWithoutSign(row.status_code ?? 0) ? undefined : takenStamp(row, times)
    if (stamp) presences.push(presenceOf(row.id, node, stamp))
  }
  return { presences, details }
}

/** Of rows that were read: what they say may have happened at any time, so that no stamp is later than what is certain. */
export const heldUpdates = (rows: readonly WazuhAgent[], { node, skewMs, takenMs }: Omit<AnswerTimes, 'sinceMs'>): AgentUpdates => {
  const presences: Presence[] = []
  const details: AgentDetails[] = []
  for (const row of rows) {
    if (row.connection_status === undefined || row.connection_status === 'never_connected') continue
    const { disconnection_time = 0, last_keepalive = 0, status_code = 0 } = row
    const isShutdown = row.connection_status === 'disconnected' && disconnectionOfCode(status_code) === 'shutdown'
    const seconds = isShutdown ? Math.max(last_keepalive, disconnection_time) : last_keepalive
    const seenMs = Math.min(takenMs, startOf(seconds, skewMs))
    put(row, node, stampOf(row, seenMs, { skewMs, takenMs }), presences, details)
  }
  return { presences, details }
}

/** In one piece: spreading a part into each would cost more than all else. */
const put = (row: WazuhAgent, node: string, stamp: Stamp, presences: Presence[], details: AgentDetails[]): void => {
  const { seenMs } = stamp
  presences.push(presenceOf(row.id, node, stamp))
  details.push({ id: row.id, seenMs, epochMs: seenMs, node, facts: factsOfRow(row) })
}

/** Each sign of life counts as a connection of its own: wazuh-db does not say when one began. */
const presenceOf = (id: number, node: string, { disconnectedMs, disconnection, seenMs, status }: Stamp): Presence => ({
  ...{ id, node, seenMs, epochMs: seenMs, status, disconnectedMs, disconnection },
})

const takenStamp = (row: StatusRow, times: AnswerTimes): Stamp | undefined => {
  const { sinceMs, skewMs, takenMs } = times
  const { connection_status, disconnection_time = 0, last_keepalive = 0, status_code = 0 } = row
  switch (connection_status) {
    case 'pending':
    case 'active': {
      const isTimed = connection_status === 'active' && last_keepalive > 0
      const seenMs = isTimed ? Math.min(takenMs, startOf(last_keepalive, skewMs) + lastMsOfSecond) : whenever(times)
      return seenMs === undefined ? undefined : stampOf(row, seenMs, times)
    }
    case 'disconnected': {
      if (isWithoutSign(status_code)) return stampOf(row, Math.min(takenMs, startOf(last_keepalive, skewMs)), times)
      const endMs = startOf(Math.max(last_keepalive, disconnection_time), skewMs)
      return stampOf(row, Math.min(takenMs, Math.max(sinceMs, endMs)), times)
    }
    default:
      return undefined
  }
}

const lastMsOfSecond = 999

/** Of a sign of life of which no time is known. */
const whenever = (times: AnswerTimes): number | undefined => (areLeftOpen(times) ? undefined : times.takenMs)

/** 0 stays 0: never. */
const startOf = (seconds: number, skewMs: number): number => (seconds === 0 ? 0 : Math.max(0, Math.round(seconds * 1_000 + skewMs)))

const stampOf = (
  { connection_status, disconnection_time = 0, status_code = 0 }: StatusRow,
  seenMs: number,
  { skewMs, takenMs }: Pick<AnswerTimes, 'skewMs' | 'takenMs'>,
): Stamp => {
  if (connection_status !== 'disconnected')
    return { seenMs, status: connection_status === 'pending' ? 'pending' : 'active', disconnectedMs: 0, disconnection: 'none' }
  const disconnectedMs = disconnection_time === 0 ? seenMs : Math.min(takenMs, startOf(disconnection_time, skewMs))
  return { seenMs, status: 'disconnected', disconnectedMs, disconnection: disconnectionOfCode(status_code) }
}

/** Packed. What breaks a rule of ours is left out. */
const factsOfRow = (row: WazuhAgent): string => siftFacts(saidBy(row)).packed

const saidBy = (row: WazuhAgent): AgentFacts => {
  const { connection_status, status_code = 0 } = row
  const isSaidByStatus = status_code === 0 || (connection_status === 'disconnected' && disconnectionOfCode(status_code) !== 'none')
  return {
    ip: row.ip ?? '',
    version: row.version ?? '',
    osName: row.os_name ?? '',
    osVersion: row.os_version ?? '',
    osPlatform: row.os_platform ?? '',
    osArch: row.os_arch ?? '',
    osUname: row.os_uname ?? '',
    configSum: row.config_sum ?? '',
    mergedSum: row.merged_sum ?? '',
    labels: row.labels ? labelsText(row.labels) : '',
    osMajor: row.os_major ?? '',
    osMinor: row.os_minor ?? '',
    osCodename: row.os_codename ?? '',
    osBuild: row.os_build ?? '',
    managerHost: row.manager_host ?? '',
    groupConfigStatus: row.group_config_status ?? '',
    statusCode: isSaidByStatus ? '' : String(status_code),
  }
}
