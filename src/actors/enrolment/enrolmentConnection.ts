/**
 * One connection to the enrolment service after its handshake: a plain object on deadlines. It reads one line, gives one answer in one
 * piece, and closes.
 */
import type { Deadline, Deadlines, Due } from '../../base/deadlines.js'
import { limits } from '../../base/limits.js'
import type { TlsStream } from '../../ports/network.js'
import { LineBuffer } from '../../wire/enrolment/lineBuffer.js'

/** What a connection needs of its service. */
export interface ConnectionOwner {
  /** Called once, when the request is whole; never rejects. */
  answer(line: string, connection: EnrolmentConnection): Promise<Uint8Array>
  /** The request was not whole in time, or never will be. */
  unread(connection: EnrolmentConnection, why: string): void
  /** Once, and last. */
  closed(connection: EnrolmentConnection): void
}

export class EnrolmentConnection implements Due {
  readonly address: string
  readonly #stream: TlsStream
  readonly #deadlines: Deadlines
  readonly #owner: ConnectionOwner
  #deadline: Deadline | undefined
  #state: 'reading' | 'asking' | 'ending' | 'closed' = 'reading'
  #line: LineBuffer | undefined = new LineBuffer(limits.enrolmentLineBytesMax)
  #ignoredBytes = 0

  constructor(stream: TlsStream, deadlines: Deadlines, owner: ConnectionOwner) {
    this.address = stream.remoteAddress
    this.#stream = stream
    this.#deadlines = deadlines
    this.#owner = owner
    this.#deadline = deadlines.add(limits.enrolmentRequestMsMax, this)
    stream.attach({
      onBytes: (bytes) => this.#take(bytes),
      onDrain: () => {},
      onClosed: () => this.#closed(),
    })
  }

  due(): void {
    this.#deadline = undefined
    if (this.#state === 'reading') this.#owner.unread(this, 'it did not send its request in time')
    this.destroy()
  }

  destroy(): void {
    this.#stream.destroy()
  }

  #take(bytes: Uint8Array): void {
    if (!this.#line) {
      this.#ignore(bytes)
      return
    }
    const gathered = this.#line.add(bytes)
    if (gathered.kind === 'partial') return
    this.#line = undefined
    this.#forgetDeadline()
    if (gathered.kind === 'line') {
      this.#state = 'asking'
      void this.#answer(gathered.line)
      return
    }
    this.#owner.unread(this, 'its request is too long')
    this.#end()
  }

  /** What follows the request is nobody's; a peer that never stops is cut off. */
  #ignore(bytes: Uint8Array): void {
    this.#ignoredBytes += bytes.length
    if (this.#ignoredBytes > limits.enrolmentLineBytesMax) this.destroy()
  }

  async #answer(line: string): Promise<void> {
    const reply = await this.#owner.answer(line, this)
    if (this.#state !== 'asking') return
    this.#stream.write([reply])
    this.#end()
  }

  /** Agents wait for the close after an error. */
  #end(): void {
    this.#state = 'ending'
    this.#deadline = this.#deadlines.add(limits.lingerMsMax, this)
    this.#stream.end()
  }

  #closed(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#forgetDeadline()
    this.#owner.closed(this)
  }

  #forgetDeadline(): void {
    if (this.#deadline) this.#deadlines.remove(this.#deadline)
    this.#deadline = undefined
  }
}
