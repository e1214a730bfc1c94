/**
 * When an agent that enrols may take the place of one that has its name or its address. These are Wazuh's rules: `<force>` of `<auth>`,
 * in the order in which wazuh-authd asks, and its sentences.
 */
import { createHash } from 'node:crypto'
import { limits } from '../../base/limits.js'
import { type AgentStatus, agentIdText } from './agent.js'
import type { EnrolmentRequest } from './enrolmentRequest.js'
import type { KeyEntry } from './keyEntry.js'

/** What the master decides enrolments by. */
export interface EnrolmentRules {
  readonly force: ForceRules
  /** Lines of agents that are removed are dropped from client.keys; else they stay, with a `!` before the name. */
  readonly purge: boolean
}

/** Of `<force>`. */
export interface ForceRules {
  readonly enabled: boolean
  /** An agent that proves to have the key of the existing agent does not replace it. */
  readonly keyMismatch: boolean
  /** Only agents are replaced that have been disconnected for longer, or that never connected; undefined: any. */
  readonly disconnectedMs: number | undefined
  /** Only agents are replaced that were registered longer ago; 0: any. */
  readonly afterRegistrationMs: number
}

const hourMs = 3_600_000

export const defaultEnrolmentRules: EnrolmentRules = {
  force: { enabled: true, keyMismatch: true, disconnectedMs: hourMs, afterRegistrationMs: hourMs },
  purge: false,
}

/** What is known of an agent that is registered. Times are the master's, in milliseconds since 1970. */
export interface Registration {
  readonly id: number
  readonly status: AgentStatus
  /** 0 unless disconnected. */
  readonly disconnectedMs: number
  /** 0 when it is not known. */
  readonly registeredMs: number
  /** See signatureOf; empty when it was not registered by a request. */
  readonly signature: string
}

/** What happens to an agent that has the name or the address of one that enrols. */
export type Replacement = { readonly kind: 'replaced' } | { readonly kind: 'kept'; readonly says: string }

/** As agents send it. */
export const keyHashOf = ({ id, key, name }: KeyEntry): string =>
  createHash('sha1')
    .update(`${agentIdText(id)}${name}${key}`)
    .digest('hex')

/** The same for requests of the same agent for the same; of a fixed size. */
export const signatureOf = ({ keyHash = '', name, source }: Pick<EnrolmentRequest, 'keyHash' | 'name' | 'source'>): string =>
  createHash('sha256')
    .update(JSON.stringify([name, source, keyHash]))
    .digest('base64url')

/** The answer to the previous request was lost: the agent, which has not connected with its key yet, asks again. */
export const isSameRegistration = (
  holder: Registration,
  entry: KeyEntry,
  request: Pick<EnrolmentRequest, 'ip' | 'keyHash' | 'name' | 'source'>,
  nowMs: number,
): boolean =>
  holder.status === 'never_connected' &&
  Math.abs(nowMs - holder.registeredMs) <= limits.enrolmentRetryMsMax &&
  entry.name === request.name &&
  entry.ip === request.ip &&
  holder.signature === signatureOf(request)

/** @param holder who has the name or the address, with its entry of client.keys */
export const replacementOf = (
  holder: Registration,
  entry: KeyEntry,
  keyHash: string | undefined,
  { afterRegistrationMs, disconnectedMs, enabled, keyMismatch }: ForceRules,
  nowMs: number,
): Replacement => {
  const kept = (says: string): Replacement => ({ kind: 'kept', says: `Agent '${agentIdText(holder.id)}' ${says}` })
  // These sentences are as Wazuh writes them.
  if (!enabled) return kept("won't be removed because the force option is disabled.")
  if (disconnectedMs !== undefined && holder.status !== 'never_connected') {
    if (holder.status !== 'disconnected') return kept("can't be replaced since it is not disconnected.")
    if (nowMs - holder.disconnectedMs < disconnectedMs) return kept('has not been disconnected long enough to be replaced.')
  }
  if (nowMs - holder.registeredMs < afterRegistrationMs) return kept("doesn't comply with the registration time to be removed.")
  if (keyMismatch && keyHash === keyHashOf(entry)) return kept('key already exists on the manager.')
  return { kind: 'replaced' }
}
