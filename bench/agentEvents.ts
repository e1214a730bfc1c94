/** Agents for the benchmarks of the listener, and events as they send them: sealed before anything is measured. */
import { invariant } from '../src/base/invariant.js'
import { SeededRandom } from '../src/simulation/world/seededRandom.js'
import { AgentCipher } from '../src/wire/agents/agentCipher.js'
import { sealMessage } from '../src/wire/agents/sealMessage.js'

export const eventBytes = 300
/** Of one agent; sent over and over, because only its counters differ. */
const eventsEach = 500

export interface LoadAgent {
  readonly id: number
  readonly name: string
  readonly key: string
}

export const loadAgents = (count: number): readonly LoadAgent[] =>
  Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    name: `agent${index + 1}`,
    key: (index + 1).toString(16).padStart(64, 'c0ffee'),
  }))

/** A line of a web server's log with much in it that differs, of exactly `eventBytes`. */
export const eventText = (random: SeededRandom, at: number): Buffer => {
  const number = (count: number): number => Math.floor(random.fraction() * count)
  const line = `1:/var/log/nginx/access.log:10.${number(256)}.${number(256)}.7 - alice [26/Nov/2026:13:18:${at % 60} +0000] "GET /api/v1/items/${number(1e6)}?page=${number(99)} HTTP/1.1" 200 ${number(1e5)} "https://shop.example.org/items" "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0" session=${number(2 ** 31).toString(16)} time=0.${number(1e3)} upstream=10.0.0.${number(256)}:8080 cache=MISS`
  return Buffer.from(line.padEnd(eventBytes, '.').slice(0, eventBytes))
}

const sealed = (agent: LoadAgent, cipher: AgentCipher, text: Uint8Array, local: number, isFramed: boolean): Buffer => {
  const counter = { global: 1, local }
  const message = sealMessage({ cipher, kind: 'aes', counter, random: 12_345, text, id: agent.id, isFramed, level: 9 })
  invariant(message.ok, 'a message of the benchmark can be sealed')
  return message.value
}

export interface SealedEvents {
  readonly startup: Buffer
  readonly events: readonly Buffer[]
}

export const sealedEvents = (agent: LoadAgent, isFramed: boolean): SealedEvents => {
  const random = new SeededRandom(agent.name)
  const cipher = new AgentCipher(agent)
  return {
    startup: sealed(agent, cipher, Buffer.from('#!-agent startup {"version":"v4.14.7"}'), 1, isFramed),
    events: Array.from({ length: eventsEach }, (_, at) => sealed(agent, cipher, eventText(random, at), 2 + at, isFramed)),
  }
}
