/** The listener as its node sees it, at the will of a spec: it notes what it is given, and dies, refuses and hangs when asked to. */
import { ClusterError } from '../../../src/base/errors.js'
import type {
  KeysUpdate,
  ListenerCalls,
  ListenerCounts,
  ListenerDesk,
  ListenerHost,
  ListenerOptions,
  RunningListener,
} from '../../../src/ports/listener.js'

export const listenerOptions: ListenerOptions = {
  ...{ home: '/home', cluster: 'wazuh', node: 'master', managerName: 'manager', hidden: false, wazuhVersion: 'v4.14.7' },
  ...{ allowHigherVersions: false, port: 1514, transports: ['tcp'], localIp: '', ipv6: false, verifiesCounters: false, proxies: [] },
  ...{ connectionsMax: 100, events: { segmentBytesMax: 1_000_000, bytesMax: 10_000_000, toReader: false } },
}

export const noCounts: ListenerCounts = {
  ...{ connected: 0, eventsTaken: 0, eventBytesTaken: 0, eventsDropped: 0, refused: 0, segmentsDeleted: 0 },
}

export class ScriptedListener implements ListenerHost {
  /** What the next starts fail with. */
  readonly failures: ClusterError[] = []
  starts = 0
  stops = 0
  /** Of the run that is under way: all agents and what changed of them. */
  updates: KeysUpdate[] = []
  configurationChanges = 0
  reconnects: (readonly number[] | undefined)[] = []
  drains: number[] = []
  counts: ListenerCounts = noCounts
  desk: ListenerDesk | undefined
  #die: (error: ClusterError) => void = () => undefined

  async start(options: ListenerOptions, desk: ListenerDesk, agents: readonly KeysUpdate[]): Promise<RunningListener> {
    this.starts += 1
    const failure = this.failures.shift()
    if (failure) throw failure
    this.desk = desk
    this.updates = [...agents]
    const died = new Promise<ClusterError>((resolve) => {
      this.#die = resolve
    })
    const calls: ListenerCalls = {
      keys: async (update) => void this.updates.push(update),
      configurationChanged: async () => {
        this.configurationChanges += 1
      },
      reconnect: async (ids) => {
        this.reconnects.push(ids)
        return ids?.length ?? this.counts.connected
      },
      counts: async () => this.counts,
      drain: async (msMax) => {
        this.drains.push(msMax)
        return 0
      },
    }
    const stop = async (): Promise<void> => {
      this.stops += 1
    }
    return { ...calls, port: options.port, died, stop }
  }

  die(message: string): void {
    this.#die(new ClusterError('threadCrashed', { message }))
  }

  /** The agents that may connect, by what the run under way was given. */
  get agents(): readonly number[] {
    const ids = new Set<number>()
    for (const { isFirst, removals, upserts } of this.updates) {
      if (isFirst) ids.clear()
      for (const id of removals) ids.delete(id)
      for (const { id } of upserts) ids.add(id)
    }
    return [...ids].sort((a, b) => a - b)
  }
}
