/**
 * Local agent-groups: reads the state of the master's groups once for all workers, at intervals and soon after each change,
 * and publishes it to their connections. Once, on the master.
 */
import { fullStop } from '../../base/fullStop.js'
import { logSeconds } from '../../base/logText.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { NoticeBody } from '../../wire/muster/messages.js'
import { changesGatherMs, periodicThread } from '../kit/periodicThread.js'
import { Signal } from '../kit/signal.js'
import type { LocalAgents } from './nodeAgents.js'

/** What the connections announce to their workers. */
export class PublishedGroups {
  readonly changed = new Signal()
  #state: NoticeBody<'agentGroups.state'> | undefined

  get state(): NoticeBody<'agentGroups.state'> | undefined {
    return this.#state
  }

  publish(state: NoticeBody<'agentGroups.state'>): void {
    this.#state = state
    this.changed.emit()
  }
}

export interface LocalAgentGroupsOptions {
  readonly agents: LocalAgents
  readonly published: PublishedGroups
  readonly clock: Clock
  readonly intervalMs: number
  /** Before the first round, for the workers to connect. */
  readonly startDelayMs: number
  readonly log: Log
}

export const localAgentGroups = ({ agents, clock, intervalMs, log, published, startDelayMs }: LocalAgentGroupsOptions) =>
  periodicThread({
    id: 'localAgentGroups',
    clock,
    everyMs: intervalMs,
    gatherMs: changesGatherMs,
    startsResting: true,
    begin: () => {
      // As Wazuh writes it.
      log.info(`Sleeping ${startDelayMs / 1000}s before starting the agent-groups task, waiting for the workers connection.`)
      return { hasBegun: false }
    },
    // Changed groups are published at once, also before the first round; the keys are read first of all, and are no reason for it.
    wakes: (reading, wake) => [agents.groups.changes.add(wake), agents.keys.changes.add(() => reading.hasBegun && wake())],
    restMs: ({ hasBegun }) => (hasBegun ? intervalMs : startDelayMs),
    initial: 'reading',
    steps: {
      reading: async (reading, { signal, startMs }) => {
        reading.hasBegun = true
        log.info('Starting.') // as Wazuh writes it
        await agents.table.ready(signal)
        // The state is read after the agents: a worker that has these agents has all that the state rests on, or is notified again.
        const ids = agents.table.trustedDigest
        const { hash, table, version } = await agents.store.groupsState()
        published.publish({ table, version, hash, ids })
        log.info(`Finished in ${logSeconds(clock.monotonicMs() - startMs)}.`) // as Wazuh writes it
        return 'done'
      },
    },
    onFailure: (_, { message }) => log.error(`The groups could not be read: ${fullStop(message)} Retrying.`),
  })
