/**
 * The operations on what agents have on one node's disk, over a synchronous disk: what the AgentFiles port does, without its
 * thread.
 */
import type { KeysAnswer, KeysChange, KeysPage } from '../../domain/agents/keyEntry.js'
import type { SyncedItems } from '../../domain/files/syncedItems.js'
import type { GroupFile, MergedOutcome } from '../../ports/agents.js'
import type { Disk } from '../../ports/files.js'
import { HeldDisk } from '../files/heldDisk.js'
import { sharedDirectory } from './groupCheck.js'
import { GroupDirectories } from './groupDirectories.js'
import { AgentKeys, type AgentKeysOptions } from './keysOnDisk.js'
import { MergedFiles, multigroupsDirectory } from './mergedBuilder.js'
import { countersPath, forgetCounters } from './messageCounters.js'

export interface CreateAgentFilesOptions extends AgentKeysOptions {
  readonly synced: SyncedItems
}

/** The methods of the AgentFiles port, synchronous. */
export interface SynchronousAgentFiles {
  look(all: boolean, confirmed: string): KeysPage
  nextPage(): KeysPage
  change(changes: readonly KeysChange[]): readonly KeysAnswer[]
  forget(ids: readonly number[]): void
  groups(): readonly string[]
  groupFiles(group: string): readonly GroupFile[]
  mergedSum(groups: readonly string[]): string | undefined
  createGroup(group: string): void
  createDefaultGroup(): boolean
  removeGroup(group: string): void
  buildMerged(multigroups: readonly (readonly string[])[]): MergedOutcome
}

/** Directories that agents' files are in; below them nobody's symlink is followed. */
const directories = ['etc', sharedDirectory, multigroupsDirectory, countersPath]

export const createSynchronousAgentFiles = (anyDisk: Disk, options: CreateAgentFilesOptions): SynchronousAgentFiles => {
  const { home, synced } = options
  const disk = new HeldDisk(
    anyDisk,
    directories.map((directory) => `${home}/${directory}`),
  )
  const keys = new AgentKeys(disk, options)
  const groups = new GroupDirectories(disk, { home, synced })
  const merged = new MergedFiles(disk, { home, synced })
  const { operation } = disk
  return {
    look: (all, confirmed) => operation(() => keys.check(all, confirmed)),
    nextPage: () => keys.nextPage(),
    change: (changes) => operation(() => keys.change(changes)),
    forget: (ids) => operation(() => forgetCounters(disk, home, ids)),
    groups: () => operation(() => groups.groups()),
    groupFiles: (group) => operation(() => groups.groupFiles(group)),
    mergedSum: (list) => operation(() => merged.sum(list)),
    createGroup: (group) => operation(() => groups.createGroup(group)),
    createDefaultGroup: () => operation(() => groups.createDefault()),
    removeGroup: (group) => operation(() => groups.removeGroup(group)),
    buildMerged: (multigroups) => operation(() => merged.build(multigroups)),
  }
}
