/**
 * What an agent is answered when the master does not enrol it: in the words of wazuh-authd, which says more where the agent asked the
 * master itself than where it asked a worker.
 */
import { type ErrorCode, errorTable } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { JudgedRequest } from './judgedRequest.js'

export interface MasterRefusal {
  readonly code: ErrorCode
  /** The group that is not there. */
  readonly subject?: string
}

/** The name and its spelling are Wazuh's. */
const noMaster = 'Cannot comunicate with master'

/** A worker says what the master's local socket answers, by the number of the error. */
const ofWorker: Partial<Record<ErrorCode, string>> = {
  // Only the master's own name is refused there.
  agentNameInvalid: 'Duplicate name',
  agentIpInvalid: 'No such IP',
  duplicateAgentIp: 'Duplicate IP',
  duplicateAgentName: 'Duplicate name',
  agentKeyInvalid: 'Issue generating key',
  tooManyAgents: 'Maximum number of agents reached',
  groupInvalid: 'Invalid Group(s) Name(s)',
  malformed: 'Invalid message format',
  unknownMessage: 'Cannot execute this request on a worker node',
}

const isMissingGroup = (code: ErrorCode): boolean => code === 'groupInvalid' || code === 'groupMissing' || code === 'groupNameInvalid'

export const saysOnMaster = ({ ip, groups, name }: JudgedRequest, { code, subject }: MasterRefusal): string => {
  if (isMissingGroup(code)) {
    const group = subject ?? groups.join(',')
    return group === '.' || group === '..' ? `Invalid group name: ${group}` : `Invalid group: ${group}`
  }
  switch (code) {
    case 'agentNameInvalid':
      return `Invalid agent name: ${name}`
    case 'agentIpInvalid':
      return `Invalid IP: ${ip}`
    case 'duplicateAgentIp':
      return `Duplicate IP: ${ip}`
    case 'duplicateAgentName':
      return `Duplicate agent name: ${name}`
    case 'tooManyGroups':
      return `Maximum multigroup reached: Limit is ${limits.groupsPerAgentMax}`
    case 'tooManyAgents':
      return 'Maximum number of agents reached'
    default:
      return `Internal manager error adding agent: ${name}`
  }
}

export const saysOnWorker = ({ code }: MasterRefusal): string => {
  if (isMissingGroup(code) || code === 'tooManyGroups') return ofWorker.groupInvalid ?? ''
  return ofWorker[code] ?? (errorTable[code].retryable ? noMaster : 'Internal error')
}
