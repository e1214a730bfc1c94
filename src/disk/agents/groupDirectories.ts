/** The groups of agents on disk: one directory each under etc/shared, with the files that their agents get. */

import { ClusterError, errorTable } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { defaultGroup, isGroupName } from '../../domain/agents/groups.js'
import { agentConfigName, mergedName, sharedDirectory } from '../../domain/agents/mergedFile.js'
import type { HashName } from '../../domain/files/hashNames.js'
import { itemOf } from '../../domain/files/syncedItems.js'
import type { GroupFile } from '../../ports/agents.js'
import type { Disk } from '../../ports/files.js'
import { diskError, errnoOf, isGone } from '../files/diskFailure.js'
import { hashFile, readBytes } from '../files/fileHash.js'
import { decodeName, isTemporaryName, shownName } from '../files/relativePath.js'
import { type AgentFilesOptions, checkGroup, groupFileMode, listGroups } from './groupCheck.js'
import { directoryMode, lstatIfThere, makeDirectory, syncDirectory } from './makeDirectory.js'
import { removeFile, replaceFile } from './replaceFile.js'

/** As Wazuh makes it: valid, and without any setting. */
const emptyAgentConfig = '<agent_config>\n\n  <!-- Shared agent configuration here -->\n\n</agent_config>\n'

export class GroupDirectories {
  readonly #disk: Disk
  readonly #options: AgentFilesOptions
  readonly #buffer = new Uint8Array(readBytes)

  constructor(disk: Disk, options: AgentFilesOptions) {
    this.#disk = disk
    this.#options = options
  }

  /** In order of their names. */
  groups(): readonly string[] {
    return this.#attempt(sharedDirectory, 'read', () => listGroups(this.#disk, this.#options.home).groups)
  }

  /** See AgentFiles. */
  groupFiles(group: string, hash: HashName, names?: readonly string[]): readonly GroupFile[] {
    const path = this.#existing(group)
    const files = checkGroup(this.#disk, this.#options, group).files.map(({ name, target }) => ({ name, target }))
    return [...files, { name: mergedName, target: this.#absolute(`${path}/${mergedName}`) }]
      .filter(({ name }) => names?.includes(name) ?? true)
      .flatMap(({ name, target }) => this.#attempt(`${path}/${name}`, 'read', () => this.#hash(name, target, hash)))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  createGroup(group: string): void {
    const path = checkedPath(group)
    this.#attempt(path, 'created', () => {
      if (listGroups(this.#disk, this.#options.home).groups.length >= limits.groupsMax && !lstatIfThere(this.#disk, this.#absolute(path)))
        throw invalid(`There are already ${limits.groupsMax} groups, the limit.`)
      makeDirectory(this.#disk, this.#absolute(sharedDirectory))
      this.#makeGroup(group, path)
    })
  }

  /**
   * The group that Wazuh's installation makes. Returns whether it was missing. Does not make etc/shared: a home without it may be
   * one whose files are not there yet.
   */
  createDefault(): boolean {
    const path = checkedPath(defaultGroup)
    return this.#attempt(path, 'created', () => {
      if (lstatIfThere(this.#disk, this.#absolute(path))?.kind === 'directory') return false
      if (!lstatIfThere(this.#disk, this.#absolute(sharedDirectory)))
        throw new ClusterError('fileFailed', { message: `'${sharedDirectory}' does not exist.` })
      this.#makeGroup(defaultGroup, path)
      return true
    })
  }

  removeGroup(group: string): void {
    const path = this.#existing(group)
    if (group === defaultGroup) throw new ClusterError('groupKept')
    this.#attempt(path, 'deleted', () => {
      this.#removeDirectory(path)
      syncDirectory(this.#disk, this.#absolute(sharedDirectory))
    })
  }

  /** The path of a group that is there. */
  #existing(group: string): string {
    const path = checkedPath(group)
    const kind = this.#attempt(path, 'read', () => lstatIfThere(this.#disk, this.#absolute(path))?.kind)
    if (kind !== 'directory') throw new ClusterError('groupMissing')
    return path
  }

  #makeGroup(group: string, path: string): void {
    this.#makeGroupDirectory(group, path)
    const agentConfig = `${path}/${agentConfigName}`
    const mode = itemOf(this.#options.synced, agentConfig)?.mode ?? groupFileMode
    replaceFile(this.#disk, this.#absolute(agentConfig), [Buffer.from(emptyAgentConfig)], mode)
    syncDirectory(this.#disk, this.#absolute(path))
    syncDirectory(this.#disk, this.#absolute(sharedDirectory))
  }

  #makeGroupDirectory(group: string, path: string): void {
    try {
      this.#disk.mkdir(this.#absolute(path), directoryMode)
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EEXIST') throw thrown
      if (lstatIfThere(this.#disk, this.#absolute(path))?.kind !== 'directory')
        throw invalid(`'${path}' is in the way of the group '${group}', and is not a directory.`)
      if (!this.#isUnfinished(path)) throw new ClusterError('groupExists', { message: `${errorTable.groupExists.says}: ${group}` })
    }
  }

  /** A creation that was interrupted: there is nothing yet but what this program makes by itself. */
  #isUnfinished(path: string): boolean {
    return this.#disk.readdir(this.#absolute(path)).every(({ kind, name }) => {
      const text = decodeName(name)
      return kind === 'file' && text !== undefined && (text === mergedName || isTemporaryName(text))
    })
  }

  /** With all that is in it. A symlink is deleted, never followed: what it leads to is not the group's. */
  #removeDirectory(path: string): void {
    for (const entry of this.#disk.readdir(this.#absolute(path))) {
      const name = decodeName(entry.name)
      if (name === undefined)
        throw new ClusterError('fileFailed', {
          message: `'${path}/${shownName(entry.name)}' could not be deleted: its name is not valid UTF-8.`,
        })
      if (entry.kind === 'directory') this.#removeDirectory(`${path}/${name}`)
      else removeFile(this.#disk, this.#absolute(`${path}/${name}`))
    }
    this.#disk.rmdir(this.#absolute(path))
  }

  /** Nothing when the file is gone, or is not a file. */
  #hash(name: string, target: string, hash: HashName): GroupFile[] {
    try {
      if (lstatIfThere(this.#disk, target)?.kind !== 'file') return []
      const { digest, stat } = hashFile(this.#disk, target, this.#buffer, hash)
      return [{ name, bytes: stat.size, digest }]
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return []
      throw thrown
    }
  }

  #attempt<T>(path: string, doing: string, act: () => T): T {
    try {
      return act()
    } catch (thrown) {
      throw diskError(path, thrown, doing)
    }
  }

  #absolute(path: string): string {
    return `${this.#options.home}/${path}`
  }
}

const invalid = (message: string): ClusterError => new ClusterError('groupInvalid', { message })

const checkedPath = (group: string): string => {
  if (!isGroupName(group)) throw new ClusterError('groupNameInvalid')
  return `${sharedDirectory}/${group}`
}
