/**
 * The real manager beside a simulated node: its wazuh-db, the daemons that a node asks, and those that write into wazuh-db by themselves.
 * It is up while the machine has power, whatever becomes of the node's own process.
 */
import { posix } from 'node:path'
import { isGroupName } from '../../domain/agents/groups.js'
import { keysPath } from '../../domain/agents/keyEntry.js'
import { mergedName } from '../../domain/agents/mergedFile.js'
import type { Clock } from '../../ports/machine.js'
import type { ManagerPorts } from '../../ports/manager.js'
import type { MemoryDisk } from '../world/memoryDisk.js'
import type { SeededRandom } from '../world/seededRandom.js'
import type { VirtualClock } from '../world/virtualClock.js'
import { MemoryTakenJournal } from './memoryTakenJournal.js'
import { SimulatedApiBridge } from './simulatedApiBridge.js'
import { SimulatedManagerDaemons } from './simulatedManagerDaemons.js'
import { SimulatedWazuhDb } from './simulatedWazuhDb.js'

export interface SimulatedManagerOptions {
  readonly node: string
  readonly role: 'master' | 'worker'
  /** Of the machine. */
  readonly clock: Clock
  readonly disk: MemoryDisk
  readonly time: VirtualClock
  readonly random: SeededRandom
  readonly home: string
  readonly disconnectionMs: number
  /** wazuh-monitord, or wazuh-remoted at its start, takes an agent for gone. */
  onGone(id: number, node: string): void
  /** One of its daemons writes a file that is synced. */
  onWritten(content: Buffer): void
}

const modulesdMs = 1_000
const monitordMs = 20_000
const mergedContent = Buffer.from('#group\n')
/** Until wazuh-modulesd knows a directory that was made. */
const groupDelayMsMax = 5_000

export class SimulatedManager {
  readonly db: SimulatedWazuhDb
  readonly daemons = new SimulatedManagerDaemons()
  readonly bridge = new SimulatedApiBridge()
  readonly #options: SimulatedManagerOptions
  readonly #journal = new MemoryTakenJournal()
  /** When a directory of a group is known. */
  readonly #groupsDueMs = new Map<string, number>()
  /** What was seen of client.keys last; undefined: it is read again, whatever it is. */
  #keys: string | undefined
  /** Of wazuh-db, when that was seen. */
  #starts = 0
  #isOn = false
  #hasTimers = false
  #monitoredMs = 0

  constructor(options: SimulatedManagerOptions) {
    const { clock, node, role } = options
    this.#options = options
    this.db = new SimulatedWazuhDb({ clock, role, nodeName: node })
    this.db.stop()
  }

  /** It takes reports of agents. */
  get isOn(): boolean {
    return this.#isOn
  }

  /** The machine has power; wazuh-remoted begins, to which nobody is connected. */
  start(): void {
    if (this.#isOn) return
    this.#isOn = true
    this.db.start()
    this.#disconnect(() => this.db.remotedStarts())
    if (this.#hasTimers) return
    this.#hasTimers = true
    this.#work()
  }

  /** All of it is restarted. */
  restart(): void {
    if (!this.#isOn) return
    this.db.stop()
    this.#isOn = false
    this.start()
  }

  losePower(): void {
    this.#isOn = false
    this.db.kill()
  }

  /** Ends every fault of wazuh-db. */
  heal(): void {
    if (this.#isOn) this.db.heal()
  }

  /** For a process of the node; `clock` is its own. */
  ports(clock: Clock): ManagerPorts {
    return {
      db: this.db.port(clock),
      daemons: this.daemons.port(clock),
      taken: this.#journal,
      bridge: this.bridge.port(clock),
    }
  }

  /** What the daemons do by themselves, again and again. */
  #work(): void {
    const { disconnectionMs, time } = this.#options
    // What it was asked before may be lost with it.
    if (this.#starts !== this.db.starts) this.#keys = undefined
    this.#starts = this.db.starts
    if (this.#isOn && this.db.isRunning) {
      this.#readGroups()
      this.#readKeys()
      const nowMs = time.monotonicMs()
      if (nowMs >= this.#monitoredMs + monitordMs) {
        this.#monitoredMs = nowMs
        this.#disconnect(() => this.db.disconnectSilent(disconnectionMs))
      }
    }
    time.setTimeout(() => this.#work(), modulesdMs)
  }

  /** wazuh-modulesd knows groups by their directories, a while after they are there. */
  #readGroups(): void {
    const { disk, home, random, role, time } = this.#options
    const shared = posix.join(home, 'etc/shared')
    const present = new Set(disk.namesIn(shared).filter((name) => isGroupName(name) && isDirectory(disk, posix.join(shared, name))))
    for (const name of present)
      if (!this.#groupsDueMs.has(name)) this.#groupsDueMs.set(name, time.monotonicMs() + random.integer(0, groupDelayMsMax))
    if (role === 'master') for (const name of present) this.#mergeFiles(posix.join(shared, name, mergedName))
    for (const [name, dueMs] of this.#groupsDueMs) {
      if (!present.has(name)) this.#groupsDueMs.delete(name)
      else if (dueMs <= time.monotonicMs()) this.db.insertGroup(name)
    }
    for (const name of this.db.groupNames()) if (!present.has(name)) this.db.deleteGroup(name)
  }

  /** wazuh-remoted of a master makes one in every group. What is in it is nobody's business here. */
  #mergeFiles(path: string): void {
    const { disk, onWritten } = this.#options
    if (disk.namesIn(posix.dirname(path)).includes(mergedName)) return
    onWritten(mergedContent)
    disk.edit(path, mergedContent, 0o660)
  }

  /** wazuh-authd and wazuh-modulesd know agents by client.keys: when it changes, and after a start. */
  #readKeys(): void {
    const text = keysOn(this.#options)
    if (text === undefined || text === this.#keys) return
    this.#keys = text
    const entries = namesIn(text)
    for (const { id } of this.db.agents()) if (!entries.has(id)) this.db.deleteAgent(id)
    for (const [id, name] of entries) this.db.insertAgent(id, name)
  }

  #disconnect(act: () => boolean): void {
    const isConnected = ({ connection_status }: { connection_status?: string }) =>
      connection_status === 'active' || connection_status === 'pending'
    const before = this.db.agents().filter(isConnected)
    act()
    const after = new Set(
      this.db
        .agents()
        .filter(isConnected)
        .map(({ id }) => id),
    )
    for (const { id, node_name = '' } of before) if (!after.has(id)) this.#options.onGone(id, node_name)
  }
}

const isDirectory = (disk: MemoryDisk, path: string): boolean => {
  try {
    return disk.namesIn(path).length > 0
  } catch {
    return false
  }
}

/** Undefined: there is no such file. */
const keysOn = ({ disk, home }: SimulatedManagerOptions): string | undefined => {
  try {
    return disk.contentOf(posix.join(home, keysPath)).toString()
  } catch {
    return undefined
  }
}

/** By ID. */
const namesIn = (keys: string): ReadonlyMap<number, string> => {
  const entries = keys.split('\n').map((line) => line.split(' '))
  return new Map(entries.filter(([, name]) => name !== undefined && !/^[!#]/.test(name)).map(([id, name = '']) => [Number(id), name]))
}
