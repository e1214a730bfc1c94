/**
 * Groups taken: a real manager decides which groups its agents have. What changed in its database comes into the table, which the workers
 * get it from. Reading is taking: what was taken and not kept shows in the hash, and then all is read. Once, on its master.
 */
import { counted } from '../../base/counted.js'
import { limits } from '../../base/limits.js'
import type { GroupsRow } from '../../domain/agents/groups.js'
import { isSameGroupsHash } from '../../domain/manager/groupsHashes.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import { periodicThread } from '../kit/periodicThread.js'
import { groupsPages } from './groupsPages.js'
import { Outage } from './outage.js'
import { isLoggedFailure, type WatchedWazuhDb } from './watchedWazuhDb.js'

export interface GroupsTakenOptions {
  readonly agents: LocalAgents
  readonly db: WatchedWazuhDb
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
}

export const groupsTakenEveryMs = 1_000

class GroupsTaking {
  readonly outage: Outage
  readonly #options: GroupsTakenOptions
  /** Of agents that the table does not have yet: client.keys is read a moment after the manager wrote it. */
  readonly #early = new Map<number, GroupsRow>()
  #keysChanged = false
  /** Both hashes as all was read last: what they differ by then is due to agents that are in one of them only. */
  #settled: string | undefined

  constructor(options: GroupsTakenOptions) {
    this.#options = options
    this.outage = new Outage({
      log: options.log,
      says: 'The groups of the agents could not be taken from wazuh-db',
      saysOver: 'The groups of the agents can be taken from wazuh-db again.',
    })
  }

  keysChanged(): boolean {
    this.#keysChanged = true
    return this.#early.size > 0
  }

  async take(signal: AbortSignal): Promise<'done' | 'failed'> {
    const { agents, db } = this.#options
    if (db.waitMs > 0) return 'failed'
    await agents.table.ready(signal)
    if (this.#keysChanged) {
      this.#keysChanged = false
      await this.#put([...this.#early.values()])
    }
    let rows = 0
    let page = await db.takeGroups(signal)
    for (;;) {
      await this.#put(page.rows)
      rows += page.rows.length
      if (!page.isMore) break
      // One that never ends is not worked on for ever at once.
      if (rows > limits.agentsMax || page.rows.length === 0) return 'done'
      page = await db.takeGroups(signal)
    }
    if (!(await this.#isSettled(page.hash))) await this.#readAll(signal)
    this.outage.worked()
    return 'done'
  }

  async #isSettled(hash: string | undefined): Promise<boolean> {
    const own = (await this.#options.agents.store.groupsState()).hash
    return isSameGroupsHash(own, hash) || this.#settled === settledText(own, hash)
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    const { agents, db, log } = this.#options
    const ids = new Set<number>()
    let changed = 0
    let hash: string | undefined
    for await (const page of groupsPages(db, signal)) {
      for (const { id } of page.rows) ids.add(id)
      changed += await this.#put(page.rows)
      hash = page.hash
    }
    for (const id of this.#early.keys()) if (!ids.has(id)) this.#early.delete(id)
    changed += await this.#takeAway(ids)
    const isFirst = this.#settled === undefined
    this.#settled = settledText((await agents.store.groupsState()).hash, hash)
    const says = `Read the groups of ${counted(ids.size, 'agent')} in wazuh-db: ${changed} differed.`
    if (isFirst || changed > 0) log.info(says)
    else log.debug(says)
  }

  /** From the agents that are not among these. */
  async #takeAway(ids: ReadonlySet<number>): Promise<number> {
    const { store } = this.#options.agents
    let changed = 0
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = await store.groupsPage(0, after)
      const rows = page.rows.filter(({ id }) => !ids.has(id)).map(({ id }) => ({ id, groups: [] }))
      if (rows.length > 0) changed += await this.#put(rows)
      after = page.next
    }
    return changed
  }

  /** Returns how many agents have other groups now. */
  async #put(rows: readonly GroupsRow[]): Promise<number> {
    if (rows.length === 0) return 0
    const { agents, log } = this.#options
    const there = new Set((await agents.store.registrations(rows.map(({ id }) => id))).map(({ id }) => id))
    const known = rows.filter(({ id }) => there.has(id)).map(({ groups, id }) => ({ id, groups }))
    for (const { groups, id } of rows) {
      if (there.has(id)) this.#early.delete(id)
      else if (this.#early.size < limits.agentsMax) this.#early.set(id, { id, groups })
    }
    const changed = known.length > 0 ? await agents.store.changeGroups({ kind: 'exact', rows: known }) : 0
    if (changed > 0) {
      log.debug(`${counted(changed, 'agent')} got other groups.`)
      agents.groups.changes.emit()
    }
    return changed
  }
}

const settledText = (own: string, wazuhs: string | undefined): string => `${own} ${wazuhs ?? ''}`

export const groupsTaken = (options: GroupsTakenOptions) =>
  periodicThread({
    id: 'groupsTaken',
    clock: options.clock,
    everyMs: groupsTakenEveryMs,
    begin: () => new GroupsTaking(options),
    wakes: (taking, wake) => [options.agents.keys.changes.add(() => taking.keysChanged() && wake())],
    restMs: () => options.db.waitMs || groupsTakenEveryMs,
    initial: 'taking',
    steps: { taking: (taking, { signal }) => taking.take(signal) },
    onFailure: ({ outage }, error) => {
      if (!isLoggedFailure(error)) outage.failed(error)
    },
  })
