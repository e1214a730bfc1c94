/**
 * The agents of a simulated cluster, and the operators who enrol, remove and group them: does what a plan says, and notes in the
 * model what of it is certain. agentRules.ts holds the tables to the model.
 */
import { createHash } from 'node:crypto'
import type { RunningNode } from '../actors/node.js'
import type { ErrorCode } from '../base/errors.js'
import { InTurn } from '../base/inTurn.js'
import type { AgentReport } from '../domain/agents/agentReport.js'
import type { GroupsChange } from '../domain/agents/groups.js'
import { AskedNodes, type Outcome } from './askedNodes.js'
import type { KeysDamage } from './faults/faultPlan.js'
import type { MasterHistory } from './rules/checkers.js'
import { EnrolledAgents } from './rules/enrolledAgents.js'
import { type AgentReportStamp, ReportedAgents } from './rules/reportedAgents.js'
import { enrolAsAgent, type SimulatedEnrolment } from './simulatedEnrolments.js'
import type { SimulatedNode } from './simulatedNode.js'
import type { VirtualClock } from './world/virtualClock.js'

/** What the agents need of their cluster. */
export interface SimulatedAgentsOptions {
  readonly clock: VirtualClock
  readonly history: MasterHistory
  readonly nodes: readonly SimulatedNode[]
  node(name: string): SimulatedNode
  write(name: string, path: string, content: Buffer, mode?: number): void
  absolute(path: string): string
  violated(rule: string, says: string): void
  note(event: string): void
}

export const keysPath = 'etc/client.keys'
const keepAliveMs = 10_000
/** A stamp by a clock that was never compared is put right by a beat of this much at most: half of the time that it may take. */
const unmeasuredErrorMs = 10_000
/** A state that lasts longer is not a flicker, but what the operator wants. */
const truncatedMsMax = 2_000
/** These say that nothing was done. */
const refusals: readonly ErrorCode[] = [
  ...(['groupInvalid', 'groupMissing', 'groupExists', 'groupKept', 'groupNameInvalid', 'tooManyGroups'] as const),
  ...(['unknownAgent', 'agentMissing', 'notConnected', 'notOnWorker'] as const),
]

const keyOf = (name: string): string => createHash('sha256').update(name).digest('hex')

export class SimulatedAgents {
  readonly enrolled = new EnrolledAgents()
  readonly said = new ReportedAgents()
  /** What agents say of themselves: each start-up says something else. */
  readonly facts = new ReportedAgents()
  /** Reports that agents made, through any node. */
  reports = 0
  /** The master's clock was set: what time it is has no simple answer any more. */
  isMasterClockSet = false
  readonly #world: SimulatedAgentsOptions
  readonly #processes = new Map<string, RunningNode>()
  readonly #asked: AskedNodes
  /** Agents that ask for their keys. */
  #enrolling = 0
  /** Connections that send keep-alives. */
  readonly #beating = new Map<string, unknown>()
  #tablesDamaged = 0
  #isMasterTableNew = false
  /** The model knows the order of changes only when one follows the other. */
  readonly #inTurn = new InTurn()
  #endFlicker: (() => void) | undefined

  constructor(world: SimulatedAgentsOptions) {
    this.#world = world
    this.#asked = new AskedNodes((name) => world.node(name))
  }

  /** What was asked, by operators or by agents, and is not answered yet. */
  get pending(): number {
    return this.#asked.pending + this.#enrolling
  }

  // -------------------------------------------------------------------------------------------------------- operators

  /** What is there before anything starts: agents in the master's client.keys, and directories of groups. */
  populate(count: number, groups: readonly string[]): void {
    const lines: string[] = []
    for (let id = 1; id <= count; id++) {
      const name = this.enrolled.nextName()
      lines.push(`${String(id).padStart(3, '0')} ${name} any ${keyOf(name)}\n`)
      this.enrolled.enrolled(name, id)
    }
    this.#world.write('master', keysPath, Buffer.from(lines.join('')), 0o640)
    for (const group of groups) this.#world.write('master', `etc/shared/${group}/agent.conf`, Buffer.from(`<!-- of ${group} -->`))
  }

  /** The `index`th agent that is made up, round and round; removed ones are among them: their agents still speak. */
  pick(index: number): number | undefined {
    const all = this.enrolled.all.filter(({ isReal }) => !isReal)
    return all[index % Math.max(1, all.length)]?.id
  }

  /** Of all agents, those that speak the real protocol too. */
  pickAny(index: number): number | undefined {
    const { all } = this.enrolled
    return all[index % Math.max(1, all.length)]?.id
  }

  async enrol(node: string): Promise<void> {
    const name = this.enrolled.nextName()
    // Every second one as agents do it, which knows nothing of operators.
    const count = this.enrolled.names
    if (count % 2 === 0) return this.#enrolAsAgent({ name, node, lostAnswers: (count / 2) % 3 })
    const request = { name, ip: 'any', key: keyOf(name), groups: [] }
    const outcome = await this.#ask(node, ({ agentOperations }, signal) => agentOperations.add(request, signal))
    if (outcome.kind === 'refused') this.enrolled.notEnrolled(name)
    if (outcome.kind !== 'done') return
    this.#wasEnrolled(name, outcome.value.id)
  }

  #wasEnrolled(name: string, id: number): void {
    this.#world.note(`${name} was enrolled as ${id}`)
    const wrong = this.enrolled.enrolled(name, id)
    if (wrong !== undefined) this.#world.violated('an ID is never given out twice', wrong)
  }

  async #enrolAsAgent(enrolment: SimulatedEnrolment): Promise<void> {
    const { clock, nodes } = this.#world
    this.#enrolling += 1
    const entry = await enrolAsAgent(
      {
        clock,
        nodes: nodes.map(({ name }) => name),
        operations: (name) => {
          const node = this.#world.node(name)
          return node.clock.isFrozen ? undefined : node.running?.agentOperations
        },
        key: (name, attempt) => keyOf(`${name} ${attempt}`),
        violated: (rule, says) => this.#world.violated(rule, says),
        isMinuteCertain: () => !this.isMasterClockSet && !this.#isMasterTableNew,
      },
      enrolment,
    )
    this.#enrolling -= 1
    if (entry) this.#wasEnrolled(enrolment.name, entry.id)
  }

  async remove(node: string, id: number): Promise<void> {
    const agent = this.enrolled.get(id)
    if (!agent) return
    agent.suspectRemovals += 1
    const outcome = await this.#ask(node, ({ agentOperations }, signal) => agentOperations.remove(id, signal))
    if (outcome.kind !== 'unknown') agent.suspectRemovals -= 1
    if (outcome.kind === 'done') agent.isRemoved = true
    this.#world.note(`removal of ${id}: ${outcome.kind}`)
  }

  changeGroups(change: GroupsChange): Promise<void> {
    return this.#inTurn.run(async () => {
      const outcome = await this.#ask('master', ({ agentOperations }, signal) => agentOperations.changeGroups(change, signal))
      if (outcome.kind !== 'refused') this.enrolled.changed(change, outcome.kind === 'done')
      this.#world.note(`${JSON.stringify(change)}: ${outcome.kind}`)
    })
  }

  createGroup(group: string): Promise<void> {
    return this.#inTurn.run(async () => {
      const end = this.#world.history.groupIsMade(group, 'created')
      await this.#ask('master', ({ agentOperations }, signal) => agentOperations.createGroup(group, signal))
      end()
    })
  }

  removeGroup(group: string): Promise<void> {
    return this.#inTurn.run(async () => {
      const end = this.#world.history.groupIsMade(group, 'removed')
      const outcome = await this.#ask('master', ({ agentOperations }, signal) => agentOperations.removeGroup(group, signal))
      end()
      // What is refused may be refused by the disk, when its agents have lost the group already.
      if (group !== 'default') this.enrolled.changed({ kind: 'dissolve', group }, outcome.kind === 'done')
      this.#world.note(`removal of group ${group}: ${outcome.kind}`)
    })
  }

  /** Something is seen of the file while it is saved; returns what ends it. */
  flicker(damage: KeysDamage, wantedMs: number): { readonly afterMs: number; readonly end: () => void } | undefined {
    const { agentTable, disk } = this.#world.node('master')
    // A file that no node ever saw whole cannot be distinguished from a new cluster's.
    if (agentTable.highestId() === 0) return undefined
    const path = this.#world.absolute(keysPath)
    const before = this.#keys()
    // One at a time: what was seen of it in the middle of a save is nothing to come back to.
    if (this.#endFlicker || !before || before.length === 0) return undefined
    const damaged = damagedKeys(before, damage)
    // Noise is nothing that the master ever had to send: the worker that gets it breaks a rule.
    if (damaged && damage === 'noise') disk.edit(path, damaged, 0o640)
    else if (damaged) this.#world.write('master', keysPath, damaged, 0o640)
    else disk.remove(path)
    const end = (): void => {
      if (this.#endFlicker !== end) return
      this.#endFlicker = undefined
      // A write in between is not overwritten: an editor would ask.
      const now = this.#keys()
      if (now && damaged ? now.equals(damaged) : now === damaged) this.#world.write('master', keysPath, before, 0o640)
    }
    this.#endFlicker = end
    return { afterMs: damage === 'truncated' ? Math.min(wantedMs, truncatedMsMax) : wantedMs, end }
  }

  /** Undefined: the file is away. */
  #keys(): Buffer | undefined {
    try {
      return this.#world.node('master').disk.contentOf(this.#world.absolute(keysPath))
    } catch {
      return undefined
    }
  }

  // ----------------------------------------------------------------------------------------------------------- agents

  /** Starts up at a node and sends keep-alives for this long; what it sent there before goes on. */
  connect(node: string, id: number, durationMs: number): void {
    this.report(node, { id, kind: 'startup' })
    const { clock } = this.#world
    const untilMs = clock.monotonicMs() + durationMs
    const connection = `${node} ${id}`
    const beat = (): void => {
      this.report(node, { id, kind: 'keepAlive' })
      if (clock.monotonicMs() + keepAliveMs > untilMs) this.#beating.delete(connection)
      else this.#beating.set(connection, clock.setTimeout(beat, keepAliveMs))
    }
    this.silence(node, id)
    this.#beating.set(connection, clock.setTimeout(beat, 50))
  }

  /** Sends no more keep-alives. */
  silence(node: string, id: number): void {
    this.#world.clock.clearTimeout(this.#beating.get(`${node} ${id}`))
    this.#beating.delete(`${node} ${id}`)
  }

  /** Agents fall silent, and client.keys is as it was. */
  rest(): void {
    this.#endFlicker?.()
    for (const timer of this.#beating.values()) this.#world.clock.clearTimeout(timer)
    this.#beating.clear()
  }

  report(nodeName: string, { id, kind }: Pick<AgentReport, 'id' | 'kind'>): void {
    const { clock, running } = this.#world.node(nodeName)
    // Before a process knows its agents there is no listener, and one that stands still sees nothing.
    if (!running || clock.isFrozen || running.agents.table.idsDigest === '') return
    if (this.#processes.get(nodeName) !== running) {
      this.said.forget(nodeName)
      this.facts.forget(nodeName)
    }
    this.#processes.set(nodeName, running)
    this.reports += 1
    const stamp = this.#stampOf(nodeName, running)
    const report = this.said.report({ id, kind }, nodeName, stamp)
    const facts = kind === 'startup' ? { version: `said ${this.reports}` } : undefined
    const details = facts && this.facts.say(id, { ...stamp, node: nodeName, says: facts.version, isCertain: false })
    this.enrolled.heardOf(id)
    running.agentOperations.report([facts ? { id, kind, facts } : { id, kind }]).then(
      ({ refused, unknown }) => {
        if (unknown + refused === 0) for (const said of [report, details]) if (said) said.isCertain = true
      },
      () => undefined,
    )
  }

  #stampOf(nodeName: string, { agents }: RunningNode): Pick<AgentReportStamp, 'seenMs' | 'errorMs' | 'isUnmeasured' | 'isTimed'> {
    const seenMs = this.#world.clock.now()
    const isUnmeasured = !agents.clock.isMeasured
    if (isUnmeasured) return { seenMs, errorMs: unmeasuredErrorMs, isUnmeasured, isTimed: true }
    const errorMs = Math.abs(agents.clock.now() - this.#world.node('master').clock.now())
    const isTimed = errorMs <= unmeasuredErrorMs
    if (!isTimed && !this.isMasterClockSet)
      this.#world.violated("a worker knows the master's time", `${nodeName} is wrong by ${errorMs} ms`)
    // Whole milliseconds.
    return { seenMs, errorMs: errorMs + 1, isUnmeasured, isTimed }
  }

  // ----------------------------------------------------------------------------------------------- what befalls nodes

  /** Its process is gone; what was asked of it is never answered. */
  gone(node: string): void {
    this.#asked.gone(node)
  }

  /** What was said to a worker and did not reach the master is lost; groups and agents are what the master has. */
  tableDamaged({ agentTable, name, role }: SimulatedNode): void {
    this.#tablesDamaged += 1
    this.#isMasterTableNew ||= role === 'master'
    agentTable.damage(`table of ${name}, recreated (${this.#tablesDamaged})`)
    this.said.tableDamaged(name)
    this.facts.tableDamaged(name)
  }

  clockSet(node: SimulatedNode): void {
    if (node.role === 'master') this.isMasterClockSet = true
    this.said.clockSet(node.name)
    this.facts.clockSet(node.name)
  }

  #ask<T>(name: string, act: (running: RunningNode, signal: AbortSignal) => Promise<T>): Promise<Outcome<T>> {
    return this.#asked.ask(name, refusals, act)
  }
}

/** Undefined: the file is away. */
const damagedKeys = (content: Buffer, damage: KeysDamage): Buffer | undefined => {
  switch (damage) {
    case 'empty':
      return Buffer.alloc(0)
    case 'missing':
      return undefined
    case 'noise':
      return Buffer.from(content.map((byte, index) => (index % 7 === 3 ? byte & 0x1f : byte)))
    case 'truncated':
      return content.subarray(0, Math.floor(content.length / 2) - 7)
  }
}
