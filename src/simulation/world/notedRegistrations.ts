/** How agents are to be registered that client.keys does not have yet, in a simulated table. */
import { limits } from '../../base/limits.js'
import type { NotedRegistration } from '../../ports/agents.js'

export type RegisteredBy = Omit<NotedRegistration, 'key'>

export class NotedRegistrations {
  readonly #byKey = new Map<string, RegisteredBy>()

  note(noted: readonly NotedRegistration[], obsolete: readonly string[], nowMs: number): void {
    for (const key of obsolete) this.#byKey.delete(key)
    for (const [key, { registeredMs }] of this.#byKey)
      if (Math.abs(nowMs - registeredMs) > limits.registrationNotedMsMax) this.#byKey.delete(key)
    for (const { key, registeredMs, signature } of noted) this.#byKey.set(key, { registeredMs, signature })
  }

  /** What was noted of the key; else it is registered just now. */
  of(key: string, nowMs: number): RegisteredBy {
    return this.#byKey.get(key) ?? { registeredMs: nowMs, signature: '' }
  }

  forget(entries: Iterable<{ readonly key: string }>): void {
    for (const { key } of entries) this.#byKey.delete(key)
  }

  clear(): void {
    this.#byKey.clear()
  }
}
