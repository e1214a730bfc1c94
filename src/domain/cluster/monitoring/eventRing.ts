/**
 * What happened in a cluster, as far back as there is room. What happens all the time (syncs) has half of it for itself, so that it does not
 * push out what explains an outage.
 */
import { visibleLine } from '../../../base/escapeText.js'
import { limits } from '../../../base/limits.js'
import { shortened } from '../../../base/logText.js'

export interface EventInput {
  readonly level: 'info' | 'warning' | 'error'
  /** Which node it is about. */
  readonly node?: string
  readonly message: string
}

export interface RememberedEvent extends EventInput {
  /** Rises by one. */
  readonly id: number
  readonly atMs: number
}

export class EventRing {
  readonly #eventsMax: number
  readonly #routine: RememberedEvent[] = []
  readonly #others: RememberedEvent[] = []
  #nextId: number

  /** The ids begin with the second of the start: who asks after a restart with an id from before misses nothing. */
  constructor(startMs: number, eventsMax: number = limits.clusterEventsMax) {
    this.#nextId = Math.max(1, Math.floor(startMs / 1_000))
    this.#eventsMax = eventsMax
  }

  add({ level, message, node }: EventInput, atMs: number, isRoutine = false): void {
    const said = shortened(visibleLine(message), limits.clusterEventCharsMax)
    const kept = isRoutine ? this.#routine : this.#others
    kept.push({ id: this.#nextId++, atMs, level, ...(node !== undefined && { node }), message: said })
    if (kept.length > this.#eventsMax / 2) kept.shift()
  }

  /** Those after the event of this id, in order. An id that was never given is another master's, or of a clock that went back: all. */
  after(id: number): readonly RememberedEvent[] {
    const all = [...this.#routine, ...this.#others].sort((a, b) => a.id - b.id)
    return id >= this.#nextId ? all : all.filter((event) => event.id > id)
  }
}
