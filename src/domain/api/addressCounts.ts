/** Requests and failed logins, counted by address: bounded in their number. */
import { limits } from '../../base/limits.js'
import { addressPrefix } from '../cluster/addressPrefix.js'

interface Count {
  count: number
  readonly sinceMs: number
}

/** Counts within a time that begins with the first of them. Times are a clock's that never goes back. */
export class AddressCounts {
  readonly #windowMs: number
  /** In the order of their beginning. */
  readonly #counts = new Map<string, Count>()

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  get size(): number {
    return this.#counts.size
  }

  /** How many there were, this one among them. */
  add(address: string, nowMs: number): number {
    this.#forget(nowMs)
    const key = addressPrefix(address)
    const known = this.#counts.get(key)
    if (known) return ++known.count
    const [oldest] = this.#counts.keys()
    if (oldest !== undefined && this.#counts.size >= limits.apiAddressesMax) this.#counts.delete(oldest)
    this.#counts.set(key, { count: 1, sinceMs: nowMs })
    return 1
  }

  count(address: string, nowMs: number): number {
    this.#forget(nowMs)
    return this.#counts.get(addressPrefix(address))?.count ?? 0
  }

  delete(address: string): void {
    this.#counts.delete(addressPrefix(address))
  }

  #forget(nowMs: number): void {
    for (const [key, { sinceMs }] of this.#counts) {
      if (sinceMs + this.#windowMs > nowMs) return
      this.#counts.delete(key)
    }
  }
}

/** As Wazuh blocks: after a number of failures nothing for a while, from the last of them on. */
export class LoginFailures {
  readonly #failures = new AddressCounts(limits.apiLoginBlockedMs)
  readonly #blocked = new AddressCounts(limits.apiLoginBlockedMs)

  isBlocked(address: string, nowMs: number): boolean {
    return this.#blocked.count(address, nowMs) > 0
  }

  /** Whether it is blocked from now on. */
  failed(address: string, nowMs: number): boolean {
    if (this.#failures.add(address, nowMs) < limits.apiLoginFailuresMax) return false
    this.#failures.delete(address)
    this.#blocked.add(address, nowMs)
    return true
  }

  succeeded(address: string): void {
    this.#failures.delete(address)
  }
}
