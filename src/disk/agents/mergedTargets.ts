/**
 * Brings one merged.mg at a time in line with its inputs. What was built is remembered by the stats of the inputs and of the
 * result, so that nothing is read while nothing changes.
 */
import { createHash } from 'node:crypto'
import { limits } from '../../base/limits.js'
import { combineFiles, layOutMerged, mergedBytes, multigroupsDirectory } from '../../domain/agents/mergedFile.js'
import { itemOf } from '../../domain/files/syncedItems.js'
import type { Disk } from '../../ports/files.js'
import { errnoOf } from '../files/diskFailure.js'
import { hashFile, readBytes, stampOf } from '../files/fileHash.js'
import { parentOf } from '../files/relativePath.js'
import type { BuildProblems } from './buildProblems.js'
import { type AgentFilesOptions, type GroupState, type GroupView, groupFileMode, isFresh } from './groupCheck.js'
import { lstatIfThere, makeDirectory } from './makeDirectory.js'
import { fillMerged, hasContent } from './mergedContent.js'
import { removeLeftover, replaceFile } from './replaceFile.js'

/** One merged.mg that there has to be. */
export interface Target {
  /** Relative to the home. */
  readonly path: string
  readonly title: string
  /** As far as it is known: etc/shared/ar.conf, which is of every group, then the groups. */
  readonly inputs: readonly GroupState[]
  /** The same, with the files. */
  readonly views: () => readonly GroupView[]
}

/** What a merged.mg was made of, and what it was then. */
interface Built {
  readonly inputs: string
  readonly output: string
  /** SHA-256 of the content that it was given. */
  readonly digest: string
  /** Every change since shows in the stats. */
  readonly isCertain: boolean
}

const unbuilt: Built = { inputs: '', output: '', digest: '', isCertain: false }

export class MergedTargets {
  readonly #disk: Disk
  readonly #options: AgentFilesOptions
  readonly #problems: BuildProblems
  readonly #buffer = new Uint8Array(readBytes)
  /** By the path of merged.mg. */
  readonly #built = new Map<string, Built>()
  /** Paths of those whose inputs changed while they were read. */
  readonly #unsteady = new Set<string>()

  constructor(disk: Disk, options: AgentFilesOptions, problems: BuildProblems) {
    this.#disk = disk
    this.#options = options
    this.#problems = problems
  }

  /** It is what it was when it was compared with its inputs, and any later change of these would have shown. */
  isSettled(path: string): boolean {
    const built = this.#built.get(path)
    if (!built?.isCertain) return false
    const output = lstatIfThere(this.#disk, this.#absolute(path))
    return output !== undefined && built.output === stampOf(output)
  }

  /** It has the content that it was given last. */
  isAsBuilt(path: string): boolean {
    const { digest } = this.#built.get(path) ?? unbuilt
    if (digest === '') return false
    try {
      return hashFile(this.#disk, this.#absolute(path), this.#buffer).digest === digest
    } catch (thrown) {
      if (errnoOf(thrown) === undefined) throw thrown
      return false
    }
  }

  forget(path: string): void {
    this.#built.delete(path)
    this.#unsteady.delete(path)
  }

  /** Says whether it was written. Throws as the disk does. */
  bring(target: Target): boolean {
    const { inputs, path } = target
    const before = this.#built.get(path)
    // Until the end of this: whatever fails is tried again.
    if (before) this.#built.set(path, { ...before, isCertain: false })
    if (!areWhole(inputs)) return false
    const nowMs = this.#disk.now()
    const output = lstatIfThere(this.#disk, this.#absolute(path))
    if (before?.isCertain && before.inputs === fingerprintOf(inputs) && output && before.output === stampOf(output)) {
      this.#built.set(path, before)
      return false
    }
    if (!before) removeLeftover(this.#disk, this.#absolute(path))
    const views = target.views()
    const content = areWhole(views) ? this.#contentOf(target, views) : undefined
    if (!content) return false
    const digest = createHash('sha256').update(content).digest('hex')
    const mode = itemOf(this.#options.synced, path)?.mode ?? groupFileMode
    const built = { inputs: fingerprintOf(views), digest }
    if (output?.kind === 'file' && output.mode === mode && hasContent(this.#disk, this.#absolute(path), content, this.#buffer)) {
      const isCertain = !isFresh(nowMs, output) && !views.some((view) => view.isFresh)
      this.#built.set(path, { ...built, output: stampOf(output), isCertain })
      return false
    }
    this.#write(path, content, mode)
    this.#built.set(path, { ...built, output: '', isCertain: false })
    return true
  }

  /** Nothing when it cannot be had now. */
  #contentOf({ path, title }: Target, [always, ...groups]: readonly GroupView[]): Uint8Array | undefined {
    const wasUnsteady = this.#unsteady.delete(path)
    const entries = combineFiles(groups, always?.files[0])
    const bytes = mergedBytes(title, entries)
    if (bytes > limits.mergedBytesMax) {
      this.#problems.add(path, `'${path}' is not built: it would have ${bytes} bytes, the limit is ${limits.mergedBytesMax}.`)
      return undefined
    }
    const layout = layOutMerged(title, entries)
    const unsteady = fillMerged(this.#disk, layout)
    if (!unsteady) return layout.content
    this.#unsteady.add(path)
    // Somebody who edits is not a problem; somebody who never stops is.
    if (wasUnsteady) this.#problems.add(path, `'${path}' is not built: '${unsteady.path}' keeps changing.`)
    return undefined
  }

  /** Not durable beyond its content: should a power loss take the name away, it is built again. */
  #write(path: string, content: Uint8Array, mode: number): void {
    if (path.startsWith(`${multigroupsDirectory}/`)) makeDirectory(this.#disk, this.#absolute(parentOf(path)))
    replaceFile(this.#disk, this.#absolute(path), [content], mode)
  }

  #absolute(path: string): string {
    return `${this.#options.home}/${path}`
  }
}

const areWhole = (groups: readonly GroupState[]): boolean => groups.every(({ isWhole }) => isWhole)

const fingerprintOf = (groups: readonly GroupState[]): string => {
  const hash = createHash('sha256')
  for (const { fingerprint } of groups) hash.update(fingerprint)
  return hash.digest('base64')
}
