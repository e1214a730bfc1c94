/**
 * A disk on which every way to a file leads through directories that are held open: what was proven of a directory stays true
 * of it, whatever somebody puts in its place meanwhile. Below the topmost ones each directory is opened from the one above
 * it, and never through a symlink; the topmost themselves are as the configuration names them (docs/decisions/0004).
 */
import { invariant } from '../../base/invariant.js'
import { limits } from '../../base/limits.js'
import type { Disk, DiskEntry, DiskStat } from '../../ports/files.js'
import { ForwardingDisk } from '../kit/forwardingDisk.js'
import { isBelow, nameOf, parentOf } from './relativePath.js'

/** `stat` and `realpath` follow symlinks wherever they lead: hints, which the way there proves. */
export class HeldDisk extends ForwardingDisk {
  readonly #tops: readonly string[]
  /** By path. The last used ones are the last. */
  readonly #held = new Map<string, number>()
  #latest: { readonly directory: string; readonly handle: number } | undefined

  /** @param tops absolute, as all paths here */
  constructor(disk: Disk, tops: readonly string[]) {
    super(disk)
    this.#tops = tops
  }

  /** Lets go of all directories at the end of an operation, however it ends. */
  readonly operation = <T>(act: () => T): T => {
    try {
      return act()
    } finally {
      for (const directory of [...this.#held.keys()]) this.#forget(directory)
    }
  }

  override lstat(path: string): DiskStat {
    return this.disk.lstat(this.#at(path))
  }

  override readdir(path: string): readonly DiskEntry[] {
    return this.disk.readdir(this.#at(`${path}/.`))
  }

  override open(path: string, flags: 'r' | 'r+' | 'w' | 'wx', mode?: number): number {
    return this.disk.open(this.#at(path), flags, mode)
  }

  override openDirectory(path: string): number {
    return this.disk.openDirectory(this.#at(path))
  }

  override mkdir(path: string, mode: number): void {
    this.disk.mkdir(this.#at(path), mode)
  }

  override rename(from: string, to: string): void {
    const source = this.#at(from)
    this.disk.rename(source, this.#below(to))
  }

  override unlink(path: string): void {
    this.disk.unlink(this.#at(path))
  }

  override rmdir(path: string): void {
    this.disk.rmdir(this.#at(path))
    // Another directory may get its name.
    this.#forget(path)
  }

  // ---------------------------------------------------------------------------------------------------------- inside

  /** What to call a file by in this one call: later its directory may be let go of, and the number of its handle used again. */
  #at(path: string): string {
    if (this.#held.size > limits.directoriesHeldMax) this.#forgetOldest()
    return this.#below(path)
  }

  #forgetOldest(): void {
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= limits.directoriesHeldMax) break
      this.#forget(oldest)
    }
  }

  #below(path: string): string {
    const handle = this.#handle(parentOf(path))
    return handle === undefined ? path : `${this.disk.heldPath(handle)}/${nameOf(path)}`
  }

  /** Nothing for a directory above the topmost ones. */
  #handle(directory: string): number | undefined {
    if (this.#latest?.directory === directory) return this.#latest.handle
    const handle = this.#held.get(directory) ?? this.#open(directory)
    if (handle === undefined) return undefined
    this.#held.delete(directory)
    this.#held.set(directory, handle)
    this.#latest = { directory, handle }
    return handle
  }

  #open(directory: string): number | undefined {
    if (this.#tops.includes(directory)) return this.disk.openDirectory(`${directory}/.`)
    if (this.#tops.some((top) => isBelow(directory, top))) return this.disk.openDirectory(this.#below(directory))
    invariant(
      this.#tops.some((top) => isBelow(top, directory)),
      `${directory} is not a directory to work in`,
    )
    return undefined
  }

  #forget(directory: string): void {
    const handle = this.#held.get(directory)
    if (handle === undefined) return
    this.#held.delete(directory)
    this.#latest = undefined
    this.disk.close(handle)
  }
}
