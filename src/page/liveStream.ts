/** Keeps the stream of the node open: reopens it after a failure, drops one that is silent, rests while nobody sees the page. */
import type { StreamMessage } from '../domain/api/overview/streamMessage.js'
import { EventStreamParser, type ServerEvent } from './eventStreamParser.js'
import { type StreamLife, silentMsMax } from './freshness.js'
import { ServiceError } from './serviceError.js'

export interface PageClock {
  /** Milliseconds of a clock that never jumps. */
  now(): number
  /** Resolves after that time, or when the signal is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>
}

export interface LiveStreamOptions {
  /** Opens the stream behind the event of that id. */
  readonly open: (after: number, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>
  readonly clock: PageClock
  readonly onMessage: (message: StreamMessage) => void
  /** What `life` is has changed. */
  readonly onLife: () => void
  /** Any request of the session: one that is not used ends. */
  readonly useSession: () => Promise<void>
}

/** Much less than a session lives unused; while nobody sees the page it is not used. */
export const sessionUseMs = 300_000

const retryMsMin = 1_000
const retryMsMax = 10_000

/** How long to wait before the stream is opened again. */
export const retryMs = (failures: number): number => Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures, 10))

/** Undefined for a name that a newer service has. Throws where the data is not JSON. */
const messageOf = ({ data, name }: ServerEvent): StreamMessage | undefined => {
  const value = JSON.parse(data)
  if (name === 'overview') return { kind: name, overview: value }
  if (name === 'event') return { kind: name, event: value }
  if (name === 'problem') return { kind: name, code: value.code, message: value.message }
  return name === 'alive' ? { kind: name, nowMs: value.nowMs } : undefined
}

const reasonOf = (error: unknown): string => (error instanceof ServiceError ? error.message : 'The node does not answer.')

export class LiveStream {
  readonly #options: LiveStreamOptions
  #life: StreamLife = { kind: 'paused' }
  #running: AbortController | undefined
  #attempt: AbortController | undefined
  #receivedMs = 0
  #usedMs = 0
  #lastEventId = 0

  constructor(options: LiveStreamOptions) {
    this.#options = options
  }

  get life(): StreamLife {
    return this.#life
  }

  start(): void {
    if (this.#running) return
    this.#running = new AbortController()
    void this.#run(this.#running.signal)
  }

  /** Until it is started again. */
  pause(): void {
    this.#stop({ kind: 'paused' })
  }

  /** Until somebody signed in and it is started again. */
  signOut(): void {
    this.#stop({ kind: 'signedOut' })
  }

  /** To be called now and then: drops a stream that says nothing, whose other end may be gone without a word, and uses the session. */
  check(): void {
    if (this.#life.kind !== 'open') return
    const nowMs = this.#options.clock.now()
    if (nowMs - this.#receivedMs > silentMsMax) this.#attempt?.abort()
    if (nowMs - this.#usedMs < sessionUseMs) return
    this.#usedMs = nowMs
    // What is wrong with the service, the stream shows.
    this.#options.useSession().catch(() => undefined)
  }

  #stop(life: StreamLife): void {
    this.#running?.abort()
    this.#running = undefined
    this.#lives(life)
  }

  #lives(life: StreamLife): void {
    this.#life = life
    this.#options.onLife()
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#lives({ kind: 'connecting' })
    let failures = 0
    while (!signal.aborted) {
      const beganMs = this.#receivedMs
      const reason = await this.#attempted(signal)
      if (signal.aborted) return
      failures = this.#receivedMs > beganMs ? 0 : failures + 1
      this.#lives({ kind: 'broken', reason })
      await this.#options.clock.pause(retryMs(failures), signal)
    }
  }

  /** Why the stream ended. */
  async #attempted(signal: AbortSignal): Promise<string> {
    this.#attempt = new AbortController()
    try {
      const body = await this.#options.open(this.#lastEventId, AbortSignal.any([signal, this.#attempt.signal]))
      this.#receivedMs = this.#options.clock.now()
      this.#usedMs = this.#receivedMs
      this.#lives({ kind: 'open' })
      await this.#read(body.getReader())
      return 'The node closed the connection.'
    } catch (error) {
      if (!signal.aborted && error instanceof ServiceError && error.status === 401) this.signOut()
      return this.#attempt.signal.aborted ? 'The node says nothing.' : reasonOf(error)
    }
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const parser = new EventStreamParser()
    const decoder = new TextDecoder()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      this.#receivedMs = this.#options.clock.now()
      for (const event of parser.push(decoder.decode(value, { stream: true }))) this.#received(event)
    }
  }

  #received(event: ServerEvent): void {
    const message = messageOf(event)
    if (!message) return
    if (message.kind === 'event') this.#lastEventId = message.event.id
    this.#options.onMessage(message)
  }
}
