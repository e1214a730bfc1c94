/**
 * One process of the program that carries out requests in Wazuh's framework (python/muster_api_bridge.py), from its start to its end.
 * Requests have numbers, so that one may wait for another; an answer stays in the program until it is read here.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { ClusterError } from '../../base/errors.js'
import { visibleLine } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import type { CarriedAnswer } from '../../ports/manager.js'
import { type BridgeFrame, BridgeFrameReader, bridgeAsks, bridgeFrameHead } from '../../wire/wazuh/bridgeFrames.js'
import { BridgeRequest } from './bridgeRequest.js'

export interface BridgeProcessOptions {
  /** The interpreter, and the program. */
  readonly python: string
  readonly script: string
  readonly home: string
  /** Until it is killed when it does not end what it is to drop. */
  readonly dropMsMax: number
  /** A line that it wrote to its standard error, without its end. */
  onLine(line: string): void
  /** Once, when it has ended, and why. */
  onEnd(reason: string): void
}

export class BridgeProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #reader = new BridgeFrameReader()
  readonly #requests = new Map<number, BridgeRequest>()
  /** Nobody waits for these any more, and the program has not said yet that they ended. */
  readonly #dropped = new Map<number, NodeJS.Timeout>()
  readonly #startDeadline: NodeJS.Timeout
  readonly #ended: Promise<void>
  readonly ready: Promise<void>
  #isReady: { resolve(): void; reject(error: ClusterError): void } | undefined
  /** Why we ended it. */
  #reason: string | undefined
  readonly #dropMsMax: number
  #lastNumber = 0
  #lastLine = ''

  constructor({ dropMsMax, home, onEnd, onLine, python, script }: BridgeProcessOptions) {
    this.#dropMsMax = dropMsMax
    this.ready = new Promise((resolve, reject) => {
      this.#isReady = { resolve, reject }
    })
    this.ready.catch(() => undefined)
    // A session of its own: what is typed at our terminal is not for it, and its children can be ended with it.
    this.#child = spawn(python, ['-I', '-B', script, String(limits.carriedBytesMax)], { cwd: home, detached: true, stdio: 'pipe' })
    this.#startDeadline = setTimeout(() => this.#kill(`did not start within ${limits.bridgeStartMsMax / 1_000} s`), limits.bridgeStartMsMax)
    this.#child.stdout.on('data', (bytes: Buffer) => this.#onBytes(bytes))
    eachLine(this.#child.stderr, (line) => {
      this.#lastLine = visibleLine(line)
      onLine(this.#lastLine)
    })
    // It may be gone before all of it is written.
    this.#child.stdin.on('error', () => undefined)
    this.#ended = new Promise((resolve) => {
      const end = (how: string): void => {
        const reason = this.#reason ?? (this.#lastLine === '' ? how : `${how} (${this.#lastLine})`)
        this.#onEnd(reason)
        onEnd(reason)
        resolve()
      }
      this.#child.once('error', (error) => end(`could not be started: ${error.message}`))
      // What it has started goes with it.
      this.#child.once('exit', () => this.#killGroup())
      this.#child.once('close', (code, signal) => end(code === null ? `was ended by ${signal}` : `ended with code ${code}`))
    })
  }

  /** What takes one of its places. */
  get open(): number {
    return this.#requests.size + this.#dropped.size
  }

  /** Once it is ready. See ApiBridge. */
  run(request: Uint8Array, signal: AbortSignal): Promise<CarriedAnswer> {
    signal.throwIfAborted()
    this.#lastNumber += 1
    const number = this.#lastNumber
    const asked = new BridgeRequest({
      signal,
      more: () => this.#send(number, bridgeAsks.more),
      over: (isWhole) => {
        this.#requests.delete(number)
        if (!isWhole) this.#drop(number)
      },
    })
    this.#requests.set(number, asked)
    this.#send(number, bridgeAsks.run, request)
    return asked.answer
  }

  /** Ends with its standard input, or is killed a little later. */
  async close(): Promise<void> {
    this.#reason ??= 'was stopped'
    this.#child.stdin.end()
    const deadline = setTimeout(() => this.#kill('did not stop'), limits.bridgeStopMsMax)
    await this.#ended
    clearTimeout(deadline)
  }

  #send(number: number, kind: number, payload?: Uint8Array): void {
    this.#child.stdin.write(bridgeFrameHead(number, kind, payload?.byteLength ?? 0))
    if (payload && payload.byteLength > 0) this.#child.stdin.write(payload)
  }

  #drop(number: number): void {
    this.#send(number, bridgeAsks.drop)
    const seconds = this.#dropMsMax / 1_000
    this.#dropped.set(
      number,
      setTimeout(() => this.#kill(`hangs: it did not end a request within ${seconds} s`), this.#dropMsMax),
    )
  }

  #onBytes(bytes: Buffer): void {
    if (this.#reason !== undefined) return
    this.#reader.append(bytes)
    let next = this.#reader.next()
    for (; next.ok && next.value; next = this.#reader.next()) this.#onFrame(next.value)
    if (!next.ok) this.#kill(`wrote what is no frame: ${next.error.message}`)
  }

  #onFrame(frame: BridgeFrame): void {
    if (frame.kind === 'ready') {
      clearTimeout(this.#startDeadline)
      this.#isReady?.resolve()
      return
    }
    const asked = this.#requests.get(frame.number)
    if (frame.kind === 'gone') {
      clearTimeout(this.#dropped.get(frame.number))
      this.#dropped.delete(frame.number)
    } else if (frame.kind === 'chunk') asked?.onChunk(frame.chunk)
    else asked?.onAnswer(frame)
  }

  #kill(reason: string): void {
    this.#reason ??= reason
    this.#killGroup()
  }

  #killGroup(): void {
    const { pid } = this.#child
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch {
      this.#child.kill('SIGKILL')
    }
  }

  #onEnd(reason: string): void {
    clearTimeout(this.#startDeadline)
    for (const timer of this.#dropped.values()) clearTimeout(timer)
    this.#dropped.clear()
    const error = bridgeEnded(reason)
    this.#isReady?.reject(error)
    for (const asked of [...this.#requests.values()]) asked.fail(error)
    this.#requests.clear()
  }
}

export const bridgeEnded = (reason: string): ClusterError =>
  new ClusterError('managerFailed', { message: `The program that carries out requests in Wazuh's framework ${reason}` })

/** Lines as they come; what is over the bound of a line is left out. */
const eachLine = (stream: NodeJS.ReadableStream, onLine: (line: string) => void): void => {
  let line = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const pieces = text.split('\n')
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) {
        if (line.trim() !== '') onLine(line)
        line = ''
      }
      line += piece.slice(0, limits.bridgeLineCharsMax - line.length)
    }
  })
  stream.on('end', () => {
    if (line.trim() !== '') onLine(line)
  })
}
