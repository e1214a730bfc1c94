/** The listener of agents in a thread of its own, so that its work delays nothing of the cluster, and its end ends nothing else. */
import { limits } from '../base/limits.js'
import type { ListenerCalls, ListenerDesk, ListenerHost } from '../ports/listener.js'
import { type Front, startFrontThread } from './frontThread.js'

export type ListenerFront = Front & ListenerCalls

export interface ThreadListenerOptions {
  /** The compiled program; the one beside this file when left out. */
  readonly workerFile?: URL
}

export const createThreadListener = ({
  workerFile = new URL('./listenerWorker.js', import.meta.url),
}: ThreadListenerOptions = {}): ListenerHost => ({
  start: async (options, desk, agents) => {
    const thread = await startFrontThread<ListenerFront, ListenerDesk>({
      ...{ name: 'The listener of agents', workerFile, options, desk, heapMbMax: limits.listenerHeapMbMax },
      prepare: async ({ call }) => {
        for (const update of agents) await call('keys', update)
      },
    })
    const { call, died, port, stop } = thread
    return {
      ...{ died, port, stop },
      keys: (update) => call('keys', update),
      configurationChanged: () => call('configurationChanged'),
      reconnect: (ids) => call('reconnect', ids),
      counts: () => call('counts'),
      drain: (msMax) => call('drain', msMax),
    }
  },
})
