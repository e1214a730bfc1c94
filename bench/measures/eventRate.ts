/** Events of agents through a listener into its segments: how many a second of processor time, and that all are there. */
import { EventFollower } from '../../src/disk/listener/eventFollower.js'
import { eventsPath } from '../../src/disk/listener/eventSegments.js'
import { createNodeDisk } from '../../src/platform/machine/nodeDisk.js'
import type { AgentTransport } from '../../src/ports/listener.js'
import { loadAgents } from '../agentEvents.js'
import type { AgentLoadCalls } from '../children/agentLoad.js'
import type { EventListenerCalls } from '../children/eventListener.js'
import { sleep, type Workshop } from '../workshop.js'

const agentCount = 20
const warmUpSeconds = 2
const bytesMax = 2 ** 30
const settleMs = 300

export interface EventRate {
  readonly sent: number
  /** By the listener's counts. */
  readonly taken: number
  /** Whole lines that are in the segments. */
  readonly kept: number
  /** Over UDP: what the kernel had no room for. */
  readonly kernelDrops: number
  /** Processor time of the listener's process, all threads. */
  readonly cpuSeconds: number
  readonly seconds: number
}

const linesIn = (home: string): number => {
  const follower = new EventFollower(createNodeDisk(), `${home}/${eventsPath}`)
  while (follower.read(() => {})) {}
  follower.close()
  return follower.counts.lines
}

/** @param perSecond as fast as they are taken when left out */
export const eventRate = async (
  workshop: Workshop,
  { perSecond, seconds, transport }: { transport: AgentTransport; seconds: number; perSecond?: number },
): Promise<EventRate> => {
  const agents = loadAgents(agentCount)
  const home = workshop.place('events')
  const listener = workshop.child<EventListenerCalls>('eventListener')
  const load = workshop.child<AgentLoadCalls>('agentLoad')
  const port = await listener.call('listen', { home, agents, transport, bytesMax })
  const rate = perSecond === undefined ? {} : { perSecond }
  await load.call('prepare', { agents, transport })
  await load.call(transport, { port, seconds: warmUpSeconds, ...rate })
  await sleep(settleMs)
  const drops = () => (transport === 'udp' ? listener.call('kernelDrops', port) : 0)
  const linesBefore = linesIn(home)
  const dropsBefore = await drops()
  const [countsBefore, before] = [await listener.call('counts', undefined), await listener.call('usage', undefined)]
  const sent = await load.call(transport, { port, seconds, ...rate })
  const after = await listener.call('usage', undefined)
  await sleep(settleMs)
  const counts = await listener.call('counts', undefined)
  return {
    sent,
    taken: counts.eventsTaken - countsBefore.eventsTaken,
    kept: linesIn(home) - linesBefore,
    kernelDrops: (await drops()) - dropsBefore,
    cpuSeconds: (after.cpuMs - before.cpuMs) / 1_000,
    seconds: (after.atMs - before.atMs) / 1_000,
  }
}
