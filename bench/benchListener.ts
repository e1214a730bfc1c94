/** A listener of agents as a daemon has it, in a thread, with events in segments: only what a node would give it and take of it is missing. */
import { createThreadListener } from '../src/fronts/threadListener.js'
import type { AgentTransport, RunningListener } from '../src/ports/listener.js'
import type { LoadAgent } from './agentEvents.js'

const MiB = 2 ** 20

export interface ListenOptions {
  readonly home: string
  readonly agents: readonly LoadAgent[]
  readonly transport: AgentTransport
  /** Of all segments together. */
  readonly bytesMax: number
}

export const startBenchListener = ({ agents, bytesMax, home, transport }: ListenOptions): Promise<RunningListener> =>
  createThreadListener().start(
    {
      home,
      cluster: 'bench',
      node: 'master',
      managerName: 'bench',
      hidden: false,
      wazuhVersion: '4.14.7',
      allowHigherVersions: false,
      port: 0,
      transports: [transport],
      localIp: '127.0.0.1',
      ipv6: false,
      verifiesCounters: false,
      proxies: [],
      connectionsMax: 1_000,
      events: { segmentBytesMax: 64 * MiB, bytesMax, toReader: false },
    },
    {
      report: () => Promise.resolve(),
      configurations: () => Promise.resolve([]),
      log: (level, message) => {
        if (level === 'error' || level === 'warning') process.stderr.write(`${level}: ${message}\n`)
        return Promise.resolve()
      },
    },
    [{ isFirst: true, upserts: agents.map(({ id, key, name }) => ({ id, name, ip: 'any', key })), removals: [] }],
  )
