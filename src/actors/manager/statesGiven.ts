/**
 * States given: on a master with a real manager, what its workers report of their agents, from our table into its wazuh-db. What it
 * has not answered stays unacknowledged, as with agent info towards a master, and is given again.
 */
import { ClusterError } from '../../base/errors.js'
import type { UnsentUpdates } from '../../ports/agents.js'
import type { Clock, Log } from '../../ports/machine.js'
import { decodeAgentBatch } from '../../wire/muster/agentBatch.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import { changesGatherMs, periodicThread, type Round, type RoundEnd } from '../kit/periodicThread.js'
import { Outage } from './outage.js'
import type { StateGiver } from './stateGiver.js'
import { isLoggedFailure, type WatchedWazuhDb } from './watchedWazuhDb.js'

export interface StatesGivenOptions {
  readonly agents: LocalAgents
  readonly db: WatchedWazuhDb
  readonly giver: StateGiver
  readonly node: string
  readonly clock: Clock
  readonly log: Log
}

/** What acknowledges: the table remembers one. */
const acknowledger = 'wazuh-db'
/** Rest when no worker reports anything, which bounds how long it goes unnoticed that wazuh-db was killed, and after a refusal. */
const everyMs = 5_000

class StatesGiving {
  readonly #options: StatesGivenOptions
  readonly outage: Outage

  constructor(options: StatesGivenOptions) {
    this.#options = options
    this.outage = new Outage({
      log: options.log,
      says: 'The states of agents could not be given to wazuh-db',
      saysOver: 'The states of agents can be given to wazuh-db again.',
    })
  }

  async give({ signal }: Round): Promise<RoundEnd> {
    const { agents, db, giver } = this.#options
    if (db.waitMs > 0) return 'failed'
    await agents.table.ready(signal)
    if (await giver.isLastGivenLost(signal)) db.lost.emit()
    for (;;) {
      signal.throwIfAborted()
      const updates = await agents.store.unsent(acknowledger, 0, agents.clock.now())
      if (!updates) break
      await giver.give(this.#agentsOf(updates), signal)
      await agents.store.acknowledge(acknowledger, updates)
    }
    this.outage.worked()
    return 'done'
  }

  /** In order, each once. What is given is what the table has of them by then. */
  #agentsOf({ batch }: UnsentUpdates): readonly number[] {
    const decoded = decodeAgentBatch(batch, this.#options.node, this.#options.agents.clock.now())
    if (!decoded.ok) throw new ClusterError('internal', { message: decoded.error.message })
    const { details, presences } = decoded.value.updates
    return [...new Set([...presences, ...details].map(({ id }) => id))].sort((a, b) => a - b)
  }
}

export const statesGiven = (options: StatesGivenOptions) =>
  periodicThread({
    id: 'statesGiven',
    clock: options.clock,
    everyMs,
    gatherMs: changesGatherMs,
    begin: () => new StatesGiving(options),
    wakes: (_, wake) => [options.agents.merges.add(wake), options.db.lost.add(wake)],
    initial: 'giving',
    steps: { giving: (giving, round) => giving.give(round) },
    restMs: () => options.db.waitMs || everyMs,
    onFailure: ({ outage }, error) => {
      if (!isLoggedFailure(error)) outage.failed(error)
    },
  })
