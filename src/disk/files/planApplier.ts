/**
 * Writes what a plan says, in an order in which a crash at any instruction leaves each file old or new: first all content is
 * whole and durable in the stage, then it is renamed into place, in the order of domain/files/writeOrder, and what the master does
 * not have is deleted last. Only what is in the way of a write (a file where a directory has to be, and the other way round) is
 * deleted before.
 */

import { ClusterError } from '../../base/errors.js'
import { checkPath } from '../../domain/files/paths.js'
import type { SyncedItem } from '../../domain/files/syncedItems.js'
import type { AppliedPlan, Digest, FileEntry, FileFailure, WriteStep } from '../../domain/files/treeValues.js'
import { byWriteOrder } from '../../domain/files/writeOrder.js'
import type { Disk } from '../../ports/files.js'
import type { StageArea } from './content/stageArea.js'
import { errnoOf, failureOf, isGone } from './diskFailure.js'
import type { TreeOptions } from './fileCheck.js'
import { isDigest, readBytes } from './fileHash.js'
import { parentOf, temporaryName } from './relativePath.js'
import { blockingRemovals, hasAncestorIn, type Removal } from './removalOrder.js'
import type { Scanner } from './scanner.js'
import { TreePaths } from './treePaths.js'

export interface Plan {
  readonly writes: readonly WriteStep[]
  readonly removals: readonly string[]
}

type Write = WriteStep & { readonly item: SyncedItem }

/** What a plan is carried out with. */
interface ApplyOptions {
  readonly disk: Disk
  readonly options: TreeOptions
  readonly area: StageArea
  readonly scanner: Scanner
  readonly buffer: Uint8Array
}

/** Returns what carries out plans, one after the other. */
export const createPlanApplier = (disk: Disk, options: TreeOptions, area: StageArea, scanner: Scanner): ((plan: Plan) => AppliedPlan) => {
  const apply = { disk, options, area, scanner, buffer: new Uint8Array(readBytes) }
  return (plan) => new PlanRun(apply).apply(plan)
}

/** One plan being carried out. */
class PlanRun {
  readonly #disk: Disk
  readonly #options: TreeOptions
  readonly #area: StageArea
  readonly #scanner: Scanner
  readonly #buffer: Uint8Array
  readonly #paths: TreePaths
  readonly #failures: FileFailure[] = []
  readonly #upserts: FileEntry[] = []
  readonly #removals: string[] = []
  /** Directories whose entries changed and are not durable yet. */
  readonly #changed = new Set<string>()
  /** How many writes still need each staged content. */
  readonly #uses = new Map<Digest, number>()
  /** Content that was copied to the stage for this plan. */
  readonly #copied = new Set<Digest>()

  constructor({ area, buffer, disk, options, scanner }: ApplyOptions) {
    this.#disk = disk
    this.#options = options
    this.#area = area
    this.#scanner = scanner
    this.#buffer = buffer
    this.#paths = new TreePaths(disk, options, (directory) => this.#changed.add(directory))
  }

  apply(plan: Plan): AppliedPlan {
    this.#area.distrust()
    const writes = this.#checkedWrites(plan.writes)
    const removals = this.#checkedRemovals(plan.removals)
    const ready = writes.filter((write) => this.#makeReady(write))
    const blocking = blockingRemovals(removals, writes)
    this.#remove(
      removals.filter((removal) => blocking.has(removal.path)),
      new Set(writes.map((write) => write.path)),
    )
    for (const write of ready) this.#write(write)
    this.#makeDurable()
    this.#remove(
      removals.filter((removal) => !blocking.has(removal.path)),
      new Set(),
    )
    this.#makeDurable()
    return { failures: this.#failures, upserts: this.#upserts, removals: this.#removals }
  }

  #checkedWrites(steps: readonly WriteStep[]): Write[] {
    const writes: Write[] = []
    for (const step of steps) {
      const checked = checkPath(this.#options.synced, step.path)
      if (!checked.ok) this.#failures.push({ path: step.path, code: checked.error.code, message: checked.error.message })
      else if (!isDigest(step.digest))
        this.#failures.push({ path: step.path, code: 'malformed', message: "The file's digest is malformed." })
      else writes.push({ ...step, item: checked.value })
    }
    return writes.sort((a, b) => byWriteOrder(a.path, b.path))
  }

  #checkedRemovals(paths: readonly string[]): Removal[] {
    const removals: Removal[] = []
    for (const path of paths) {
      const checked = checkPath(this.#options.synced, path)
      if (checked.ok) removals.push({ path, item: checked.value })
      else this.#failures.push({ path, code: checked.error.code, message: checked.error.message })
    }
    return removals.sort(byPath)
  }

  // ------------------------------------------------------------------------------------------------------- content

  /** Stages the content of a write that is to be copied from elsewhere in the tree, before anything there changes. */
  #makeReady({ digest, from, path }: Write): boolean {
    this.#uses.set(digest, (this.#uses.get(digest) ?? 0) + 1)
    if (from.kind !== 'copy') return true
    return this.#attempt(path, 'copied', () => {
      if (this.#copied.has(digest)) return
      const source = checkPath(this.#options.synced, from.path)
      if (!source.ok) throw source.error
      if (!this.#paths.leadsTo(parentOf(from.path), source.value)) throw gone()
      this.#area.make()
      this.#copyDurably(this.#paths.absolute(from.path), digest)
      this.#copied.add(digest)
    })
  }

  #copyDurably(from: string, digest: Digest): void {
    const copy = this.#area.copyPath(digest)
    try {
      this.#area.copy(from, copy, digest, this.#buffer)
    } catch (thrown) {
      const errno = errnoOf(thrown)
      throw isGone(errno) || errno === 'EISDIR' ? gone() : thrown
    }
    this.#disk.rename(copy, this.#area.wholePath(digest))
  }

  #write(write: Write): void {
    const { digest, path } = write
    const uses = (this.#uses.get(digest) ?? 1) - 1
    this.#uses.set(digest, uses)
    this.#attempt(path, 'written', () => {
      this.#paths.makeDirectory(parentOf(path), write.item)
      this.#place(write, uses === 0)
      this.#wrote(write)
    })
  }

  /** Renames the content into place; unless this is its last use, a copy of it. Its mode is that of this node's own item. */
  #place({ digest, item: { mode }, path }: Write, isLastUse: boolean): void {
    const whole = this.#area.wholePath(digest)
    const source = isLastUse ? whole : this.#area.copyPath(digest)
    try {
      if (!isLastUse) this.#area.copy(whole, source, digest, this.#buffer)
      this.#area.setMode(source, mode)
    } catch (thrown) {
      throw isGone(errnoOf(thrown))
        ? new ClusterError('transferFailed', { message: `The content of '${path}' is not staged; fetching it again.` })
        : thrown
    }
    try {
      this.#renameOver(source, path)
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EXDEV') throw thrown
      this.#moveAcross(source, path, digest, mode)
    }
  }

  #renameOver(source: string, path: string): void {
    try {
      this.#disk.rename(source, this.#paths.absolute(path))
    } catch (thrown) {
      const errno = errnoOf(thrown)
      if (errno !== 'EISDIR' && errno !== 'ENOTEMPTY' && errno !== 'EEXIST') throw thrown
      if (!this.#paths.removeIfHollow(path))
        throw new ClusterError('fileFailed', {
          message: `'${path}' could not be written (EISDIR: a directory with files in it is in its place).`,
          cause: thrown,
        })
      this.#disk.rename(source, this.#paths.absolute(path))
    }
  }

  /** The stage is on another file system: the content is made whole beside its place under a name that is not synced. */
  #moveAcross(source: string, path: string, digest: Digest, mode: number): void {
    const temporary = this.#paths.absolute(`${parentOf(path)}/${temporaryName(digest)}`)
    this.#area.copy(source, temporary, digest, this.#buffer)
    try {
      this.#area.setMode(temporary, mode)
      this.#renameOver(temporary, path)
    } catch (thrown) {
      if (errnoOf(thrown) !== undefined || thrown instanceof ClusterError) this.#area.remove(temporary)
      throw thrown
    }
    this.#area.remove(source)
  }

  #wrote({ digest, path }: Write): void {
    this.#changed.add(parentOf(path))
    const entry = this.#scanner.put(path, this.#disk.lstat(this.#paths.absolute(path)), digest)
    if (entry) this.#upserts.push(entry)
  }

  // ------------------------------------------------------------------------------------------------------ removals

  /** @param replaced paths of files that are to be written: a directory that is there is removed when it is empty */
  #remove(removals: readonly Removal[], replaced: ReadonlySet<string>): void {
    const emptied = new Set<string>()
    for (const { item, path } of removals) {
      this.#attempt(path, 'deleted', () => {
        const parent = parentOf(path)
        if (this.#paths.leadsTo(parent, item) && this.#unlink(path)) this.#changed.add(parent)
        this.#scanner.drop(path)
        this.#removals.push(path)
        if (item.removeEmptyDirectories || hasAncestorIn(path, replaced)) emptied.add(parent)
      })
    }
    for (const directory of emptied) this.#removeEmptied(directory, replaced)
  }

  /** False when there is no such file any more. */
  #unlink(path: string): boolean {
    try {
      this.#disk.unlink(this.#paths.absolute(path))
      return true
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return false
      // Linux says EISDIR, others EPERM: what was a file is a directory by now, and no longer what the plan means.
      if (this.#paths.kindAt(path) === 'directory') return false
      throw thrown
    }
  }

  /** Up to the directory that a file replaces, or to the first that is not empty. */
  #removeEmptied(directory: string, replaced: ReadonlySet<string>): void {
    this.#attempt(directory, 'deleted', () => {
      for (let path = directory; this.#paths.removeIfEmpty(path) && !replaced.has(path); ) path = parentOf(path)
    })
  }

  // ------------------------------------------------------------------------------------------------------- support

  #makeDurable(): void {
    for (const directory of this.#changed) this.#attempt(directory, 'made durable', () => this.#syncDirectory(directory))
    this.#changed.clear()
  }

  #syncDirectory(directory: string): void {
    try {
      const file = this.#disk.open(`${this.#paths.absolute(directory)}/.`, 'r')
      try {
        this.#disk.sync(file)
      } finally {
        this.#disk.close(file)
      }
    } catch (thrown) {
      // Gone by now, or a file system that keeps directories in order by itself.
      const errno = errnoOf(thrown)
      if (isGone(errno) || errno === 'ELOOP' || errno === 'EINVAL' || errno === 'ENOTSUP') return
      throw thrown
    }
  }

  /** Does it, or notes why it could not be done. */
  #attempt(path: string, doing: string, act: () => void): boolean {
    try {
      act()
      return true
    } catch (thrown) {
      this.#failures.push(failureOf(path, thrown, doing))
      return false
    }
  }
}

/** So that each directory is opened once. */
const byPath = (a: { readonly path: string }, b: { readonly path: string }): number => (a.path < b.path ? -1 : 1)

const gone = (): ClusterError => new ClusterError('fileGone', { message: 'The content to use is no longer there; fetching it again.' })
