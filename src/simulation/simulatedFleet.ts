/**
 * Agents of our own in a simulated cluster: they enrol at its nodes, speak the real protocol with its listeners over the simulated
 * network, and go from one node to the next as real agents do. What must hold of them is checked here and at the end.
 */
import { createHash } from 'node:crypto'
import { Fleet } from '../actors/fleet/fleet.js'
import type { FleetAgent } from '../actors/fleet/fleetAgent.js'
import type { AgentView } from '../domain/agents/agent.js'
import { keyLineText } from '../domain/agents/keyLine.js'
import { type AgentSettings, defaultAgentEnrolment } from '../domain/fleet/agentServer.js'
import { accountOf, type EventAccount, type SentRange } from '../domain/fleet/eventAccount.js'
import type { AgentNetwork } from '../ports/network.js'
import { checkPushable } from '../wire/agents/sharedPush.js'
import type { EnrolledAgents } from './rules/enrolledAgents.js'
import { TakenEvents } from './rules/takenEvents.js'
import { agentsPort, enrolmentPort, type SimulatedFronts } from './simulatedFronts.js'
import type { SimulatedNode } from './simulatedNode.js'
import type { SeededRandom } from './world/seededRandom.js'
import type { VirtualClock } from './world/virtualClock.js'

/** Host of the network that all these agents live on. */
export const fleetHost = 'agents'
const run = 'simulated'
const namePrefix = 'fleet'
const stopMsMax = 60_000
/** What is read from a socket when it closes is in a segment within this time. */
const settleMs = 5_000

export interface SimulatedFleetOptions {
  readonly agents: number
  readonly clock: VirtualClock
  readonly random: SeededRandom
  readonly network: AgentNetwork
  readonly nodes: readonly SimulatedNode[]
  /** Host of a load balancer that agents report to; they enrol at the master then. */
  readonly reachedBy?: string
  readonly home: string
  readonly enrolled: EnrolledAgents
  readonly keysPath: string
  violated(rule: string, says: string): void
  note(event: string): void
}

const settingsFor = ({ nodes, reachedBy }: SimulatedFleetOptions): AgentSettings => ({
  servers: (reachedBy === undefined ? nodes.map(({ name }) => name) : [reachedBy]).map((host) => ({
    host,
    port: agentsPort,
    protocol: 'tcp',
    maxRetries: 2,
    retryIntervalMs: 3_000,
  })),
  times: { notifyMs: 10_000, reconnectMs: 25_000, receiveMsMax: 15_000, delayAfterEnrolmentMs: 1_000 },
  enrolment: {
    ...defaultAgentEnrolment,
    port: enrolmentPort,
    ...(reachedBy !== undefined && { host: nodes[0]?.name ?? '' }),
  },
  cipher: 'aes',
})

/** Refusals that Wazuh's rules keep up for an hour: the agent is registered, and the answer with its key was lost. */
const isKeptOut = (says: string): boolean => /^Duplicate/.test(says)

export class SimulatedFleet {
  checks = 0
  readonly #world: SimulatedFleetOptions
  readonly #fleet: Fleet
  readonly #taken: TakenEvents
  /** Of the process that each node has or had last. */
  readonly #fronts = new Map<string, SimulatedFronts>()
  /** By node: lines that were in its segments when its process began. */
  readonly #linesBefore = new Map<string, number>()
  readonly #keptOut = new Set<number>()
  /** Events that were taken and counted as dropped, or waited for a disk that failed when their process ended. */
  #excused = 0
  #ranges: readonly SentRange[] | undefined
  #account: EventAccount | undefined

  constructor(world: SimulatedFleetOptions) {
    const { clock, network, random } = world
    this.#world = world
    this.#taken = new TakenEvents(run, world.home)
    this.#fleet = new Fleet(
      { network, clock, random: random.fork('agents') },
      {
        run,
        agents: world.agents,
        namePrefix,
        settings: settingsFor(world),
        firstServer: (number) => number,
        keys: [],
        version: 'v4.14.6',
        labels: [],
        eventsPerSecond: 0.2,
        eventBytes: 100,
        startsPerSecond: 1,
        tickMs: 2_500,
      },
      {
        enrolling: (number) => world.enrolled.asksItself(`${namePrefix}-${number}`),
        enrolled: (number, entry) => {
          this.#keptOut.delete(number)
          world.note(`${entry.name} enrolled as ${entry.id}`)
        },
        notEnrolled: (number, { message }) => {
          if (isKeptOut(message)) this.#keptOut.add(number)
          world.note(`${namePrefix}-${number} was not enrolled: ${message}`)
        },
        connected: (number, { host }) => world.note(`${namePrefix}-${number} is connected to ${host}`),
        disconnected: (number) => world.note(`${namePrefix}-${number} lost its connection`),
        configured: (number, sum) => {
          this.checks += 1
          if (sum === '') world.violated('a push that ends is whole', `${namePrefix}-${number} got something else than was announced`)
        },
      },
    )
  }

  get agents(): number {
    return this.#fleet.agents.length
  }

  get counts(): ReturnType<Fleet['counts']> {
    return this.#fleet.counts()
  }

  /** What was sent over which connections; once the agents have ended. */
  get ranges(): readonly SentRange[] {
    return this.#ranges ?? []
  }

  /** Of their events; once they have ended and were checked. */
  get account(): EventAccount | undefined {
    return this.#account
  }

  start(): void {
    this.#fleet.start()
  }

  /** A process of the node begins, with these. */
  processBegan(node: SimulatedNode, fronts: SimulatedFronts): void {
    this.#taken.read(node.name, node.disk)
    this.#fronts.set(node.name, fronts)
    this.#linesBefore.set(node.name, this.#taken.linesOf(node.name))
  }

  /** The process of the node is about to be gone: all that it took must be on its disk, whether that is synced or not. */
  processEnds(node: SimulatedNode): void {
    const fronts = this.#fronts.get(node.name)
    this.#fronts.delete(node.name)
    this.#taken.read(node.name, node.disk)
    if (!fronts) return
    this.checks += 1
    const { dropped, taken } = fronts.events
    const missing = taken - dropped - (this.#taken.linesOf(node.name) - (this.#linesBefore.get(node.name) ?? 0))
    if (missing !== 0 && !fronts.isWaitingForDisk)
      this.#world.violated('a taken event is never lost', `${missing} of ${taken} events of ${node.name} are in no segment`)
    this.#excused += dropped + Math.max(0, missing)
  }

  /** What keeps the agents from being where and what they should be; all of it has to end once nothing goes wrong any more. */
  differences(): string[] {
    const [master] = this.#world.nodes
    if (!master || this.#ranges) return []
    const views = new Map(master.agentTable.list({}, 0).map((view) => [view.name, view]))
    return this.#fleet.agents.flatMap((agent) => {
      this.checks += 3
      if (!agent.entry && this.#keptOut.has(agent.number)) return []
      const says = this.#differenceOf(agent, views.get(agent.name), master)
      return says === undefined ? [] : [`${agent.name} ${says}`]
    })
  }

  #differenceOf(agent: FleetAgent, view: AgentView | undefined, master: SimulatedNode): string | undefined {
    const { keysPath, nodes } = this.#world
    const { entry } = agent
    if (!entry) return 'has no key'
    const lacking = nodes.find(({ disk }) => !hasLine(contentOf(disk, keysPath), keyLineText(entry)))
    if (lacking) return `was given a key that is not in client.keys of ${lacking.name}`
    if (!agent.isConnected) return 'is not connected'
    if (view?.status !== 'active') return `is ${view?.status ?? 'unknown'}`
    const merged = this.#mergedOf(view.groups, master)
    const sum = agent.configuration.mergedSum
    if (merged === undefined || !checkPushable(merged).ok || md5(merged) === sum) return undefined
    return `has the configuration '${sum}', and that of ${view.groups.join()} is ${md5(merged)}`
  }

  #mergedOf(groups: readonly string[], { disk }: SimulatedNode): Buffer | undefined {
    const [only] = groups
    if (only === undefined) return undefined
    const hash = createHash('sha256').update(groups.join(',')).digest('hex').slice(0, 8)
    return contentOf(disk, `${this.#world.home}/${groups.length === 1 ? `etc/shared/${only}` : `var/multigroups/${hash}`}/merged.mg`)
  }

  /** Ends the agents while their nodes still run, and holds the segments to what they sent. */
  async end(isChecked: boolean): Promise<void> {
    const { clock, nodes } = this.#world
    const stopping = this.#fleet.stop(stopMsMax)
    void stopping.then((ranges) => {
      this.#ranges = ranges
    })
    await clock.runUntil(() => this.#ranges !== undefined, stopMsMax + settleMs)
    await clock.advance(settleMs)
    for (const node of nodes) this.processEnds(node)
    if (isChecked) this.#checkAccount(await stopping)
  }

  #checkAccount(ranges: readonly SentRange[]): void {
    this.checks += 1
    this.#account = accountOf(ranges, this.#taken.received)
    const { lost, lostRanges, strange } = this.#account
    if (lost > this.#excused) {
      const [first] = lostRanges
      this.#world.violated(
        'a taken event is never lost',
        `${lost} are, and ${this.#excused} were counted as dropped: ${first?.from} to ${first?.to} of agent ${first?.agent} (${first?.end})`,
      )
    }
    if (strange > 0) this.#world.violated('no event comes from nowhere', `${strange} were sent by nobody`)
  }
}

const contentOf = (disk: SimulatedNode['disk'], path: string): Buffer | undefined => {
  try {
    return disk.contentOf(path)
  } catch {
    return undefined
  }
}

const hasLine = (content: Buffer | undefined, line: string): boolean => content?.toString().split('\n').includes(line) ?? false

const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
