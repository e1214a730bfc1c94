/** Groups of agents: names, the ordered list that an agent has, and its hash. The rules are those of Wazuh. */
import { createHash } from 'node:crypto'
import { ClusterError, type ErrorCode } from '../../base/errors.js'
import { limits } from '../../base/limits.js'

export const defaultGroup = 'default'

const groupNamePattern = /^[A-Za-z0-9._-]+$/

export const isGroupName = (name: string): boolean =>
  groupNamePattern.test(name) && name.length <= limits.groupNameCharsMax && name !== '.' && name !== '..'

/** Of an ordered list: the directory of a multigroup, and what nodes compare. Empty for no groups. */
export const groupsHash = (groups: readonly string[]): string =>
  groups.length === 0 ? '' : createHash('sha256').update(groups.join(',')).digest('hex').slice(0, 8)

/** How the groups of some agents change. Agents that are not there are left out; an agent left without groups gets `default`. */
export type GroupsChange =
  | { readonly kind: 'assign'; readonly ids: readonly number[]; readonly group: string }
  | { readonly kind: 'replace'; readonly ids: readonly number[]; readonly groups: readonly string[] }
  | { readonly kind: 'unassign'; readonly ids: readonly number[]; readonly group: string }
  /** From all agents. */
  | { readonly kind: 'dissolve'; readonly group: string }

/** What agents have where a real manager groups them: these groups in this order, none included. Agents that are not there are left out. */
export interface ExactGroups {
  readonly kind: 'exact'
  readonly rows: readonly GroupsRow[]
}

const orDefault = (groups: readonly string[]): readonly string[] => (groups.length === 0 ? [defaultGroup] : groups)

/** The groups of an agent after a change. */
export const changedGroups = (groups: readonly string[], change: GroupsChange): readonly string[] => {
  switch (change.kind) {
    case 'assign':
      return groups.includes(change.group) || groups.length >= limits.groupsPerAgentMax ? groups : [...groups, change.group]
    case 'replace':
      return orDefault([...new Set(change.groups)].slice(0, limits.groupsPerAgentMax))
    case 'unassign':
    case 'dissolve':
      return groups.includes(change.group) ? orDefault(groups.filter((group) => group !== change.group)) : groups
  }
}

/** Refuses with `groupInvalid` a change that would give agents what cannot be their groups. */
export const assertGroupsChange = (change: GroupsChange | ExactGroups): void => {
  if (change.kind === 'replace') assertGroups(change.groups)
  if (change.kind === 'assign') assertGroups([change.group])
  if (change.kind === 'exact') for (const { groups } of change.rows) assertGroups(groups)
}

/** Why a change makes no difference to an agent with these groups; undefined when it makes one. */
export const whyUnchanged = (groups: readonly string[], change: GroupsChange): ErrorCode | undefined => {
  if (changedGroups(groups, change).join() !== groups.join()) return undefined
  switch (change.kind) {
    case 'assign':
      return groups.includes(change.group) ? 'inGroupAlready' : 'tooManyGroups'
    case 'replace':
      return change.groups.length === 0 ? 'onlyDefaultGroup' : 'inGroupAlready'
    case 'unassign':
    case 'dissolve':
      return groups.includes(change.group) ? 'onlyDefaultGroup' : 'notInGroup'
  }
}

/** Which groups the agents of a table have, as nodes compare it. */
export interface GroupsState {
  /** Of the master's table that the versions count in; empty on a worker that never had any groups. */
  readonly table: string
  /** Rises with each change. */
  readonly version: number
  /** The reference's: SHA-1 (hex) over the agents' group hashes in order of their IDs. */
  readonly hash: string
}

/** The groups of a table, as a worker got them from its master. */
export type GroupsCopy = Pick<GroupsState, 'table' | 'version'>

/** Whether what a copy says goes before what was restored from another: the same table, and not an older state of it. */
export const isCopyAsGood = (copy: GroupsCopy, restored: GroupsCopy): boolean =>
  copy.table === restored.table && copy.version >= restored.version

/** The groups of one agent, on the way to the workers. */
export interface GroupsRow {
  readonly id: number
  readonly groups: readonly string[]
}

export interface GroupsPage {
  readonly rows: readonly GroupsRow[]
  /** The state that a worker is in once it has this page and those that follow it. */
  readonly state: GroupsState
  /** Where the next page starts; missing on the last. */
  readonly next?: number
}

/** As many of the rows as a page holds; `rows` are in order of their IDs. */
export const groupsPageOf = (rows: readonly GroupsRow[], state: GroupsState): GroupsPage => {
  const page: GroupsRow[] = []
  let bytes = 2
  for (const row of rows) {
    // As in wire/muster/groupsRows: `[7,"a,b"],`
    bytes += String(row.id).length + row.groups.reduce((sum, group) => sum + group.length + 1, 0) + 6
    const last = page.at(-1)
    if (last && (page.length >= limits.groupsPageRowsMax || bytes > limits.groupsPageBytesMax)) return { rows: page, state, next: last.id }
    page.push(row)
  }
  return { rows: page, state }
}

/** Refuses with `groupInvalid` what cannot be groups of an agent. */
export const assertGroups = (groups: readonly string[]): void => {
  const wrong = groups.length > limits.groupsPerAgentMax ? 'too many' : groups.find((group) => !isGroupName(group))
  if (wrong !== undefined) throw new ClusterError('groupInvalid', { message: `Not valid as the groups of an agent: ${wrong}` })
}
