/** How many agents are active at each node, as the wazuh-db of a master says: it knows the master's own agents as they are, and who is silent. */
import type { Clock } from '../../ports/machine.js'
import type { WazuhDb } from '../../ports/manager.js'
import type { ActiveAgents } from '../agents/nodeAgents.js'

/** An answer is good for this long: those who watch a cluster ask again and again. */
const keptMs = 1_000

/** Resolves with nothing when wazuh-db does not say. */
export const activeAgents = (db: Pick<WazuhDb, 'activeAgents'>, clock: Pick<Clock, 'monotonicMs'>): ActiveAgents => {
  const asked: { atMs: number; active: ReturnType<ActiveAgents> } = { atMs: Number.NEGATIVE_INFINITY, active: Promise.resolve(undefined) }
  return (signal) => {
    if (clock.monotonicMs() - asked.atMs >= keptMs) {
      asked.atMs = clock.monotonicMs()
      asked.active = db.activeAgents(signal).catch(() => undefined)
    }
    return asked.active
  }
}
