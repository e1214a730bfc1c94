/** A process with a listener of agents and nothing else: what its thread has in a daemon. Its node answers at once, and drops what is reported to it. */
import { AgentListener } from '../../src/actors/listener/agentListener.js'
import { createEventOutlet } from '../../src/actors/listener/eventOutlet.js'
import { EventSegments } from '../../src/disk/listener/eventSegments.js'
import { DiskListenerFiles } from '../../src/disk/listener/listenerFiles.js'
import { createNodeDisk } from '../../src/platform/machine/nodeDisk.js'
import { realClock } from '../../src/platform/machine/realClock.js'
import { realRandom } from '../../src/platform/machine/realRandom.js'
import { createAgentNetwork } from '../../src/platform/net/agentNetwork.js'
import type { ListenerOptions } from '../../src/ports/listener.js'
import { answerParent } from '../answerParent.js'
import { benchAgent, configurationSum } from '../measures/agentsOfListener.js'
import { systemMs } from '../systemClock.js'

const events = { segmentBytesMax: 256 * 1024 * 1024, bytesMax: 1024 * 1024 * 1024, toReader: false }

let listener: AgentListener | undefined

const optionsOf = (home: string, connectionsMax: number): ListenerOptions => ({
  home,
  cluster: 'bench',
  node: 'node',
  managerName: 'manager',
  hidden: false,
  wazuhVersion: '4.14.7',
  allowHigherVersions: false,
  port: 0,
  transports: ['tcp'],
  localIp: '127.0.0.1',
  ipv6: false,
  verifiesCounters: false,
  proxies: [],
  connectionsMax,
  events,
})

const calls = {
  start: async ({ agents, home }: { agents: number; home: string }) => {
    const disk = createNodeDisk()
    const options = optionsOf(home, agents + 100)
    const log = (_level: string, message: string): void => console.error(message)
    listener = new AgentListener({
      options,
      network: createAgentNetwork(),
      clock: realClock,
      random: realRandom,
      outlet: createEventOutlet(options, { store: new EventSegments(disk, { home, ...events }), reader: undefined, clock: realClock, log }),
      files: new DiskListenerFiles(disk, home),
      desk: {
        report: () => Promise.resolve(),
        configurations: (ids) => Promise.resolve(ids.map((id) => ({ id, path: 'merged.mg', sum: configurationSum }))),
        log: (level, message) => Promise.resolve(log(level, message)),
      },
      afterTurn: (run) => void setImmediate(run),
    })
    await listener.keys({ isFirst: true, upserts: Array.from({ length: agents }, (_, at) => benchAgent(at + 1)), removals: [] })
    return listener.start()
  },

  usage: async () => {
    globalThis.gc?.()
    const { system, user } = process.cpuUsage()
    const counts = await listener?.counts()
    return {
      cpuMs: (system + user) / 1000,
      atMs: systemMs(),
      residentKB: process.memoryUsage.rss() / 1024,
      connected: counts?.connected ?? 0,
      events: counts?.eventsTaken ?? 0,
      dropped: counts?.eventsDropped ?? 0,
    }
  },
}

export type ListenerProcessCalls = typeof calls

answerParent(calls)
