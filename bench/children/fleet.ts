/** A process of agents of our own, over the real network: when they are where, and what became of their events. */
import { Fleet } from '../../src/actors/fleet/fleet.js'
import type { KeyEntry } from '../../src/domain/agents/keyEntry.js'
import { defaultAgentEnrolment, defaultAgentServer, defaultAgentTimes } from '../../src/domain/fleet/agentServer.js'
import { accountOf } from '../../src/domain/fleet/eventAccount.js'
import { createNodeDisk } from '../../src/platform/machine/nodeDisk.js'
import { realClock } from '../../src/platform/machine/realClock.js'
import { realRandom } from '../../src/platform/machine/realRandom.js'
import { createAgentNetwork } from '../../src/platform/net/agentNetwork.js'
import { EventTally } from '../../src/programs/musterAgents/eventTally.js'
import { answerParent } from '../answerParent.js'
import { systemMs } from '../systemClock.js'
import { sleep } from '../workshop.js'

const host = '127.0.0.1'
const run = 'rbenchbench01'
const pollMs = 5
const stopMsMax = 10_000
/** Events that a node took are in its segment by then. */
const settleMs = 1_000

export interface FleetStart {
  readonly keys: readonly KeyEntry[]
  /** Ports of listeners, in the order of each agent's list. */
  readonly ports: readonly number[]
  readonly startsPerSecond: number
  /** Of each agent. */
  readonly eventsPerSecond: number
  readonly retryIntervalMs: number
  readonly maxRetries: number
  readonly notifyMs: number
  /** Of the nodes whose segments are read at the end. */
  readonly homes: readonly string[]
}

let fleet: Fleet | undefined
let homes: readonly string[] = []

const started = (): Fleet => {
  if (!fleet) throw new Error('There are no agents')
  return fleet
}

const calls = {
  start: (given: FleetStart) => {
    homes = given.homes
    const { maxRetries, retryIntervalMs } = given
    fleet = new Fleet(
      { network: createAgentNetwork(), clock: realClock, random: realRandom },
      {
        run,
        agents: given.keys.length,
        namePrefix: 'bench',
        settings: {
          servers: given.ports.map((port) => ({ ...defaultAgentServer, host, port, maxRetries, retryIntervalMs })),
          times: { ...defaultAgentTimes, notifyMs: given.notifyMs },
          enrolment: { ...defaultAgentEnrolment, isEnabled: false },
          cipher: 'aes',
        },
        keys: given.keys,
        version: 'v4.14.7',
        labels: [],
        eventsPerSecond: given.eventsPerSecond,
        eventBytes: 300,
        startsPerSecond: given.startsPerSecond,
        tickMs: 20,
      },
    )
    fleet.start()
    return systemMs()
  },

  /** Resolves with the time at which this many agents are connected to the listener of a port: their start-up was acknowledged. */
  connected: async ({ count, port }: { count: number; port: number }) => {
    const at = `${host}:${port}`
    while ((started().connectedTo().get(at) ?? 0) < count) await sleep(pollMs)
    return systemMs()
  },

  counts: (_: undefined) => started().counts(),

  /** Ends all agents; resolves with what became of their events. */
  stop: async (_: undefined) => {
    const ranges = await started().stop(stopMsMax)
    await sleep(settleMs)
    const tally = new EventTally(run, createNodeDisk(), homes)
    while (tally.read());
    tally.close()
    return accountOf(ranges, tally.received)
  },
}

export type FleetCalls = typeof calls

answerParent(calls)
