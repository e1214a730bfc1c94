/** The groups of a node's agents: what operators do to them on the master, and what its workers get. */

import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import {
  defaultGroup,
  type GroupsChange,
  type GroupsCopy,
  type GroupsPage,
  type GroupsRow,
  isCopyAsGood,
  isGroupName,
} from '../../domain/agents/groups.js'
import type { Manager } from '../../domain/agents/leftToManager.js'
import type { AgentFiles, AgentGroupsStore, OpenedStore } from '../../ports/agents.js'
import { Signal } from '../kit/signal.js'

/** Pages that are kept for the workers that ask for the same. */
const pagesKeptMax = 4

export class LocalGroups {
  /** Emitted when groups may have changed. */
  readonly changes = new Signal()
  /** On a worker: of these agents the master's groups were taken; without IDs, of any. */
  readonly taken = new Signal<readonly number[] | undefined>()
  readonly #store: AgentGroupsStore
  readonly #files: AgentFiles
  /** A real manager has the groups too: what is lost here comes from there. */
  readonly #isManagers: boolean
  readonly #pages = new Map<string, Promise<GroupsPage>>()
  #table = ''
  #areLost = false
  /** The copy that they are restored from, the best one that was offered. */
  #restoring: { readonly copy: GroupsCopy; readonly isComplete: boolean } | undefined

  constructor(store: AgentGroupsStore, files: AgentFiles, manager: Manager) {
    this.#store = store
    this.#files = files
    this.#isManagers = manager === 'wazuh'
  }

  /** The table was opened, and has this many agents of client.keys. */
  async begin({ groupsLost, table }: OpenedStore, agents: number): Promise<void> {
    this.#pages.clear()
    this.#table = table
    this.#restoring = undefined
    this.#areLost = groupsLost && agents > 0 && !this.#isManagers
    // A new cluster has lost none.
    if (groupsLost && !this.#areLost) await this.#store.restoreGroups([], true)
    // Workers that learn of the new table offer what they have.
    if (this.#areLost) this.changes.emit()
  }

  /** On the master: whether these groups are wanted, of a table that it does not have any more. */
  wants(copy: GroupsCopy): boolean {
    if (!this.#areLost || copy.table === this.#table) return false
    if (!this.#restoring) return true
    const { copy: restored, isComplete } = this.#restoring
    return isCopyAsGood(copy, restored) && !(isComplete && copy.version === restored.version)
  }

  /** Takes a page of a copy that is wanted. Returns how many agents have got their groups back. */
  async restore(copy: GroupsCopy, rows: readonly GroupsRow[], isLast: boolean): Promise<number> {
    this.#restoring = { copy, isComplete: false }
    const restored = await this.#store.restoreGroups(rows, isLast)
    if (isLast && this.#restoring.copy.version === copy.version) this.#restoring = { copy, isComplete: true }
    if (restored > 0) this.changes.emit()
    return restored
  }

  /** On the master. Returns how many agents changed. Fails as `assertThere` does. */
  async change(change: GroupsChange, signal: AbortSignal): Promise<number> {
    if (change.kind === 'assign') await this.assertThere([change.group], signal)
    if (change.kind === 'replace') await this.assertThere(change.groups, signal)
    const changed = await this.#store.changeGroups(change)
    if (changed > 0) this.changes.emit()
    return changed
  }

  async create(group: string, signal: AbortSignal): Promise<void> {
    await this.#files.createGroup(group, signal)
    this.changes.emit()
  }

  /** Its agents lose it first: a crash in between leaves a group without agents, not agents without their group. */
  async remove(group: string, signal: AbortSignal): Promise<number> {
    if (group === defaultGroup) throw new ClusterError('groupKept')
    const changed = await this.#store.changeGroups({ kind: 'dissolve', group })
    // Agents may have a group whose directory was deleted by hand.
    if (changed === 0) await this.assertThere([group], signal)
    if ((await this.#files.groups(signal)).includes(group)) await this.#files.removeGroup(group, signal)
    this.changes.emit()
    return changed
  }

  /** Workers that ask for the same page of the same version cost one reading. */
  page(since: number, after: number, version: number): Promise<GroupsPage> {
    const key = `${version} ${since} ${after}`
    const kept = this.#pages.get(key)
    if (kept) return kept
    const page = this.#store.groupsPage(since, after)
    page.catch(() => this.#pages.delete(key))
    this.#pages.set(key, page)
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= pagesKeptMax) break
      this.#pages.delete(oldest)
    }
    return page
  }

  /** Fails with `groupNameInvalid`, `tooManyGroups` or `groupMissing`. */
  async assertThere(groups: readonly string[], signal: AbortSignal): Promise<void> {
    if ((await this.firstMissing(groups, signal)) !== undefined) throw new ClusterError('groupMissing')
  }

  /** Of these groups; undefined when all are there. Fails with `groupNameInvalid` or `tooManyGroups`. */
  async firstMissing(groups: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    if (!groups.every(isGroupName)) throw new ClusterError('groupNameInvalid')
    if (groups.length > limits.groupsPerAgentMax) throw new ClusterError('tooManyGroups')
    if (groups.length === 0) return undefined
    const there = new Set(await this.#files.groups(signal))
    return groups.find((group) => !there.has(group))
  }
}
