/**
 * Which events of simulated agents are in the segments of which node: read off the disks past all faults, so that a loss of power
 * takes away only what was seen to be there.
 */
import { posix } from 'node:path'
import { eventsPath } from '../../disk/listener/eventSegments.js'
import { ReceivedEvents } from '../../domain/fleet/eventAccount.js'
import { parseEventLog, type RunName } from '../../domain/fleet/eventText.js'
import type { MemoryDisk } from '../world/memoryDisk.js'

const newline = 0x0a

export class TakenEvents {
  readonly received = new ReceivedEvents()
  readonly #run: RunName
  readonly #home: string
  /** By node: lines that were in its segments. */
  readonly #lines = new Map<string, number>()
  /** By file: what is read of it. */
  readonly #offsets = new Map<string, number>()

  constructor(run: RunName, home: string) {
    this.#run = run
    this.#home = home
  }

  linesOf(node: string): number {
    return this.#lines.get(node) ?? 0
  }

  read(node: string, disk: MemoryDisk): void {
    const directory = posix.join(this.#home, eventsPath)
    for (const name of disk.namesIn(directory)) {
      const content = disk.contentOf(posix.join(directory, name))
      const file = `${node} ${name}`
      let start = this.#offsets.get(file) ?? 0
      for (let end = content.indexOf(newline, start); end >= 0; end = content.indexOf(newline, start)) {
        this.#take(content.toString('utf8', start, end))
        this.#lines.set(node, this.linesOf(node) + 1)
        start = end + 1
      }
      this.#offsets.set(file, start)
    }
  }

  #take(line: string): void {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('full_log' in value)) return
    const event = parseEventLog(this.#run, String(value.full_log))
    if (event) this.received.add(event.agent, event.sequence)
  }
}
