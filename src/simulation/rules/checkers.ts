/**
 * What must hold in a simulated cluster, whatever goes wrong. Each checker watches one rule and reports a sentence when it
 * is broken; `simulate` and property tests stop at the first.
 */
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { temporaryName } from '../../disk/files/relativePath.js'
import { defaultGroup } from '../../domain/agents/groups.js'
import type { Manager } from '../../domain/agents/leftToManager.js'
import { isExcluded, itemOf, type SyncedItems } from '../../domain/files/syncedItems.js'
import type { Disk } from '../../ports/files.js'
import type { DiskChange } from '../world/watchedDisk.js'
import { readWhole } from './expectedTree.js'

export interface Violation {
  readonly atMs: number
  /** Name of the rule. */
  readonly rule: string
  readonly says: string
}

const contentKey = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

/** Every content that the master ever had; fed before the master's node can see a change. */
export class MasterHistory {
  readonly #contents = new Set<string>()
  readonly #groups = new Set<{ readonly group: string; readonly how: 'created' | 'removed' }>()

  note(content: Buffer): void {
    this.#contents.add(contentKey(content))
  }

  /** A link may make one path show another's content, so content counts wherever the master had it. */
  had(content: Buffer): boolean {
    return this.#contents.has(contentKey(content))
  }

  /** An operator has the master make or delete a group, until the returned function is called. */
  groupIsMade(group: string, how: 'created' | 'removed'): () => void {
    const made = { group, how }
    this.#groups.add(made)
    return () => {
      this.#groups.delete(made)
    }
  }

  /** @param group any when left out */
  isGroupMade(how: 'created' | 'removed', group?: string): boolean {
    return [...this.#groups].some((made) => (group === undefined || made.group === group) && made.how === how)
  }
}

export interface NodeDiskRules {
  readonly node: string
  readonly role: 'master' | 'worker'
  readonly manager: Manager
  readonly home: string
  readonly stageDir: string
  readonly synced: SyncedItems
  readonly disk: Disk
  readonly history: MasterHistory
}

const ownDirectory = 'queue/muster'

/** What is wrong with a change that a node is about to make to its disk, if anything. */
export const checkDiskChange = (rules: NodeDiskRules, change: DiskChange): { readonly rule: string; readonly says: string } | undefined => {
  const path = posix.relative(rules.home, change.path)
  const shown = `${rules.node}: ${change.operation} ${JSON.stringify(path)}`
  const staged = posix.relative(rules.home, rules.stageDir)
  if (isAtOrBelow(path, staged) || isAtOrBelow(staged, path)) return undefined
  // Nobody else writes there.
  if (isAtOrBelow(path, ownDirectory) || (change.operation === 'mkdir' && isAtOrBelow(ownDirectory, path))) return undefined
  if (rules.manager === 'wazuh' && (rules.role === 'master' || isAtOrBelow(path, 'queue/rids')))
    return { rule: 'what is left to a real manager is not touched', says: shown }
  // Counters of agents that are gone.
  if (change.operation === 'unlink' && isAtOrBelow(path, 'queue/rids')) return undefined
  if (rules.role === 'master') {
    if (!isMastersOwn(rules, path, change)) return { rule: 'a master changes only what it makes itself', says: shown }
    if (change.operation === 'rename' && change.from !== undefined) rules.history.note(readWhole(rules.disk, change.from))
    return undefined
  }
  const items = rules.synced.items
  const isDirectoryOfItem = items.some((item) => isAtOrBelow(path, item.dir) || isAtOrBelow(item.dir, path))
  if (!isDirectoryOfItem) return { rule: 'nothing outside the synced items is ever touched', says: shown }
  if (change.operation === 'mkdir' || change.operation === 'rmdir') return undefined
  if (change.operation === 'chmod') return { rule: 'what is there keeps its mode', says: shown }
  if (change.operation === 'write') return { rule: 'a synced file is never written in place', says: shown }
  if (!itemOf(rules.synced, path) && !isInWay(rules, change)) return { rule: 'excluded names are never touched', says: shown }
  if (change.operation !== 'rename' || change.from === undefined) return undefined
  const content = readWhole(rules.disk, change.from)
  return rules.history.had(content) ? undefined : { rule: 'a worker holds only bytes that the master had', says: shown }
}

/**
 * The master makes client.keys, the directories of groups while an operator has it make or delete them, the group `default` where
 * it is missing, and the merged files; each file by way of a temporary one beside it.
 */
const isMastersOwn = (rules: NodeDiskRules, path: string, { from, operation }: DiskChange): boolean => {
  const { history } = rules
  const directory = posix.dirname(path)
  const name = posix.basename(path)
  const [, group = ''] = /^etc\/shared\/([^/]+)/.exec(path) ?? []
  if ((operation === 'unlink' || operation === 'rmdir') && group !== '' && history.isGroupMade('removed', group)) return true
  const made = madeIn(directory, rules)
  if (made.some((file) => name === temporaryOf(file))) return operation !== 'rename' && operation !== 'mkdir' && operation !== 'rmdir'
  if (operation === 'rename') return made.includes(name) && from === posix.join(posix.dirname(from ?? ''), temporaryOf(name))
  // Where groups are is asked for again each time.
  if (operation === 'mkdir' && path === 'etc/shared') return history.isGroupMade('created')
  if (operation === 'mkdir') return path === 'var/multigroups' || isMultigroup(path) || isGroupMade(rules, group)
  if (operation === 'unlink') return isMultigroup(directory) && name === 'merged.mg'
  return operation === 'rmdir' && isMultigroup(path)
}

/** Names of the files that the master makes in a directory. */
const madeIn = (directory: string, rules: NodeDiskRules): readonly string[] => {
  if (directory === 'etc') return ['client.keys']
  if (isMultigroup(directory)) return ['merged.mg']
  if (posix.dirname(directory) !== 'etc/shared') return []
  return isGroupMade(rules, posix.basename(directory)) ? ['merged.mg', 'agent.conf'] : ['merged.mg']
}

const isGroupMade = ({ disk, history, home }: NodeDiskRules, group: string): boolean => {
  if (history.isGroupMade('created', group)) return true
  if (group !== defaultGroup) return false
  try {
    disk.lstat(posix.join(home, 'etc/shared', group, 'agent.conf'))
    return false
  } catch {
    return true
  }
}

const isMultigroup = (path: string): boolean => /^var\/multigroups\/[0-9a-f]{8}$/.test(path)

const temporaryOf = (name: string): string => temporaryName(contentKey(Buffer.from(name)))

/** A link that stands where a directory has to be is replaced, whatever its name. */
const isInWay = (rules: NodeDiskRules, change: DiskChange): boolean => {
  try {
    return (
      change.operation === 'unlink' &&
      rules.disk.lstat(change.path).kind !== 'directory' &&
      !isExcluded(rules.synced, posix.basename(change.path))
    )
  } catch {
    return false
  }
}

const isAtOrBelow = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`)

/** Names are unique: nobody joins under a name that is in, nobody leaves who is not. */
export class MembershipChecker {
  readonly #members = new Set<string>()

  joined(node: string): string | undefined {
    const twice = this.#members.has(node)
    this.#members.add(node)
    return twice ? `${node} joined twice` : undefined
  }

  left(node: string): string | undefined {
    return this.#members.delete(node) ? undefined : `${node} left without having joined`
  }

  /** The master's process is gone, and its registry with it. */
  forget(): void {
    this.#members.clear()
  }

  has(node: string): boolean {
    return this.#members.has(node)
  }
}
