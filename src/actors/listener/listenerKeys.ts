/** Who may connect: by ID, and by address where a key is of a single host. */
import { limits } from '../../base/limits.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import { addressBytes, addressInNetwork, addressNetwork, addressText } from '../../domain/kit/addressInNetwork.js'
import type { KeysUpdate } from '../../ports/listener.js'
import type { Clock } from '../../ports/machine.js'

interface KnownKey {
  readonly entry: KeyEntry
  /** Which list of all agents named it last. */
  list: number
}

export class ListenerKeys {
  readonly #clock: Clock
  readonly #onGone: (id: number) => void
  readonly #byId = new Map<number, KnownKey>()
  readonly #byHost = new Map<string, number>()
  #list = 0
  #sweep: unknown

  /** @param onGone this agent, or its key, is not valid any more */
  constructor(clock: Clock, onGone: (id: number) => void) {
    this.#clock = clock
    this.#onGone = onGone
  }

  get(id: number): KeyEntry | undefined {
    return this.#byId.get(id)?.entry
  }

  /** Whose key is of this very address. */
  ofHost(address: string): KeyEntry | undefined {
    if (this.#byHost.size === 0) return undefined
    const id = this.#byHost.get(address) ?? this.#byHost.get(normal(address))
    return id === undefined ? undefined : this.get(id)
  }

  isAllowed(entry: KeyEntry, address: string): boolean {
    return addressInNetwork(address, entry.ip)
  }

  update({ isFirst, removals, upserts }: KeysUpdate): void {
    if (isFirst) this.#list += 1
    for (const id of removals) this.#remove(id)
    for (const entry of upserts) this.#upsert(entry)
    if (isFirst || this.#sweep !== undefined) this.#sweepLater()
  }

  close(): void {
    if (this.#sweep !== undefined) this.#clock.clearTimeout(this.#sweep)
    this.#sweep = undefined
  }

  #upsert(entry: KeyEntry): void {
    const known = this.#byId.get(entry.id)
    if (known && isSame(known.entry, entry)) {
      known.list = this.#list
      return
    }
    if (known) this.#remove(entry.id)
    this.#byId.set(entry.id, { entry, list: this.#list })
    const host = hostOf(entry)
    if (host !== undefined) this.#byHost.set(host, entry.id)
  }

  #remove(id: number): void {
    const known = this.#byId.get(id)
    if (!known) return
    this.#byId.delete(id)
    const host = hostOf(known.entry)
    if (host !== undefined && this.#byHost.get(host) === id) this.#byHost.delete(host)
    this.#onGone(id)
  }

  /** A list of all agents comes in several updates: those that it does not name are gone when no more of them come. */
  #sweepLater(): void {
    this.close()
    this.#sweep = this.#clock.setTimeout(() => {
      this.#sweep = undefined
      for (const [id, { list }] of this.#byId) if (list !== this.#list) this.#remove(id)
    }, limits.agentKeysGraceMs)
  }
}

const isSame = (a: KeyEntry, b: KeyEntry): boolean => a.name === b.name && a.ip === b.ip && a.key === b.key

const normal = (address: string): string => {
  const bytes = addressBytes(address)
  return bytes ? addressText(bytes) : address
}

const hostOf = ({ ip }: KeyEntry): string | undefined => {
  if (ip === 'any') return undefined
  const network = addressNetwork(ip)
  return network?.mask.every((bits) => bits === 0xff) ? addressText(network.bytes) : undefined
}
