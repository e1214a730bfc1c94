/**
 * Groups given: on a worker with a real manager, what the agents' table has of groups goes into its wazuh-db, soon after it came from the
 * master. Both are compared by their hashes, at the start and then again and again, so that it matters little what was given before.
 */
import { counted } from '../../base/counted.js'
import { sharedDirectory } from '../../domain/agents/mergedFile.js'
import { isSameGroupsHash } from '../../domain/manager/groupsHashes.js'
import type { WazuhGroupsRow } from '../../domain/manager/wazuhAgent.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import type { LocalTree } from '../files/localTree.js'
import { changesGatherMs, periodicThread, type Round } from '../kit/periodicThread.js'
import { groupsPages } from './groupsPages.js'
import { GroupsQueue } from './groupsQueue.js'
import { Outage } from './outage.js'
import { isLoggedFailure, type WatchedWazuhDb } from './watchedWazuhDb.js'

export interface GroupsGivenOptions {
  readonly agents: LocalAgents
  readonly tree: Pick<LocalTree, 'onContent'>
  readonly db: WatchedWazuhDb
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Between two comparisons that nothing asks for. */
  readonly intervalMs: number
  /** See GroupsQueue. */
  readonly groupsMsMax: number
  /** Comparisons in a row that may find a difference before wazuh-db has to make all hashes again, and is given all groups. */
  readonly mismatchesMax: number
  readonly log: Log
}

const retryMs = 1_000
const isOfGroups = (path: string): boolean => path.startsWith(`${sharedDirectory}/`)

interface Differences {
  readonly ids: readonly number[]
  /** Agents that wazuh-db has and the table does not; nothing while client.keys may lack agents by mistake. */
  readonly strangers: readonly WazuhGroupsRow[]
}

class GroupsGiving {
  readonly outage: Outage
  readonly #options: GroupsGivenOptions
  readonly #queue: GroupsQueue
  /** Nothing is known of what wazuh-db has: compared at once. */
  #isUnknown = true
  #comparedMs = Number.NEGATIVE_INFINITY
  #mismatches = 0

  constructor(options: GroupsGivenOptions) {
    this.#options = options
    this.#queue = new GroupsQueue(options)
    this.outage = new Outage({
      log: options.log,
      says: 'The groups of the agents could not be given to wazuh-db',
      saysOver: 'The groups of the agents can be given to wazuh-db again.',
    })
  }

  get restMs(): number {
    const { db, intervalMs } = this.#options
    return db.waitMs || (this.outage.isLasting || this.#queue.isUrgent ? retryMs : intervalMs)
  }

  get isWaiting(): boolean {
    return this.#queue.isWaiting
  }

  /** @param ids nothing when any agent may have other groups */
  changed(ids: readonly number[] | undefined): void {
    if (ids) this.#queue.add(ids)
    else this.#isUnknown = true
  }

  async give({ signal }: Round): Promise<'done' | 'comparing' | 'failed'> {
    const { agents, clock, db, intervalMs } = this.#options
    if (db.waitMs > 0) return 'failed'
    await agents.table.ready(signal)
    // A table that never had any groups of a master says nothing about them.
    if ((await agents.store.groupsState()).table === '') return 'done'
    await this.#queue.give(signal)
    // Those that wait make a difference that is no mistake.
    const isDue = !this.isWaiting || clock.monotonicMs() - this.#comparedMs >= intervalMs
    if (this.#isUnknown || isDue) return 'comparing'
    this.outage.worked()
    return 'done'
  }

  async compare({ signal }: Round): Promise<'done'> {
    const { agents, clock, db } = this.#options
    const wasUnknown = this.#isUnknown
    this.#isUnknown = false
    this.#comparedMs = clock.monotonicMs()
    try {
      const { hash } = await agents.store.groupsState()
      if (isSameGroupsHash(hash, await db.groupsHash(signal))) this.#mismatches = 0
      else await this.#bringInLine(wasUnknown, signal)
    } catch (thrown) {
      this.#isUnknown = true
      throw thrown
    }
    this.outage.worked()
    return 'done'
  }

  async #bringInLine(wasUnknown: boolean, signal: AbortSignal): Promise<void> {
    const { db, log, mismatchesMax } = this.#options
    if (!wasUnknown && !this.isWaiting) this.#mismatches += 1
    const isAll = this.#mismatches >= mismatchesMax
    if (isAll) {
      log.warning(`The groups in wazuh-db still differ after ${mismatchesMax} attempts: sending all of them again.`)
      this.#mismatches = 0
      await db.recalculateGroups(signal)
    }
    const { ids, strangers } = await this.#differences(isAll, signal)
    log.debug(`The groups of ${counted(ids.length + strangers.length, 'agent')} in wazuh-db differ.`)
    this.#queue.add(ids)
    await this.#queue.give(signal)
    await this.#queue.set(strangers, signal)
  }

  /** With `isAll` all agents that have groups. */
  async #differences(isAll: boolean, signal: AbortSignal): Promise<Differences> {
    const { agents, db } = this.#options
    const theirs = new Map<number, WazuhGroupsRow>()
    for await (const { rows } of groupsPages(db, signal)) for (const row of rows) if (row.groups.length > 0) theirs.set(row.id, row)
    const ids: number[] = []
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = await agents.store.groupsPage(0, after)
      for (const { groups, id } of page.rows) {
        if (isAll || theirs.get(id)?.groups.join() !== groups.join()) ids.push(id)
        theirs.delete(id)
      }
      after = page.next
    }
    const there = new Set((await agents.store.registrations([...theirs.keys()])).map(({ id }) => id))
    const others = [...theirs.values()]
    const isTrusted = agents.table.trustedDigest !== ''
    return {
      ids: [...ids, ...there],
      strangers: isTrusted ? others.filter(({ id }) => !there.has(id)).map(({ id, name }) => ({ id, name, groups: [] })) : [],
    }
  }
}

export const groupsGiven = (options: GroupsGivenOptions) =>
  periodicThread({
    id: 'groupsGiven',
    clock: options.clock,
    everyMs: options.intervalMs,
    gatherMs: changesGatherMs,
    begin: () => new GroupsGiving(options),
    wakes: (giving, wake) => [
      options.agents.groups.taken.add((ids) => {
        giving.changed(ids)
        wake()
      }),
      options.db.lost.add(() => {
        giving.changed(undefined)
        wake()
      }),
      // A directory that was waited for may have come.
      options.tree.onContent((paths) => giving.isWaiting && (!paths || paths.some(isOfGroups)) && wake()),
    ],
    restMs: ({ restMs }) => restMs,
    initial: 'giving',
    steps: { giving: (giving, round) => giving.give(round), comparing: (giving, round) => giving.compare(round) },
    onFailure: ({ outage }, error) => {
      if (!isLoggedFailure(error)) outage.failed(error)
    },
  })
