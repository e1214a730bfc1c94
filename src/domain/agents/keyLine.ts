/** The grammar of one line of client.keys, `ID NAME IP KEY`: what it may contain, and what an agent that is added may be called. */
import { limits } from '../../base/limits.js'
import { addressNetwork, isIpv4 } from '../kit/addressInNetwork.js'
import { agentIdText } from './agent.js'
import type { KeyEntry } from './keyEntry.js'

export type KeyLine =
  | { readonly kind: 'live'; readonly entry: KeyEntry }
  /** `!NAME`: the agent is gone, and its ID is never given out again. */
  | { readonly kind: 'removed'; readonly entry: KeyEntry }
  /** A comment or an empty line. */
  | { readonly kind: 'blank' }
  /** Cannot be used. The reason never quotes the line: it may hold a key. */
  | { readonly kind: 'unusable'; readonly reason: string; readonly id?: number }

const idPattern = /^(?:0[0-9]{2}|[1-9][0-9]{2,9})$/
const namePattern = /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/
const keyPattern = /^[!-~]+$/
const blankPattern = /^[ \t]*(?:#|$)/

const blank: KeyLine = { kind: 'blank' }
const unusable = (reason: string, id: number | undefined): KeyLine =>
  id === undefined ? { kind: 'unusable', reason } : { kind: 'unusable', reason, id }

export const isAgentName = (name: string): boolean =>
  name.length >= limits.agentNameCharsMin && name.length <= limits.agentNameCharsMax && namePattern.test(name)

export const isAgentKey = (key: string): boolean => key.length <= limits.agentKeyCharsMax && keyPattern.test(key)

/** `any`, an address, or a network. */
export const isAgentIp = (ip: string): boolean => ip === 'any' || isIpv4(ip) || addressNetwork(ip) !== undefined

/** Only IDs as they are written everywhere: agents derive their cipher from the very text, so `1` is another agent than `001`. */
const agentIdOf = (text: string): number | undefined => {
  const id = idPattern.test(text) ? Number(text) : 0
  return id >= 1 && id <= limits.agentIdMax ? id : undefined
}

/** @param line one character a byte, without its newline */
export const readKeyLine = (line: string): KeyLine => {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  if (blankPattern.test(text)) return blank
  const nameAt = text.indexOf(' ') + 1
  const id = agentIdOf(text.slice(0, Math.max(0, nameAt - 1)))
  const ipAt = text.indexOf(' ', nameAt) + 1
  const keyAt = ipAt === 0 ? 0 : text.indexOf(' ', ipAt) + 1
  if (nameAt === 0 || keyAt === 0) return unusable('it is not of the form ID NAME IP KEY', id)
  if (id === undefined) return unusable('its ID is invalid: expected a number of three digits or more', undefined)
  const isRemoved = text.startsWith('!', nameAt)
  const entry = {
    id,
    name: text.slice(isRemoved ? nameAt + 1 : nameAt, ipAt - 1),
    ip: text.slice(ipAt, keyAt - 1),
    key: text.slice(keyAt),
  }
  if (!isAgentName(entry.name)) return unusable('its name is not valid', id)
  if (!isAgentIp(entry.ip)) return unusable('its address is not valid', id)
  if (!isAgentKey(entry.key)) return unusable('its key is not valid', id)
  return { kind: isRemoved ? 'removed' : 'live', entry }
}

/** An ID at the start of a line, whatever follows: it is not given out even if the line is unusable, since the line may be fixed. */
export const claimedIdOf = (text: string): number | undefined => agentIdOf(text.slice(0, Math.max(0, text.indexOf(' '))))

export const keyLineText = ({ id, ip, key, name }: KeyEntry): string => `${agentIdText(id)} ${name} ${ip} ${key}`
