/** Answer lines into a socket: gathered into few writes, held back while the client does not read, cut off when it never does. */
import type { Socket } from 'node:net'
import { ClusterError } from '../base/errors.js'
import type { AnswerLine } from '../domain/queries/answerLine.js'

/** Small enough to be written between two other things that the daemon does. */
const batchChars = 32 * 1024

export class ControlWriter {
  readonly #socket: Socket
  readonly #stallMsMax: number
  #batch = ''
  #scheduled: NodeJS.Immediate | undefined

  constructor(socket: Socket, stallMsMax: number) {
    this.#socket = socket
    this.#stallMsMax = stallMsMax
  }

  /** True: wait for `flush` before adding more. */
  get isFull(): boolean {
    return this.#batch.length >= batchChars
  }

  /** Is sent with the lines added in the same turn, unless the client is behind. */
  add(line: AnswerLine): void {
    this.#batch += `${JSON.stringify(line)}\n`
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined
      if (!this.#socket.writableNeedDrain) this.#send()
    })
  }

  /** Resolves when the client has taken enough for more to be added. Fails with `linkClosed` when it takes nothing or went away. */
  async flush(): Promise<void> {
    if (this.#socket.writableNeedDrain) await this.#once('drain')
    this.#send()
    if (this.#socket.writableNeedDrain) await this.#once('drain')
    // An answer that never waits must not keep the daemon from everything else.
    else await new Promise((resolve) => setImmediate(resolve))
  }

  /** Sends the rest and says that it was the last. */
  async end(): Promise<void> {
    if (this.#socket.destroyed) return
    this.#send()
    this.#socket.end()
    if (!this.#socket.writableFinished) await this.#once('finish')
  }

  #send(): void {
    clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    const batch = this.#batch
    this.#batch = ''
    if (batch !== '' && this.#socket.writable) this.#socket.write(batch)
  }

  #once(event: 'drain' | 'finish'): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      const settle = (error?: ClusterError): void => {
        clearTimeout(stall)
        socket.off(event, onEvent).off('close', onClose)
        if (error) reject(error)
        else resolve()
      }
      const onEvent = (): void => settle()
      const onClose = (): void => settle(new ClusterError('linkClosed', { message: 'The local client went away' }))
      const stall = setTimeout(() => {
        settle(new ClusterError('linkClosed', { message: 'The local client stopped reading' }))
        socket.destroy()
      }, this.#stallMsMax)
      if (socket.destroyed) onClose()
      else socket.on(event, onEvent).on('close', onClose)
    })
  }
}
