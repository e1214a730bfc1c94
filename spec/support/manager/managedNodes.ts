/** A master and workers with real managers, of which only the agents' states are run: their wazuh-dbs, tables and journals outlive their processes. */
import { agentInfoSend } from '../../../src/actors/agents/agentInfo.js'
import type { LocalAgents } from '../../../src/actors/agents/nodeAgents.js'
import { type ChildEvent, type Hosted, startHosted } from '../../../src/actors/kit/host.js'
import { agentsCompared } from '../../../src/actors/manager/agentsCompared.js'
import { StateGiver } from '../../../src/actors/manager/stateGiver.js'
import { statesGiven } from '../../../src/actors/manager/statesGiven.js'
import { statesTaken } from '../../../src/actors/manager/statesTaken.js'
import { WatchedWazuhDb } from '../../../src/actors/manager/watchedWazuhDb.js'
import { ClusterError } from '../../../src/base/errors.js'
import type { WazuhAgent } from '../../../src/domain/manager/wazuhAgent.js'
import type { TakenJournal, WazuhDb } from '../../../src/ports/manager.js'
import { MemoryTakenJournal } from '../../../src/simulation/manager/memoryTakenJournal.js'
import { SimulatedWazuhDb } from '../../../src/simulation/manager/simulatedWazuhDb.js'
import { MemoryAgentTable } from '../../../src/simulation/world/memoryAgentTable.js'
import type { ClockView, VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import type { RequestBody } from '../../../src/wire/muster/messages.js'
import { localAgentsOver } from '../agents/localAgentsOver.js'
import { type RecordingLog, recordingLog } from '../recordingLog.js'
import { ScriptedLink } from '../scriptedLink.js'

/** Where a process may be killed, with what was done by then and what was not. */
export const crashPoints = ['taken', 'noted', 'cleared', 'posted'] as const
export type CrashPoint = (typeof crashPoints)[number]

interface Process {
  readonly agents: LocalAgents
  readonly threads: readonly Hosted[]
  readonly died: AbortController
}

export class ManagedNode {
  readonly name: string
  readonly role: 'master' | 'worker'
  readonly clock: ClockView
  readonly db: SimulatedWazuhDb
  readonly journal = new MemoryTakenJournal()
  readonly table: MemoryAgentTable
  readonly log: RecordingLog = recordingLog()
  readonly ends: ChildEvent[] = []
  /** The process is killed the next time that it gets there. */
  crashAt: CrashPoint | undefined
  readonly #cluster: ManagedNodes
  #process: Process | undefined

  constructor(cluster: ManagedNodes, name: string, role: 'master' | 'worker', skewMs: number) {
    this.#cluster = cluster
    this.name = name
    this.role = role
    this.clock = cluster.time.view({ skewMs })
    this.db = new SimulatedWazuhDb({ clock: this.clock, role, nodeName: name })
    this.table = new MemoryAgentTable(role, `table of ${name}`, 'wazuh')
    for (const id of cluster.ids) this.db.insertAgent(id, `agent${id}`)
    // What it has by now is not what a kill takes back.
    this.db.stop()
    this.db.start()
  }

  get agents(): LocalAgents | undefined {
    return this.#process?.agents
  }

  /** Resolves when the agents of client.keys are in its table. */
  async start(): Promise<void> {
    if (this.#process) return
    const { clock, journal, log, name, role, table } = this
    const world = localAgentsOver(clock, role, name, { manager: 'wazuh', table })
    world.writeKeys(this.#cluster.ids)
    const { agents } = world
    if (role === 'worker') agents.clock.measure(this.#cluster.time.now(), clock.monotonicMs())
    const died = new AbortController()
    const db = new WatchedWazuhDb({ db: this.#crashing(this.db.port(clock)), clock, log })
    const options = { agents, clock, db, log, node: name }
    const giver = new StateGiver(options)
    const logics =
      role === 'master'
        ? [statesGiven({ ...options, giver }), agentsCompared({ ...options, giver })]
        : [statesTaken({ ...options, journal: this.#crashingJournal(journal) }), agentsCompared({ ...options, giver: undefined })]
    const onEnd = (event: ChildEvent): void => void this.ends.push(event)
    const threads: Hosted[] = []
    this.#process = { agents, threads, died }
    const keeping = world.keepTable()
    await this.#cluster.time.advance(5)
    threads.push(await keeping, ...logics.map((logic) => startHosted(logic, { clock, input: undefined, onEnd })))
    if (role === 'worker') threads.push(this.#sender(agents, onEnd))
  }

  /** As kill -9. */
  kill(): void {
    if (!this.#process) return
    for (const thread of this.#process.threads) thread.stop()
    this.#process.died.abort()
    this.#process = undefined
    this.clock.cancelAll()
  }

  #sender(agents: LocalAgents, onEnd: (event: ChildEvent) => void): Hosted {
    const link = new ScriptedLink('master', (_type, body) => this.#cluster.report(this.name, body as RequestBody<'agentInfo.report'>))
    const logic = agentInfoSend({ agents, clock: this.clock, intervalMs: 10_000, answerMsMax: 5_000 })
    return startHosted(logic, { clock: this.clock, input: { link, log: recordingLog() }, onEnd })
  }

  #reached(point: CrashPoint): boolean {
    if (this.crashAt !== point) return false
    this.crashAt = undefined
    this.kill()
    return true
  }

  /** What the process never sees any more is not answered. */
  #crashing(db: WazuhDb): WazuhDb {
    const after = async <T>(answer: Promise<T>, point: CrashPoint): Promise<T> => {
      const value = await answer
      return this.#reached(point) ? new Promise<T>(() => undefined) : value
    }
    return {
      ...db,
      takeStates: (signal) => after(db.takeStates(signal), 'taken'),
      giveStates: (states, signal) => after(db.giveStates(states, signal), 'posted'),
    }
  }

  #crashingJournal(journal: TakenJournal): TakenJournal {
    return {
      entries: () => journal.entries(),
      append: (text) => {
        journal.append(text)
        if (this.#reached('noted')) throw new ClusterError('aborted')
      },
      clear: () => {
        if (this.#reached('cleared')) throw new ClusterError('aborted')
        journal.clear()
      },
    }
  }

  /** Of the running process, until it dies. */
  get died(): AbortSignal | undefined {
    return this.#process?.died.signal
  }
}

export class ManagedNodes {
  readonly time: VirtualClock
  readonly ids: readonly number[]
  readonly master: ManagedNode
  readonly workers: readonly ManagedNode[]

  constructor(time: VirtualClock, ids: readonly number[], skewsMs: readonly number[] = [0, 0]) {
    this.time = time
    this.ids = ids
    this.master = new ManagedNode(this, 'master', 'master', 0)
    this.workers = skewsMs.map((skewMs, index) => new ManagedNode(this, `w${index + 1}`, 'worker', skewMs))
  }

  get nodes(): readonly ManagedNode[] {
    return [this.master, ...this.workers]
  }

  async start(): Promise<this> {
    for (const node of this.nodes) await node.start()
    await this.time.advance(500)
    return this
  }

  stop(): void {
    for (const node of this.nodes) node.kill()
  }

  /** What the wazuh-db of the master says of an agent. */
  known(id: number): WazuhAgent | undefined {
    return this.master.db.agents().find((agent) => agent.id === id)
  }

  /** As the master's end of agent info. */
  async report(from: string, { batch, table }: RequestBody<'agentInfo.report'>): Promise<unknown> {
    const { agents, died } = this.master
    if (!agents || !died) throw new ClusterError('linkLost')
    const answering = async (): Promise<unknown> => {
      await agents.table.ready(died)
      const answer = { table: agents.table.id, taken: 0, unknown: 0, refused: 0 }
      if (table !== agents.table.id || batch.byteLength === 0) return answer
      const { refused, taken, unknown } = await agents.merge(batch, from)
      return { ...answer, refused, taken, unknown }
    }
    return new Promise((resolve, reject) => {
      const onDied = (): void => reject(new ClusterError('linkLost'))
      died.addEventListener('abort', onDied, { once: true })
      void answering()
        .then(resolve, reject)
        .finally(() => died.removeEventListener('abort', onDied))
    })
  }
}
