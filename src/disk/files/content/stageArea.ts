/**
 * Where received content waits: `<digest>.part` while it comes in block by block, `<digest>` once it is whole. What a crash
 * left behind counts for nothing until it was hashed again. The reader's thread fills the area, the scanner's takes out of it.
 */
import { createHash } from 'node:crypto'
import { ClusterError } from '../../../base/errors.js'
import type { Digest } from '../../../domain/files/treeValues.js'
import type { Disk } from '../../../ports/files.js'
import { errnoOf, isGone } from '../diskFailure.js'
import { decodeName } from '../relativePath.js'

const directoryMode = 0o770
/** Nobody else has to do with what is on its way. */
const stageMode = 0o700

export class StageArea {
  readonly #disk: Disk
  readonly #directory: string
  readonly #fileMode: number
  #made = false
  /** Whether new files get another mode than they are created with, for example because of the umask. */
  #isMasked: boolean | undefined

  /** @param fileMode that most files have once they are in place: those need no further call for it */
  constructor(disk: Disk, directory: string, fileMode: number) {
    this.#disk = disk
    this.#directory = directory
    this.#fileMode = fileMode
  }

  wholePath(digest: Digest): string {
    return `${this.#directory}/${digest}`
  }

  partPath(digest: Digest): string {
    return `${this.#directory}/${digest}.part`
  }

  copyPath(digest: Digest): string {
    return `${this.#directory}/${digest}.copy`
  }

  patchPath(digest: Digest): string {
    return `${this.#directory}/${digest}.patch`
  }

  has(digest: Digest): boolean {
    return this.#sizeOf(this.wholePath(digest)) !== undefined
  }

  /** Names of what is there. */
  names(): ReadonlySet<string> {
    return new Set(this.#names())
  }

  /** Bytes of each content that need not be sent again. */
  offsets(digests: readonly Digest[], names: ReadonlySet<string>): number[] {
    return digests.map((digest) => {
      const whole = names.has(digest) ? this.#sizeOf(this.wholePath(digest)) : undefined
      return whole ?? (names.has(`${digest}.part`) ? this.#sizeOf(this.partPath(digest)) : undefined) ?? 0
    })
  }

  /** Creates the directory and those above it when they are not there, and closes one that others may enter. */
  make(): void {
    if (this.#made) return
    this.#makeDirectory(this.#directory, stageMode)
    const directory = this.#disk.openDirectory(this.#directory)
    try {
      if (this.#disk.fstat(directory).mode !== stageMode) this.#disk.chmod(directory, stageMode)
    } finally {
      this.#disk.close(directory)
    }
    this.#made = true
  }

  /** Somebody may have deleted the directory. */
  distrust(): void {
    this.#made = false
  }

  /** Opens a new file; what has its name goes, and keeps its content where that has another name. */
  create(path: string): number {
    const file = this.#createFile(path)
    try {
      this.#isMasked ??= this.#disk.fstat(file).mode !== this.#fileMode
      if (this.#isMasked) this.#disk.chmod(file, this.#fileMode)
      return file
    } catch (thrown) {
      this.#disk.close(file)
      throw thrown
    }
  }

  /** Opens a file that is here, unless it has another name elsewhere: then it is not only ours. */
  reopen(path: string, flags: 'r' | 'r+'): number {
    const file = this.#disk.open(path, flags)
    try {
      const { kind, links } = this.#disk.fstat(file)
      if (kind === 'file' && links === 1) return file
      throw new ClusterError('transferFailed', { message: 'The staged file has another hard link; fetching it again.' })
    } catch (thrown) {
      this.#disk.close(file)
      throw thrown
    }
  }

  /** Gives the file its mode, unless it has it already and no other name besides. */
  setMode(path: string, mode: number): void {
    const stat = this.#disk.lstat(path)
    if (stat.kind === 'file' && stat.links === 1 && stat.mode === mode) return
    const file = this.reopen(path, 'r')
    try {
      this.#disk.chmod(file, mode)
    } finally {
      this.#disk.close(file)
    }
  }

  remove(path: string): void {
    try {
      this.#disk.unlink(path)
    } catch (thrown) {
      if (!isGone(errnoOf(thrown))) throw thrown
    }
  }

  clear(): void {
    for (const name of this.#names()) if (/^[0-9a-f]{64}(\.part|\.copy|\.patch)?$/.test(name)) this.remove(`${this.#directory}/${name}`)
  }

  /**
   * Copies a file to `to`, made durable, if it has the digest; fails with `fileGone` otherwise. `to` is gone after a failure.
   * @param buffer to copy through
   */
  copy(from: string, to: string, digest: Digest, buffer: Uint8Array): void {
    const source = this.#disk.open(from, 'r')
    try {
      const target = this.create(to)
      try {
        const hash = createHash('sha256')
        let position = 0
        for (;;) {
          const count = this.#disk.read(source, buffer, 0, buffer.length, position)
          if (count === 0) break
          const part = buffer.subarray(0, count)
          hash.update(part)
          writeAll(this.#disk, target, part, position)
          position += count
        }
        if (hash.digest('hex') !== digest)
          throw new ClusterError('fileGone', { message: 'The content to copy is no longer there; fetching it again.' })
        this.#disk.sync(target)
      } finally {
        this.#disk.close(target)
      }
    } catch (thrown) {
      if (errnoOf(thrown) !== undefined || thrown instanceof ClusterError) this.remove(to)
      throw thrown
    } finally {
      this.#disk.close(source)
    }
  }

  #createFile(path: string): number {
    try {
      return this.#disk.open(path, 'wx', this.#fileMode)
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EEXIST') throw thrown
      this.remove(path)
      return this.#disk.open(path, 'wx', this.#fileMode)
    }
  }

  #names(): string[] {
    try {
      return this.#disk.readdir(this.#directory).flatMap((entry) => decodeName(entry.name) ?? [])
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return []
      throw thrown
    }
  }

  #sizeOf(path: string): number | undefined {
    try {
      const stat = this.#disk.lstat(path)
      return stat.kind === 'file' ? stat.size : undefined
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return undefined
      throw thrown
    }
  }

  #makeDirectory(path: string, mode: number): void {
    try {
      this.#disk.mkdir(path, mode)
    } catch (thrown) {
      const errno = errnoOf(thrown)
      if (errno === 'EEXIST') return
      const parent = path.slice(0, path.lastIndexOf('/'))
      if (errno !== 'ENOENT' || parent === '') throw thrown
      this.#makeDirectory(parent, directoryMode)
      this.#disk.mkdir(path, mode)
    }
  }
}

/** Writes all of `bytes`, however little the disk takes at a time. */
export const writeAll = (disk: Disk, file: number, bytes: Uint8Array, position: number): void => {
  let done = 0
  while (done < bytes.length) done += disk.write(file, bytes, done, bytes.length - done, position + done)
}
