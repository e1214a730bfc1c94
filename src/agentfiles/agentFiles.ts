/**
 * The operations on what agents have on one node's disk, over a synchronous disk: what the AgentFiles port does, without its
 * thread.
 */
import type { KeysAnswer, KeysChange, KeysPage } from '../domain/agentKeys.js'
import type { SyncedItems } from '../domain/syncedItems.js'
import type { Disk, GroupFile, MergedOutcome } from '../ports.js'
import { AgentKeys, type AgentKeysOptions } from './agentKeys.js'
import { GroupDirectories } from './groupDirectories.js'
import { MergedFiles } from './mergedFiles.js'
import { forgetCounters } from './messageCounters.js'

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

export const createSynchronousAgentFiles = (disk: Disk, options: CreateAgentFilesOptions): SynchronousAgentFiles => {
  const { home, synced } = options
  const keys = new AgentKeys(disk, options)
  const groups = new GroupDirectories(disk, { home, synced })
  const merged = new MergedFiles(disk, { home, synced })
  return {
    look: (all, confirmed) => keys.look(all, confirmed),
    nextPage: () => keys.nextPage(),
    change: (changes) => keys.change(changes),
    forget: (ids) => forgetCounters(disk, home, ids),
    groups: () => groups.groups(),
    groupFiles: (group) => groups.groupFiles(group),
    mergedSum: (list) => merged.sum(list),
    createGroup: (group) => groups.createGroup(group),
    createDefaultGroup: () => groups.createDefault(),
    removeGroup: (group) => groups.removeGroup(group),
    buildMerged: (multigroups) => merged.build(multigroups),
  }
}
