/** The thread of the listener of agents: its composition root. */
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { AgentListener } from '../actors/listener/agentListener.js'
import { createEventOutlet } from '../actors/listener/eventOutlet.js'
import { EventSegments } from '../disk/listener/eventSegments.js'
import { DiskListenerFiles } from '../disk/listener/listenerFiles.js'
import { createNodeDisk } from '../platform/machine/nodeDisk.js'
import { realClock } from '../platform/machine/realClock.js'
import { realRandom } from '../platform/machine/realRandom.js'
import { createAgentNetwork } from '../platform/net/agentNetwork.js'
import { openLocalDatagrams } from '../platform/net/unixDatagrams.js'
import type { ListenerDesk, ListenerOptions } from '../ports/listener.js'
import type { LogLevel } from '../ports/machine.js'
import { runFront } from './runFront.js'
import type { ListenerFront } from './threadListener.js'

/** Where wazuh-analysisd reads, relative to the home. */
const readerPath = 'queue/sockets/queue'

runFront<ListenerDesk, ListenerFront>(({ call }) => {
  const options = workerData as ListenerOptions
  const { events, home } = options
  const disk = createNodeDisk()
  const desk: ListenerDesk = {
    report: (reports) => call('report', reports),
    configurations: (ids) => call('configurations', ids),
    log: (level, message) => call('log', level, message),
  }
  // A node that does not answer loses lines of its log, and nothing else.
  const log = (level: LogLevel, message: string): void => void desk.log(level, message).catch(() => undefined)
  const outlet = createEventOutlet(options, {
    store: new EventSegments(disk, { home, ...events }),
    reader: events.toReader ? openLocalDatagrams(join(home, readerPath), realClock, (sentence) => log('warning', sentence)) : undefined,
    clock: realClock,
    log,
  })
  const listener = new AgentListener({
    ...{ options, outlet, desk, clock: realClock, random: realRandom },
    network: createAgentNetwork(),
    files: new DiskListenerFiles(disk, home),
    afterTurn: (run) => void setImmediate(run),
  })
  return {
    calls: {
      start: () => listener.start(),
      stop: async () => {
        await listener.stop()
        outlet.close()
      },
      keys: (update) => listener.keys(update),
      configurationChanged: () => listener.configurationChanged(),
      reconnect: (ids) => listener.reconnect(ids),
      counts: () => listener.counts(),
      drain: (msMax) => listener.drain(msMax),
    },
    // What was read in the turn of the error is not lost.
    lastAct: () => outlet.close(),
  }
})
