/** What a master says that happened, from the signals of its cluster. */
import { describe, expect, it } from 'vitest'
import { ClusterEvents, type FollowedCluster } from '../../../src/actors/cluster/clusterEvents.js'
import type { Member } from '../../../src/actors/cluster/registry.js'
import { Signal } from '../../../src/actors/kit/signal.js'
import { ClusterError } from '../../../src/base/errors.js'
import { WorkerState } from '../../../src/domain/cluster/workerState.js'
import type { Peer } from '../../../src/ports/link.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import type { RequestBody } from '../../../src/wire/muster/messages.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const dayMs = 24 * 60 * 60_000

const followed = () => {
  const clock = new VirtualClock()
  const events = new ClusterEvents(clock)
  const cluster: FollowedCluster = {
    node: 'master',
    meter: { restarted: new Signal() },
    registry: { applied: new Signal(), joined: new Signal(), left: new Signal(), listenerLost: new Signal() },
    states: { changed: new Signal(), loaded: Promise.resolve() },
  }
  events.follow(cluster)
  return { clock, cluster, said: () => events.after(0).map(({ level, message, node }) => `${level} ${node}: ${message}`) }
}

const member = (peer: Partial<Peer> = {}): Member => {
  const link = new ScriptedLink()
  Object.assign(link.peer, peer)
  return { name: link.peer.node, link, state: new WorkerState(), log: recordingLog() }
}

const report: RequestBody<'integrity.report'> = {
  phase: 'applied',
  created: 0,
  updated: 0,
  removed: 0,
  failures: [],
  failuresLeftOut: 0,
  tookMs: 5,
}
const failure = { path: 'etc/rules/a.xml', code: 'fileFailed', message: 'It is a directory' }

describe('the events of a cluster', () => {
  it('say who came with which key and certificate, and why a worker left', () => {
    const { clock, cluster, said } = followed()
    const { joined, left } = cluster.registry
    joined.emit(member({ key: 'previous' }))
    joined.emit(member({ certificate: { name: 'w1', endsMs: clock.now() + 6.5 * dayMs, ownEndsMs: 0 } }))
    joined.emit(member({ certificate: { name: 'w1', endsMs: clock.now() + 60 * dayMs, ownEndsMs: 0 } }))
    for (const code of ['peerStopping', 'nodeRemoved', 'linkLost'] as const) left.emit({ member: member(), error: new ClusterError(code) })
    expect(said()).toEqual([
      "info w1: Worker 'w1' connected from 10.0.0.1 (version v1). It used the previous cluster key.",
      "info w1: Worker 'w1' connected from 10.0.0.1 (version v1).",
      "warning w1: The certificate of worker 'w1' ends in 6 days.",
      "info w1: Worker 'w1' connected from 10.0.0.1 (version v1).",
      "info w1: Worker 'w1' disconnected: it is stopping.",
      "info w1: Worker 'w1' was disconnected: it was removed from the cluster.",
      "error w1: Worker 'w1' was lost: The connection was lost.",
    ])
  })

  it('say that files cannot be synced once, until that is another sentence', () => {
    const { cluster, said } = followed()
    const { applied, left } = cluster.registry
    const one = member()
    const failing: RequestBody<'integrity.report'> = { ...report, failures: [failure] }
    for (let at = 0; at < 5; at++) applied.emit({ member: one, report: failing })
    const sentence = "error w1: Worker 'w1' could not sync 1 file, among them 'etc/rules/a.xml': It is a directory."
    expect(said()).toEqual([sentence])
    applied.emit({ member: one, report: { ...failing, failuresLeftOut: 3 } })
    expect(said().length).toBe(2)
    applied.emit({ member: one, report })
    applied.emit({ member: one, report: failing })
    expect(said().length).toBe(3)
    left.emit({ member: one, error: new ClusterError('peerStopping') })
    applied.emit({ member: one, report: failing })
    expect(said().filter((line) => line === sentence).length).toBe(3)
  })

  it('say what was synced and undone, what crashed, and which listener is gone', () => {
    const { cluster, said } = followed()
    cluster.registry.applied.emit({ member: member(), report: { ...report, created: 2, removed: 1, undone: 2 } })
    cluster.registry.listenerLost.emit(member())
    cluster.meter.restarted.emit({ thread: 'integrity', error: new ClusterError('internal', { message: 'Internal error: x' }) })
    expect(said()).toEqual([
      "info w1: Worker 'w1' was synced: 2 files created, 0 updated, 1 deleted.",
      "warning w1: Worker 'w1' undid 2 edits of its own files.",
      "warning w1: The agents' listener of worker 'w1' is not running or does not answer.",
      "error master: Thread 'integrity' crashed and is being restarted: Internal error: x.",
    ])
  })

  it('say what an operator said of a node, but not again at the next start', async () => {
    const { clock, cluster, said } = followed()
    cluster.states.changed.emit({ node: 'w1', state: 'drained' })
    await clock.advance(1)
    cluster.states.changed.emit({ node: 'w1', state: 'ready' })
    expect(said()).toEqual([expect.stringMatching(/^info w1: Node 'w1' .+, as an operator said\.$/)])
  })
})
