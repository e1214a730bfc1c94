/** What the node that an agent asks decides of the request before the master has it, in the order and the words of wazuh-authd. */
import type { ErrorCode } from '../../base/errors.js'
import { escapeText } from '../../base/escapeText.js'
import { shortened } from '../../base/logText.js'
import { isGroupName } from '../agents/groups.js'
import { isAgentName } from '../agents/keyLine.js'
import { higherVersionText, isHigherVersion } from './agentVersion.js'
import { saysOnMaster, saysOnWorker } from './masterRefusals.js'
import { requestedGroups } from './requestedGroups.js'
import { anyIp, requestedIp, sourceIp } from './requestedIp.js'
import type { RequestFields } from './requestFields.js'

/** Of `<auth>` and of the node. */
export interface RequestRules {
  readonly isMaster: boolean
  readonly usesSourceIp: boolean
  readonly wazuhVersion: string
  readonly allowHigherVersions: boolean
  readonly managerName: string
}

/** Why an agent is not enrolled. */
export interface EnrolmentRefusal {
  /** Refusals of the same kind share their place in the log. */
  readonly code: ErrorCode
  /** To the agent, without a full stop; one character a byte. */
  readonly says: string
  /** To the operator: one line of visible characters. */
  readonly logs: string
}

export interface JudgedRequest {
  readonly name: string
  readonly ip: string
  readonly groups: readonly string[]
  readonly keyHash?: string
}

export type Judgement = { readonly ok: true; readonly request: JudgedRequest } | { readonly ok: false; readonly refusal: EnrolmentRefusal }

const shownCharsMax = 255
const keyHashPattern = /^[0-9a-f]{40}$/

/** What agents send is in UTF-8, as a rule. */
export const visible = (text: string): string => escapeText(shortened(Buffer.from(text, 'latin1').toString(), shownCharsMax))

export const refusal = (code: ErrorCode, says: string, logs: string): EnrolmentRefusal => ({ code, says, logs })

const refused = (code: ErrorCode, says: string, logs: string): Judgement => ({ ok: false, refusal: refusal(code, says, logs) })

/** The password, or the beginning of the line, is not what it must be. */
export const unreadable = (problem: 'password' | 'request', address: string): EnrolmentRefusal =>
  problem === 'password'
    ? refusal('notAuthentic', 'Invalid password', `Invalid password provided by ${address}. Closing connection.`)
    : refusal('malformed', 'Invalid request for new agent', `Invalid request for new agent from: ${address}`)

/** @param address that the agent came from */
export const judgedRequest = (fields: RequestFields, rules: RequestRules, address: string): Judgement => {
  const { groups, ip, keyHash, name, unterminated, version } = fields
  if (!isAgentName(name))
    return refused('agentNameInvalid', `Invalid agent name: ${name}`, `Invalid agent name: ${visible(name)} from ${address}`)
  if (version !== undefined && !rules.allowHigherVersions && isHigherVersion(version, rules.wazuhVersion))
    return refused('noCommonProtocol', higherVersionText, `Incompatible version for new agent from: ${address}`)
  const asked = groups === undefined ? undefined : requestedGroups(groups)
  if (asked?.ok === false) return refused('groupInvalid', asked.says, visible(asked.says))
  const source = sourceIp(address)
  const registered = ip === undefined ? (rules.usesSourceIp ? source : anyIp) : ip.startsWith('src') ? source : requestedIp(ip)
  if (registered === undefined) return refused('agentIpInvalid', `Invalid IP: ${ip}`, `Invalid IP: '${visible(ip ?? '')}'`)
  if (unterminated !== undefined) return refused('malformed', `Unterminated ${unterminated} field`, `Unterminated ${unterminated} field`)
  if (rules.isMaster && name === rules.managerName)
    return refused('agentNameInvalid', `Invalid agent name: ${name}`, `Invalid agent name ${name} (same as manager)`)
  const request: JudgedRequest = {
    name,
    ip: registered,
    groups: asked?.groups ?? [],
    // Any other is the hash of no key, which is the same as to send none.
    ...(keyHash !== undefined && keyHashPattern.test(keyHash) && { keyHash }),
  }
  // Wazuh permits more letters; but no group of ours has them, so that the master need not search for it.
  const absent = request.groups.find((group) => !isGroupName(group))
  if (absent === undefined) return { ok: true, request }
  const says = rules.isMaster ? saysOnMaster(request, { code: 'groupInvalid', subject: absent }) : saysOnWorker({ code: 'groupInvalid' })
  return refused('groupInvalid', says, `Invalid group: ${absent}`)
}
