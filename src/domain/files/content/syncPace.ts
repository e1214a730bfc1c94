/**
 * Whether a thread makes the files of a block durable one after the other or at the same time. In memory nothing has to be waited
 * for, and one after the other is faster; on a disk the file system writes its journal once for several of them.
 */

/** How the next block is written, by the names that operators see. */
const diskWrites = ['one by one', 'together'] as const
export type DiskWrites = (typeof diskWrites)[number]

/** Undefined for a name that this build does not know: a newer peer may have others. */
export const diskWritesOf = (name: string | undefined): DiskWrites | undefined => diskWrites.find((known) => known === name)

/** A call that took no longer than this waited for no disk. */
export const instantMs = 0.2
/** This many longer calls in a row did wait: a single one may have waited for its turn on a busy processor instead. */
export const waitsOnDisk = 2
/** After this many blocks on a disk the other way is tried again. */
export const blocksUntilProbeMax = 32

export class SyncPace {
  #waits = 0
  #blocksUntilProbe = 0

  /** Files are made durable one after the other, each reported to `took`. */
  get isOneByOne(): boolean {
    return this.#blocksUntilProbe === 0
  }

  get diskWrites(): DiskWrites {
    return this.isOneByOne ? 'one by one' : 'together'
  }

  beginBlock(): void {
    this.#waits = 0
    this.#blocksUntilProbe = Math.max(0, this.#blocksUntilProbe - 1)
  }

  took(ms: number): void {
    this.#waits = ms > instantMs ? this.#waits + 1 : 0
    if (this.#waits === waitsOnDisk) this.#blocksUntilProbe = blocksUntilProbeMax
  }
}
