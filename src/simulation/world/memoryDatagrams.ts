/** The local socket of a simulated program that reads events: whether it is there, and how much it still takes, is up to a test. */
import type { LocalDatagrams } from '../../ports/listener.js'

export class MemoryDatagrams implements LocalDatagrams {
  isThere = true
  /** Datagrams that it still takes. */
  room = Number.POSITIVE_INFINITY
  /** In order. */
  readonly taken: Buffer[] = []

  send(bytes: Uint8Array): 'sent' | 'full' | 'absent' {
    if (!this.isThere) return 'absent'
    if (this.room <= 0) return 'full'
    this.room--
    this.taken.push(Buffer.from(bytes))
    return 'sent'
  }

  close(): void {
    this.isThere = false
  }
}
