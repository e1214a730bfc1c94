/** A thread over the agents of one node (localAgentsOver) that a test begins again as another process would, and ends: then nothing of it is left. */
import { expect } from 'vitest'
import type { LocalAgents } from '../../../src/actors/agents/nodeAgents.js'
import type { Hosted } from '../../../src/actors/kit/host.js'
import type { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

export interface RestartableThreadOptions {
  readonly agents: LocalAgents
  readonly clock: VirtualClock
  /** The thread that keeps the table. */
  readonly keeping: Hosted
  readonly begin: () => Hosted
}

export const restartableThread = ({ agents, begin, clock, keeping }: RestartableThreadOptions) => {
  let thread = begin()
  return {
    /** The thread's process dies, and another one begins after `meanwhile`. */
    restart: async (meanwhile?: () => Promise<unknown>): Promise<void> => {
      thread.stop()
      await meanwhile?.()
      thread = begin()
    },
    stop: async (): Promise<void> => {
      thread.stop()
      keeping.stop()
      await agents.close()
      await clock.settle()
      expect(thread.timers + clock.pending).toBe(0)
    },
  }
}
