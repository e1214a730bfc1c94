/** Messages of agents that are not events, `#!-…`: their kinds, by the very bytes that Wazuh compares. Trailing spaces matter. */

const header = Buffer.from('#!-')
const startup = Buffer.from('#!-agent startup ')
const shutdown = Buffer.from('#!-agent shutdown ')
const request = Buffer.from('#!-req ')
const newline = 0x0a

export type ControlKind = 'startup' | 'shutdown' | 'request' | 'keepAlive' | 'invalid'

const beginsWith = (text: Uint8Array, start: Uint8Array): boolean => {
  if (text.length < start.length) return false
  for (let at = 0; at < start.length; at++) if (text[at] !== start[at]) return false
  return true
}

export const isControl = (text: Uint8Array): boolean => beginsWith(text, header)

/** A keep-alive is known by its newline. */
export const controlKind = (text: Buffer): ControlKind => {
  if (beginsWith(text, startup)) return 'startup'
  if (beginsWith(text, shutdown)) return 'shutdown'
  if (beginsWith(text, request)) return 'request'
  return text.includes(newline) ? 'keepAlive' : 'invalid'
}

/** What a start-up or an answer says, behind its header. */
export const startupSaid = (text: Buffer): string => text.toString('utf8', startup.length)
export const requestSaid = (text: Buffer): string => text.toString('utf8', request.length)

/** A keep-alive without its header and without what follows the last newline: OSSEC's agents send noise there. */
export const keepAliveBytes = (text: Buffer): Buffer => text.subarray(header.length, text.lastIndexOf(newline) + 1)
