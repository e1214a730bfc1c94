/**
 * Pushes of merged.mg: a header, chunks, an end, each a message. Agents take turns, a few at the same time, each as fast as its socket
 * takes it; what else the listener has to do comes between two turns.
 */
import { limits } from '../../../base/limits.js'
import { mergedName } from '../../../domain/agents/mergedFile.js'
import type { Clock } from '../../../ports/machine.js'
import { managerControl } from '../../../wire/agents/controlMessage.js'
import { pushPieceEnd } from '../../../wire/agents/sharedPush.js'
import type { AgentEndpoint } from '../sessions/agentEndpoint.js'
import type { MergedContent, MergedContents } from './mergedContents.js'
import type { WantingAgent } from './wantedConfigurations.js'

/** An agent that can get a file. */
export interface PushedAgent extends WantingAgent {
  readonly endpoint: AgentEndpoint | undefined
  push: MergedPush | undefined
}

export interface MergedPush {
  readonly content: MergedContent
  /** It goes on only there. */
  readonly endpoint: AgentEndpoint
  /** Bytes that are sent; -1: not even the header. */
  at: number
  /** Datagrams since the last pause, and when that one is over. */
  burst: number
  resumesAtMs: number
}

export interface PushesOptions<Agent extends PushedAgent> {
  readonly clock: Clock
  readonly contents: MergedContents
  send(agent: Agent, text: Uint8Array): void
  /** It cannot be pushed: the file cannot be read, or holds what agents cannot take. */
  onFailure(agent: Agent, reason: unknown): void
}

export class MergedPushes<Agent extends PushedAgent> {
  readonly #options: PushesOptions<Agent>
  /** In the order of their turns. */
  readonly #active = new Set<Agent>()
  readonly #waiting = new Set<Agent>()
  #timer: unknown
  #firesAtMs = Number.POSITIVE_INFINITY

  constructor(options: PushesOptions<Agent>) {
    this.#options = options
  }

  get size(): number {
    return this.#active.size + this.#waiting.size
  }

  /** The agent gets what it is to have; one that is getting it already gets it to the end. */
  start(agent: Agent): void {
    if (this.#waiting.has(agent)) return
    if (agent.push && agent.push.endpoint === agent.endpoint && agent.push.content.sum === agent.wanted?.sum) return
    this.cancel(agent)
    this.#waiting.add(agent)
    this.#arm(0)
  }

  cancel(agent: Agent): void {
    this.#waiting.delete(agent)
    if (!agent.push) return
    this.#active.delete(agent)
    this.#options.contents.giveBack(agent.push.content)
    agent.push = undefined
  }

  /** Its socket has room again. */
  wake(agent: Agent): void {
    if (agent.push) this.#arm(0)
  }

  close(): void {
    for (const agent of [...this.#active, ...this.#waiting]) this.cancel(agent)
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(inMs: number): void {
    const { clock } = this.#options
    const atMs = clock.monotonicMs() + inMs
    if (atMs >= this.#firesAtMs) return
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#firesAtMs = atMs
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined
      this.#firesAtMs = Number.POSITIVE_INFINITY
      this.#turn()
    }, inMs)
  }

  #turn(): void {
    this.#admit()
    const nowMs = this.#options.clock.monotonicMs()
    let left = limits.agentPushTurnMessages
    let resumesAtMs = this.#canAdmit() ? nowMs : Number.POSITIVE_INFINITY
    for (const agent of [...this.#active]) {
      if (left > 0) left -= this.#advance(agent, Math.min(left, limits.agentPushAgentMessages), nowMs)
      const { push } = agent
      if (!push) continue
      // Behind the others.
      this.#active.delete(agent)
      this.#active.add(agent)
      if (push.endpoint.hasRoom) resumesAtMs = Math.min(resumesAtMs, Math.max(nowMs, push.resumesAtMs))
    }
    if (resumesAtMs < Number.POSITIVE_INFINITY) this.#arm(resumesAtMs - nowMs)
  }

  #canAdmit(): boolean {
    return this.#waiting.size > 0 && this.#active.size < limits.agentPushesMax
  }

  #admit(): void {
    for (const agent of this.#waiting) {
      if (this.#active.size >= limits.agentPushesMax) return
      if (!this.#begin(agent)) return
      this.#waiting.delete(agent)
    }
  }

  /** False: there is no room for its content now. */
  #begin(agent: Agent): boolean {
    const { contents, onFailure } = this.#options
    const { endpoint, wanted } = agent
    if (!endpoint || endpoint.isClosed || !wanted || wanted.sum === '') return true
    try {
      const content = contents.take(wanted.path, wanted.sum)
      if (content === 'full') return this.#active.size === 0
      if (content === 'missing') return true
      if (content.refusal) {
        contents.giveBack(content)
        onFailure(agent, content.refusal)
        return true
      }
      // The file is another one by now: what is wanted is asked for again.
      if (content.sum !== wanted.sum) agent.wantedState = 0
      agent.push = { content, endpoint, at: -1, burst: 0, resumesAtMs: 0 }
      this.#active.add(agent)
    } catch (thrown) {
      onFailure(agent, thrown)
    }
    return true
  }

  /** Returns how many messages were sent. */
  #advance(agent: Agent, max: number, nowMs: number): number {
    let sent = 0
    for (let push = agent.push; push && sent < max; push = agent.push) {
      const { endpoint } = push
      if (endpoint.isClosed || agent.endpoint !== endpoint) {
        this.cancel(agent)
        break
      }
      if (!endpoint.hasRoom || push.resumesAtMs > nowMs) break
      this.#sendNext(agent, push)
      sent += 1
      push.burst += 1
      if (endpoint.transport === 'udp' && push.burst >= limits.agentDatagramBurst) {
        push.burst = 0
        push.resumesAtMs = nowMs + limits.agentDatagramPauseMs
      }
    }
    return sent
  }

  #sendNext(agent: Agent, push: MergedPush): void {
    const { send } = this.#options
    const { bytes, sum } = push.content
    if (push.at < 0) {
      push.at = 0
      send(agent, managerControl.pushStart(sum, mergedName))
    } else if (push.at < bytes.length) {
      const end = pushPieceEnd(bytes, push.at)
      send(agent, bytes.subarray(push.at, end))
      push.at = end
    } else {
      send(agent, managerControl.pushEnd())
      this.cancel(agent)
    }
  }
}
