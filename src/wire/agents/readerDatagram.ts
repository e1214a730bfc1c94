/**
 * An event as remoted hands it to analysisd's socket: `1:[001] (web1) any->/var/log/x:hello` and a NUL. As there, the part before
 * the arrow has its colons escaped, what follows a NUL inside the message is cut off, and a datagram has 65 536 bytes at most.
 */
import type { GrowingBytes } from '../../base/growingBytes.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { EventAgent } from './eventLine.js'

export const datagramBytesMax = 65_536

const colon = 0x3a
/** OSSEC's agents say now and then that they are there; remoted hands none of it on. */
const keepAliveLocation = Buffer.from('keepalive')

const isKeepAlive = (message: Uint8Array): boolean => keepAliveLocation.every((byte, index) => message[index + 2] === byte)

/** Makes the datagrams of events; of an agent object it is kept what they say of it. */
export class ReaderDatagrams {
  readonly #parts = new WeakMap<EventAgent, Uint8Array>()

  /** Appends the datagram; nothing, and false, for what a reader does not get: no event, or a keep-alive of OSSEC. */
  append(into: GrowingBytes, agent: EventAgent, message: Uint8Array): boolean {
    if (message[1] !== colon || isKeepAlive(message)) return false
    const part = this.#partOf(agent)
    into.reserve(datagramBytesMax)
    const start = into.length
    const nul = message.indexOf(0)
    if (nul === 0) return false
    into.bytes[into.length++] = message[0] as number
    into.append(part)
    const room = start + datagramBytesMax - 1 - into.length
    into.append(message.subarray(2, Math.min(nul < 0 ? message.length : nul, 2 + room)))
    into.bytes[into.length++] = 0
    return true
  }

  #partOf(agent: EventAgent): Uint8Array {
    let part = this.#parts.get(agent)
    if (!part) {
      part = Buffer.from(`:${`[${agentIdText(agent.id)}] (${agent.name}) ${agent.ip}`.replaceAll(/[:|]/g, '|$&')}->`)
      this.#parts.set(agent, part)
    }
    return part
  }
}
