/** Requests to agents, `#!-req COUNTER TEXT`, and their answers. Over UDP both ends say that they have what the other one sent. */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { Clock, Random } from '../../ports/machine.js'
import { managerControl } from '../../wire/agents/controlMessage.js'
import type { AgentEndpoint } from './sessions/agentEndpoint.js'
import type { AgentSession } from './sessions/agentSession.js'

interface PendingRequest {
  readonly session: AgentSession
  readonly timer: unknown
  resolve(answer: string): void
  reject(error: ClusterError): void
}

export interface AgentRequestsOptions {
  readonly clock: Clock
  readonly random: Random
  send(session: AgentSession, text: Uint8Array, endpoint: AgentEndpoint): void
}

export class AgentRequests {
  readonly #options: AgentRequestsOptions
  readonly #pending = new Map<string, PendingRequest>()
  /** Counters of answers over UDP, the oldest first. */
  readonly #answered = new Set<string>()

  constructor(options: AgentRequestsOptions) {
    this.#options = options
  }

  /** Resolves with `ok …`, `err …` or whatever the agent says. Fails with `notConnected`, `overloaded`, `tooLarge` and `requestTimeout`. */
  request(session: AgentSession | undefined, text: string, timeoutMs: number): Promise<string> {
    const { clock, random, send } = this.#options
    const endpoint = session?.endpoint
    if (!session || !endpoint) return Promise.reject(new ClusterError('notConnected', { message: 'The agent is not connected here' }))
    if (this.#pending.size >= limits.agentRequestsMax) return Promise.reject(new ClusterError('overloaded'))
    if (Buffer.byteLength(text) > limits.agentRequestBytesMax) return Promise.reject(new ClusterError('tooLarge'))
    const number = Buffer.from(random.bytes(4)).readUInt32BE()
    const counter = number.toString(16)
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => {
        this.#pending.delete(counter)
        reject(new ClusterError('requestTimeout', { message: `Agent ${agentIdText(session.id)} did not answer in time` }))
      }, timeoutMs)
      this.#pending.set(counter, { session, timer, resolve, reject })
      send(session, managerControl.request(number, text), endpoint)
    })
  }

  take(session: AgentSession, counter: string, answer: string, from: AgentEndpoint): void {
    const pending = this.#pending.get(counter)
    const isOurs = pending?.session === session
    if (from.transport === 'udp' && (isOurs || this.#answered.has(`${session.id} ${counter}`))) {
      this.#remember(`${session.id} ${counter}`)
      this.#options.send(session, managerControl.answerAck(counter), from)
    }
    if (!pending || !isOurs) return
    this.#settle(counter, pending)
    pending.resolve(answer)
  }

  /** The agent is gone. */
  forget(session: AgentSession): void {
    if (this.#pending.size === 0) return
    for (const [counter, pending] of this.#pending)
      if (pending.session === session) this.#fail(counter, pending, new ClusterError('linkLost', { message: 'The agent is gone' }))
  }

  close(): void {
    for (const [counter, pending] of this.#pending) this.#fail(counter, pending, new ClusterError('aborted'))
  }

  #fail(counter: string, pending: PendingRequest, error: ClusterError): void {
    this.#settle(counter, pending)
    pending.reject(error)
  }

  #settle(counter: string, { timer }: PendingRequest): void {
    this.#pending.delete(counter)
    this.#options.clock.clearTimeout(timer)
  }

  #remember(key: string): void {
    this.#answered.add(key)
    const [oldest] = this.#answered
    if (oldest !== undefined && this.#answered.size > limits.agentAnswersRemembered) this.#answered.delete(oldest)
  }
}
