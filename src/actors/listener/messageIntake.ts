/** One message, of whatever transport: whose it is, whether that is true, and where it goes. What is refused is logged in Wazuh's words. */
import type { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { LogLevel } from '../../ports/machine.js'
import { framed } from '../../wire/agents/agentFrames.js'
import { MessageOpener, peekId } from '../../wire/agents/agentMessage.js'
import { isControl } from '../../wire/agents/controlMessage.js'
import { isPing, pong } from '../../wire/agents/ping.js'
import type { AgentCounters } from './agentCounters.js'
import type { ListenerKeys } from './listenerKeys.js'
import type { ListenerLog } from './listenerLog.js'
import { AgentConnection } from './sessions/agentConnection.js'
import type { AgentEndpoint } from './sessions/agentEndpoint.js'
import type { AgentSession } from './sessions/agentSession.js'
import type { AgentSessions } from './sessions/agentSessions.js'

export interface MessageIntakeOptions {
  readonly clock: { monotonicMs(): number }
  readonly keys: ListenerKeys
  readonly sessions: AgentSessions
  readonly counters: AgentCounters
  readonly log: ListenerLog
  onControl(session: AgentSession, text: Buffer, from: AgentEndpoint): void
  onEvent(session: AgentSession, text: Buffer, from: AgentEndpoint): void
}

const framedPong = framed(pong)

export class MessageIntake {
  readonly #options: MessageIntakeOptions
  readonly #opener = new MessageOpener()
  #refused = 0

  constructor(options: MessageIntakeOptions) {
    this.#options = options
  }

  get refused(): number {
    return this.#refused
  }

  /** False: a connection that sends such a message is ended. */
  take(message: Buffer, from: AgentEndpoint): boolean {
    if (isPing(message)) {
      from.send(from.transport === 'tcp' ? framedPong : pong)
      return true
    }
    const entry = this.#senderOf(message, from)
    if (!entry) return false
    const known = this.#options.sessions.get(entry.id)
    if (known && this.#isElsewhere(known, from))
      return this.#refuse(from, 'inUse', `Agent key already in use: agent ID '${agentIdText(entry.id)}'`)
    const session = known ?? this.#options.sessions.create(entry)
    const opened = this.#opener.open(message, session.cipher)
    if (!opened.ok) return this.#refuseMessage(opened.error, entry, message, from)
    const { cipher, text } = opened.value
    if (!known) this.#options.counters.restore(session)
    if (!this.#options.counters.take(session, opened.value))
      return this.#refuse(from, 'replay', `(1407): Duplicated counter for '${entry.name}'.`, 'error')
    session.kind = cipher
    session.readMs = this.#options.clock.monotonicMs()
    if (!known) this.#options.sessions.add(session)
    if (from instanceof AgentConnection) this.#options.sessions.join(session, from)
    if (isControl(text)) this.#options.onControl(session, text, from)
    else this.#options.onEvent(session, text, from)
    return true
  }

  /** Of the ID that it says, when the address may use it, or of the only agent that has this address. */
  #senderOf(message: Buffer, from: AgentEndpoint): KeyEntry | undefined {
    const { keys } = this.#options
    const id = peekId(message)
    if (id === 'none') {
      const entry = keys.ofHost(from.address)
      if (!entry)
        this.#refuse(
          from,
          'unknownAddress',
          `(1213): Message from '${from.address}' not allowed. Cannot find the ID of the agent. Source agent ID is unknown.`,
        )
      return entry
    }
    const entry = id === 'invalid' ? undefined : keys.get(id)
    if (entry && (this.#isFrom(entry.id, from) || keys.isAllowed(entry, from.address))) return entry
    this.#refuseId(message, entry, from)
    return undefined
  }

  /** It was seen before that the agent may use this connection. */
  #isFrom(id: number, from: AgentEndpoint): boolean {
    return from instanceof AgentConnection && from.sessions[0]?.id === id
  }

  /** It is on another connection, and was there not long ago. Datagrams may come from anywhere. */
  #isElsewhere({ endpoint, seenMs }: AgentSession, from: AgentEndpoint): boolean {
    if (!endpoint || endpoint === from || endpoint.transport === 'udp' || endpoint.isClosed) return false
    return this.#options.clock.monotonicMs() - seenMs <= limits.agentTakeoverMs
  }

  #refuseId(message: Buffer, entry: KeyEntry | undefined, from: AgentEndpoint): void {
    const said = /^!(\d{0,64})!/.exec(message.toString('latin1', 0, 70))?.[1]
    if (said === undefined) this.#refuse(from, 'format', formatSentence('(unknown)', from.address), 'error')
    else
      this.#refuse(
        from,
        'id',
        `(1408): Invalid ID ${said} for the source ip: '${from.address}' (name '${entry ? entry.name : 'unknown'}').`,
      )
  }

  #refuseMessage(error: ClusterError, { id, ip }: KeyEntry, message: Buffer, from: AgentEndpoint): false {
    const agent = agentIdText(id)
    if (error.code !== 'notAuthentic') return this.#refuse(from, 'format', formatSentence(agent, from.address), 'error')
    // Wazuh names the address only of what was encrypted with Blowfish.
    const at = message.includes('#AES:') ? ip : from.address
    return this.#refuse(
      from,
      'key',
      `(1404): Authentication error. Wrong key or corrupt payload. Message received from agent '${agent}' at '${at}'.`,
    )
  }

  #refuse(from: AgentEndpoint, kind: string, sentence: string, level: LogLevel = 'warning'): false {
    this.#refused += 1
    this.#options.log.ofPeer(from.address, kind, sentence, level)
    return false
  }
}

const formatSentence = (agent: string, address: string): string =>
  `(1403): Incorrectly formatted message from agent '${agent}' (host '${address}').`
