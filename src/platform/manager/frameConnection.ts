/**
 * A connection to a daemon of a real manager that is asked by frames: one question at a time, one answer each. It is made when it is needed
 * and kept; after any trouble it is closed, so that no late answer is ever taken for that of the next question.
 */
import { connect, type Socket } from 'node:net'
import { ClusterError } from '../../base/errors.js'
import { LengthFrameReader, lengthFrame } from '../../wire/wazuh/lengthFrames.js'
import { asDaemonFailure, askingStopped, connectionFailed, type DaemonName, daemonFailed } from './managerFailure.js'
import { managerSocket } from './managerSocket.js'

export interface FrameConnectionOptions {
  readonly home: string
  readonly name: DaemonName
  readonly answerBytesMax: number
  readonly answerMsMax: number
  /** A connection that is not used for this long is closed. */
  readonly idleMsMax: number
}

interface Question {
  readonly answer: (payload: Buffer) => void
  readonly fail: (error: ClusterError) => void
}

export class FrameConnection {
  readonly #options: FrameConnectionOptions
  #socket: Socket | undefined
  #reader: LengthFrameReader
  #question: Question | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(options: FrameConnectionOptions) {
    this.#options = options
    this.#reader = new LengthFrameReader(options.answerBytesMax)
  }

  /** Not while another question waits. Fails with `managerFailed` and `aborted`. */
  ask(payload: Uint8Array, signal: AbortSignal): Promise<Buffer> {
    const { answerMsMax, name } = this.#options
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(askingStopped(name))
      clearTimeout(this.#idle)
      const settle = (finish: () => void): void => {
        clearTimeout(deadline)
        signal.removeEventListener('abort', onAbort)
        this.#question = undefined
        finish()
      }
      const question: Question = {
        answer: (answer) => settle(() => resolve(answer)),
        fail: (error) => {
          settle(() => reject(error))
          this.close()
        },
      }
      const onAbort = (): void => question.fail(askingStopped(name))
      const deadline = setTimeout(() => question.fail(daemonFailed(name, `did not answer within ${answerMsMax / 1_000} s`)), answerMsMax)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#question = question
      try {
        this.#opened().write(lengthFrame(payload))
      } catch (thrown) {
        question.fail(thrown instanceof ClusterError ? thrown : connectionFailed(name, thrown))
      }
    })
  }

  close(): void {
    clearTimeout(this.#idle)
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #opened(): Socket {
    const { answerBytesMax, home, name } = this.#options
    if (this.#socket) {
      this.#socket.ref()
      return this.#socket
    }
    const socket = connect(managerSocket(home, name))
    this.#socket = socket
    this.#reader = new LengthFrameReader(answerBytesMax)
    const isCurrent = (): boolean => this.#socket === socket
    const lose = (error: ClusterError): void => {
      if (!isCurrent()) return
      this.#socket = undefined
      socket.destroy()
      this.#question?.fail(error)
    }
    socket.on('data', (bytes: Buffer) => {
      if (isCurrent()) this.#onBytes(bytes)
    })
    socket.on('error', (thrown) => lose(connectionFailed(name, thrown)))
    socket.on('end', () => lose(daemonFailed(name, 'closed the connection')))
    socket.on('close', () => lose(daemonFailed(name, 'closed the connection')))
    return socket
  }

  #onBytes(bytes: Buffer): void {
    // Nobody asked: whatever it is, it belongs to no question of ours.
    if (!this.#question) {
      this.close()
      return
    }
    try {
      this.#reader.append(bytes)
      const answer = this.#reader.next()
      if (!answer) return
      if (this.#reader.isWithin) this.close()
      else this.#rest()
      this.#question.answer(answer)
    } catch (thrown) {
      if (!(thrown instanceof ClusterError)) throw thrown
      this.#question.fail(asDaemonFailure(this.#options.name, thrown))
    }
  }

  /** It does not keep the process from its end. */
  #rest(): void {
    this.#socket?.unref()
    this.#idle = setTimeout(() => this.close(), this.#options.idleMsMax)
    this.#idle.unref()
  }
}
