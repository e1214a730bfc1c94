/**
 * One conversation on the local socket: a request comes, its answer goes, line by line, no faster than the client takes it.
 * A client gets one request per connection; whatever goes wrong is the last line of its answer.
 */
import type { Socket } from 'node:net'
import { asClusterError, ClusterError, isCrash } from '../base/errors.js'
import type { AnswerLine } from '../domain/queries/answerLine.js'
import { type ControlRequest, parseControlRequest } from '../domain/queries/controlRequest.js'
import type { Log } from '../ports/machine.js'
import { ControlWriter } from './controlWriter.js'

export interface ControlLimits {
  readonly controlRequestBytesMax: number
  readonly controlConnectionsMax: number
  readonly controlRequestMsMax: number
  readonly controlStallMsMax: number
}

/**
 * Yields the lines of the answer, the last being `{kind: 'end'}` or `{kind: 'error'}`; ending without either is reported to
 * the client as an error, so that half an answer never passes for a whole one. `signal` aborts when nobody listens any more.
 */
export type Answer = (request: ControlRequest, signal: AbortSignal) => AsyncIterable<AnswerLine>

const newline = 10
/** For the client to close after the last line, and for a stopping daemon to get its last line out. */
const lingerMs = 1_000
const stopLingerMs = 300

export class ControlConnection {
  readonly #socket: Socket
  readonly #limits: ControlLimits
  readonly #log: Log
  readonly #stop = new AbortController()
  readonly #closed: Promise<void>

  constructor(socket: Socket, limits: ControlLimits, log: Log) {
    this.#socket = socket
    this.#limits = limits
    this.#log = log
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.once('close', () => this.#stop.abort(new ClusterError('linkClosed', { message: 'The local client went away' })))
    // 'close' follows and is what counts; a client that goes away in the middle is not the daemon's fault.
    socket.on('error', (error) => log.debug(`A local client was lost: ${error.message}`))
  }

  /** Resolves when the socket is closed; never rejects. */
  async serve(answer: Answer): Promise<void> {
    const writer = new ControlWriter(this.#socket, this.#limits.controlStallMsMax)
    try {
      await this.#converse(answer, writer)
    } catch (thrown) {
      const error = asClusterError(thrown)
      if (isCrash(error)) this.#log.error(`A local query failed: ${error.message}`)
      else this.#log.debug(`A local query was not answered: ${error.message}`)
      writer.add({ kind: 'error', code: error.code, number: error.number, message: error.message })
    }
    await this.#finish(writer)
  }

  /** Answers nothing but the refusal. */
  async refuse(error: ClusterError): Promise<void> {
    const writer = new ControlWriter(this.#socket, this.#limits.controlStallMsMax)
    writer.add({ kind: 'error', code: error.code, number: error.number, message: error.message })
    this.#socket.resume()
    await this.#finish(writer)
  }

  /** Ends the conversation with a last line, at once or, if the client does not take it, a moment later. */
  stop(): void {
    this.#stop.abort(new ClusterError('peerStopping', { message: 'wazuh-clusterd is stopping' }))
    this.#destroyAfter(stopLingerMs)
  }

  async #converse(answer: Answer, writer: ControlWriter): Promise<void> {
    const request = parseControlRequest(await this.#request())
    if (!request.ok) throw request.error
    this.#log.debug(`Answering the query '${request.value.kind}' of a local client.`)
    const lines = answer(request.value, this.#stop.signal)[Symbol.asyncIterator]()
    const abort = new AbortHook(this.#stop.signal)
    try {
      for (;;) {
        const next = await abort.before(lines.next())
        if (next.done) throw new ClusterError('internal', { message: 'The answer broke off' })
        writer.add(next.value)
        if (next.value.kind === 'end' || next.value.kind === 'error') return
        if (writer.isFull) await abort.before(writer.flush())
      }
    } finally {
      abort.release()
      // Not awaited: what still runs in there may not listen to its signal.
      lines.return?.().catch((error: unknown) => this.#log.debug(`An answer did not end cleanly: ${asClusterError(error).message}`))
    }
  }

  /** The first line that the client sends; whatever follows it is read, so that the client's going away is seen, and thrown away. */
  #request(): Promise<string> {
    const { controlRequestBytesMax: bytesMax, controlRequestMsMax: msMax } = this.#limits
    return new Promise((resolve, reject) => {
      const parts: Uint8Array[] = []
      let bytes = 0
      let complete = false
      const silence = setTimeout(
        () => settle(() => reject(new ClusterError('requestTimeout', { message: `No query came within ${msMax / 1_000} s` }))),
        msMax,
      )
      const settle = (decide: () => void): void => {
        complete = true
        clearTimeout(silence)
        decide()
      }
      this.#stop.signal.addEventListener('abort', () => settle(() => reject(this.#stop.signal.reason)), { once: true })
      this.#socket.on('data', (chunk: Buffer) => {
        if (complete) return
        const end = chunk.indexOf(newline)
        const part = end < 0 ? chunk : chunk.subarray(0, end)
        bytes += part.length
        if (bytes > bytesMax) settle(() => reject(new ClusterError('tooLarge', { message: `The query is longer than ${bytesMax} bytes` })))
        else if (end < 0) parts.push(part)
        else settle(() => resolve(Buffer.concat([...parts, part]).toString('utf8')))
      })
    })
  }

  async #finish(writer: ControlWriter): Promise<void> {
    try {
      await writer.end()
    } catch (error) {
      this.#log.debug(`A local client did not take its answer: ${asClusterError(error).message}`)
      this.#socket.destroy()
    }
    this.#destroyAfter(lingerMs)
    await this.#closed
  }

  #destroyAfter(ms: number): void {
    if (this.#socket.destroyed) return
    const timer = setTimeout(() => this.#socket.destroy(), ms)
    this.#socket.once('close', () => clearTimeout(timer))
  }
}

/** Waits for one promise after the other, or for the signal, without leaving a reaction on the signal for each. */
class AbortHook {
  readonly #signal: AbortSignal
  readonly #onAbort = (): void => this.#reject?.(this.#signal.reason)
  #reject: ((reason: unknown) => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort)
  }

  before<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject
      promise.then(resolve, reject)
      if (this.#signal.aborted) reject(this.#signal.reason)
    })
  }

  release(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
  }
}
