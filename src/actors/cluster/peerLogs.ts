/**
 * What is logged because peers say something: for each peer and kind of line a fixed number of bytes a minute, whatever it sends. What is left
 * out is counted, and logged with the next line of its kind. A kind is a place in the log (its subtag) and a level.
 */

import { limits } from '../../base/limits.js'
import { ByteBudget } from '../../domain/cluster/byteBudget.js'
import type { Clock, Log, LogLevel } from '../../ports/machine.js'

interface Kind {
  readonly say: (message: string) => void
  readonly budget: ByteBudget
  leftOut: number
}

type Kinds = Map<string, Kind>

const rule = { burstBytes: limits.peerLogBurstBytes, bytesPerSecond: limits.peerLogBytesPerSecond }

export class PeerLogs {
  readonly #log: Log
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #peersMax: number
  readonly #peers = new Map<string, Kinds>()
  /** Of all peers beyond those that are kept apart. */
  readonly #others: Kinds = new Map()

  constructor(log: Log, clock: Pick<Clock, 'monotonicMs'>, peersMax: number) {
    this.#log = log
    this.#clock = clock
    this.#peersMax = peersMax
  }

  /** A peer that comes back has what it left over. */
  of(peer: string, place: Parameters<Log['at']>[0]): Log {
    return this.#logOf(this.#kindsOf(peer), this.#log.at(place), place.subtag ?? '')
  }

  #logOf(kinds: Kinds, log: Log, subtag: string): Log {
    const add = (level: LogLevel) => {
      const name = `${level} ${subtag}`
      return (message: string): void => {
        const nowMs = this.#clock.monotonicMs()
        const kind = kinds.get(name) ?? { say: (text: string) => log[level](text), budget: new ByteBudget(rule, nowMs), leftOut: 0 }
        kinds.set(name, kind)
        if (!kind.budget.use(Buffer.byteLength(message) + limits.peerLogPlaceBytes, nowMs)) {
          kind.leftOut += 1
          return
        }
        const more = kind.leftOut > 0 ? ` (${leftOutText(kind)})` : ''
        kind.leftOut = 0
        log[level](`${message}${more}`)
      }
    }
    return {
      error: add('error'),
      warning: add('warning'),
      info: add('info'),
      debug: add('debug'),
      debug2: add('debug2'),
      keepsDebug2: log.keepsDebug2,
      at: (place) => this.#logOf(kinds, log.at(place), place.subtag ?? subtag),
    }
  }

  #kindsOf(peer: string): Kinds {
    const known = this.#peers.get(peer)
    if (known) return known
    if (this.#peers.size >= this.#peersMax) this.#forgetQuiet()
    if (this.#peers.size >= this.#peersMax) return this.#others
    const kinds: Kinds = new Map()
    this.#peers.set(peer, kinds)
    return kinds
  }

  /** Peers of which nothing was logged lately have as much as new ones. */
  #forgetQuiet(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [peer, kinds] of this.#peers) {
      if (![...kinds.values()].every(({ budget }) => budget.isWhole(nowMs))) continue
      this.#peers.delete(peer)
      for (const kind of kinds.values()) if (kind.leftOut > 0) kind.say(`${leftOutText(kind)}.`)
    }
  }
}

const leftOutText = ({ leftOut }: Kind): string =>
  leftOut === 1 ? '1 more line of this kind was left out' : `${leftOut} more lines of this kind were left out`
