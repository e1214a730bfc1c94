/**
 * Control messages of the agents' protocol, the texts that begin with `#!-`: what agents say and what the manager says. Trailing spaces
 * are part of them; without them a message is another one.
 */
import { bufferOver } from '../../base/bytes.js'

const controlMark = Buffer.from('#!-')
const startupStart = '#!-agent startup '
const shutdown = '#!-agent shutdown '
const acknowledgement = '#!-agent ack '
const errorStart = '#!-err '
const requestStart = '#!-req '
const reconnect = '#!-force_reconnect'
const pushStart = '#!-up file '
const pushEnd = '#!-close file '
const acknowledged = 'ack'

export type AgentControl =
  /** `lacksVersion`: it is JSON, and no version in it. OSSEC's agents say nothing of it. */
  | { readonly kind: 'startup'; readonly version?: string; readonly lacksVersion: boolean }
  | { readonly kind: 'shutdown' }
  /** As keepAliveText.ts parses it. */
  | { readonly kind: 'keepAlive'; readonly text: string }
  /** `counter`: as the request had it. */
  | { readonly kind: 'answer'; readonly counter: string; readonly answer: string }
  /** Over UDP: the request came. */
  | { readonly kind: 'requestAck'; readonly counter: string }
  /** Real managers do nothing about it. */
  | { readonly kind: 'ignored' }

export type ManagerControl =
  | { readonly kind: 'ack' }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'request'; readonly counter: string; readonly request: string }
  /** Over UDP: the answer came. */
  | { readonly kind: 'answerAck'; readonly counter: string }
  | { readonly kind: 'reconnect' }
  /** What follows, until `pushEnd`, is the file. */
  | { readonly kind: 'pushStart'; readonly sum: string; readonly name: string }
  | { readonly kind: 'pushEnd' }
  | { readonly kind: 'ignored' }

export const isControl = (text: Uint8Array): boolean =>
  text[0] === controlMark[0] && text[1] === controlMark[1] && text[2] === controlMark[2]

/** What an agent says; `text` must be a control message. */
export const parseAgentControl = (text: Uint8Array): AgentControl => {
  const said = saidIn(text)
  if (said.startsWith(startupStart)) return { kind: 'startup', ...versionIn(said.slice(startupStart.length)) }
  if (said === shutdown) return { kind: 'shutdown' }
  if (said.startsWith(requestStart)) {
    const { counter, rest } = numbered(said)
    return rest === acknowledged ? { kind: 'requestAck', counter } : { kind: 'answer', counter, answer: rest }
  }
  const body = said.slice(controlMark.byteLength)
  // Agents of version 5 may say it in JSON. OSSEC's append noise behind the last line.
  if (body.startsWith('{')) return { kind: 'keepAlive', text: body }
  const end = body.lastIndexOf('\n') + 1
  return end > 0 ? { kind: 'keepAlive', text: body.slice(0, end) } : { kind: 'ignored' }
}

/** What a manager says; `text` must be a control message. */
export const parseManagerControl = (text: Uint8Array): ManagerControl => {
  const said = saidIn(text)
  if (said === acknowledgement) return { kind: 'ack' }
  if (said === reconnect) return { kind: 'reconnect' }
  if (said === pushEnd) return { kind: 'pushEnd' }
  if (said.startsWith(pushStart)) {
    const [, sum, name] = /^([^ \n]+) ([^\n]+)\n?/.exec(said.slice(pushStart.length)) ?? []
    return sum === undefined || name === undefined ? { kind: 'ignored' } : { kind: 'pushStart', sum, name }
  }
  if (said.startsWith(requestStart)) {
    const { counter, rest } = numbered(said)
    return rest === acknowledged ? { kind: 'answerAck', counter } : { kind: 'request', counter, request: rest }
  }
  if (said.startsWith(errorStart)) return { kind: 'error', message: textOf(parsed(said.slice(errorStart.length)), 'message') ?? '' }
  return { kind: 'ignored' }
}

export const agentControl = {
  /** OSSEC's agents say no version. */
  startup: (version?: string): Buffer => Buffer.from(startupStart + (version === undefined ? '' : JSON.stringify({ version }))),
  shutdown: (): Buffer => Buffer.from(shutdown),
  /** `text`: as keepAliveText.ts prints it. */
  keepAlive: (text: string): Buffer => Buffer.from(`${controlMark}${text}`),
  answer: (counter: string, answer: string): Buffer => Buffer.from(`${requestStart}${counter} ${answer}`),
  requestAck: (counter: string): Buffer => Buffer.from(`${requestStart}${counter} ${acknowledged}`),
}

export const managerControl = {
  ack: (): Buffer => Buffer.from(acknowledgement),
  error: (message: string): Buffer => Buffer.from(errorStart + JSON.stringify({ message })),
  request: (counter: number, request: string): Buffer => Buffer.from(`${requestStart}${counter.toString(16)} ${request}`),
  answerAck: (counter: string): Buffer => Buffer.from(`${requestStart}${counter} ${acknowledged}`),
  reconnect: (): Buffer => Buffer.from(reconnect),
  pushStart: (sum: string, name: string): Buffer => Buffer.from(`${pushStart}${sum} ${name}\n`),
  pushEnd: (): Buffer => Buffer.from(pushEnd),
}

/** An error as Wazuh writes it; agents print it. */
export const versionMissing = "Couldn't retrieve version"

/** Up to the first NUL, as programs in C read it. */
const saidIn = (text: Uint8Array): string => {
  const end = text.indexOf(0)
  return bufferOver(text).toString('utf8', 0, end < 0 ? text.byteLength : end)
}

const numbered = (said: string): { readonly counter: string; readonly rest: string } => {
  const space = said.indexOf(' ', requestStart.length)
  if (space < 0) return { counter: said.slice(requestStart.length), rest: '' }
  return { counter: said.slice(requestStart.length, space), rest: said.slice(space + 1) }
}

const versionIn = (json: string): { readonly version?: string; readonly lacksVersion: boolean } => {
  const value = parsed(json)
  if (value === undefined) return { lacksVersion: false }
  const version = textOf(value, 'version')
  return version === undefined ? { lacksVersion: true } : { version, lacksVersion: false }
}

const textOf = (value: unknown, name: string): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  const field: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined
  return typeof field === 'string' ? field : undefined
}

/** Undefined when it is not JSON. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
