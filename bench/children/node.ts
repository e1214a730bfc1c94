/** A process with one or more nodes made by `createNode`; it keeps their events with the time of each. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { ClusterError } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import { type ClusterNode, createNode } from '../../src/createNode.js'
import type { AgentCommand } from '../../src/domain/agents/agentCommand.js'
import type { AgentReport } from '../../src/domain/agents/agentReport.js'
import type { Timings } from '../../src/domain/cluster/timings.js'
import { defaultSyncedItems } from '../../src/domain/files/syncedItems.js'
import type { AnswerLine } from '../../src/domain/queries/answerLine.js'
import type { ClusterQuery } from '../../src/domain/queries/clusterQuery.js'
import { isCommand } from '../../src/domain/queries/controlRequest.js'
import { startLocalServer } from '../../src/localSocket/wazuh/localServer.js'
import { SqliteAgentStore } from '../../src/platform/agents/sqliteAgentStore.js'
import { createFiles } from '../../src/platform/files/createFiles.js'
import { managerBeside } from '../../src/platform/machine/findManager.js'
import { realClock } from '../../src/platform/machine/realClock.js'
import { realRandom } from '../../src/platform/machine/realRandom.js'
import { createTcpNetwork } from '../../src/platform/net/tcp.js'
import type { AgentStore } from '../../src/ports/agents.js'
import type { Files } from '../../src/ports/files.js'
import type { Link, Transport } from '../../src/ports/link.js'
import { createTransport } from '../../src/transport/transport.js'
import { factsOf } from '../agents.js'
import { answerParent } from '../answerParent.js'
import { type ListenOptions, startBenchListener } from '../benchListener.js'
import { memoryPorts } from '../memoryPorts.js'
import { observedAgents } from '../observedAgents.js'
import { observedFiles } from '../observedFiles.js'
import { observedLog } from '../observedLog.js'
import { recordReports } from '../recordedReports.js'
import { systemMs } from '../systemClock.js'

const key = 'benchmarkbenchmarkbenchmarkbench'

export interface StartOptions {
  readonly node: string
  readonly type: 'master' | 'worker'
  readonly home: string
  /** On a master, 0 takes a free port. */
  readonly port: number
  readonly timings?: Partial<Timings>
  /** For many workers in one process: `none` is an empty tree that costs nothing, `memory` one in memory, with its agents. */
  readonly files?: 'real' | 'none' | 'memory'
  /** The worker dials only after `openGate`. */
  readonly gated?: boolean
  /** Agents may enrol and report, as with a daemon; see `servicePorts`. */
  readonly hasServices?: boolean
}

/** Of the agents' table: see observedAgents. The last three: a worker's thread began a round, or ended it. */
type AgentEvent = 'keysTaken' | 'merged' | 'groupsTaken' | 'sendingUpdates' | 'updatesSent' | 'takingGroups'

/** `scanned`: the whole tree was scanned. */
export interface ObservedEvent {
  readonly type:
    | AgentEvent
    | 'scanned'
    | 'listening'
    | 'connected'
    | 'disconnected'
    | 'dialFailed'
    | 'workerJoined'
    | 'workerLeft'
    | 'listenerStarted'
    | 'enrolmentStarted'
    | 'apiStarted'
    | 'applied'
    | 'reloadWanted'
    | 'failed'
  readonly node: string
  readonly atMs: number
  /** CPU time of the whole process until then. */
  readonly cpuMs: number
  /** Files scanned, files that an applied plan changed, or rows of agents. */
  readonly files: number
  readonly failures: number
  /** Of a service that has started. */
  readonly port: number
}

const nodes = new Map<string, ClusterNode>()
const stores = new Map<string, AgentStore>()
const links = new Map<string, Link>()
const openGates: (() => void)[] = []
/** Of agents that a node receives at one moment. */
const reportsMax = 50_000
const loopResolutionMs = 10
const loopDelay = monitorEventLoopDelay({ resolution: loopResolutionMs })
let events: ObservedEvent[] = []
let eventListeners = new Set<() => void>()

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const happened = (node: string, type: ObservedEvent['type'], files = 0, failures = 0, port = 0): void => {
  events.push({ type, node, files, failures, port, atMs: systemMs(), cpuMs: cpuMs() })
  for (const listener of eventListeners) listener()
}

const nothing = { upserts: [], removals: [], problems: [], files: 0, unknownDirectories: [], done: true } as const
const refuseContent = (): Promise<never> => Promise.reject(new ClusterError('fileGone'))
const noFiles: Files = {
  scan: () => Promise.resolve(nothing),
  nextPage: () => Promise.resolve(nothing),
  wrote: () => Promise.resolve(undefined),
  watch: () => Promise.resolve({ isWhole: true, close: () => Promise.resolve() }),
  read: refuseContent,
  staged: (digests) => Promise.resolve(digests.map(() => 0)),
  stage: refuseContent,
  recipe: refuseContent,
  beginPatch: refuseContent,
  fillPatch: refuseContent,
  finishPatch: refuseContent,
  rulesetDigests: () => Promise.resolve({}),
  apply: () => Promise.resolve({ failures: [], upserts: [], removals: [] }),
  freeBytes: () => Promise.resolve(0),
  clearStage: () => Promise.resolve(),
  close: () => Promise.resolve(),
}

const keptLinks = (transport: Transport, gate: Promise<void>): Transport => ({
  dial: async (endpoint, hello, signal) => {
    await gate
    const link = await transport.dial(endpoint, hello, signal)
    links.set(hello.node, link)
    return link
  },
  listen: (endpoint, policy) => transport.listen(endpoint, policy),
})

const inRound = (node: string, thread: string, moment: 'begins' | 'ends'): void => {
  if (thread === 'Agent-info sync') happened(node, moment === 'begins' ? 'sendingUpdates' : 'updatesSent')
  if (thread === 'Agent-groups recv' && moment === 'begins') happened(node, 'takingGroups')
}

/** The answer's lines, without its end. */
const nodeNamed = (node: string): ClusterNode => {
  const named = nodes.get(node)
  if (!named) throw new Error(`There is no node '${node}'`)
  return named
}

const answered = async (node: string, request: ClusterQuery | AgentCommand): Promise<AnswerLine[]> => {
  const asked = nodeNamed(node)
  const lines: AnswerLine[] = []
  for await (const line of isCommand(request) ? asked.carryOut(request) : asked.query(request)) {
    if (line.kind === 'error') throw new Error(line.message)
    if (line.kind !== 'end') lines.push(line)
  }
  return lines
}

/** Resolves with what `found` finds among the events, once it finds something. */
const until = <T>(found: () => T | undefined): Promise<T> =>
  new Promise((resolve) => {
    const check = (): void => {
      const seen = found()
      if (seen === undefined) return
      eventListeners.delete(check)
      resolve(seen)
    }
    eventListeners.add(check)
    check()
  })

const megabytes = (bytes: number): number => bytes / 1e6

const procMegabytes = (field: 'VmHWM' | 'VmRSS'): number => {
  const line = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))
  return (Number(line?.[1]) * 1024) / 1e6
}

const calls = {
  /** Resolves with the port of a master. */
  start: async ({ node, type, home, port, timings, files, gated, hasServices }: StartOptions) => {
    const realFiles = (): Files =>
      createFiles({ home, synced: defaultSyncedItems, role: type, stageDir: join(home, 'queue', 'cluster', node) })
    const observedPorts = () => {
      const agentStore = observedAgents(new SqliteAgentStore({ home, role: type, manager: managerBeside(home) }), {
        onKeys: (agents) => happened(node, 'keysTaken', agents),
        onMerged: (taken, dropped) => happened(node, 'merged', taken, dropped),
        onGroups: (same) => happened(node, 'groupsTaken', 0, same ? 0 : 1),
      })
      stores.set(node, agentStore)
      return { files: observedFiles(files === 'none' ? noFiles : realFiles(), (count) => happened(node, 'scanned', count)), agentStore }
    }
    const gate = gated ? new Promise<void>((resolve) => openGates.push(resolve)) : Promise.resolve()
    const transport = createTransport({ network: createTcpNetwork(), clock: realClock, random: realRandom, keys: { current: key } })
    const started = createNode({
      node,
      type,
      home,
      key,
      master: { host: '127.0.0.1', port },
      bindAddress: '127.0.0.1',
      workersMax: 10_000,
      ...(timings && { timings }),
      ...(hasServices && { listener: { port: 0 }, enrolment: { port: 0 } }),
      ports: {
        ...(files === 'memory' ? memoryPorts(node) : observedPorts()),
        transport: keptLinks(transport, gate),
        log: observedLog((thread, moment) => inRound(node, thread, moment)),
      },
    })
    nodes.set(node, started)
    started.onEvent((event) => {
      if (event.type === 'applied') happened(node, 'applied', event.created + event.updated + event.removed, event.failed)
      else happened(node, event.type, 0, 0, 'port' in event ? event.port : 0)
    })
    const listening = await started.start()
    return listening.port ?? 0
  },

  /** A listener beside the nodes, in its thread, as in a daemon. Resolves with its port. */
  listen: async (options: ListenOptions) => (await startBenchListener(options)).port,

  /** Wazuh's programs may ask a node at the socket there. */
  serveLocal: async ({ node, socketPath }: { node: string; socketPath: string }) => {
    const asked = nodeNamed(node)
    await startLocalServer({
      socketPath,
      node: {
        type: 'master',
        configuration: {},
        requests: asked.managerRequests,
        query: (query, signal) => asked.query(query, signal),
        rulesetDigests: () => asked.rulesetDigests(),
      },
      log: observedLog(() => undefined),
      limits,
    })
  },

  openGate: (_: undefined) => {
    const nowMs = systemMs()
    for (const open of openGates.splice(0)) open()
    return nowMs
  },

  /** Resolves with the first `count` events of a type, once there are that many. */
  happened: ({ type, count }: { type: ObservedEvent['type']; count: number }) =>
    until(() => {
      const found = events.filter((event) => event.type === type)
      return found.length < count ? undefined : found.slice(0, count)
    }),

  /** Resolves with the events of a type at one node, once they cover this many files or rows. */
  covered: ({ type, node, files }: { type: ObservedEvent['type']; node: string; files: number }) =>
    until(() => {
      const found = events.filter((event) => event.type === type && event.node === node)
      return found.reduce((sum, event) => sum + event.files, 0) < files ? undefined : found
    }),

  /** Resolves with the last event of a type at one node after this time. */
  happenedAfter: ({ type, node, atMs }: { type: ObservedEvent['type']; node: string; atMs: number }) =>
    until(() => events.findLast((event) => event.type === type && event.node === node && event.atMs >= atMs)),

  /** Asks a node as cluster_control does; resolves with the time of the question, and the answer without its end. */
  ask: async ({ node, request }: { node: string; request: ClusterQuery | AgentCommand }) => {
    const atMs = systemMs()
    return { atMs, lines: await answered(node, request) }
  },

  /** Resolves with the ports that agents report to and enrol at. */
  servicePorts: async ({ node }: { node: string }) => {
    const portOf = (type: 'listenerStarted' | 'enrolmentStarted') =>
      until(() => events.find((event) => event.type === type && event.node === node)?.port)
    return { listener: await portOf('listenerStarted'), enrolment: await portOf('enrolmentStarted') }
  },

  /** The node receives keep-alives of agents from `first` on, with the facts of `facts` if given. Resolves when they are in its table. */
  report: async ({ node, first, count, facts }: { node: string; first: number; count: number; facts?: string }) => {
    const reports: AgentReport[] = Array.from({ length: count }, (_, index) => {
      const id = first + index
      return { id, kind: 'keepAlive', ...(facts !== undefined && { facts: factsOf(id, facts) }) }
    })
    // The table sends nothing by itself: a round begins with those that the node takes, when all others are there.
    const store = stores.get(node)
    if (store) await recordReports(store, node, reports.splice(0, Math.max(0, count - reportsMax)))
    const outcome = await nodes.get(node)?.agents.report(reports)
    if (!outcome || outcome.unknown + outcome.refused > 0) throw new Error('Reports of agents were not taken')
  },

  forget: (_: undefined) => {
    events = []
  },

  counters: (node: string) => {
    const link = links.get(node)
    if (!link) throw new Error(`'${node}' has no link`)
    return { ...link.counters }
  },

  /** Of all links together. */
  allCounters: (_: undefined) => {
    const all = [...links.values()].map(({ counters }) => counters)
    const sum = (field: 'bytesSent' | 'bytesReceived'): number => all.reduce((bytes, counters) => bytes + counters[field], 0)
    return { bytesSent: sum('bytesSent'), bytesReceived: sum('bytesReceived') }
  },

  /** Megabytes and milliseconds. With `collect` after a garbage collection (needs --expose-gc). */
  usage: async ({ collect }: { collect: boolean }) => {
    for (let round = 0; collect && round < 4; round++) {
      globalThis.gc?.()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const { heapUsed, external } = process.memoryUsage()
    return {
      atMs: systemMs(),
      cpuMs: cpuMs(),
      heapMB: megabytes(heapUsed),
      externalMB: megabytes(external),
      rssMB: procMegabytes('VmRSS'),
      peakMB: procMegabytes('VmHWM'),
    }
  },

  watchLoop: (_: undefined) => {
    loopDelay.reset()
    loopDelay.enable()
  },

  /** The longest time that the event loop was blocked since `watchLoop`, in milliseconds. */
  longestBlockMs: (_: undefined) => {
    loopDelay.disable()
    return Math.max(0, loopDelay.max / 1e6 - loopResolutionMs)
  },

  stop: async (_: undefined) => {
    const stopped = [...nodes.values()]
    nodes.clear()
    await Promise.all(stopped.map((node) => node.stop()))
    eventListeners = new Set()
  },
}

export type NodeCalls = typeof calls

answerParent(calls)
