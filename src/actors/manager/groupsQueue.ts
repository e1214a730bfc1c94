/**
 * Agents of a worker whose groups are to be given to its wazuh-db, as the table has them by then. Those wait whose groups have no
 * directory yet, or one that the manager has not noticed: it knows no other groups.
 */
import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { requestSlices } from '../../domain/manager/requestSlices.js'
import type { WazuhGroupsRow } from '../../domain/manager/wazuhAgent.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { WazuhDb } from '../../ports/manager.js'
import { groupsRequestBytes, groupsRowBytes } from '../../wire/wazuh/groupsRequests.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import { groupsPages } from './groupsPages.js'

export interface GroupsQueueOptions {
  readonly agents: Pick<LocalAgents, 'files' | 'store'>
  readonly db: Pick<WazuhDb, 'groups' | 'setGroups'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** How long agents wait for a group before the log says so, and they get those of their groups that are known. */
  readonly groupsMsMax: number
  readonly log: Log
}

const groupsShownMax = 20
const slicing = { bytesMax: limits.wazuhDbRequestBytesMax - groupsRequestBytes, rowsMax: limits.wazuhDbRowsMax }

export class GroupsQueue {
  readonly #options: GroupsQueueOptions
  /** By ID, with the time since when they wait. */
  #agents = new Map<number, number | undefined>()
  /** Groups that agents have waited for too long, as the log has them. */
  #logged = ''

  constructor(options: GroupsQueueOptions) {
    this.#options = options
  }

  get isWaiting(): boolean {
    return [...this.#agents.values()].some((sinceMs) => sinceMs !== undefined)
  }

  /** Whether it is worth to try again soon. */
  get isUrgent(): boolean {
    return [...this.#agents.values()].some((sinceMs) => !this.#isLate(sinceMs))
  }

  /** Those that wait go on waiting. */
  add(ids: Iterable<number>): void {
    for (const id of ids) if (!this.#agents.has(id)) this.#agents.set(id, undefined)
  }

  /** Gives the groups of all of them; who must wait, or was not reached before an error, stays. */
  async give(signal: AbortSignal): Promise<void> {
    const given = this.#agents
    if (given.size === 0) return
    // What changes from now on is to be given again.
    this.#agents = new Map()
    const missing = new Map<number, readonly string[]>()
    try {
      const directories = new Set(await this.#options.agents.files.groups(signal))
      for (const ids of inSlices(
        [...given.keys()].sort((a, b) => a - b),
        limits.agentPageRowsMax,
      )) {
        const held = await this.#giveRows(await this.#rowsOf(ids), directories, given, signal)
        for (const id of ids) {
          const groups = held.get(id)
          if (groups) missing.set(id, groups)
          else given.delete(id)
        }
      }
    } finally {
      const nowMs = this.#options.clock.monotonicMs()
      for (const [id, sinceMs] of given) this.#agents.set(id, missing.has(id) ? (sinceMs ?? nowMs) : sinceMs)
    }
    this.#logLate(missing)
  }

  /** Gives these rows, in requests as large as wazuh-db takes them. Returns the agents that it refused, with the groups that they lack. */
  async set(rows: readonly WazuhGroupsRow[], signal: AbortSignal): Promise<ReadonlyMap<number, readonly string[]>> {
    const refused = new Map<number, readonly string[]>()
    for (const slice of requestSlices(rows, groupsRowBytes, slicing)) {
      try {
        await this.#options.db.setGroups(slice, signal)
      } catch (thrown) {
        if (!(thrown instanceof ClusterError) || thrown.code !== 'managerRefused') throw thrown
        for (const [id, groups] of await this.#undoneOf(slice, signal)) refused.set(id, groups)
      }
    }
    return refused
  }

  /** Agents that are gone from the table are left out. */
  async #rowsOf(ids: readonly number[]): Promise<readonly WazuhGroupsRow[]> {
    const rows = await this.#options.agents.store.list({ ids }, 0)
    return rows.map(({ groups, id, name }) => ({ id, name, groups }))
  }

  async #giveRows(
    rows: readonly WazuhGroupsRow[],
    directories: ReadonlySet<string>,
    since: ReadonlyMap<number, number | undefined>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, readonly string[]>> {
    const held = new Map<number, readonly string[]>()
    const late: WazuhGroupsRow[] = []
    const whole: WazuhGroupsRow[] = []
    for (const row of rows) {
      const lacking = row.groups.filter((group) => !directories.has(group))
      if (lacking.length === 0) whole.push(row)
      else if (this.#isLate(since.get(row.id))) late.push(row)
      else held.set(row.id, lacking)
    }
    for (const [id, groups] of await this.set(whole, signal)) held.set(id, groups)
    // Of these they get what there is.
    for (const [id, groups] of await this.set(late, signal)) held.set(id, groups)
    return held
  }

  /** A refused request says of none of its rows whether it was done. */
  async #undoneOf(slice: readonly WazuhGroupsRow[], signal: AbortSignal): Promise<ReadonlyMap<number, readonly string[]>> {
    const theirs = new Map<number, readonly string[]>()
    const [first = 1, last = 0] = [slice[0]?.id, slice.at(-1)?.id]
    for await (const { rows } of groupsPages(this.#options.db, signal, first - 1)) {
      for (const { groups, id } of rows) theirs.set(id, groups)
      if ((rows.at(-1)?.id ?? last) >= last) break
    }
    const undone = new Map<number, readonly string[]>()
    for (const { groups, id } of slice) {
      const present = theirs.get(id) ?? []
      if (present.join() !== groups.join())
        undone.set(
          id,
          groups.filter((group) => !present.includes(group)),
        )
    }
    return undone
  }

  #isLate(sinceMs: number | undefined): boolean {
    const { clock, groupsMsMax } = this.#options
    return sinceMs !== undefined && clock.monotonicMs() - sinceMs >= groupsMsMax
  }

  #logLate(missing: ReadonlyMap<number, readonly string[]>): void {
    const late = [...missing].filter(([id]) => this.#isLate(this.#agents.get(id)))
    const groups = [...new Set(late.flatMap(([, lacking]) => lacking))].sort()
    const shown = groups.slice(0, groupsShownMax).map((group) => `'${group}'`)
    const more = groups.length > groupsShownMax ? ` and ${groups.length - groupsShownMax} more` : ''
    const text = `${shown.join(', ')}${more}`
    if (text !== '' && text !== this.#logged) {
      const { groupsMsMax, log } = this.#options
      const waited = `after ${groupsMsMax / 1_000} s`
      log.warning(`The manager does not know these groups of ${counted(late.length, 'agent')} ${waited}: ${text}. Trying again.`)
    }
    this.#logged = text
  }
}

function* inSlices(ids: readonly number[], length: number): Generator<readonly number[]> {
  for (let start = 0; start < ids.length; start += length) yield ids.slice(start, start + length)
}
