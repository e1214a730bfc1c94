/** What an agent's messages are sealed and opened with: its key, and the number of its last message. */
import type { Result } from '../../base/errors.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import { AgentCipher } from '../../wire/agents/agentCipher.js'
import type { OpenedMessage } from '../../wire/agents/agentMessage.js'
import { type MessageCounter, nextCounter } from '../../wire/agents/counters.js'
import { sealMessage } from '../../wire/agents/sealMessage.js'
import type { FleetContext } from './fleetContext.js'

export class FleetSeal {
  readonly #number: number
  readonly #fleet: FleetContext
  #entry: KeyEntry | undefined
  #cipher: AgentCipher | undefined
  #counter: MessageCounter

  constructor(number: number, fleet: FleetContext) {
    this.#number = number
    this.#fleet = fleet
    this.#entry = fleet.options.keys[number - 1]
    // Greater than any counter that an agent of this name had before.
    this.#counter = { global: Math.floor(fleet.ports.clock.now() / 1_000), local: 0 }
  }

  get entry(): KeyEntry | undefined {
    return this.#entry
  }

  /** From now on it has this key. */
  use(entry: KeyEntry): void {
    this.#entry = entry
    this.#cipher = undefined
  }

  /** Undefined without a key, and for a text that is too long. */
  seal(text: Uint8Array, isFramed: boolean): Buffer | undefined {
    const entry = this.#entry
    if (!entry) return undefined
    this.#counter = nextCounter(this.#counter)
    const hasManyAddresses = entry.ip === 'any' || entry.ip.includes('/')
    const sealed = sealMessage({
      cipher: this.#cipherOf(entry),
      kind: this.#fleet.options.settings.cipher,
      counter: this.#counter,
      random: (this.#counter.local * 40_503 + this.#number) & 0xffff,
      text,
      ...(hasManyAddresses && { id: entry.id }),
      isFramed,
    })
    return sealed.ok ? sealed.value : undefined
  }

  /** The text is valid until any agent of the fleet opens another. Undefined without a key. */
  open(message: Buffer): Result<OpenedMessage> | undefined {
    return this.#entry && this.#fleet.opener.open(message, this.#cipherOf(this.#entry))
  }

  #cipherOf(entry: KeyEntry): AgentCipher {
    this.#cipher ??= new AgentCipher(entry)
    return this.#cipher
  }
}
