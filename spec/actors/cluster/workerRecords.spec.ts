/** Which workers a master remembers, and for how long. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Member, Registry } from '../../../src/actors/cluster/registry.js'
import { type FollowedStates, WorkerRecords } from '../../../src/actors/cluster/workerRecords.js'
import { Signal } from '../../../src/actors/kit/signal.js'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import type { StatesByNode } from '../../../src/domain/cluster/nodeState.js'
import { WorkerState } from '../../../src/domain/cluster/workerState.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const recorded = (before: StatesByNode = new Map()) => {
  const clock = new VirtualClock()
  const registry: Pick<Registry, 'joined' | 'left'> = { joined: new Signal(), left: new Signal() }
  const removed = new Set<string>()
  const states: FollowedStates = {
    all: () => before,
    changed: new Signal(),
    loaded: Promise.resolve(),
    stateOf: (node) => (removed.has(node) ? 'removed' : 'ready'),
  }
  const records = new WorkerRecords(clock, states, 'master')
  records.follow(registry)
  const members = new Map<string, Member>()
  return {
    clock,
    records,
    remove: (node: string): void => {
      removed.add(node)
      states.changed.emit({ node, state: 'removed' })
    },
    names: () => records.workers().map(({ view }) => view.name),
    join: (name: string): void => {
      const member = { name, link: new ScriptedLink(), state: new WorkerState(), log: recordingLog() }
      members.set(name, member)
      registry.joined.emit(member)
    },
    leave: (name: string): void => {
      const member = members.get(name)
      if (member) registry.left.emit({ member, error: new ClusterError('linkLost') })
    },
  }
}

describe('the records of workers', () => {
  it('have a worker that has left for a day, by a clock that nobody sets, and one that is in for ever', async () => {
    const { clock, join, leave, names } = recorded()
    join('w1')
    join('w2')
    leave('w1')
    await clock.advance(limits.workerGoneMsMax)
    expect(names()).toEqual(['w1', 'w2'])
    await clock.advance(1)
    expect(names()).toEqual(['w2'])
  })

  it('expect for a day those that were in before the master was started', async () => {
    const { clock, join, names, records } = recorded(
      new Map([
        ['master', 'ready'],
        ['w1', 'drained'],
        ['w2', 'ready'],
        ['w3', 'removed'],
      ]),
    )
    await clock.advance(10)
    join('w2')
    expect(records.workers().map(({ figures }) => [figures.name, figures.isConnected, figures.joined])).toEqual([
      ['w1', false, 0],
      ['w2', true, 1],
    ])
    await clock.advance(limits.workerGoneMsMax + 1)
    expect(names()).toEqual(['w2'])
  })

  it('forget one that an operator removed, as soon as it is out', () => {
    const { join, leave, names, remove } = recorded()
    for (const name of ['w1', 'w2', 'w3']) join(name)
    leave('w2')
    for (const name of ['w1', 'w2', 'w9']) remove(name)
    expect(names()).toEqual(['w1', 'w3'])
    leave('w1')
    expect(names()).toEqual(['w3'])
  })

  it('are bounded: of those that have left the latest stay, whatever names they had', () => {
    const { join, leave, names } = recorded()
    join('stays')
    const all = Array.from({ length: limits.workersGoneMax + 50 }, (_, at) => `w${String(at).padStart(5, '0')}`)
    for (const name of all) {
      join(name)
      leave(name)
    }
    expect(names()).toEqual(['stays', ...all.slice(50)])
  })

  it('count how often each joined and left', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', '__proto__')), (names) => {
        const { join, leave, records } = recorded()
        const isIn = new Set<string>()
        const left: string[] = []
        const joined: string[] = []
        for (const name of names) {
          if (isIn.delete(name)) {
            leave(name)
            left.push(name)
          } else {
            isIn.add(name)
            join(name)
            joined.push(name)
          }
        }
        const times = (list: readonly string[], name: string) => list.filter((one) => one === name).length
        for (const { figures } of records.workers()) {
          const { name } = figures
          expect(figures.isConnected).toBe(isIn.has(name))
          expect(figures.joined).toBe(times(joined, name))
          expect(figures.left).toEqual(times(left, name) === 0 ? {} : { linkLost: times(left, name) })
        }
        expect(records.workers().length).toBe(new Set(names).size)
      }),
    ))
})
