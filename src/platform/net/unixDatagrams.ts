/** Datagrams to another program of the machine, through a Unix socket that it may open, close and open again at any time. */
import { lstatSync } from 'node:fs'
import { limits } from '../../base/limits.js'
import type { LocalDatagrams } from '../../ports/listener.js'
import type { Clock } from '../../ports/machine.js'
import { connectUnixDatagrams, type UnixDatagramSocket } from './unixSockets.js'

const isFull = (error: string): boolean => error === 'EAGAIN' || error === 'EWOULDBLOCK' || error === 'ENOBUFS' || error === 'ENOMEM'
/** Nobody reads: not a mistake, and not worth a line. */
const isAbsent = (error: string): boolean => error === 'ENOENT' || error === 'ECONNREFUSED'

const reasons: Readonly<Record<string, string>> = {
  EPROTOTYPE: 'it is a socket of another kind',
  EACCES: 'this program may not write to it',
  EMSGSIZE: 'a message is too long for it',
}

/** What is at the path that cannot be a reader's socket. */
const obstacleAt = (path: string): string | undefined => {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found || found.isSocket()) return undefined
  return found.isSymbolicLink() ? 'it is a link' : 'it is not a socket'
}

class ReaderSocket implements LocalDatagrams {
  readonly #path: string
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #onProblem: (sentence: string) => void
  #socket: UnixDatagramSocket | undefined
  #triedAtMs = Number.NEGATIVE_INFINITY
  #problem = ''
  #isClosed = false

  constructor(path: string, clock: Pick<Clock, 'monotonicMs'>, onProblem: (sentence: string) => void) {
    this.#path = path
    this.#clock = clock
    this.#onProblem = onProblem
  }

  send(bytes: Uint8Array): 'sent' | 'full' | 'absent' {
    const isNew = this.#socket === undefined
    const socket = this.#socket ?? this.#connectSometimes()
    if (!socket) return 'absent'
    const outcome = socket.send(bytes)
    if (outcome === 'sent') return 'sent'
    if (isFull(outcome)) return 'full'
    // The reader may have been started again meanwhile.
    this.#disconnect()
    if (isNew || !isAbsent(outcome)) return this.#absent(outcome)
    this.#triedAtMs = Number.NEGATIVE_INFINITY
    return this.send(bytes)
  }

  close(): void {
    this.#isClosed = true
    this.#disconnect()
  }

  #connectSometimes(): UnixDatagramSocket | undefined {
    const nowMs = this.#clock.monotonicMs()
    if (this.#isClosed || nowMs - this.#triedAtMs < limits.readerRetryMs) return undefined
    this.#triedAtMs = nowMs
    const connected = this.#connect()
    if (typeof connected === 'string') this.#absent(connected)
    else {
      this.#socket = connected
      this.#problem = ''
    }
    return this.#socket
  }

  #connect(): UnixDatagramSocket | string {
    try {
      return obstacleAt(this.#path) ?? connectUnixDatagrams(this.#path, limits.readerSendBytes)
    } catch (thrown) {
      return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown)
    }
  }

  #absent(error: string): 'absent' {
    if (isAbsent(error) || error === this.#problem) return 'absent'
    this.#problem = error
    this.#onProblem(`Events cannot be sent to ${this.#path}: ${reasons[error] ?? error}`)
    return 'absent'
  }

  #disconnect(): void {
    this.#socket?.close()
    this.#socket = undefined
  }
}

/** `onProblem` gets one sentence for each thing that is wrong, other than that nobody reads. */
export const openLocalDatagrams = (
  path: string,
  clock: Pick<Clock, 'monotonicMs'>,
  onProblem: (sentence: string) => void,
): LocalDatagrams => new ReaderSocket(path, clock, onProblem)
