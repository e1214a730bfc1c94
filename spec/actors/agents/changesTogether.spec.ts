/** Changes of client.keys: those that come in a burst are written together, and nobody who comes alone waits. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChangesTogether } from '../../../src/actors/agents/changesTogether.js'
import { InTurn } from '../../../src/base/inTurn.js'
import { limits } from '../../../src/base/limits.js'
import type { KeysChange } from '../../../src/domain/agents/keyEntry.js'
import { defaultEnrolmentRules } from '../../../src/domain/agents/replacement.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

let clock: VirtualClock
let closing: AbortController
let together: ChangesTogether
/** The names that were written, a list for each write. */
let writes: string[][]

beforeEach(() => {
  clock = new VirtualClock()
  closing = new AbortController()
  writes = []
  together = new ChangesTogether({
    files: {
      change: async (changes: readonly KeysChange[]) => {
        const names = changes.map((change) => (change.kind === 'add' ? change.name : ''))
        writes.push(names)
        return names.map((name, index) => ({ ok: true, entry: { id: index + 1, name, ip: 'any', key: 'k' } }))
      },
    },
    store: { noteRegistrations: async () => 0, registrations: async () => [] },
    rules: defaultEnrolmentRules,
    now: () => clock.now(),
    timers: clock,
    closing: closing.signal,
    inTurn: new InTurn(),
    onWritten: async () => {},
    assignGroups: async () => {},
  })
})

afterEach(() => closing.abort())

const made = (...names: readonly string[]) =>
  Promise.all(names.map(async (name) => (await together.make({ kind: 'add', name, ip: 'any', key: 'k', groups: [] })).entry.name))

describe('changes of client.keys', () => {
  it('of one who asks again and again are written at once', async () => {
    for (const name of ['a', 'b', 'c']) expect(await made(name)).toEqual([name])
    expect(writes).toEqual([['a'], ['b'], ['c']])
  })

  it('of many gather between two writes, and each is answered with what was written for it', async () => {
    expect(await made('a', 'b')).toEqual(['a', 'b'])
    const first = made('c')
    await clock.advance(limits.keysGatheredMs - 1)
    const second = made('d', 'e')
    expect(writes).toEqual([['a', 'b']])
    await clock.advance(1)
    expect(await Promise.all([first, second])).toEqual([['c'], ['d', 'e']])
    expect(writes).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ])
    await clock.advance(limits.keysGatheredMs)
    expect(await made('f')).toEqual(['f'])
  })

  it('do not wait in a node that stops', async () => {
    await made('a', 'b')
    const last = made('c')
    closing.abort()
    expect(await last).toEqual(['c'])
  })
})
