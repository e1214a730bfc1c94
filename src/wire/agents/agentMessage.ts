/**
 * Opens messages of the agents' protocol: `[!ID!]`, the mark of the cipher, and encrypted 1 to 8 `!` and the zlib stream of a checksum
 * and the body, which is a random number, the counters and the text. This is what is done for each event: the
 * result is the opener's own, good until its next call, and refusals are made beforehand.
 */
import * as crypto from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { AgentCipher, CipherKind } from './agentCipher.js'

const exclamationMark = 0x21
const colon = 0x3a
const digitZero = 0x30
const digitNine = 0x39

const idDigitsMax = String(limits.agentIdMax).length
export const aesMark = Buffer.from('#AES:')
export const blowfishMark = Buffer.from(':')

/** Of the body: where its fields are, behind the checksum. */
export const checksumChars = 32
export const paddingMax = 8
const randomDigits = 5
const globalDigits = 10
const localDigits = 4
const globalAt = checksumChars + randomDigits
const globalEnd = globalAt + globalDigits
const localAt = globalEnd + 1
const localEnd = localAt + localDigits
export const textAt = localEnd + 1

export interface OpenedMessage {
  readonly cipher: CipherKind
  readonly random: number
  readonly global: number
  readonly local: number
  /** What it says; valid until the opener opens another. */
  readonly text: Buffer
}

/**
 * Which agent the message says it is from. `none`: it does not say, so its address decides; `invalid`: it cannot be an ID, or not as Wazuh
 * writes it.
 */
export const peekId = (message: Uint8Array): number | 'none' | 'invalid' => {
  if (message[0] !== exclamationMark) return 'none'
  let id = 0
  let at = 1
  for (; at <= idDigitsMax; at++) {
    const digit = message[at]
    if (digit === undefined || digit < digitZero || digit > digitNine) break
    id = 10 * id + digit - digitZero
  }
  if (message[at] !== exclamationMark || at === 1 || id > limits.agentIdMax) return 'invalid'
  return at - 1 === agentIdText(id).length ? id : 'invalid'
}

const refusals = {
  id: refuse('malformed', { message: 'A message of an agent has an ID without its end' }),
  mark: refuse('malformed', { message: 'A message of an agent has no mark of its cipher' }),
  key: refuse('notAuthentic', { message: 'A message of an agent was not encrypted with the key of that agent' }),
  bomb: refuse('tooLarge', { message: `A message of an agent inflates to more than ${limits.agentInflatedBytesMax} bytes` }),
  body: refuse('malformed', { message: 'A message of an agent has no counters' }),
}

/** Opens messages of any number of agents, one after the other. */
export class MessageOpener {
  readonly #opened = { cipher: 'aes' as CipherKind, random: 0, global: 0, local: 0, text: Buffer.alloc(0) as Buffer }
  readonly #result: Result<OpenedMessage> = ok(this.#opened)

  /** Refuses with `malformed`, `tooLarge` and `notAuthentic`. The result is valid until the next call. */
  open(message: Buffer, cipher: AgentCipher): Result<OpenedMessage> {
    const markAt = message[0] === exclamationMark ? message.indexOf(exclamationMark, 1) + 1 : 0
    if (markAt === 0 && message[0] === exclamationMark) return refusals.id
    const kind = cipherAt(message, markAt)
    if (kind === undefined) return refusals.mark
    const plain = cipher.decrypt(kind, message.subarray(markAt + (kind === 'aes' ? aesMark : blowfishMark).byteLength))
    if (plain === undefined) return refusals.key
    let padding = 0
    while (padding < paddingMax && plain[padding] === exclamationMark) padding++
    if (padding === 0) return refusals.key
    const inflated = inflate(plain.subarray(padding))
    if (inflated === 'tooMuch') return refusals.bomb
    // With a wrong key, this is where it shows at the latest.
    if (!inflated || !isChecksum(inflated, inflated.subarray(checksumChars))) return refusals.key
    return this.#read(kind, inflated)
  }

  #read(kind: CipherKind, inflated: Buffer): Result<OpenedMessage> {
    if (inflated.byteLength < textAt || inflated[globalEnd] !== colon || inflated[localEnd] !== colon) return refusals.body
    const opened = this.#opened
    opened.random = numberIn(inflated, checksumChars, globalAt)
    opened.global = numberIn(inflated, globalAt, globalEnd)
    opened.local = numberIn(inflated, localAt, localEnd)
    // One that is not a number makes the sum none either.
    if (Number.isNaN(opened.random + opened.global + opened.local)) return refusals.body
    opened.cipher = kind
    opened.text = inflated.subarray(textAt)
    return this.#result
  }
}

/** Undefined for what is no zlib stream, or not a whole one. Stops at the limit, whatever a stream would become. */
const inflate = (stream: Uint8Array): Buffer | 'tooMuch' | undefined => {
  try {
    return inflateSync(stream, {
      maxOutputLength: limits.agentInflatedBytesMax,
      // What zlib makes room for at a time; for most messages once.
      chunkSize: Math.min(16_384, Math.max(1_024, 4 * stream.byteLength)),
    })
  } catch (thrown) {
    return thrown instanceof RangeError ? 'tooMuch' : undefined
  }
}

const cipherAt = (message: Uint8Array, at: number): CipherKind | undefined => {
  if (message[at] === colon) return 'blowfish'
  for (let index = 0; index < aesMark.byteLength; index++) if (message[at + index] !== aesMark[index]) return undefined
  return 'aes'
}

/** One call where Node has it (20.12), half the price of an object. */
export const md5Hex: (bytes: Uint8Array) => string =
  typeof crypto.hash === 'function'
    ? (bytes) => crypto.hash('md5', bytes, 'hex')
    : (bytes) => crypto.createHash('md5').update(bytes).digest('hex')

const isChecksum = (inflated: Buffer, body: Buffer): boolean => inflated.toString('latin1', 0, checksumChars) === md5Hex(body)

/** NaN when anything in it is not a digit. */
const numberIn = (bytes: Uint8Array, from: number, end: number): number => {
  let number = 0
  for (let at = from; at < end; at++) {
    const digit = bytes[at] ?? 0
    if (digit < digitZero || digit > digitNine) return Number.NaN
    number = 10 * number + digit - digitZero
  }
  return number
}
