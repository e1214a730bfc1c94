/**
 * What an agent is answered: `OSSEC K:'001 name any KEY'`, or `ERROR: … Unable to add agent`. It goes in one piece, because agents read
 * one TLS record as one answer; and the agent's side of it, which judges answers as agent-auth does.
 */
import { bufferOver } from '../../base/bytes.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import { isAgentIp, isAgentName } from '../../domain/agents/keyLine.js'

const keyMark = "OSSEC K:'"
const errorMark = 'ERROR: '
/** Of the error, before the sentence that ends it; wazuh-authd has as much room. */
const errorCharsMax = 2_047

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1')

export const keyReply = ({ id, ip, key, name }: KeyEntry): Uint8Array => bytesOf(`${keyMark}${agentIdText(id)} ${name} ${ip} ${key}'`)

/** @param says one character a byte, without a full stop */
export const errorReply = (says: string): Uint8Array => bytesOf(`${`${errorMark}${says}`.slice(0, errorCharsMax)}. Unable to add agent`)

/** What an agent then has in its client.keys. The ID is the text itself: the agent's cipher is made from it. */
export interface AgentIdentity {
  readonly id: string
  readonly name: string
  readonly ip: string
  readonly key: string
}

export type EnrolmentReply =
  | { readonly kind: 'key'; readonly identity: AgentIdentity }
  /** As the server says it. */
  | { readonly kind: 'refused'; readonly says: string }
  /** A key was meant, but cannot be one. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** Nothing that says anything: agents wait for the next record. */
  | { readonly kind: 'other' }

const idPattern = /^[0-9]{1,8}$/
const keyPattern = /^[!-~]{2,128}$/

/** @param record what one TLS record holds */
export const readReply = (record: Uint8Array): EnrolmentReply => {
  const text = bufferOver(record).toString('latin1')
  if (text.startsWith(errorMark) && text.length > errorMark.length) return { kind: 'refused', says: text.slice(errorMark.length) }
  if (!text.startsWith(keyMark)) return { kind: 'other' }
  const end = text.indexOf("'", keyMark.length)
  // The sentences are agent-auth's.
  if (end < 0) return { kind: 'invalid', reason: 'Invalid keys format received.' }
  const [id = '', name = '', ip = '', key = '', ...more] = text.slice(keyMark.length, end).split(' ')
  const isValid = more.length === 0 && idPattern.test(id) && isAgentName(name) && isAgentIp(ip) && keyPattern.test(key)
  if (!isValid) return { kind: 'invalid', reason: 'One of the received key parameters does not have a valid format' }
  return { kind: 'key', identity: { id, name, ip, key } }
}
