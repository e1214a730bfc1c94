/** etc/client.keys on a disk: read as it is at one instant, and rewritten so that a crash leaves the old file or the new one. */

import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { keysPath } from '../../domain/agents/keyEntry.js'
import type { WrittenFile } from '../../domain/files/treeValues.js'
import type { Disk, DiskStat } from '../../ports/files.js'
import { diskError, errnoOf, failureOf, isGone } from '../files/diskFailure.js'
import { isUntouched, stampOf } from '../files/fileHash.js'
import { isRacy, isSameStat, placedAtMs } from '../files/knownTree.js'
import { parentOf } from '../files/relativePath.js'
import { targetWithin } from '../files/targetWithin.js'
import { GrowingDigest } from './growingDigest.js'
import { KeptContent } from './keptContent.js'
import { lstatIfThere, syncDirectory } from './makeDirectory.js'
import { replaceFile } from './replaceFile.js'

const keysMode = 0o640
/** A file that is written to while it is read is read again this often; what it then still lacks is seen by the next check. */
const attemptsMax = 3

interface KeysContent {
  readonly kind: 'content'
  readonly bytes: Buffer
  readonly stat: DiskStat
}

export type KeysReading =
  | KeysContent
  | { readonly kind: 'missing' }
  /** There is something, but nothing can be learnt from it. */
  | { readonly kind: 'unreadable'; readonly why: string }

export class KeysFile {
  readonly #disk: Disk
  readonly #directory: string
  readonly #path: string
  readonly #content = new KeptContent()
  readonly #digest = new GrowingDigest()
  #last: { readonly reading: KeysContent; readonly isRacy: boolean } | undefined
  /** What was read last is what this process has just written, which needs no reading to be known. */
  #isWritten = false
  #written: WrittenFile | undefined

  constructor(disk: Disk, home: string) {
    this.#disk = disk
    this.#path = `${home}/${keysPath}`
    this.#directory = parentOf(this.#path)
  }

  /** What was written last, unless somebody changed it at once. */
  get written(): WrittenFile | undefined {
    return this.#written
  }

  /** Returns the same object as the previous reading when the file has not changed since. */
  read(): KeysReading {
    try {
      return this.#read()
    } catch (thrown) {
      const errno = errnoOf(thrown)
      return isGone(errno) ? { kind: 'missing' } : { kind: 'unreadable', why: failureOf(keysPath, thrown, 'read').message }
    }
  }

  /**
   * Puts new content in place of what was read. False, with nothing changed, when somebody else changed the file meanwhile.
   * @throws ClusterError when it cannot be written
   */
  write(parts: readonly Buffer[], before: KeysReading): boolean {
    this.#written = undefined
    try {
      const target = this.#target()
      const directory = parentOf(target)
      let written: DiskStat | undefined
      replaceFile(this.#disk, target, parts, keysMode, (temporary) => {
        this.#keepOwner(temporary, before.kind === 'content' ? target : `${directory}/.`)
        written = this.#disk.fstat(temporary)
        if (!this.#isStill(before, target)) throw new Overtaken('fileFailed')
      })
      syncDirectory(this.#disk, directory)
      if (written) this.#keepWritten(parts, written, target)
      return true
    } catch (thrown) {
      if (thrown instanceof Overtaken) return false
      throw diskError(keysPath, thrown, 'written')
    }
  }

  /** A write by somebody else that its times do not show is seen by the next reading but one, as after any reading. */
  #keepWritten(parts: readonly Buffer[], { inode, mtimeNs, size }: DiskStat, target: string): void {
    const stat = lstatIfThere(this.#disk, target)
    if (stat?.inode !== inode || stat.mtimeNs !== mtimeNs || stat.size !== size) return
    const bytes = this.#content.joined(parts)
    this.#content.keep(bytes)
    this.#last = { reading: { kind: 'content', bytes, stat }, isRacy: isRacy(stat, placedAtMs(stat, this.#disk.now())) }
    this.#isWritten = true
    this.#written = { path: keysPath, digest: this.#digest.of(bytes), stamp: stampOf(stat) }
  }

  #read(): KeysReading {
    const isWritten = this.#isWritten
    this.#isWritten = false
    const file = this.#disk.open(this.#target(), 'r')
    try {
      let stat = this.#disk.fstat(file)
      for (let attempt = 1; ; attempt++) {
        const last = this.#last
        if (last && isSameStat(last.reading.stat, stat) && (isWritten || !last.isRacy)) return last.reading
        if (stat.kind !== 'file') return { kind: 'unreadable', why: `'${keysPath}' is not a file.` }
        if (stat.size > limits.keysFileBytesMax)
          return { kind: 'unreadable', why: `'${keysPath}' is larger than ${limits.keysFileBytesMax} bytes.` }
        const nowMs = this.#disk.now()
        const bytes = this.#content.read(this.#disk, file, stat.size)
        const after = this.#disk.fstat(file)
        if (isUntouched(stat, after) && bytes.length === stat.size) {
          this.#content.keep(bytes)
          const reading: KeysContent = { kind: 'content', bytes, stat }
          this.#last = { reading, isRacy: isRacy(stat, nowMs) }
          return reading
        }
        if (attempt === attemptsMax) return { kind: 'unreadable', why: `'${keysPath}' keeps being written to.` }
        stat = after
      }
    } finally {
      this.#disk.close(file)
    }
  }

  /** A symlink stays one: what it leads to is read and replaced, as long as that is what the workers get. */
  #target(): string {
    if (lstatIfThere(this.#disk, this.#path)?.kind !== 'symlink') return this.#path
    const target = targetWithin(this.#disk, this.#directory, this.#path)
    if (target !== undefined) return target
    throw new ClusterError('fileFailed', {
      message: `'${keysPath}' is a symbolic link that leads out of 'etc', so it is not synced: put the file itself in its place.`,
    })
  }

  #keepOwner(file: number, of: string): void {
    const other = this.#disk.open(of, 'r')
    try {
      this.#disk.keepOwner(file, other)
    } finally {
      this.#disk.close(other)
    }
  }

  #isStill(before: KeysReading, path: string): boolean {
    const stat = lstatIfThere(this.#disk, path)
    return before.kind === 'content' ? stat !== undefined && isUntouched(before.stat, stat) : stat === undefined
  }
}

/** Says to write() that the file is no longer what was read. */
class Overtaken extends ClusterError {}
