/**
 * Keeps merged.mg of every group, and of each list of groups that some agent has (var/multigroups/HASH), equal to what its
 * files say. What was built is remembered by the stats of its inputs and of the result, so that nothing is read while nothing
 * changes; after a restart, and after a change, the content is built and written only when the file has another one.
 */
import { createHash } from 'node:crypto'
import { counted } from '../../base/counted.js'
import { limits } from '../../base/limits.js'
import { groupsHash } from '../../domain/agents/groups.js'
import { combineFiles, layOutMerged, mergedBytes, mergedName } from '../../domain/agents/mergedFile.js'
import { itemOf } from '../../domain/files/syncedItems.js'
import type { MergedOutcome } from '../../ports/agents.js'
import type { Disk } from '../../ports/files.js'
import { errnoOf, failureOf, isGone } from '../files/diskFailure.js'
import { hashFile, readBytes } from '../files/fileHash.js'
import { decodeName, parentOf } from '../files/relativePath.js'
import {
  type AgentFilesOptions,
  absentGroup,
  checkActiveResponse,
  checkGroup,
  entriesOf,
  type GroupView,
  groupFileMode,
  isFresh,
  listGroups,
  sharedDirectory,
  stampOf,
} from './groupCheck.js'
import { lstatIfThere, makeDirectory } from './makeDirectory.js'
import { fillMerged, hasContent } from './mergedContent.js'
import { removeFile, removeLeftover, replaceFile } from './replaceFile.js'

export const multigroupsDirectory = 'var/multigroups'

/** One merged.mg that there has to be. */
interface Target {
  /** Relative to the home. */
  readonly path: string
  readonly title: string
  readonly groups: readonly GroupView[]
  /** The groups, and before them what is of every group. */
  readonly inputs: readonly GroupView[]
}

/** What a merged.mg was made of, and what it was then. */
interface Built {
  readonly inputs: string
  readonly output: string
  /** Every change since shows in the stats. */
  readonly isCertain: boolean
}

export class MergedFiles {
  readonly #disk: Disk
  readonly #options: AgentFilesOptions
  readonly #buffer = new Uint8Array(readBytes)
  /** By the path of merged.mg. */
  #built = new Map<string, Built>()
  /** Paths of those whose inputs changed while they were read. */
  #unsteady = new Set<string>()

  constructor(disk: Disk, options: AgentFilesOptions) {
    this.#disk = disk
    this.#options = options
  }

  build(multigroups: readonly (readonly string[])[]): MergedOutcome {
    const run = new BuildRun(this.#disk, this.#options, this.#buffer, this.#built, this.#unsteady)
    const outcome = run.build(multigroups)
    this.#built = run.built
    this.#unsteady = run.unsteady
    return outcome
  }

  /** MD5 (hex) of the merged.mg for a list of groups, as agents report it; nothing while it is not there. */
  sum(groups: readonly string[]): string | undefined {
    const [only = ''] = groups
    const path =
      groups.length === 1 ? `${sharedDirectory}/${only}/${mergedName}` : `${multigroupsDirectory}/${groupsHash(groups)}/${mergedName}`
    try {
      return hashFile(this.#disk, `${this.#options.home}/${path}`, this.#buffer, 'md5').digest
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return undefined
      throw thrown
    }
  }
}

class BuildRun {
  /** What is known after this run. */
  readonly built = new Map<string, Built>()
  readonly unsteady = new Set<string>()
  readonly #disk: Disk
  readonly #options: AgentFilesOptions
  readonly #buffer: Uint8Array
  readonly #builtBefore: ReadonlyMap<string, Built>
  readonly #unsteadyBefore: ReadonlySet<string>
  readonly #written: string[] = []
  readonly #removed: string[] = []
  readonly #problems = new Set<string>()

  constructor(
    disk: Disk,
    options: AgentFilesOptions,
    buffer: Uint8Array,
    builtBefore: ReadonlyMap<string, Built>,
    unsteadyBefore: ReadonlySet<string>,
  ) {
    this.#disk = disk
    this.#options = options
    this.#buffer = buffer
    this.#builtBefore = builtBefore
    this.#unsteadyBefore = unsteadyBefore
  }

  build(multigroups: readonly (readonly string[])[]): MergedOutcome {
    // Without a look at all that there is, everything stays as it is.
    this.#attempt(sharedDirectory, 'read', () => {
      const activeResponse = this.#note(checkActiveResponse(this.#disk, this.#options))
      const groups = this.#groups()
      for (const view of groups.values())
        this.#bring({
          path: `${sharedDirectory}/${view.group}/${mergedName}`,
          title: view.group,
          groups: [view],
          inputs: [activeResponse, view],
        })
      const lists = this.#listsByHash(multigroups)
      const present = this.#multigroupDirectories()
      for (const [hash, list] of lists)
        if (present.get(hash) === false) this.#problems.add(`'${multigroupsDirectory}/${hash}' is in the way: it is not a directory.`)
        else this.#bringMultigroup(hash, list, groups, activeResponse)
      this.#removeUnused(present, lists)
    })
    return { written: this.#written, removed: this.#removed, problems: this.#shownProblems() }
  }

  #shownProblems(): string[] {
    const problems = [...this.#problems]
    const unshown = problems.length - limits.reportedFailuresMax
    return unshown > 0 ? [...problems.slice(0, -unshown), `Not shown: ${counted(unshown, 'more problem')} with groups' files.`] : problems
  }

  #groups(): ReadonlyMap<string, GroupView> {
    const { groups, problems } = listGroups(this.#disk, this.#options.home)
    for (const problem of problems) this.#problems.add(problem)
    return new Map(groups.map((group) => [group, this.#note(checkGroup(this.#disk, this.#options, group))]))
  }

  #note(view: GroupView): GroupView {
    for (const problem of view.problems) this.#problems.add(problem)
    return view
  }

  /** What there is, and whether it is a directory. */
  #multigroupDirectories(): ReadonlyMap<string, boolean> {
    const entries = entriesOf(this.#disk, this.#absolute(multigroupsDirectory))
    return new Map(entries.map(({ kind, name }) => [decodeName(name) ?? '', kind === 'directory']))
  }

  /** The same for the same lists in any order, even should two of them have the same hash. */
  #listsByHash(multigroups: readonly (readonly string[])[]): ReadonlyMap<string, readonly string[]> {
    const lists = new Map<string, readonly string[]>()
    const inOrder = multigroups.filter((list) => list.length > 1).sort((a, b) => (a.join() < b.join() ? -1 : 1))
    for (const list of inOrder) {
      const hash = groupsHash(list)
      const first = lists.get(hash)
      if (!first) lists.set(hash, list)
      else if (first.join() !== list.join())
        this.#problems.add(`The groups ${list.join()} get no merged.mg: ${first.join()} have the same hash ${hash}.`)
    }
    return lists
  }

  #bringMultigroup(hash: string, list: readonly string[], groups: ReadonlyMap<string, GroupView>, activeResponse: GroupView): void {
    const path = `${multigroupsDirectory}/${hash}/${mergedName}`
    if (!list.some((group) => groups.has(group))) return
    const views = list.map((group) => groups.get(group) ?? absentGroup(group))
    this.#bring({ path, title: hash, groups: views, inputs: [activeResponse, ...views] })
  }

  // --------------------------------------------------------------------------------------------------- one merged.mg

  #bring(target: Target): void {
    const { inputs, path } = target
    const before = this.#builtBefore.get(path)
    if (before) this.built.set(path, before)
    if (inputs.some((view) => !view.isWhole)) return
    this.#attempt(path, 'written', () => {
      const nowMs = this.#disk.now()
      const output = lstatIfThere(this.#disk, this.#absolute(path))
      const stamps = fingerprintOf(inputs)
      if (before?.isCertain && before.inputs === stamps && output && before.output === stampOf(output)) return
      if (!before) removeLeftover(this.#disk, this.#absolute(path))
      const content = this.#contentOf(target)
      if (!content) return
      const mode = itemOf(this.#options.synced, path)?.mode ?? groupFileMode
      if (output?.kind === 'file' && output.mode === mode && hasContent(this.#disk, this.#absolute(path), content, this.#buffer)) {
        const isCertain = !isFresh(nowMs, output) && !inputs.some((view) => view.isFresh)
        this.built.set(path, { inputs: stamps, output: stampOf(output), isCertain })
      } else {
        this.#write(target, content, mode)
        this.built.set(path, { inputs: stamps, output: '', isCertain: false })
      }
    })
  }

  /** Nothing when it cannot be had now. */
  #contentOf({ groups, inputs, path, title }: Target): Uint8Array | undefined {
    const entries = combineFiles(groups, inputs[0]?.files[0])
    const bytes = mergedBytes(title, entries)
    if (bytes > limits.mergedBytesMax) {
      this.#problems.add(`'${path}' is not built: it would have ${bytes} bytes, the limit is ${limits.mergedBytesMax}.`)
      return undefined
    }
    const layout = layOutMerged(title, entries)
    const unsteady = fillMerged(this.#disk, layout)
    if (!unsteady) return layout.content
    this.unsteady.add(path)
    // Somebody who edits is not a problem; somebody who never stops is.
    if (this.#unsteadyBefore.has(path)) this.#problems.add(`'${path}' is not built: '${unsteady.path}' keeps changing.`)
    return undefined
  }

  /** Not durable beyond its content: should a power loss take the name away, it is built again. */
  #write({ path }: Target, content: Uint8Array, mode: number): void {
    if (path.startsWith(`${multigroupsDirectory}/`)) makeDirectory(this.#disk, this.#absolute(parentOf(path)))
    replaceFile(this.#disk, this.#absolute(path), content, mode)
    this.#written.push(path)
  }

  // ------------------------------------------------------------------------------------------------ what nobody needs

  /** Deletes only what was built here; a directory that something else is in stays. */
  #removeUnused(directories: ReadonlyMap<string, boolean>, lists: ReadonlyMap<string, unknown>): void {
    for (const [name, isDirectory] of directories) {
      if (!isDirectory || lists.has(name) || !/^[0-9a-f]{8}$/.test(name)) continue
      const path = `${multigroupsDirectory}/${name}/${mergedName}`
      this.#attempt(path, 'deleted', () => {
        removeLeftover(this.#disk, this.#absolute(path))
        if (removeFile(this.#disk, this.#absolute(path))) this.#removed.push(path)
        removeEmptyDirectory(this.#disk, this.#absolute(parentOf(path)))
      })
    }
  }

  #attempt(path: string, doing: string, act: () => void): boolean {
    try {
      act()
      return true
    } catch (thrown) {
      this.#problems.add(failureOf(path, thrown, doing).message)
      return false
    }
  }

  #absolute(path: string): string {
    return `${this.#options.home}/${path}`
  }
}

const removeEmptyDirectory = (disk: Disk, path: string): void => {
  try {
    disk.rmdir(path)
  } catch (thrown) {
    const errno = errnoOf(thrown)
    if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST' && !isGone(errno)) throw thrown
  }
}

const fingerprintOf = (views: readonly GroupView[]): string => {
  const hash = createHash('sha256')
  for (const { fingerprint } of views) hash.update(fingerprint)
  return hash.digest('base64')
}
