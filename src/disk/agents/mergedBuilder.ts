/**
 * Keeps merged.mg of every group, and of each list of groups that some agent has (var/multigroups/HASH), equal to what its
 * files say. A build that gets the changed paths checks their groups only; one that gets none checks what no path
 * shows; the first one, and one after a failure, checks everything.
 */
import { groupsHash } from '../../domain/agents/groups.js'
import { activeResponseName, mergedName, mergedPathOf, multigroupsDirectory, sharedDirectory } from '../../domain/agents/mergedFile.js'
import type { SyncedItems } from '../../domain/files/syncedItems.js'
import type { MergedOutcome } from '../../ports/agents.js'
import type { Disk } from '../../ports/files.js'
import { errnoOf, failureOf, isGone } from '../files/diskFailure.js'
import { hashFile, readBytes } from '../files/fileHash.js'
import { decodeName, parentOf } from '../files/relativePath.js'
import { BuildProblems } from './buildProblems.js'
import {
  type AgentFilesOptions,
  absentGroup,
  checkActiveResponse,
  checkGroup,
  entriesOf,
  type GroupState,
  type GroupView,
  listGroups,
} from './groupCheck.js'
import { lstatIfThere } from './makeDirectory.js'
import { MergedTargets } from './mergedTargets.js'
import { removeFile, removeLeftover } from './replaceFile.js'

/** What changed, by the group or the hash of the list that it is in. */
interface Changes {
  readonly groups: Set<string>
  readonly hashes: Set<string>
}

export class MergedFiles {
  readonly #disk: Disk
  readonly #options: AgentFilesOptions
  readonly #problems = new BuildProblems()
  readonly #targets: MergedTargets
  /** Every change of an input is reported, but for etc/shared/ar.conf, which is never synced. */
  readonly #areChangesTold: boolean
  /** The groups that are there, as they were when they were checked last. */
  readonly #groups = new Map<string, GroupState>()
  #activeResponse: GroupView | undefined
  /** Of the build before: by their hashes, and all of them as one text. */
  #lists: ReadonlyMap<string, readonly string[]> = new Map()
  #listsText = ''
  /** What there is in var/multigroups, and whether it is a directory. */
  #directories: ReadonlyMap<string, boolean> = new Map()
  /** False until everything was checked, and while a build is under way. */
  #isKnown = false
  // Of one build:
  readonly #views = new Map<string, GroupView>()
  #written: string[] = []
  #removed: string[] = []

  constructor(disk: Disk, options: AgentFilesOptions) {
    this.#disk = disk
    this.#options = options
    this.#targets = new MergedTargets(disk, options, this.#problems)
    this.#areChangesTold = isSyncedWhole(options.synced, sharedDirectory)
  }

  /** @param changed see AgentFiles.buildMerged */
  build(multigroups: readonly (readonly string[])[], changed?: readonly string[]): MergedOutcome {
    const isKnown = this.#isKnown
    this.#isKnown = false
    const isActiveResponseSame = this.#checkActiveResponse()
    const changes = isKnown && this.#areChangesTold && isActiveResponseSame ? changed : undefined
    this.#views.clear()
    this.#written = []
    this.#removed = []
    // Unless everything can be listed, nothing is changed.
    this.#isKnown = this.#attempt(sharedDirectory, 'read', () => {
      if (changes) this.#buildChanged(multigroups, changes)
      else this.#buildAll(multigroups)
    })
    this.#views.clear()
    return { written: this.#written, removed: this.#removed, problems: this.#problems.shown() }
  }

  /** MD5 (hex) of the merged.mg for a list of groups, as agents report it; nothing while it is not there. */
  sum(groups: readonly string[]): string | undefined {
    try {
      return hashFile(this.#disk, this.#absolute(mergedPathOf(groups)), new Uint8Array(readBytes), 'md5').digest
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return undefined
      throw thrown
    }
  }

  // ------------------------------------------------------------------------------------------------- what to check

  #buildAll(multigroups: readonly (readonly string[])[]): void {
    this.#takeLists(multigroups)
    this.#listDirectories()
    this.#bring({ groups: new Set(this.#groups.keys()), hashes: new Set(this.#lists.keys()) })
    this.#removeUnused()
  }

  #buildChanged(multigroups: readonly (readonly string[])[], paths: readonly string[]): void {
    const changes = this.#changesAt(paths)
    const isListing = this.#takeLists(multigroups) || paths.length === 0 || !this.#areKnown(changes)
    if (isListing) this.#listDirectories(changes)
    if (paths.length === 0) this.#addUnsettled(changes)
    this.#bring(changes)
    if (isListing) this.#removeUnused()
  }

  #changesAt(paths: readonly string[]): Changes {
    const changes: Changes = { groups: new Set(), hashes: new Set() }
    for (const path of paths) {
      const [, top = '', name = '', file] = /^([^/]+\/[^/]+)\/([^/]+)\/(.+)$/s.exec(path) ?? []
      // The tree reports what was built here, too.
      if (file === undefined || (file === mergedName && this.#targets.isAsBuilt(path))) continue
      if (top === sharedDirectory) changes.groups.add(name)
      if (top === multigroupsDirectory) changes.hashes.add(name)
    }
    return changes
  }

  #areKnown({ groups, hashes }: Changes): boolean {
    const isThere = (group: string): boolean =>
      this.#groups.has(group) && lstatIfThere(this.#disk, this.#absolute(directoryOf(group)))?.kind === 'directory'
    return [...groups].every(isThere) && [...hashes].every((hash) => this.#lists.has(hash))
  }

  /** What was changed or built so shortly before it was checked that its stats need not show a change, and what failed. */
  #addUnsettled({ groups, hashes }: Changes): void {
    for (const group of this.#groups.keys()) if (!this.#targets.isSettled(pathOfGroup(group))) groups.add(group)
    for (const hash of this.#lists.keys()) if (!this.#targets.isSettled(pathOfList(hash))) hashes.add(hash)
  }

  // -------------------------------------------------------------------------------------------------- what there is

  /** Notes which groups and lists there are; adds those that came or went. */
  #listDirectories(changes?: Changes): void {
    const { groups, problems } = listGroups(this.#disk, this.#options.home)
    this.#report(groupsSubject, problems)
    const there = new Set(groups)
    for (const group of this.#groups.keys()) {
      if (there.has(group)) continue
      this.#groups.delete(group)
      this.#problems.forget(directoryOf(group))
      this.#forgetTarget(pathOfGroup(group))
      changes?.groups.add(group)
    }
    for (const group of groups) {
      if (this.#groups.has(group)) continue
      this.#groups.set(group, absentGroup(group))
      changes?.groups.add(group)
    }
    const entries = entriesOf(this.#disk, this.#absolute(multigroupsDirectory))
    this.#directories = new Map(entries.map(({ kind, name }) => [decodeName(name) ?? '', kind === 'directory']))
    for (const hash of this.#lists.keys()) if (this.#directories.get(hash) !== true) changes?.hashes.add(hash)
  }

  /** The same for the same lists in any order, even should two of them have the same hash. Says whether they are other ones. */
  #takeLists(multigroups: readonly (readonly string[])[]): boolean {
    const inOrder = multigroups
      .filter((list) => list.length > 1)
      .map((list) => list.join())
      .sort()
    const text = inOrder.join('\n')
    if (text === this.#listsText) return false
    const lists = new Map<string, readonly string[]>()
    const problems: string[] = []
    for (const joined of inOrder) {
      const list = joined.split(',')
      const hash = groupsHash(list)
      const first = lists.get(hash)
      if (!first) lists.set(hash, list)
      else if (first.join() !== joined) problems.push(`The groups ${joined} get no merged.mg: ${first.join()} have the same hash ${hash}.`)
    }
    for (const [hash, list] of this.#lists) if (lists.get(hash)?.join() !== list.join()) this.#forgetTarget(pathOfList(hash))
    this.#report(multigroupsDirectory, problems)
    this.#lists = lists
    this.#listsText = text
    return true
  }

  /** Says whether it certainly is what it was. */
  #checkActiveResponse(): boolean {
    const before = this.#activeResponse
    const view = checkActiveResponse(this.#disk, this.#options)
    this.#activeResponse = view
    this.#report(`${sharedDirectory}/${activeResponseName}`, view.problems)
    return view.isWhole && !view.isFresh && before?.fingerprint === view.fingerprint && before.isWhole && !before.isFresh
  }

  #checkGroup(group: string): GroupView {
    const view = checkGroup(this.#disk, this.#options, group)
    const { fingerprint, isFresh, isWhole } = view
    this.#groups.set(group, { group, fingerprint, isFresh, isWhole })
    this.#report(directoryOf(group), view.problems)
    return view
  }

  /** Only a list needs the files of a group that was checked before. */
  #viewOf(group: string): GroupView {
    if (!this.#groups.has(group)) return absentGroup(group)
    const view = this.#views.get(group) ?? this.#checkGroup(group)
    this.#views.set(group, view)
    return view
  }

  // ------------------------------------------------------------------------------------------------- what is built

  #bring({ groups, hashes }: Changes): void {
    const inLists = new Set([...this.#lists.values()].flat())
    for (const group of groups) {
      if (!this.#groups.has(group)) continue
      const view = this.#checkGroup(group)
      if (inLists.has(group)) this.#views.set(group, view)
      this.#bringTarget(pathOfGroup(group), group, [view], () => [view])
    }
    for (const [hash, list] of this.#lists) {
      if (!hashes.has(hash) && !list.some((group) => groups.has(group))) continue
      if (this.#directories.get(hash) === false)
        this.#report(pathOfList(hash), [`'${multigroupsDirectory}/${hash}' is in the way: it is not a directory.`])
      else if (list.some((group) => this.#groups.has(group)))
        this.#bringTarget(
          pathOfList(hash),
          hash,
          list.map((group) => this.#groups.get(group) ?? absentGroup(group)),
          () => list.map((group) => this.#viewOf(group)),
        )
    }
  }

  #bringTarget(path: string, title: string, inputs: readonly GroupState[], views: () => readonly GroupView[]): void {
    const always = this.#activeResponse
    if (!always) return
    this.#attempt(path, 'written', () => {
      if (this.#targets.bring({ path, title, inputs: [always, ...inputs], views: () => [always, ...views()] })) this.#written.push(path)
    })
  }

  /** Deletes only what was built here; a directory that something else is in stays. */
  #removeUnused(): void {
    for (const [name, isDirectory] of this.#directories) {
      if (!isDirectory || this.#lists.has(name) || !/^[0-9a-f]{8}$/.test(name)) continue
      const path = pathOfList(name)
      this.#attempt(path, 'deleted', () => {
        removeLeftover(this.#disk, this.#absolute(path))
        if (removeFile(this.#disk, this.#absolute(path))) this.#removed.push(path)
        removeEmptyDirectory(this.#disk, this.#absolute(parentOf(path)))
      })
    }
  }

  #forgetTarget(path: string): void {
    this.#targets.forget(path)
    this.#problems.forget(path)
  }

  #report(subject: string, problems: readonly string[]): void {
    this.#problems.forget(subject)
    for (const problem of problems) this.#problems.add(subject, problem)
  }

  #attempt(path: string, doing: string, act: () => void): boolean {
    this.#problems.forget(path)
    try {
      act()
      return true
    } catch (thrown) {
      this.#problems.add(path, failureOf(path, thrown, doing).message)
      return false
    }
  }

  #absolute(path: string): string {
    return `${this.#options.home}/${path}`
  }
}

const directoryOf = (group: string): string => `${sharedDirectory}/${group}`
const pathOfGroup = (group: string): string => `${directoryOf(group)}/${mergedName}`
const pathOfList = (hash: string): string => `${multigroupsDirectory}/${hash}/${mergedName}`
/** What problems with names of groups are about; no path. */
const groupsSubject = `${sharedDirectory}/`

const isSyncedWhole = ({ items }: SyncedItems, directory: string): boolean =>
  items.some(({ dir, files, recursive }) => dir === directory && files === 'all' && recursive) &&
  !items.some(({ dir }) => dir.startsWith(`${directory}/`))

const removeEmptyDirectory = (disk: Disk, path: string): void => {
  try {
    disk.rmdir(path)
  } catch (thrown) {
    const errno = errnoOf(thrown)
    if (errno !== 'ENOTEMPTY' && errno !== 'EEXIST' && !isGone(errno)) throw thrown
  }
}
