import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { WorkerState } from '../../../src/domain/cluster/workerState.js'
import type { IntegrityState } from '../../../src/domain/files/integrityState.js'
import { emptyPlan, type SyncPlan } from '../../../src/domain/files/syncPlan.js'
import { digestOf } from '../../support/files/treeArbitraries.js'

const entryOf = (path: string): { path: string; size: number; mode: number; digest: string } => ({
  path,
  size: 1,
  mode: 0o660,
  digest: digestOf(1),
})
const paths = fc.uniqueArray(
  fc.nat(20).map((file) => `etc/shared/${file}`),
  { maxLength: 6 },
)
const plans: fc.Arbitrary<SyncPlan> = fc
  .tuple(paths, paths, paths)
  .map(([create, update, remove]) => ({ create: create.map(entryOf), update: update.map(entryOf), remove }))
const pathsOf = ({ create, update, remove }: SyncPlan): string[] =>
  [...new Set([...create, ...update].map((entry) => entry.path).concat(remove))].sort()

const root = new Uint8Array(32)

/** A round up to its plan. */
const begin = (state: WorkerState, plan: SyncPlan): void => {
  state.checkedDifferent()
  state.differsIn(2)
  state.planned(plan, 1)
  state.planned(emptyPlan, 1)
}

describe('worker state', () => {
  it('has a pending row for each file of the plan, and only for those, whatever broke off before', () =>
    fc.assert(
      fc.property(fc.array(plans, { maxLength: 3 }), plans, (brokenOff, plan) => {
        const state = new WorkerState()
        for (const earlier of brokenOff) begin(state, earlier)
        begin(state, plan)
        expect([...state.files.keys()].sort()).toEqual(pathsOf(plan))
        expect([...state.files.values()].every((row) => row.state === 'pending')).toBe(true)
        expect(state.isSyncing).toBe(pathsOf(plan).length > 0)
      }),
    ))

  it('keeps just the failures of an applied plan, each with its error', () =>
    fc.assert(
      fc.property(plans, paths, fc.nat(9), (plan, failed, leftOut) => {
        const state = new WorkerState()
        begin(state, plan)
        state.applied(
          failed.map((path) => ({ path, code: 'diskFull', message: 'The disk is full' })),
          leftOut,
        )
        expect([...state.files].sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(
          [...failed].sort().map((path) => [path, { state: 'failed', error: { code: 'diskFull', message: 'The disk is full' } }]),
        )
        expect(state).toMatchObject({ failuresLeftOut: leftOut, isSyncing: false, isCompared: true, inSync: failed.length + leftOut === 0 })
        state.checkedSame(0, root)
        expect(state).toMatchObject({ failuresLeftOut: 0, isSyncing: false, inSync: true })
        expect(state.files.size).toBe(0)
      }),
    ))

  it('is in sync when the trees differ only by a file that the master itself cannot read', () => {
    const state = new WorkerState()
    begin(state, emptyPlan)
    expect(state).toMatchObject({ inSync: true, isSyncing: false })
    begin(state, { ...emptyPlan, remove: ['etc/shared/a'] })
    expect(state).toMatchObject({ inSync: false, isSyncing: true })
    begin(state, emptyPlan)
    expect(state).toMatchObject({ inSync: true, isSyncing: false })
    expect(state.files.size).toBe(0)
  })

  it('knows the state of files without a row only when everything was compared', () => {
    const state = new WorkerState()
    expect(state).toMatchObject({ isCompared: false, inSync: false })
    state.checkedDifferent()
    state.differsIn(2)
    state.planned({ ...emptyPlan, create: [entryOf('etc/shared/a')] }, 1)
    expect(state.isCompared).toBe(false)
    state.planned(emptyPlan, 1)
    expect(state).toMatchObject({ isCompared: true, inSync: false })
    state.applied([{ path: 'etc/shared/a', code: 'diskFull', message: 'The disk is full' }], 0)
    expect(state).toMatchObject({ isCompared: true, inSync: false })
    state.checkedDifferent()
    expect(state.isCompared).toBe(false)
  })

  it('is not syncing any more when a new check has begun', () => {
    const state = new WorkerState()
    begin(state, { ...emptyPlan, remove: ['etc/shared/a'] })
    state.checkedDifferent()
    expect(state.isSyncing).toBe(false)
  })

  it('keeps no more of the paths that a worker invents than the bound in characters', () => {
    const state = new WorkerState()
    const pathChars = 4_000
    const invented = (page: number): string[] => Array.from({ length: 100 }, (_, file) => `${page}-${file}`.padEnd(pathChars, 'x'))
    for (let page = 0; page < 100; page++) begin(state, { ...emptyPlan, create: [entryOf('etc/shared/a')], remove: invented(page) })
    state.differsIn(100)
    for (let page = 0; page < 100; page++) state.planned({ ...emptyPlan, remove: invented(page) }, 1)
    state.planned({ ...emptyPlan, create: [entryOf('etc/shared/a')] }, 0)
    expect(state.files.size).toBe(Math.floor(limits.pendingRemovalCharsMax / pathChars) + 1)
    expect(state.files.has('etc/shared/a')).toBe(true)
  })

  it('does not grow without bound for a worker that invents files', () => {
    const state = new WorkerState()
    for (let page = 0; page < 30; page++)
      state.planned({ ...emptyPlan, remove: Array.from({ length: 5_000 }, (_, file) => `etc/shared/${page}-${file}`) }, 1)
    expect(state.files.size).toBe(limits.pendingFilesShownMax)
  })

  it('names the step that each request or answer of a round leads to', () => {
    const state = new WorkerState()
    const plan = { ...emptyPlan, remove: ['etc/shared/a'] }
    const steps: (readonly [() => void, IntegrityState])[] = [
      [() => state.checking(0), 'checking'],
      [() => state.checkedDifferent(), 'planning'],
      [() => state.differsIn(2), 'planning'],
      [() => state.planned(plan, 1), 'planning'],
      [() => state.planned(emptyPlan, 1), 'transferring'],
      [() => state.applied([], 0), 'resting'],
      [() => state.announced(['etc/shared/b']), 'transferring'],
      [() => state.applied([], 0), 'resting'],
      [() => state.checking(0), 'checking'],
      [() => state.checkedSame(0, root), 'resting'],
      [() => state.checking(0), 'checking'],
      [() => state.refused('itemsDiffer', 'They differ'), 'resting'],
      [() => begin(state, emptyPlan), 'resting'],
    ]
    for (const [step, expected] of steps) {
      step()
      expect(state).toMatchObject({ integrity: expected, isSyncing: expected === 'transferring' })
    }
  })

  it('takes from a beat only that the thread rests or goes on to the next step', () => {
    const steps = ['resting', 'checking', 'planning', 'transferring', 'applying'] as const
    for (const [index, known] of steps.entries())
      for (const said of [...steps, undefined]) {
        const state = new WorkerState()
        for (const integrity of steps.slice(0, index + 1)) state.beat({ atMs: 1, integrity })
        expect(state.integrity).toBe(known)
        state.beat({ atMs: 2, integrity: said })
        expect(state.integrity).toBe(said === 'resting' || (said && said === steps[index + 1]) ? said : known)
      }
  })

  it('keeps the last clock skew that a beat had', () => {
    const state = new WorkerState()
    state.beat({ atMs: 1, clockSkewMs: 40 })
    state.beat({ atMs: 2 })
    expect(state).toMatchObject({ lastKeepAliveMs: 2, clockSkewMs: 40, integrity: 'resting' })
  })

  it('does not count a broken-off sync for the next one, whatever the next check finds', () => {
    for (const check of [(state: WorkerState) => state.checkedSame(30, root), (state: WorkerState) => state.checkedDifferent()]) {
      const state = new WorkerState()
      state.sync.begin(10)
      state.checking(20)
      expect(state.sync.isUnderWay).toBe(true)
      check(state)
      expect(state.sync.isUnderWay).toBe(false)
    }
  })

  it('counts dropped reports by round, and unknown agents over all of them', () => {
    const state = new WorkerState()
    for (const chunks of [1, 2]) {
      state.agentInfo.begin(0)
      for (let chunk = 0; chunk < chunks; chunk++) state.tookReports({ unknown: 3, refused: 1 })
      expect(state.agentInfo.end(1)).toMatchObject({ chunks, unknown: 3 * chunks, refused: chunks })
    }
    expect(state.unknownAgentReports).toBe(9)
  })

  it('keeps what the worker chose last, also when a report does not say it', () => {
    const state = new WorkerState()
    expect(state).toMatchObject({ isCompressed: undefined, diskWrites: undefined })
    state.fetched(true)
    state.applied([], 0, 'together')
    state.applied([], 0)
    expect(state).toMatchObject({ isCompressed: true, diskWrites: 'together' })
  })
})
