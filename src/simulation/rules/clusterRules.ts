/** What must hold of a whole simulated cluster whatever goes wrong, at each event and each minute of a run, and once it has stopped. */
import type { NodeEvent } from '../../actors/nodeEvent.js'
import type { Manager } from '../../domain/agents/leftToManager.js'
import { silenceDetectionMsMax } from '../../domain/cluster/heartbeat.js'
import type { Timings } from '../../domain/cluster/timings.js'
import type { SyncedItems } from '../../domain/files/syncedItems.js'
import type { NetworkCounters } from '../network/networkConditions.js'
import { leftBy, type SimulatedNode } from '../simulatedNode.js'
import { stageDirOf } from '../simulatedProcess.js'
import type { VirtualClock } from '../world/virtualClock.js'
import { WatchedDisk } from '../world/watchedDisk.js'
import { CertificateRules } from './certificateRules.js'
import { checkDiskChange, MasterHistory, MembershipChecker } from './checkers.js'

export interface ClusterRulesOptions {
  readonly clock: VirtualClock
  /** The master first. */
  readonly nodes: readonly SimulatedNode[]
  readonly synced: SyncedItems
  readonly timings: Timings
  readonly manager: Manager
  readonly home: string
  violated(rule: string, says: string): void
}

export class ClusterRules {
  readonly history = new MasterHistory()
  readonly #options: ClusterRulesOptions
  readonly #members = new MembershipChecker()
  readonly #certificates: CertificateRules
  #checks = 0

  constructor(options: ClusterRulesOptions) {
    this.#options = options
    this.#certificates = new CertificateRules(options)
  }

  /** Times that a rule was checked. */
  get checks(): number {
    return this.#checks + this.#certificates.checks
  }

  get #master(): SimulatedNode {
    const [master] = this.#options.nodes
    if (!master) throw new RangeError('There is no master')
    return master
  }

  // ------------------------------------------------------------------------------------------------------ at any time

  /** A process's view of the disk of its node: what it changes there is checked before it happens. */
  watch({ disk, name, role }: SimulatedNode, synced: SyncedItems): WatchedDisk {
    const { home, manager, violated } = this.#options
    const rules = { node: name, role, manager, home, stageDir: stageDirOf(name), synced, disk, history: this.history }
    return new WatchedDisk(disk, (change) => {
      this.#checks += 1
      const broken = checkDiskChange(rules, change)
      if (broken) violated(broken.rule, broken.says)
    })
  }

  happened(node: string, event: NodeEvent): void {
    if (event.type === 'failed') this.#options.violated('a node never fails', `${node}: ${event.error.message}`)
    if (event.type !== 'workerJoined' && event.type !== 'workerLeft') return
    this.#checks += 1
    const wrong = event.type === 'workerJoined' ? this.#members.joined(event.node) : this.#members.left(event.node)
    if (wrong !== undefined) this.#options.violated('names are unique', wrong)
  }

  /** The process of a node is gone. */
  gone({ role }: SimulatedNode): void {
    if (role === 'master') this.#members.forget()
  }

  isMember(name: string): boolean {
    return this.#members.has(name)
  }

  /** What has to hold now and then. */
  checkNow(): void {
    this.#checkDeadWorkers()
    this.#certificates.check()
  }

  /** The registry knows no worker that has been without a process for longer than the keep-alive's bound. */
  #checkDeadWorkers(): void {
    const { clock, nodes, timings, violated } = this.#options
    const { checkLastKeepAliveMs, silenceMsMax } = timings
    const boundMs = silenceDetectionMsMax({ checkIntervalMs: checkLastKeepAliveMs, silenceMsMax })
    for (const { downSinceMs, name, role, running } of nodes) {
      if (role === 'master' || running || clock.monotonicMs() - downSinceMs <= boundMs) continue
      // A master that was frozen, or started only now, has had less time to notice.
      if (!this.#master.running || this.#master.clock.isFrozen) continue
      this.#checks += 1
      if (this.isMember(name)) violated('a dead worker leaves the registry within its bound', `${name} is still in`)
    }
  }

  // ---------------------------------------------------------------------------------------------------- when stopped

  /** @param left what the network still has */
  checkNothingLeft(left: NetworkCounters): void {
    const { home, nodes, violated } = this.#options
    this.#checks += 1
    for (const [what, count] of Object.entries(left)) if (count !== 0) violated('nothing is left after a stop', `${count} ${what}`)
    for (const node of nodes) for (const [rule, says] of leftBy(node, home)) violated(rule, says)
  }
}
