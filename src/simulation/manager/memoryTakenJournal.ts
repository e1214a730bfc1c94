/** The journal of what was taken of a simulated wazuh-db: it outlives the processes of its node. */
import type { TakenJournal } from '../../ports/manager.js'

export class MemoryTakenJournal implements TakenJournal {
  #entries: string[] = []

  entries(): readonly string[] {
    return [...this.#entries]
  }

  append(text: string): void {
    this.#entries.push(text)
  }

  clear(): void {
    this.#entries = []
  }
}
