/** Seals messages of the agents' protocol, in both directions: what agentMessage.ts opens. */
import { deflateSync } from 'node:zlib'
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { agentIdText } from '../../domain/agents/agent.js'
import { type AgentCipher, type CipherKind, paddingBytes } from './agentCipher.js'
import { frameHeaderBytes } from './agentFrames.js'
import { aesMark, blowfishMark, checksumChars, md5Hex, paddingMax, textAt } from './agentMessage.js'
import type { MessageCounter } from './counters.js'

export interface MessageToSeal {
  readonly cipher: AgentCipher
  readonly kind: CipherKind
  readonly counter: MessageCounter
  /** From 0 to 65 535, other for each message. */
  readonly random: number
  readonly text: Uint8Array
  /** Of the agent that sends it; a manager does not say one, and an agent none whose key is of a single address. */
  readonly id?: number
  /** With its length before it, as TCP needs it. */
  readonly isFramed: boolean
  /** Of zlib; agents of Wazuh have 9. */
  readonly level?: number
}

/** A message for the wire, in one piece. Refuses with `tooLarge`. */
export const sealMessage = (message: MessageToSeal): Result<Buffer> => {
  if (message.text.byteLength > limits.agentTextBytesMax)
    return refuse('tooLarge', { message: `A message of ${message.text.byteLength} bytes is over the limit of ${limits.agentTextBytesMax}` })
  const { room, plainBytes } = padded(message.kind, compressed(message))
  return ok(assembled(message, message.cipher.encrypt(message.kind, room, plainBytes)))
}

const compressed = ({ counter, level = 6, random, text }: MessageToSeal): Uint8Array => {
  const checked = Buffer.allocUnsafe(textAt + text.byteLength)
  checked.write(`${digits(random, 5)}${digits(counter.global, 10)}:${digits(counter.local, 4)}:`, checksumChars, 'latin1')
  checked.set(text, textAt)
  checked.write(md5Hex(checked.subarray(checksumChars)), 0, 'latin1')
  return deflateSync(checked, { level, ...memoryFor(checked.byteLength) })
}

/** By default zlib takes 268 KB for each call, most of it for nothing: the collector of garbage then runs all the time. */
const memoryFor = (bytes: number): { readonly windowBits: number; readonly memLevel: number; readonly chunkSize: number } => {
  const windowBits = Math.min(15, Math.max(9, 32 - Math.clz32(bytes)))
  return { windowBits, memLevel: windowBits - 8, chunkSize: Math.min(16_384, Math.max(256, bytes)) }
}

const digits = (number: number, count: number): string => String(number).padStart(count, '0')

/** From 1 to 8 `!` before the stream, so that the sum is a multiple of 8. */
const padded = (kind: CipherKind, stream: Uint8Array): { readonly room: Buffer; readonly plainBytes: number } => {
  const padding = paddingMax - (stream.byteLength % paddingMax)
  const plainBytes = padding + stream.byteLength
  const room = Buffer.allocUnsafe(plainBytes + paddingBytes(kind, plainBytes))
  room.fill('!', 0, padding)
  room.set(stream, padding)
  return { room, plainBytes }
}

const assembled = ({ id, isFramed, kind }: MessageToSeal, sealed: Uint8Array): Buffer => {
  const header = id === undefined ? '' : `!${agentIdText(id)}!`
  const mark = kind === 'aes' ? aesMark : blowfishMark
  const from = isFramed ? frameHeaderBytes : 0
  const sealedAt = from + header.length + mark.byteLength
  const whole = Buffer.allocUnsafe(sealedAt + sealed.byteLength)
  if (isFramed) whole.writeUInt32LE(whole.byteLength - frameHeaderBytes)
  whole.write(header, from, 'latin1')
  whole.set(mark, from + header.length)
  whole.set(sealed, sealedAt)
  return whole
}
