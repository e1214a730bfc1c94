/**
 * The agents of a simulated cluster whose nodes stand beside real managers, and who enrols, removes and groups them: all of it by way of the
 * managers' own daemons. What an agent said, and a wazuh-db answered, is noted in a model: rules/managedAgentRules.ts holds the master to it.
 */
import { createHash } from 'node:crypto'
import { agentIdText } from '../../domain/agents/agent.js'
import { changedGroups, defaultGroup, type GroupsChange } from '../../domain/agents/groups.js'
import { keysPath } from '../../domain/agents/keyEntry.js'
import type { AskedDaemon, CarriedAnswer } from '../../ports/manager.js'
import { ReportedAgents } from '../rules/reportedAgents.js'
import type { SimulatedNode } from '../simulatedNode.js'
import type { VirtualClock } from '../world/virtualClock.js'

/** What they need of their cluster. */
export interface ManagedAgentsOptions {
  readonly clock: VirtualClock
  node(name: string): SimulatedNode
  write(name: string, path: string, content: Buffer, mode?: number): void
  absolute(path: string): string
  note(event: string): void
}

export interface ManagedAgent {
  readonly id: number
  readonly name: string
  isRemoved: boolean
}

export type AgentWord = 'starts' | 'keepsAlive' | 'stops'

const keepAliveMs = 10_000
/** Two agents send nothing in step. */
const clonesApartMs = 3_700
/** wazuh-db knows seconds, and a keep-alive is of the time at which it is taken. */
const stampErrorMs = 3_000
/** wazuh-db commits within it; what came later may be lost with it. */
const uncommittedMsMax = 61_000

export class ManagedAgents {
  readonly said = new ReportedAgents()
  /** What agents say of themselves: each start says something else. */
  readonly details = new ReportedAgents()
  readonly all: ManagedAgent[] = []
  /** Agents of which there were two with the same key: wazuh-db does not say which of them said what it has. */
  readonly cloned = new Set<number>()
  /** What agents said, through any node. */
  reports = 0
  readonly #world: ManagedAgentsOptions
  #names = 0
  readonly #beating = new Map<string, unknown>()

  constructor(world: ManagedAgentsOptions) {
    this.#world = world
  }

  // ------------------------------------------------------------------------------------------- operators, on the master

  populate(count: number, groups: readonly string[]): void {
    for (let id = 1; id <= count; id++) this.all.push({ id, name: `agent-${++this.#names}`, isRemoved: false })
    this.#saveKeys()
    for (const group of groups) this.createGroup(group)
  }

  pick(index: number): number | undefined {
    return this.all[index % Math.max(1, this.all.length)]?.id
  }

  /** By the wazuh-authd of a node, which has the master's do it. */
  enrol(node: string): void {
    this.#askMaster(node, 'authd', { function: 'add', arguments: { name: `agent-${++this.#names}`, ip: 'any' } })
  }

  /** What daemons of the master answer. */
  answer(daemon: AskedDaemon, message: string): string {
    const { arguments: given, parameters } = JSON.parse(message)
    if (daemon === 'authd') return JSON.stringify({ error: 0, data: this.#add(given.name) })
    this.changeGroups({ kind: 'assign', ids: [Number(parameters.agent)], group: defaultGroup })
    return JSON.stringify({ error: 0, message: 'ok', data: { group: defaultGroup } })
  }

  #add(name: string): { readonly id: string; readonly name: string } {
    const id = this.all.length + 1
    this.all.push({ id, name, isRemoved: false })
    this.#saveKeys()
    this.#world.note(`${name} was enrolled as ${id}`)
    return { id: agentIdText(id), name }
  }

  /** On a worker by way of the node, which may be away: then nothing comes of it, and the agent asks again or not. */
  #askMaster(nodeName: string, daemon: AskedDaemon, request: object): void {
    const { clock, manager, role, running } = this.#world.node(nodeName)
    const message = JSON.stringify(request)
    if (!manager?.isOn) return
    if (role === 'master') this.answer(daemon, message)
    else if (running && !clock.isFrozen)
      void carried(running.managerRequests.sendsync(daemon, Buffer.from(message), new AbortController().signal))
  }

  remove(id: number): void {
    const agent = this.all.find((candidate) => candidate.id === id)
    if (!agent || agent.isRemoved) return
    agent.isRemoved = true
    this.#saveKeys()
    this.#world.note(`${id} was removed`)
  }

  /** As agent_groups does it: nothing while wazuh-db is down. */
  changeGroups(change: GroupsChange): void {
    const db = this.#world.node('master').manager?.db
    if (!db || change.kind === 'dissolve') return
    for (const id of change.ids) {
      const groups = db.groupsOf(id)
      const isDone = groups !== undefined && db.assignGroups(id, changedGroups(groups, change))
      this.#world.note(`${JSON.stringify(change)}: ${isDone ? 'done' : 'not done'}`)
    }
  }

  createGroup(group: string): void {
    this.#world.write('master', `etc/shared/${group}/agent.conf`, Buffer.from(`<!-- of ${group} -->`))
  }

  removeGroup(group: string): void {
    if (group === 'default') return
    const { disk, manager } = this.#world.node('master')
    if (!manager?.db.deleteGroup(group)) return
    const directory = this.#world.absolute(`etc/shared/${group}`)
    if (disk.namesIn(directory).length > 0) disk.remove(directory)
  }

  #saveKeys(): void {
    const lines = this.all.filter(({ isRemoved }) => !isRemoved).map(({ id, name }) => `${agentIdText(id)} ${name} any ${keyOf(name)}\n`)
    this.#world.write('master', keysPath, Buffer.from(lines.join('')), 0o640)
  }

  // ----------------------------------------------------------------------------------------------------------- agents

  /** Starts at a node, has left any other, and sends keep-alives from then on. */
  connect(node: string, id: number): void {
    this.silence(id)
    this.#connect(node, id, Number.POSITIVE_INFINITY)
  }

  /** Another agent with the same key does, and neither knows of the other. */
  connectClone(node: string, id: number, durationMs: number): void {
    this.cloned.add(id)
    this.#world.clock.setTimeout(() => this.#connect(node, id, durationMs), clonesApartMs)
  }

  #connect(node: string, id: number, durationMs: number): void {
    const { clock } = this.#world
    const untilMs = clock.monotonicMs() + durationMs
    const connection = `${node} ${id}`
    let details: string | undefined = `said ${this.reports}`
    this.silence(id, node)
    this.say(node, id, 'starts')
    const beat = (): void => {
      if (this.say(node, id, 'keepsAlive', details)) details = undefined
      if (clock.monotonicMs() + keepAliveMs > untilMs) this.#beating.delete(connection)
      else this.#beating.set(connection, clock.setTimeout(beat, keepAliveMs))
    }
    this.#beating.set(connection, clock.setTimeout(beat, 50))
  }

  /** Sends no more keep-alives. @param node to any when left out */
  silence(id: number, node?: string): void {
    for (const [connection, timer] of this.#beating) {
      if (node === undefined ? !connection.endsWith(` ${id}`) : connection !== `${node} ${id}`) continue
      this.#world.clock.clearTimeout(timer)
      this.#beating.delete(connection)
    }
  }

  /** All fall silent. */
  rest(): void {
    for (const timer of this.#beating.values()) this.#world.clock.clearTimeout(timer)
    this.#beating.clear()
  }

  /** To wazuh-remoted of a node, which writes it into its wazuh-db. Returns whether that has it. */
  say(nodeName: string, id: number, word: AgentWord, details?: string): boolean {
    const { manager } = this.#world.node(nodeName)
    // What wazuh-db has no row for is answered and forgotten.
    if (!manager?.isOn || manager.db.groupsOf(id) === undefined) return false
    const { db } = manager
    const isWritten =
      word === 'starts'
        ? db.agentStarts(id)
        : word === 'stops'
          ? db.agentStops(id)
          : db.agentSendsKeepAlive(id, details === undefined ? {} : { version: 'v4.14.6', os_uname: details })
    if (!isWritten) return false
    // As wazuh-remoted has it for an agent without groups.
    if (word === 'keepsAlive' && db.groupsOf(id)?.length === 0)
      this.#askMaster(nodeName, 'remoted', { command: 'assigngroup', parameters: { agent: agentIdText(id), md5: 'x' } })
    this.reports += 1
    const stamp = this.#stamp(nodeName)
    const kind = word === 'starts' ? 'startup' : word === 'stops' ? 'shutdown' : 'keepAlive'
    const report = this.said.report({ id, kind }, nodeName, stamp)
    if (report) report.isCertain = true
    if (details !== undefined) this.details.say(id, { ...stamp, node: nodeName, says: details, isCertain: true })
    return true
  }

  /** A daemon of a manager took the agent for gone: those that ask that manager later may learn it. */
  wasTakenForGone(id: number, node: string): void {
    const stamp = this.#stamp(node)
    if (!this.said.report({ id, kind: 'lost' }, node, stamp))
      this.said.say(id, { ...stamp, isTimed: false, node, says: 'disconnected', isCertain: false })
  }

  #stamp(node: string) {
    // The clock of a worker's manager is the machine's: what it stamped is not in order with the rest once that is set.
    return { seenMs: this.#world.clock.now(), errorMs: stampErrorMs, isUnmeasured: node !== 'master', isTimed: true }
  }

  // ----------------------------------------------------------------------------------------------- what befalls nodes

  /** wazuh-db was killed: what it had not committed is lost, unless the node had taken it. */
  killed(node: string): void {
    const sinceMs = this.#world.clock.now() - uncommittedMsMax
    for (const reports of [this.said, this.details]) reports.mayBeLost(node, sinceMs)
  }

  clockSet(node: string): void {
    for (const reports of [this.said, this.details]) reports.clockSet(node)
  }
}

/** Reads the answer to its end. */
const carried = async (asking: Promise<CarriedAnswer>): Promise<void> => {
  try {
    for await (const _part of (await asking).content);
  } catch {
    // The one who asked does without.
  }
}

const keyOf = (name: string): string => createHash('sha256').update(name).digest('hex')
