/** The thread that keeps the listener, over simulated agents and a scripted listener: keys, configurations, and every way in which it ends. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LocalTree } from '../../../../src/actors/files/localTree.js'
import { Front } from '../../../../src/actors/kit/front.js'
import { startHosted } from '../../../../src/actors/kit/host.js'
import { Published } from '../../../../src/actors/kit/published.js'
import { supervised } from '../../../../src/actors/kit/supervised.js'
import { listenerThread } from '../../../../src/actors/listener/thread/listenerThread.js'
import { ClusterError } from '../../../../src/base/errors.js'
import { limits } from '../../../../src/base/limits.js'
import type { NodeState } from '../../../../src/domain/cluster/nodeState.js'
import { neverGivenUp } from '../../../../src/domain/cluster/restartPolicy.js'
import { VirtualClock } from '../../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../../support/agents/localAgentsOver.js'
import { listenerOptions, ScriptedListener } from '../../../support/agents/scriptedListener.js'
import { ScriptedFiles } from '../../../support/files/scriptedFiles.js'
import { synced } from '../../../support/files/treeArbitraries.js'
import { recordingLog } from '../../../support/recordingLog.js'
import { settledIn } from '../../../support/settledIn.js'

const { signal } = new AbortController()

/** A file without any agent is never trusted. */
const someIds = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 })

const start = async (ids: readonly number[], listener = new ScriptedListener(), options = listenerOptions) => {
  const clock = new VirtualClock()
  const { agents, disk, keepTable, writeKeys } = localAgentsOver(clock, 'master')
  writeKeys(ids)
  const keeper = await keepTable()
  const files = new ScriptedFiles(clock)
  const tree = new LocalTree(files, synced, clock)
  const settled = settledIn(clock)
  await settled(tree.scan(undefined, signal))
  const log = recordingLog()
  const ports: number[] = []
  const front = new Front<never>()
  const state = new Published<NodeState | undefined>('ready')
  const logic = listenerThread({
    ...{ agents, tree, clock, log, host: listener, options, front, state },
    operations: { report: async () => ({ taken: 0, unknown: 0, refused: 0, refusedFacts: [] }) },
    onListening: (port) => ports.push(port),
  })
  const thread = startHosted(supervised(logic, { name: 'listener', clock, policy: neverGivenUp }), {
    ...{ clock, input: { input: undefined, log }, onEnd: () => undefined },
  })
  await clock.advance(200)
  return {
    ...{ agents, clock, disk, files, front, listener, log, ports, settled, state, tree, writeKeys },
    check: () => settled(agents.keys.check(signal)),
    stop: async () => {
      thread.stop()
      keeper.stop()
      await agents.close()
      await clock.settle()
    },
  }
}

describe('the thread that keeps the listener', () => {
  it('gives it all agents before it listens, then each change, and after a crash all agents again', () =>
    fc.assert(
      fc.asyncProperty(someIds, fc.array(fc.oneof(someIds, fc.constant('crash' as const)), { maxLength: 6 }), async (first, steps) => {
        const node = await start(first)
        const byId = (ids: readonly number[]) => [...ids].sort((a, b) => a - b)
        let ids: readonly number[] = first
        expect(node.listener.agents).toEqual(byId(first))
        for (const step of steps) {
          if (step === 'crash') node.listener.die('a bug')
          else {
            ids = step
            node.writeKeys(ids)
            await node.check()
            // A file that lacks agents is trusted when it has not changed for a while.
            await node.clock.advance(limits.keysTrustedMs + 1_000)
            await node.check()
          }
          await node.clock.advance(limits.restartDelayMsMax + 1_000)
          expect(node.listener.agents).toEqual(byId(ids))
        }
        await node.stop()
        expect(node.listener.stops).toBe(node.listener.starts)
        expect(node.clock.pending).toBe(0)
      }),
      { numRuns: 30 },
    ))

  it('is never given up, and says each time why it starts it again', async () => {
    const node = await start([1])
    for (let crash = 0; crash < 20; crash++) {
      node.listener.die('a bug of the listener')
      await node.clock.advance(limits.restartDelayMsMax + 200)
    }
    expect(node.listener.starts).toBe(21)
    expect(node.ports).toHaveLength(21)
    expect(node.log.lines).toContain("error [-] [-] Thread 'listener' crashed: a bug of the listener. Restarting in 100 ms.")
    await node.stop()
  })

  it('tries again when it cannot be started, and says why once', async () => {
    const listener = new ScriptedListener()
    for (let times = 0; times < 3; times++) listener.failures.push(new ClusterError('listenFailed', { message: 'Port 1514 is taken' }))
    const node = await start([1], listener)
    await node.clock.advance(3 * limits.frontRetryMs)
    expect(node.listener.starts).toBe(4)
    expect(node.ports).toEqual([1514])
    const says = 'error [-] [-] The listener of agents could not be started: Port 1514 is taken. Retrying.'
    expect(node.log.lines.filter((line) => line.startsWith('error'))).toEqual([says])
    expect(node.log.lines).toContain('info [-] [-] Listening on port 1514/TCP (secure).')
    await node.stop()
  })

  it('says of each place that it listens at', async () => {
    const further = [{ port: 1600, transports: ['tcp', 'udp'], localIp: '', ipv6: false }] as const
    const node = await start([1], new ScriptedListener(), { ...listenerOptions, further })
    expect(node.log.lines.filter((line) => line.includes('Listening'))).toEqual([
      'info [-] [-] Listening on port 1514/TCP (secure).',
      'info [-] [-] Listening on port 1600/TCP,UDP (secure).',
    ])
    await node.stop()
  })

  it('runs exactly while its node is ready, and asks the agents to go before it ends', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('ready', 'drained', 'removed', undefined), { minLength: 1, maxLength: 8 }),
        async (states) => {
          const node = await start([1])
          const { listener } = node
          let wasReady = true
          for (const state of states) {
            const { drains, starts, stops } = listener
            const before = { drains: drains.length, starts, stops }
            node.state.publish(state)
            await node.clock.advance(1_000)
            const isReady = state === 'ready'
            expect(node.front.running !== undefined).toBe(isReady)
            const ended = wasReady && !isReady ? 1 : 0
            expect({ drains: drains.length, stops: listener.stops }).toEqual({ drains: before.drains + ended, stops: before.stops + ended })
            expect(listener.starts).toBe(before.starts + (isReady && !wasReady ? 1 : 0))
            wasReady = isReady
          }
          expect(new Set(listener.drains).size).toBeLessThanOrEqual(1)
          await node.stop()
          expect(node.clock.pending).toBe(0)
        },
      ),
      { numRuns: 40 },
    ))

  it('says once that configurations changed when a merged.mg or groups do, and nothing for other files', async () => {
    const node = await start([1])
    const edit = async (path: string, content: string): Promise<void> => {
      node.files.disk.set(path, { path, digest: content.padEnd(64, '0'), size: 1, mode: 0o660 })
      await node.settled(node.tree.scan(undefined, signal))
      await node.clock.advance(100)
    }
    const before = node.listener.configurationChanges
    await edit('etc/shared/default/agent.conf', 'a')
    expect(node.listener.configurationChanges).toBe(before)
    await edit('etc/shared/default/merged.mg', 'b')
    expect(node.listener.configurationChanges).toBe(before + 1)
    for (let times = 0; times < 5; times++) node.agents.groups.changes.emit()
    await node.clock.advance(100)
    expect(node.listener.configurationChanges).toBe(before + 2)
    await node.stop()
  })

  it('says by their groups what agents are to have, and nothing of those without groups', async () => {
    const node = await start([1, 2, 3])
    const { agents, disk, listener, settled } = node
    disk.edit('/home/etc/shared/default/merged.mg', Buffer.from('#default\n'), 0o640)
    await settled(agents.store.changeGroups({ kind: 'replace', ids: [1], groups: ['default'] }))
    await settled(agents.store.changeGroups({ kind: 'replace', ids: [2], groups: ['default', 'web'] }))
    const asked = await settled(listener.desk?.configurations([1, 2, 3, 99]) ?? Promise.resolve([]))
    expect(asked).toEqual([
      { id: 1, path: 'etc/shared/default/merged.mg', sum: 'ccbc6422b66b712e3a586e025fb0029a' },
      { id: 2, path: 'var/multigroups/5288d400/merged.mg', sum: '' },
    ])
    await node.stop()
  })
})
