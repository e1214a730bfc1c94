/** One node of a simulated cluster: what outlives its process, and the process while there is one. */
import { posix } from 'node:path'
import type { RunningNode } from '../actors/node.js'
import type { SyncedItems } from '../domain/files/syncedItems.js'
import { SimulatedManager, type SimulatedManagerOptions } from './manager/simulatedManager.js'
import { simulatedAuthority, simulatedIdentity, type Validity } from './network/simulatedCertificates.js'
import { type NodeCertificateTexts, SimulatedNodeCertificates } from './network/simulatedNodeCertificates.js'
import { readWhole } from './rules/expectedTree.js'
import type { SimulatedFronts } from './simulatedFronts.js'
import { MemoryAgentTable } from './world/memoryAgentTable.js'
import { MemoryDisk } from './world/memoryDisk.js'
import type { ClockView, VirtualClock } from './world/virtualClock.js'
import type { WatchedDisk } from './world/watchedDisk.js'

export interface SimulatedNode {
  readonly name: string
  readonly role: 'master' | 'worker'
  readonly clock: ClockView
  readonly disk: MemoryDisk
  /** Its table of agents; like the disk it outlives the process. */
  readonly agentTable: MemoryAgentTable
  /** What its certificate files hold; undefined without TLS between nodes. */
  readonly certificates: SimulatedNodeCertificates | undefined
  /** The real manager beside it, where there is one. */
  readonly manager: SimulatedManager | undefined
  /** What is wrong with its configuration files. */
  readonly mistakes: string[]
  /** Its process. */
  running: RunningNode | undefined
  /** Its process's view of the disk. */
  view: WatchedDisk | undefined
  /** What agents connect to, of its process. */
  fronts: SimulatedFronts | undefined
  /** Its process has begun to end. */
  isStopping: boolean
  /** It was started again meanwhile. */
  startsAgain: boolean
  /** When it was last without a process, in milliseconds of the virtual clock. */
  downSinceMs: number
}

const notRunning = { running: undefined, view: undefined, fronts: undefined, isStopping: false, startsAgain: false }

/** Not synced, and not to be touched by anybody. */
const foreignFile = 'etc/ossec.conf'
const foreignContent = (name: string): string => `<!-- of ${name} -->`

export interface SimulatedNodeOptions {
  readonly index: number
  readonly time: VirtualClock
  readonly synced: SyncedItems
  readonly home: string
  readonly tls?: boolean | undefined
  /** Where real managers run beside the nodes: what theirs is made of. */
  readonly manager?: Pick<SimulatedManagerOptions, 'random' | 'disconnectionMs' | 'onGone' | 'onWritten'> | undefined
}

const authority = 'simulated'

/** Of the authority that all nodes of the cluster trust. */
export const certificateTexts = (name: string, validity?: Validity): NodeCertificateTexts => ({
  ca: simulatedAuthority(authority),
  ...simulatedIdentity(authority, [name], validity),
})

/** The first one is the master. Each has the directories of its items, and nothing else. */
export const createSimulatedNode = ({ home, index, manager: given, synced, time, tls }: SimulatedNodeOptions): SimulatedNode => {
  const role = index === 0 ? 'master' : 'worker'
  const name = index === 0 ? 'master' : `w${index}`
  const clock = time.view()
  const disk = new MemoryDisk({ now: () => clock.now() })
  for (const item of synced.items) disk.makeDirectories(posix.join(home, item.dir))
  disk.makeDirectories(posix.join(home, 'queue', 'cluster', name))
  disk.edit(posix.join(home, foreignFile), Buffer.from(foreignContent(name)), 0o640)
  const agentTable = new MemoryAgentTable(role, `table of ${name}`, given ? 'wazuh' : 'none')
  const certificates = tls ? new SimulatedNodeCertificates(certificateTexts(name)) : undefined
  const manager = given && new SimulatedManager({ ...given, node: name, role, clock, disk, time, home })
  return { name, role, clock, disk, agentTable, certificates, manager, mistakes: [], ...notRunning, downSinceMs: 0 }
}

/** What a node left behind that was stopped, and what it touched that is not its own, by the rule that it breaks. */
export const leftBy = ({ clock, disk, name }: SimulatedNode, home: string): (readonly [rule: string, says: string])[] => {
  const left: (readonly [string, string])[] = []
  if (clock.pending !== 0) left.push(['nothing is left after a stop', `${clock.pending} timers of ${name}`])
  if (disk.openFiles !== 0) left.push(['nothing is left after a stop', `${disk.openFiles} open files of ${name}`])
  if (readWhole(disk, posix.join(home, foreignFile)).toString() !== foreignContent(name))
    left.push(['nothing outside the synced items is ever touched', `${foreignFile} of ${name}`])
  return left
}
