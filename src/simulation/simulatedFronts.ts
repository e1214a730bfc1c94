/**
 * The listener and the enrolment service of a simulated node, on its own clock, network and disk: what threads are in the daemon. Keeps
 * what the outlets of all their runs took, so that a checker can hold the segments to it.
 */
import { posix } from 'node:path'
import { EnrolmentServer } from '../actors/enrolment/enrolmentServer.js'
import { AgentListener } from '../actors/listener/agentListener.js'
import { createEventOutlet } from '../actors/listener/eventOutlet.js'
import { ClusterError } from '../base/errors.js'
import { EventSegments } from '../disk/listener/eventSegments.js'
import { DiskListenerFiles } from '../disk/listener/listenerFiles.js'
import type { EnrolmentHost, EnrolmentSettings } from '../ports/enrolment.js'
import type { Disk } from '../ports/files.js'
import type { EventOutlet, EventStore, ListenerHost, ListenerOptions } from '../ports/listener.js'
import type { Clock, Random } from '../ports/machine.js'
import type { AgentNetwork } from '../ports/network.js'
import { simulatedIdentity } from './network/simulatedCertificates.js'
import type { DiskChanges } from './world/memoryDisk.js'
import { ThreadLife } from './world/threadLife.js'
import { type DiskChange, WatchedDisk } from './world/watchedDisk.js'

export const agentsPort = 1_514
export const enrolmentPort = 1_515

export interface SimulatedFrontsOptions {
  readonly node: string
  readonly network: AgentNetwork
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk & DiskChanges
  readonly home: string
  violated(rule: string, says: string): void
}

/** One run of a listener. */
interface OutletRun {
  readonly outlet: EventOutlet
  readonly store: EventStore
  readonly life: ThreadLife
  readonly die: (error: ClusterError) => void
}

const ownDirectories = ['queue/events', 'queue/rids'] as const

export class SimulatedFronts {
  readonly listener: ListenerHost
  readonly enrolment: EnrolmentHost
  readonly #options: SimulatedFrontsOptions
  readonly #runs: OutletRun[] = []

  constructor(options: SimulatedFrontsOptions) {
    this.#options = options
    this.listener = { start: (given, desk, agents) => this.#startListener(given, desk, agents) }
    this.enrolment = { start: (given, desk) => this.#startEnrolment(given, desk) }
  }

  /** Events that listeners of this process took, and of these the ones that they dropped and counted. */
  get events(): { readonly taken: number; readonly dropped: number } {
    const counts = this.#runs.map(({ outlet }) => outlet.counts)
    return {
      taken: counts.reduce((sum, { eventsTaken }) => sum + eventsTaken, 0),
      dropped: counts.reduce((sum, { eventsDropped }) => sum + eventsDropped, 0),
    }
  }

  /** The disk takes nothing at the moment: what is taken waits in memory. */
  get isWaitingForDisk(): boolean {
    return this.#runs.some(({ store }) => store.failure !== undefined)
  }

  /** A listener of this process runs. */
  get isListening(): boolean {
    return this.#runs.at(-1)?.life.isOver === false
  }

  /** The thread of the listener dies, if there is one: its last act is to write what it took. */
  killListener(): void {
    const run = this.#runs.at(-1)
    if (!run || run.life.isOver) return
    run.outlet.close()
    run.life.end()
    run.die(new ClusterError('threadCrashed', { message: 'The listener of agents died' }))
  }

  async #startListener(...[given, ownDesk, agents]: Parameters<ListenerHost['start']>): ReturnType<ListenerHost['start']> {
    const { disk, home, random } = this.#options
    const life = new ThreadLife()
    const clock = life.clock(this.#options.clock)
    const network = life.network(this.#options.network)
    const desk = life.calls(ownDesk)
    const own = new WatchedDisk(disk, (change) => this.#checkChange(change))
    const store = new EventSegments(own, { home, ...given.events })
    const log = (level: Parameters<typeof desk.log>[0], message: string): void => void desk.log(level, message)
    const outlet = createEventOutlet(given, { store, reader: undefined, clock, log })
    let die: OutletRun['die'] = () => undefined
    const died = new Promise<ClusterError>((resolve) => {
      die = resolve
    })
    // As with a real thread, calls of one that died fail.
    const called = <T>(call: () => Promise<T>): Promise<T> => Promise.race(life.isOver ? [died.then(fail)] : [call(), died.then(fail)])
    this.#runs.push({ outlet, store, life, die })
    const files = new DiskListenerFiles(own, home)
    const listener = new AgentListener({ options: given, network, clock, random, outlet, files, desk })
    for (const update of agents) await listener.keys(update)
    try {
      const port = await listener.start()
      return {
        port,
        died,
        keys: (update) => called(() => listener.keys(update)),
        configurationChanged: () => called(() => listener.configurationChanged()),
        reconnect: (ids) => called(() => listener.reconnect(ids)),
        counts: () => called(() => listener.counts()),
        drain: (msMax) => called(() => listener.drain(msMax)),
        stop: async () => {
          if (life.isOver) return
          await listener.stop()
          outlet.close()
          life.end()
        },
      }
    } catch (thrown) {
      outlet.close()
      throw thrown
    }
  }

  async #startEnrolment(...[settings, desk]: Parameters<EnrolmentHost['start']>): ReturnType<EnrolmentHost['start']> {
    const { clock, network, node, random } = this.#options
    const options = { ...settings, ...simulatedIdentity(node, [node]), agentCa: undefined, password: undefined }
    const server = new EnrolmentServer({ options, network, clock, random, desk })
    const port = await server.start()
    return { port, counts: async () => server.counts(), died: new Promise(() => undefined), stop: () => server.stop() }
  }

  #checkChange({ operation, path }: DiskChange): void {
    const { home, node, violated } = this.#options
    const relative = posix.relative(home, path)
    const isOwn = (directory: string): boolean =>
      isAtOrBelow(relative, directory) || (operation === 'mkdir' && isAtOrBelow(directory, relative))
    if (ownDirectories.some(isOwn)) return
    violated('a listener writes only events and counters', `${node}: ${operation} ${relative}`)
  }
}

const fail = (error: ClusterError): never => {
  throw error
}

const isAtOrBelow = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`)

export const simulatedListenerOptions = (
  node: string,
  { cluster, home, wazuhVersion }: Pick<ListenerOptions, 'cluster' | 'home' | 'wazuhVersion'>,
): ListenerOptions => ({
  home,
  cluster,
  node,
  managerName: node,
  hidden: false,
  wazuhVersion,
  allowHigherVersions: false,
  port: agentsPort,
  transports: ['tcp', 'udp'],
  localIp: '',
  ipv6: false,
  verifiesCounters: false,
  proxies: [],
  connectionsMax: 1_000,
  events: { segmentBytesMax: 256 * 1_024, bytesMax: 64 * 1_024 * 1_024, toReader: false },
})

export const simulatedEnrolmentOptions = (
  node: string,
  { home, isMaster, wazuhVersion }: Pick<EnrolmentSettings, 'home' | 'isMaster' | 'wazuhVersion'>,
): EnrolmentSettings => ({
  home,
  isMaster,
  port: enrolmentPort,
  localIp: '',
  ipv6: false,
  usesSourceIp: false,
  usesPassword: false,
  ciphers: '',
  verifiesHost: false,
  wazuhVersion,
  allowHigherVersions: false,
  managerName: node,
  proxies: [],
})
