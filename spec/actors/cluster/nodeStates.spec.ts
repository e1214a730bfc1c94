/** States of nodes over a store in memory that fails when it is asked to. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NodeStates } from '../../../src/actors/cluster/nodeStates.js'
import { ClusterError, ok, refuse } from '../../../src/base/errors.js'
import { type NodeState, nodeStates } from '../../../src/domain/cluster/nodeState.js'
import { MemoryNodeStates } from '../../support/memoryNodeStates.js'
import { recordingLog } from '../../support/recordingLog.js'

const full = new ClusterError('diskFull', { message: "'queue/muster/nodes.json' could not be written (ENOSPC)." })

const created = async (kept: readonly (readonly [string, NodeState])[] = [], failure?: ClusterError) => {
  const store = new MemoryNodeStates(new Map(kept))
  store.failure = failure
  const log = recordingLog()
  const states = new NodeStates({ node: 'w1', store, log })
  const changes: string[] = []
  states.changed.add(({ node, state }) => changes.push(`${node} ${state}`))
  await states.loaded
  return { store, log, states, changes }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const steps = fc.array(fc.record({ node: fc.constantFrom('w1', 'w2', 'w3'), state: fc.constantFrom(...nodeStates), fails: fc.boolean() }), {
  maxLength: 12,
})

describe('the states of nodes', () => {
  it('are durable when they were set, unchanged when that failed, and each change is announced once', () =>
    fc.assert(
      fc.asyncProperty(steps, async (said) => {
        const { changes, states, store } = await created()
        const model = new Map<string, NodeState>()
        for (const { fails, node, state } of said) {
          store.failure = fails ? full : undefined
          const before = changes.length
          const was = model.get(node) ?? 'ready'
          const outcome = await states.set(node, state).then(
            (isChanged) => isChanged && 'set',
            (thrown: unknown) => (thrown instanceof ClusterError ? thrown.code : thrown),
          )
          expect(outcome).toBe(fails ? 'diskFull' : 'set')
          if (!fails) model.set(node, state)
          expect(states.stateOf(node)).toBe(model.get(node) ?? 'ready')
          expect(changes.slice(before)).toEqual(fails || was === state ? [] : [`${node} ${state}`])
          expect(states.own.value).toBe(model.get('w1') ?? 'ready')
          expect(store.kept).toEqual(model)
        }
      }),
    ))

  it('are decided one after the other: of two orders at once the second is judged by the first', async () => {
    const { states } = await created()
    const removing = states.set('w2', 'removed')
    const draining = states.set('w2', 'drained', (current) => (current === 'removed' ? refuse('nodeRemoved') : ok(true)))
    await removing
    await expect(draining).rejects.toMatchObject({ code: 'nodeRemoved' })
    expect(states.stateOf('w2')).toBe('removed')
    expect(await states.set('w2', 'removed', (current) => ok(current !== 'removed'))).toBe(false)
  })

  it('are those of before after a restart, and of this node before anything else can be asked', async () => {
    const { changes, states } = await created([
      ['w1', 'drained'],
      ['w2', 'removed'],
    ])
    expect([states.own.value, states.stateOf('w2'), states.stateOf('w9')]).toEqual(['drained', 'removed', 'ready'])
    expect(changes).toEqual(['w1 drained', 'w2 removed'])
  })

  it('that cannot be read are said once, and are not written over before they were read', async () => {
    const unreadable = new ClusterError('fileFailed', { message: "'queue/muster/nodes.json' could not be read (EIO)" })
    const { log, states, store } = await created([['w2', 'removed']], unreadable)
    expect(states.own.value).toBe('ready')
    expect(log.lines).toHaveLength(1)
    await expect(states.set('w3', 'drained')).rejects.toBe(unreadable)
    expect(store.saves).toBe(0)
    store.failure = undefined
    await states.set('w3', 'drained')
    expect([...store.kept]).toEqual([
      ['w2', 'removed'],
      ['w3', 'drained'],
    ])
  })

  it('that the master says hold at once, and are kept as soon as they can be', async () => {
    const { log, states, store } = await created()
    store.failure = full
    states.follow('drained')
    expect(states.own.value).toBe('drained')
    await settled()
    expect(log.lines).toEqual([expect.stringContaining('The states of nodes could not be kept')])
    store.failure = undefined
    // The next connection says it again.
    states.follow('drained')
    await settled()
    expect(store.kept.get('w1')).toBe('drained')
    const { saves } = store
    states.follow('drained')
    await settled()
    expect(store.saves).toBe(saves)
  })

  it('remember a thousand nodes that join together with one write or two', async () => {
    const { states, store } = await created()
    for (let index = 0; index < 1_000; index++) states.note(`worker-${index}`)
    await settled()
    expect(store.kept.size).toBe(1_000)
    expect(store.saves).toBeLessThanOrEqual(2)
  })
})
