/** What a master remembers of what happened in its cluster: from the node's signals, in the sentences that an operator reads. */
import { counted } from '../../base/counted.js'
import { fullStop } from '../../base/fullStop.js'
import { daysLeft, expiryStage } from '../../domain/certificates/expiry.js'
import { type EventInput, EventRing, type RememberedEvent } from '../../domain/cluster/monitoring/eventRing.js'
import { joinedSentence, leftSentence } from '../../domain/cluster/monitoring/memberSentences.js'
import { stateText } from '../../domain/cluster/nodeState.js'
import { isPassing } from '../../domain/files/treeValues.js'
import type { Peer } from '../../ports/link.js'
import type { Clock } from '../../ports/machine.js'
import type { RequestBody } from '../../wire/muster/messages.js'
import type { NodeMeter } from './nodeMeter.js'
import type { NodeStates } from './nodeStates.js'
import type { Member, Registry } from './registry.js'

export interface FollowedCluster {
  readonly registry: Pick<Registry, 'applied' | 'joined' | 'left' | 'listenerLost'>
  readonly states: Pick<NodeStates, 'changed' | 'loaded'>
  /** Counts the threads of the master, whose name is `node`. */
  readonly meter: Pick<NodeMeter, 'restarted'>
  readonly node: string
}

export class ClusterEvents {
  readonly #clock: Pick<Clock, 'now'>
  readonly #ring: EventRing
  /** Of each worker that is in: what could not be synced, as it was said. It is tried again at each check. */
  readonly #failing = new Map<string, string>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
    this.#ring = new EventRing(clock.now())
  }

  follow({ meter, node: own, registry, states }: FollowedCluster): void {
    meter.restarted.add(({ error, thread }) =>
      this.add({ level: 'error', node: own, message: `Thread '${thread}' crashed and is being restarted: ${fullStop(error.message)}` }),
    )
    // What was said before this start is not one of its events.
    void states.loaded.then(() =>
      states.changed.add(({ node, state }) =>
        this.add({ level: 'info', node, message: `Node '${node}' ${stateText[state]}, as an operator said.` }),
      ),
    )
    registry.joined.add(({ link: { peer } }) => {
      this.add(joinedSentence(peer))
      this.#noteCertificate(peer)
    })
    registry.left.add(({ error, member }) => {
      this.#failing.delete(member.name)
      this.add(leftSentence(member.name, error))
    })
    registry.applied.add(({ member, report }) => this.#applied(member, report))
    registry.listenerLost.add(({ name }) =>
      this.add({ level: 'warning', node: name, message: `The agents' listener of worker '${name}' is not running or does not answer.` }),
    )
  }

  add(event: EventInput): void {
    this.#ring.add(event, this.#clock.now())
  }

  /** Those after the event of this id; 0: all. */
  after(id: number): readonly RememberedEvent[] {
    return this.#ring.after(id)
  }

  #noteCertificate({ certificate, node }: Peer): void {
    const nowMs = this.#clock.now()
    if (!certificate || expiryStage(certificate.endsMs, nowMs) === undefined) return
    const left = counted(daysLeft(certificate.endsMs, nowMs), 'day')
    this.add({ level: 'warning', node, message: `The certificate of worker '${node}' ends in ${left}.` })
  }

  #applied({ name }: Member, { created, failures, failuresLeftOut, removed, undone = 0, updated }: RequestBody<'integrity.report'>): void {
    if (created + updated + removed > 0) {
      const message = `Worker '${name}' was synced: ${counted(created, 'file')} created, ${updated} updated, ${removed} deleted.`
      this.#ring.add({ level: 'info', node: name, message }, this.#clock.now(), true)
    }
    if (undone > 0)
      this.add({ level: 'warning', node: name, message: `Worker '${name}' undid ${counted(undone, 'edit')} of its own files.` })
    this.#noteFailures(
      name,
      failures.filter((failure) => !isPassing(failure)),
      failuresLeftOut,
    )
  }

  #noteFailures(name: string, lasting: RequestBody<'integrity.report'>['failures'], leftOut: number): void {
    const [example] = lasting
    if (!example) {
      this.#failing.delete(name)
      return
    }
    const files = counted(lasting.length + leftOut, 'file')
    const message = `Worker '${name}' could not sync ${files}, among them '${example.path}': ${fullStop(example.message)}`
    if (this.#failing.get(name) === message) return
    this.#failing.set(name, message)
    this.add({ level: 'error', node: name, message })
  }
}
