/** What only the simulated table can do: be locked in virtual time, and lose its process. */
import { beforeEach, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { MemoryAgentStore } from '../../../src/simulation/world/memoryAgentStore.js'
import { MemoryAgentTable } from '../../../src/simulation/world/memoryAgentTable.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

const keys = (...ids: number[]) => ids.map((id) => ({ id, name: `agent${id}`, ip: 'any', key: 'k' }))

let clock: VirtualClock
let table: MemoryAgentTable
let store: MemoryAgentStore
/** Ends of calls, in order. */
let ends: string[]
const note = (name: string, call: Promise<unknown>): void => {
  call.then(
    () => ends.push(name),
    (thrown: unknown) => ends.push(`${name} ${thrown instanceof ClusterError ? thrown.code : String(thrown)}`),
  )
}
const pass = (ms: number): Promise<unknown> => {
  const untilMs = clock.monotonicMs() + ms
  let isOver = false
  clock.setTimeout(() => {
    isOver = clock.monotonicMs() >= untilMs
  }, ms)
  return clock.runUntil(() => isOver, ms + 1_000)
}

beforeEach(async () => {
  clock = new VirtualClock()
  table = new MemoryAgentTable('worker', 'table')
  store = new MemoryAgentStore(table, clock)
  ends = []
  note('open', store.open())
  await pass(1)
})

it('waits for a locked table, and goes on in order once it is unlocked', async () => {
  table.isLocked = true
  note('add', store.addAgents(keys(1), 0))
  note('counts', store.counts())
  await pass(5_000)
  expect(ends).toEqual(['open'])
  table.isLocked = false
  await pass(100)
  expect(ends).toEqual(['open', 'add', 'counts'])
})

it('fails when the table stays locked for longer than a call waits', async () => {
  table.isLocked = true
  note('add', store.addAgents(keys(1), 0))
  await pass(limits.agentTableLockedMsMax + 1_000)
  expect(ends).toEqual(['open', 'add tableFailed'])
})

it('keeps answered calls when its process ends, and loses waiting ones', async () => {
  note('add', store.addAgents(keys(1), 0))
  await pass(1)
  note('lost', store.addAgents(keys(2), 0))
  await store.close()
  store = new MemoryAgentStore(table, clock)
  note('open', store.open())
  await pass(10)
  expect(ends).toEqual(['open', 'add', 'lost aborted', 'open'])
  expect(table.list({}, 0).map(({ id }) => id)).toEqual([1])
})
