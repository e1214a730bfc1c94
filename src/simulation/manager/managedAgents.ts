/**
 * The agents of a simulated cluster whose nodes stand beside real managers, and who enrols, removes and groups them: all of it by way of the
 * managers' own daemons. What an agent said, and a wazuh-db answered, is noted in a model: rules/managedAgentRules.ts holds the master to it.
 */
import { createHash } from 'node:crypto'
import { changedGroups, type GroupsChange } from '../../domain/agents/groups.js'
import { keysPath } from '../../domain/agents/keyEntry.js'
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
/** wazuh-db knows seconds, and a keep-alive is of the time at which it is taken. */
const stampErrorMs = 3_000
/** wazuh-db commits within it; what came later may be lost with it. */
const uncommittedMsMax = 61_000

export class ManagedAgents {
  readonly said = new ReportedAgents()
  /** What agents say of themselves: each start says something else. */
  readonly details = new ReportedAgents()
  readonly all: ManagedAgent[] = []
  /** What agents said, through any node. */
  reports = 0
  readonly #world: ManagedAgentsOptions
  readonly #beating = new Map<string, unknown>()

  constructor(world: ManagedAgentsOptions) {
    this.#world = world
  }

  // ------------------------------------------------------------------------------------------- operators, on the master

  populate(count: number, groups: readonly string[]): void {
    for (let id = 1; id <= count; id++) this.all.push({ id, name: `agent-${id}`, isRemoved: false })
    this.#saveKeys()
    for (const group of groups) this.createGroup(group)
  }

  pick(index: number): number | undefined {
    return this.all[index % Math.max(1, this.all.length)]?.id
  }

  /** wazuh-authd of the master. */
  enrol(): void {
    const id = this.all.length + 1
    this.all.push({ id, name: `agent-${id}`, isRemoved: false })
    this.#saveKeys()
    this.#world.note(`agent-${id} was enrolled as ${id}`)
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
    const lines = this.all
      .filter(({ isRemoved }) => !isRemoved)
      .map(({ id, name }) => `${String(id).padStart(3, '0')} ${name} any ${keyOf(name)}\n`)
    this.#world.write('master', keysPath, Buffer.from(lines.join('')), 0o640)
  }

  // ----------------------------------------------------------------------------------------------------------- agents

  /** Starts at a node and sends keep-alives for this long; what it sends there already ends. */
  connect(node: string, id: number, durationMs: number): void {
    const { clock } = this.#world
    const untilMs = clock.monotonicMs() + durationMs
    const connection = `${node} ${id}`
    let details: string | undefined = `said ${this.reports}`
    this.silence(node, id)
    this.say(node, id, 'starts')
    const beat = (): void => {
      if (this.say(node, id, 'keepsAlive', details)) details = undefined
      if (clock.monotonicMs() + keepAliveMs > untilMs) this.#beating.delete(connection)
      else this.#beating.set(connection, clock.setTimeout(beat, keepAliveMs))
    }
    this.#beating.set(connection, clock.setTimeout(beat, 50))
  }

  /** Sends no more keep-alives. */
  silence(node: string, id: number): void {
    this.#world.clock.clearTimeout(this.#beating.get(`${node} ${id}`))
    this.#beating.delete(`${node} ${id}`)
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

const keyOf = (name: string): string => createHash('sha256').update(name).digest('hex')
