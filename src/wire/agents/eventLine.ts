/**
 * An agent's event as one line of JSON, with the names that Wazuh's archives have:
 *
 *     {"timestamp":"2026-11-26T13:15:22.123+0000","agent":{"id":"001","name":"web1","ip":"10.0.0.1"},"manager":{"name":"m"},
 *      "cluster":{"name":"c","node":"n"},"queue":"1","location":"/var/log/x","full_log":"hello"}
 *
 * `agent.ip` is left out for `any`, as Wazuh does it, and `cluster` when it is hidden. A message that is not of the form
 * `<queue>:<location>:<log>` is kept whole in `full_log`, without the fields that it lacks. Times are UTC.
 */
import type { GrowingBytes } from '../../base/growingBytes.js'
import { agentIdText } from '../../domain/agents/agent.js'
import { appendText, escapedBytesMax } from './jsonText.js'

/** The node that events came through. */
export interface EventNode {
  readonly managerName: string
  readonly cluster: string
  readonly node: string
  /** Lines do not say which cluster and node they came through. */
  readonly hidden: boolean
}

/** The agent that an event is of. */
export interface EventAgent {
  readonly id: number
  readonly name: string
  /** As client.keys has it: `any`, an address or a network. */
  readonly ip: string
  /** What the agent says of itself (`_agent_ip`): goes before `ip`. */
  readonly reportedIp?: string
}

const colon = 0x3a
/** Agents put it before a colon, or itself, in a location. */
const bar = 0x7c

const head = Buffer.from('{"timestamp":"1970-01-01T00:00:00.000+0000"')
const timeAt = '{"timestamp":"'.length
const queueField = Buffer.from(',"queue":"')
const locationField = Buffer.from('","location":"')
const logField = Buffer.from('","full_log":"')
const logFieldAlone = Buffer.from(',"full_log":"')
const end = Buffer.from('"}\n')
/** Of a line, besides the agent's part and the message. */
const fixedBytesMax = head.length + queueField.length + locationField.length + logField.length + end.length

const lastMs = Date.UTC(10_000, 0) - 1

/** How many bytes an event of this length may need. */
export const eventLineBytesMax = (messageBytes: number, agentBytes: number): number =>
  messageBytes * escapedBytesMax + agentBytes + fixedBytesMax

/** Where the location of a message ends that begins at `start`, at the colon; -1 when no colon does. */
const locationEnd = (message: Uint8Array, start: number): number => {
  for (let at = start; at < message.length; at++) {
    const byte = message[at]
    if (byte === colon) return at
    if (byte === bar) at++
  }
  return -1
}

/** The location without its escapes, as analysisd reads it: nothing is copied when there are none. */
const withoutEscapes = (message: Uint8Array, start: number, until: number): Uint8Array => {
  const text = Buffer.allocUnsafe(until - start)
  let length = 0
  for (let at = start; at < until; at++) {
    if (message[at] === bar && at + 1 < until) at++
    text[length++] = message[at] as number
  }
  return text.subarray(0, length)
}

/** Writes the lines of one node. What is the same in many lines is made once. */
export class EventLines {
  readonly #node: string
  readonly #head = Buffer.from(head)
  #headMs = -1
  #headSecond = -1
  #parts = new WeakMap<EventAgent, Uint8Array>()
  #lastAgent: EventAgent | undefined
  #lastPart: Uint8Array = new Uint8Array()

  constructor({ cluster, hidden, managerName, node }: EventNode) {
    const shown = hidden ? { manager: { name: managerName } } : { manager: { name: managerName }, cluster: { name: cluster, node } }
    this.#node = JSON.stringify(shown).slice(1, -1)
  }

  /** Nothing of the message is kept. Of an agent object it is kept what its lines say. */
  append(into: GrowingBytes, agent: EventAgent, message: Uint8Array, nowMs: number): void {
    const part = agent === this.#lastAgent ? this.#lastPart : this.#partOf(agent)
    into.reserve(eventLineBytesMax(message.length, part.length))
    const time = nowMs === this.#headMs ? this.#head : this.#headAt(nowMs)
    into.bytes.set(time, into.length)
    into.length += time.length
    into.bytes.set(part, into.length)
    into.length += part.length
    this.#appendMessage(into, message)
    into.append(end)
  }

  #appendMessage(into: GrowingBytes, message: Uint8Array): void {
    if (message[1] !== colon) {
      into.append(logFieldAlone)
      appendText(into, message, 0, message.length)
      return
    }
    into.append(queueField)
    appendText(into, message, 0, 1)
    const until = locationEnd(message, 2)
    if (until >= 0) {
      into.append(locationField)
      const escapeAt = message.indexOf(bar, 2)
      if (escapeAt < 0 || escapeAt > until) appendText(into, message, 2, until)
      else {
        const location = withoutEscapes(message, 2, until)
        appendText(into, location, 0, location.length)
      }
    }
    into.append(logField)
    appendText(into, message, until < 0 ? 2 : until + 1, message.length)
  }

  #partOf(agent: EventAgent): Uint8Array {
    let part = this.#parts.get(agent)
    if (!part) {
      const ip = agent.reportedIp ?? (agent.ip === 'any' ? undefined : agent.ip)
      part = Buffer.from(`,"agent":${JSON.stringify({ id: agentIdText(agent.id), name: agent.name, ip })},${this.#node}`)
      this.#parts.set(agent, part)
    }
    this.#lastAgent = agent
    this.#lastPart = part
    return part
  }

  #headAt(nowMs: number): Uint8Array {
    const ms = Math.min(lastMs, Math.max(0, Math.floor(nowMs)))
    const second = Math.floor(ms / 1000)
    if (second !== this.#headSecond) this.#head.write(new Date(second * 1000).toISOString().slice(0, 19), timeAt, 'latin1')
    const rest = ms - second * 1000
    this.#head[timeAt + 20] = 0x30 + Math.floor(rest / 100)
    this.#head[timeAt + 21] = 0x30 + (Math.floor(rest / 10) % 10)
    this.#head[timeAt + 22] = 0x30 + (rest % 10)
    this.#headMs = nowMs
    this.#headSecond = second
    return this.#head
  }
}
