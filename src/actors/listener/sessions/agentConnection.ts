/** One TCP connection of the listener: frames in, messages out, and the times within which it has to do something. */
import type { Deadline, Deadlines, Due } from '../../../base/deadlines.js'
import type { ClusterError } from '../../../base/errors.js'
import { limits } from '../../../base/limits.js'
import type { ByteStream, ByteStreamEvents } from '../../../ports/network.js'
import { AgentFrameReader } from '../../../wire/agents/agentFrames.js'
import type { AgentEndpoint } from './agentEndpoint.js'
import type { AgentSession } from './agentSession.js'

/** What connections need of their listener. */
export interface ConnectionHost {
  readonly clock: { monotonicMs(): number }
  readonly deadlines: Deadlines
  /** Parts of messages of connections that proved nothing, in bytes; see limits.agentUnprovenBytesMax. */
  unprovenBytes: number
  /** The message is valid during the call. False: the connection is to be ended. */
  onMessage(message: Buffer, connection: AgentConnection): boolean
  /** A frame that cannot be one. */
  onBadFrame(error: ClusterError, connection: AgentConnection): void
  /** It took too long, or too much. */
  onGivenUp(reason: string, connection: AgentConnection): void
  /** All of a read was handed over. */
  onReadDone(connection: AgentConnection): void
  onRoom(connection: AgentConnection): void
  onClosed(connection: AgentConnection): void
}

export class AgentConnection implements AgentEndpoint, ByteStreamEvents, Due {
  readonly transport = 'tcp'
  readonly address: string
  /** Agents that sent something over it; one, but for tests and balancers. */
  readonly sessions: AgentSession[] = []
  readonly #host: ConnectionHost
  readonly #stream: ByteStream
  readonly #frames = new AgentFrameReader()
  readonly #openedMs: number
  #readMs: number
  #isPaused = false
  /** Our side is closed as soon as it is read on. */
  #endsWhenRead = false
  /** Since when a message is in part here. */
  #partMs: number | undefined
  #partBytes = 0
  /** Since when the agent reads nothing. */
  #stalledMs: number | undefined
  #unreadBytes = 0
  #endedMs = 0
  /** `ending`: our side is closed, and what comes is still read. `refused`: what comes is thrown away. */
  #state: 'open' | 'ending' | 'refused' | 'closed' = 'open'
  #deadline: Deadline

  constructor(host: ConnectionHost, stream: ByteStream) {
    this.#host = host
    this.#stream = stream
    this.address = stream.remoteAddress
    this.#openedMs = host.clock.monotonicMs()
    this.#readMs = this.#openedMs
    this.#deadline = host.deadlines.add(limits.agentCheckMs, this)
    stream.attach(this)
  }

  get isClosed(): boolean {
    return this.#state !== 'open'
  }

  get isProven(): boolean {
    return this.sessions.length > 0
  }

  get hasRoom(): boolean {
    return this.#stalledMs === undefined
  }

  send(message: Uint8Array): void {
    if (this.#state !== 'open') return
    if (this.#stalledMs !== undefined) {
      // An agent that reads nothing needs no answers: it is let go soon.
      if (this.#unreadBytes + message.byteLength > limits.agentUnreadBytesMax) return
      this.#unreadBytes += message.byteLength
    }
    if (!this.#stream.write([message])) this.#stalledMs ??= this.#host.clock.monotonicMs()
  }

  /**
   * The agent is let go: what it has sent is still read, until it closes its side too. While nothing can be read our side stays open: its
   * clean end would say that all is taken.
   */
  close(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#endedMs = this.#host.clock.monotonicMs()
    this.#lingerAgain()
    if (this.#isPaused) this.#endsWhenRead = true
    else this.#stream.end()
  }

  /** What it sent and sends counts for nothing. */
  refuse(): void {
    if (this.#state === 'refused' || this.#state === 'closed') return
    const wasOpen = this.#state === 'open'
    this.#state = 'refused'
    this.#countPart(0)
    this.#lingerAgain()
    if (wasOpen) this.#stream.end()
  }

  destroy(): void {
    if (this.#state !== 'closed') this.#stream.destroy()
  }

  pause(): void {
    this.#isPaused = true
    this.#stream.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#readMs = this.#host.clock.monotonicMs()
    if (this.#partMs !== undefined) this.#partMs = this.#readMs
    this.#stream.resume()
    if (!this.#endsWhenRead) return
    this.#endsWhenRead = false
    this.#stream.end()
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#state === 'refused' || this.#state === 'closed') return
    this.#frames.append(bytes)
    this.#readMs = this.#host.clock.monotonicMs()
    let count = 0
    for (;;) {
      const frame = this.#frames.next()
      if (!frame.ok) {
        this.#host.onBadFrame(frame.error, this)
        this.refuse()
        break
      }
      if (frame.value === undefined) break
      count += 1
      if (this.#host.onMessage(frame.value, this)) continue
      this.refuse()
      break
    }
    this.#host.onReadDone(this)
    if (this.#state === 'open') this.#notePart(count > 0)
  }

  onDrain(): void {
    this.#stalledMs = undefined
    this.#unreadBytes = 0
    this.#host.onRoom(this)
  }

  /** The agent may be back before our side is closed too. */
  onEnd(): void {
    if (this.#state === 'open') this.#state = 'ending'
  }

  onClosed(): void {
    if (this.#state === 'closed') return
    this.#countPart(0)
    this.#state = 'closed'
    this.#host.deadlines.remove(this.#deadline)
    this.#host.onClosed(this)
  }

  due(): void {
    if (this.#state === 'closed') return
    if (this.#state === 'refused' || (this.#state === 'ending' && this.#isDry())) {
      this.#stream.destroy()
      return
    }
    const reason = this.#state === 'open' ? this.#overdue() : undefined
    if (reason !== undefined) {
      this.#host.onGivenUp(reason, this)
      // The agent's own end of the connection would wait for it for long.
      this.#stream.destroy()
    } else if (this.#state === 'open') this.#deadline = this.#host.deadlines.add(limits.agentCheckMs, this)
    else this.#lingerAgain()
  }

  /** Nothing is under way to us any more, or there is no end to it. */
  #isDry(): boolean {
    const nowMs = this.#host.clock.monotonicMs()
    return nowMs - this.#readMs >= limits.agentLingerMsMax || nowMs - this.#endedMs >= limits.agentStallMsMax
  }

  #lingerAgain(): void {
    this.#host.deadlines.remove(this.#deadline)
    this.#deadline = this.#host.deadlines.add(limits.agentLingerMsMax, this)
  }

  #overdue(): string | undefined {
    const nowMs = this.#host.clock.monotonicMs()
    if (this.#stalledMs !== undefined && nowMs - this.#stalledMs >= limits.agentStallMsMax) return 'it reads nothing'
    if (!this.isProven && nowMs - this.#openedMs >= limits.agentFirstMessageMsMax) return 'it sent no message of an agent in time'
    if (this.#partMs !== undefined && nowMs - this.#partMs >= limits.agentMessageMsMax) return 'its message did not become whole in time'
    return nowMs - this.#readMs >= limits.agentIdleMsMax ? 'it was silent for too long' : undefined
  }

  #notePart(isAnyWhole: boolean): void {
    const { waiting } = this.#frames
    if (waiting === 0) this.#partMs = undefined
    else if (isAnyWhole || this.#partMs === undefined) this.#partMs = this.#readMs
    this.#countPart(this.isProven ? 0 : waiting)
    if (this.#host.unprovenBytes <= limits.agentUnprovenBytesMax || this.isProven) return
    this.#host.onGivenUp('too many bytes wait of connections that are of no agent', this)
    this.refuse()
  }

  #countPart(bytes: number): void {
    this.#host.unprovenBytes += bytes - this.#partBytes
    this.#partBytes = bytes
  }
}
