/** The bytes of one direction of a link by what they are about: see LinkCounters. */
import type { TrafficKind } from '../domain/cluster/nodeFigures.js'
import type { SortedBytes } from '../ports/link.js'

export class SortedTraffic implements SortedBytes {
  file = 0
  agents = 0
  groups = 0

  add(kind: TrafficKind, bytes: number): void {
    if (kind !== 'control') this[kind] += bytes
  }

  /** Adds all of another, which begins again. */
  take(other: SortedTraffic): void {
    this.file += other.file
    this.agents += other.agents
    this.groups += other.groups
    other.clear()
  }

  clear(): void {
    this.file = 0
    this.agents = 0
    this.groups = 0
  }
}
