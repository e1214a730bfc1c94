/**
 * The operations on what agents have on one node's disk, over a synchronous disk: what the AgentFiles port does, without its
 * thread.
 */
import { multigroupsDirectory, sharedDirectory } from '../../domain/agents/mergedFile.js'
import type { SyncedItems } from '../../domain/files/syncedItems.js'
import type { AgentFiles } from '../../ports/agents.js'
import type { Disk } from '../../ports/files.js'
import type { Synchronous } from '../../ports/operations.js'
import { HeldDisk } from '../files/heldDisk.js'
import { GroupDirectories } from './groupDirectories.js'
import { AgentKeys, type AgentKeysOptions } from './keysOnDisk.js'
import { MergedFiles } from './mergedBuilder.js'
import { countersPath, forgetCounters } from './messageCounters.js'

export interface CreateAgentFilesOptions extends AgentKeysOptions {
  readonly synced: SyncedItems
}

export const agentFilesOperations = [
  ...(['check', 'nextPage', 'change', 'forget', 'groups', 'groupFiles', 'mergedSum'] as const),
  ...(['createGroup', 'createDefaultGroup', 'removeGroup', 'buildMerged'] as const),
] as const

export type AgentFilesOperation = (typeof agentFilesOperations)[number]
export type SynchronousAgentFiles = Synchronous<AgentFiles, AgentFilesOperation>

/** Directories that agents' files are in; below them no symlink is followed. */
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
    check: (all, confirmed) => operation(() => keys.check(all, confirmed)),
    nextPage: () => keys.nextPage(),
    change: (changes) => operation(() => keys.change(changes)),
    forget: (ids) => operation(() => forgetCounters(disk, home, ids)),
    groups: () => operation(() => groups.groups()),
    groupFiles: (group, hash, names) => operation(() => groups.groupFiles(group, hash, names)),
    mergedSum: (list) => operation(() => merged.sum(list)),
    createGroup: (group) => operation(() => groups.createGroup(group)),
    createDefaultGroup: () => operation(() => groups.createDefault()),
    removeGroup: (group) => operation(() => groups.removeGroup(group)),
    buildMerged: (multigroups, changed) => operation(() => merged.build(multigroups, changed)),
  }
}
