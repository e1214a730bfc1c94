/**
 * Checks the groups' directories under etc/shared: which there are, which of their files belong into merged.mg, and a
 * fingerprint that shows whether any of them changed. Reads no content.
 */
import { createHash, type Hash } from 'node:crypto'
import { limits } from '../../base/limits.js'
import { isGroupName } from '../../domain/agents/groups.js'
import { activeResponseName, isMergeableName, type MergeSource, mergedName, sharedDirectory } from '../../domain/agents/mergedFile.js'
import { isExcluded, type SyncedItems } from '../../domain/files/syncedItems.js'
import type { Disk, DiskStat } from '../../ports/files.js'
import { errnoOf, failureOf, isGone } from '../files/diskFailure.js'
import { stampOf } from '../files/fileHash.js'
import { decodeName, isTemporaryName, shownName } from '../files/relativePath.js'
import { targetWithin } from '../files/targetWithin.js'
import { lstatIfThere } from './makeDirectory.js'

/** Where no synced item says otherwise. */
export const groupFileMode = 0o660
/** A file that was read this shortly after a change can change again without its times showing it. */
const freshMs = 2_000
const namesShownMax = 5

export interface AgentFilesOptions {
  /** Absolute, without a slash at the end. */
  readonly home: string
  readonly synced: SyncedItems
}

export interface GroupSource extends MergeSource {
  /** Relative to the home. */
  readonly path: string
  /** Absolute; where the symlink leads when it is one. */
  readonly target: string
  readonly stat: DiskStat
}

/** What is kept of a group from one check to the next. */
export interface GroupState {
  readonly group: string
  /** The same until a file changes, comes or goes. */
  readonly fingerprint: string
  /** Something changed so shortly before that the fingerprint may not show the next change. */
  readonly isFresh: boolean
  /** False when something could not be read: then it is not known what belongs into merged.mg. */
  readonly isWhole: boolean
}

/** One group as it was at a check. */
export interface GroupView extends GroupState {
  readonly files: readonly GroupSource[]
  readonly problems: readonly string[]
}

/** Whether a change at this time and another one right now may be indistinguishable. */
export const isFresh = (nowMs: number, { ctimeNs }: DiskStat): boolean => Math.abs(nowMs - Number(ctimeNs / 1_000_000n)) < freshMs

/** Names of the groups, in order, and what else is called a directory there. */
export const listGroups = (disk: Disk, home: string): { readonly groups: readonly string[]; readonly problems: readonly string[] } => {
  const groups: string[] = []
  const others: string[] = []
  for (const { kind, name } of entriesOf(disk, `${home}/${sharedDirectory}`)) {
    if (kind !== 'directory') continue
    const group = decodeName(name)
    if (group !== undefined && isGroupName(group)) groups.push(group)
    else others.push(shownName(name))
  }
  const problems: string[] = []
  if (others.length > 0) {
    const shown = others.sort().slice(0, namesShownMax)
    const more = others.length > shown.length ? `, and ${others.length - shown.length} more` : ''
    problems.push(`Directories in '${sharedDirectory}' whose names no group can have are left out: '${shown.join("', '")}'${more}.`)
  }
  if (groups.length > limits.groupsMax)
    problems.push(`There are ${groups.length} groups; those after the first ${limits.groupsMax} are left out.`)
  return { groups: groups.sort().slice(0, limits.groupsMax), problems }
}

export const checkGroup = (disk: Disk, options: AgentFilesOptions, group: string): GroupView => {
  const check = new GroupCheck(disk, options, group)
  check.directory(`${sharedDirectory}/${group}`, '', 1)
  return check.view()
}

export const absentGroup = (group: string): GroupView => ({
  group,
  files: [],
  fingerprint: '',
  isFresh: false,
  isWhole: true,
  problems: [],
})

/** etc/shared/ar.conf, which is of every group, as a group with at most this file. */
export const checkActiveResponse = (disk: Disk, options: AgentFilesOptions): GroupView => {
  const check = new GroupCheck(disk, options, '')
  check.file(`${sharedDirectory}/${activeResponseName}`, activeResponseName)
  return check.view()
}

/** Nothing of a directory that is not there. */
export const entriesOf = (disk: Disk, directory: string): ReturnType<Disk['readdir']> => {
  try {
    return disk.readdir(directory)
  } catch (thrown) {
    if (isGone(errnoOf(thrown))) return []
    throw thrown
  }
}

class GroupCheck {
  readonly #disk: Disk
  readonly #options: AgentFilesOptions
  readonly #group: string
  readonly #nowMs: number
  readonly #files: GroupSource[] = []
  readonly #problems: string[] = []
  #isFresh = false
  #isWhole = true

  constructor(disk: Disk, options: AgentFilesOptions, group: string) {
    this.#disk = disk
    this.#options = options
    this.#group = group
    this.#nowMs = disk.now()
  }

  view(): GroupView {
    const files = this.#files.sort((a, b) => (a.name < b.name ? -1 : 1))
    const hash = createHash('sha256')
    for (const file of files) stamp(hash, file)
    return {
      group: this.#group,
      files,
      fingerprint: hash.digest('base64'),
      isFresh: this.#isFresh,
      isWhole: this.#isWhole,
      problems: this.#problems,
    }
  }

  /** @param prefix what the names of its files begin with in merged.mg */
  directory(path: string, prefix: string, depth: number): void {
    try {
      for (const entry of this.#disk.readdir(this.#absolute(path))) {
        const name = decodeName(entry.name)
        if (name === undefined) this.#problems.push(`'${path}/${shownName(entry.name)}' is not merged: its name is not valid UTF-8.`)
        else if (entry.kind === 'directory') this.#below(`${path}/${name}`, `${prefix}${name}/`, depth + 1)
        else if (this.#isMerged(prefix, name)) this.file(`${path}/${name}`, `${prefix}${name}`)
        if (!this.#isWhole) return
      }
    } catch (thrown) {
      if (!isGone(errnoOf(thrown))) this.#unreadable(path, thrown)
      // The group was removed since it was listed: nothing must bring it back.
      else if (depth === 1) this.#isWhole = false
    }
  }

  file(path: string, name: string): void {
    try {
      const found = this.#find(path)
      if (!found) return
      if (!isMergeableName(name)) this.#problems.push(`${JSON.stringify(path)} is not merged: agents cannot take a file of this name.`)
      else if (this.#files.length >= limits.groupFilesMax)
        this.#giveUp(`The group '${this.#group}' has more than ${limits.groupFilesMax} files.`)
      else {
        this.#files.push({ name, path, bytes: found.stat.size, ...found })
        this.#isFresh ||= isFresh(this.#nowMs, found.stat)
      }
    } catch (thrown) {
      this.#unreadable(path, thrown)
    }
  }

  #below(path: string, prefix: string, depth: number): void {
    if (depth <= limits.pathDepthMax) this.directory(path, prefix, depth)
    else this.#problems.push(`'${path}' is not merged: it is deeper than ${limits.pathDepthMax} directories.`)
  }

  #isMerged(prefix: string, name: string): boolean {
    return !(prefix === '' && name === mergedName) && !isTemporaryName(name) && !isExcluded(this.#options.synced, name)
  }

  /** Where the content is. Like the synchronization, this follows a symlink only to a file within etc/shared. */
  #find(path: string): { readonly target: string; readonly stat: DiskStat } | undefined {
    const target = this.#absolute(path)
    const stat = lstatIfThere(this.#disk, target)
    if (stat?.kind === 'file') return { target, stat }
    if (stat?.kind === 'symlink') return this.#follow(path)
    if (stat?.kind === 'other') this.#problems.push(`'${path}' is not merged: it is neither a file nor a directory.`)
    return undefined
  }

  #follow(path: string): { readonly target: string; readonly stat: DiskStat } | undefined {
    try {
      const target = targetWithin(this.#disk, this.#absolute(sharedDirectory), this.#absolute(path))
      const stat = target === undefined ? undefined : this.#disk.lstat(target)
      if (target !== undefined && stat?.kind === 'file') return { target, stat }
    } catch (thrown) {
      const errno = errnoOf(thrown)
      if (errno !== 'ELOOP' && !isGone(errno)) throw thrown
    }
    this.#problems.push(`'${path}' is not merged: the symbolic link does not lead to a file in '${sharedDirectory}'.`)
    return undefined
  }

  #unreadable(path: string, thrown: unknown): void {
    this.#giveUp(failureOf(path, thrown, 'read').message)
  }

  #giveUp(why: string): void {
    this.#isWhole = false
    this.#problems.push(why)
  }

  #absolute(path: string): string {
    return `${this.#options.home}/${path}`
  }
}

const stamp = (hash: Hash, { name, stat, target }: GroupSource): void => {
  hash.update(`${name}\0${target}\0${stampOf(stat)}\0`)
}
