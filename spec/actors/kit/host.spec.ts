import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AnyActorLogic, assign, createMachine, fromCallback, fromPromise, raise, setup } from 'xstate'
import { type ChildEvent, type Hosted, hosted, startHosted } from '../../../src/actors/kit/host.js'
import { ClusterError } from '../../../src/base/errors.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { watchUnhandled } from '../../support/unhandled.js'

const boom = (): never => {
  throw new Error('boom')
}

interface Probe {
  readonly started: number
  readonly cleaned: number
}

/** A machine with timers, a callback child that holds something, and a promise that waits; `go` makes it fail as `logic` does. */
const busy = (failing: Record<string, unknown>, probe: { started: number; cleaned: number }): AnyActorLogic =>
  setup({
    actors: {
      resource: fromCallback(() => {
        probe.started += 1
        return () => {
          probe.cleaned += 1
        }
      }),
      waiting: fromPromise<void>(({ signal }) => {
        probe.started += 1
        signal.addEventListener('abort', () => {
          probe.cleaned += 1
        })
        return new Promise(() => {})
      }),
    },
  }).createMachine({
    invoke: [{ src: 'resource' }, { src: 'waiting' }],
    type: 'parallel',
    states: {
      ticking: { initial: 'tick', states: { tick: { after: { 10: { target: 'tick', reenter: true } } } } },
      long: { after: { 100000: {} } },
      acting: { initial: 'idle', states: { idle: { on: { go: 'failing' } }, failing } },
    },
  } as never)

/** Ways in which a logic can fail, each after `go`. */
const failings: Record<string, Record<string, unknown>> = {
  'an action that throws': { entry: boom },
  'an assignment that throws': { entry: assign(boom) },
  'a guard that throws': { always: { guard: boom, target: 'idle' } },
  'a callback that throws when it starts': { invoke: { src: fromCallback(boom) } },
  'a callback that throws at an event': {
    invoke: { src: fromCallback(({ receive }) => receive(boom)), id: 'child' },
    entry: ({ self }: { self: { send(event: unknown): void } }) => self.send({ type: 'poke' }),
    on: {
      poke: {
        actions: ({ self }: { self: { getSnapshot(): { children: Record<string, { send(event: unknown): void }> } } }) =>
          self.getSnapshot().children['child']?.send({ type: 'x' }),
      },
    },
  },
  'a promise that rejects': { invoke: { src: fromPromise(() => Promise.reject(new Error('boom'))) } },
  'a promise whose start throws': { invoke: { src: fromPromise(boom) } },
  'an input that throws': { invoke: { src: fromPromise(async () => {}), input: boom } },
  'a child machine that throws': { invoke: { src: createMachine({ entry: boom }) } },
  'a child machine that throws later': { invoke: { src: createMachine({ after: { 5: { actions: boom } } }) } },
  'a delay that throws': { entry: raise({ type: 'go' }, { delay: boom }) },
}

interface Run {
  readonly clock: VirtualClock
  readonly ends: ChildEvent[]
  readonly probe: Probe
  readonly child: Hosted
}

const run = (logicOf: (probe: { started: number; cleaned: number }) => AnyActorLogic, input?: unknown): Run => {
  const clock = new VirtualClock()
  const ends: ChildEvent[] = []
  const probe = { started: 0, cleaned: 0 }
  const child = startHosted(logicOf(probe), { clock, input, onEnd: (event) => ends.push(event) })
  return { clock, ends, probe, child }
}

const expectNothingLeft = ({ child, clock, probe }: Run): void => {
  expect(child.timers).toBe(0)
  expect(clock.pending).toBe(0)
  expect(probe.cleaned).toBe(probe.started)
}

describe('a failure boundary', () => {
  let unhandled: ReturnType<typeof watchUnhandled>
  beforeEach(() => {
    unhandled = watchUnhandled()
  })
  afterEach(async () => {
    await unhandled.stop()
    expect(unhandled.seen).toEqual([])
  })

  it.each(Object.keys(failings))('reports %s as one crash, stops the children and leaves no timer', async (name) => {
    const started = run((probe) => busy(failings[name] ?? {}, probe))
    await started.clock.advance(25)
    expect(started.child.timers).toBeGreaterThan(0)
    started.child.send({ type: 'go' })
    await started.clock.advance(50)
    expect(started.ends).toMatchObject([{ type: 'child.crashed', error: { code: 'threadCrashed' } }])
    expectNothingLeft(started)
    started.child.send({ type: 'go' })
    started.child.stop()
    await started.clock.advance(1_000)
    expect(started.ends).toHaveLength(1)
  })

  it.each(['an action that throws', 'a callback that throws when it starts', 'an input that throws', 'a promise whose start throws'])(
    'reports %s at its very start as a crash',
    async (name) => {
      const started = run(() => createMachine(failings[name] as never))
      await started.clock.advance(1)
      expect(started.ends).toMatchObject([{ type: 'child.crashed' }])
      expectNothingLeft(started)
    },
  )

  it('reports a context that cannot be made as a crash', async () => {
    const started = run(() => createMachine({ context: boom }))
    await started.clock.advance(1)
    expect(started.ends).toMatchObject([{ type: 'child.crashed' }])
    expectNothingLeft(started)
  })

  it.each(['fromPromise', 'fromCallback'])('reports a %s that fails by itself as a crash', async (kind) => {
    const started = run(() => (kind === 'fromPromise' ? fromPromise(async () => boom()) : fromCallback(boom)))
    await started.clock.advance(1)
    expect(started.ends).toMatchObject([{ type: 'child.crashed' }])
    expectNothingLeft(started)
  })

  it('reports the end of a machine once, with the error that it gives', async () => {
    const error = new ClusterError('peerSilent')
    for (const [output, wanted] of [
      [{ kind: 'closed' }, { type: 'child.closed' }],
      [
        { kind: 'closed', error },
        { type: 'child.closed', error },
      ],
      [
        { kind: 'crashed', error },
        { type: 'child.crashed', error },
      ],
      [undefined, { type: 'child.closed' }],
    ]) {
      const started = run((probe) => busy({ always: { actions: 'end' }, type: 'final' }, probe))
      started.child.stop()
      const ending = run(() =>
        createMachine({ initial: 'a', states: { a: { after: { 5: 'b' } }, b: { type: 'final' } }, output: output as never }),
      )
      await ending.clock.advance(10)
      expect(ending.ends).toEqual([wanted])
      expectNothingLeft(ending)
    }
  })

  it('can be stopped at any time without a report, and leaves nothing', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(60), fc.boolean(), fc.constantFrom(...Object.keys(failings)), async (ms, goes, name) => {
        const started = run((probe) => busy(failings[name] ?? {}, probe))
        await started.clock.advance(ms)
        const reported = started.ends.length
        started.child.stop()
        if (goes) started.child.send({ type: 'go' })
        started.child.stop()
        expectNothingLeft(started)
        await started.clock.advance(1_000)
        expect(started.ends).toHaveLength(reported)
        expect(reported).toBe(0)
      }),
      { numRuns: 40 },
    ))

  it('leaves no timer and reports its end even when a clean-up throws', async () => {
    const careless = fromCallback(() => boom)
    const started = run(() =>
      createMachine({ invoke: { src: careless }, initial: 'a', states: { a: { after: { 5: 'b', 50000: 'a' } }, b: { type: 'final' } } }),
    )
    await started.clock.advance(10)
    expect(started.ends).toHaveLength(1)
    expectNothingLeft(started)
    const stopped = run(() => createMachine({ invoke: { src: careless }, after: { 50000: {} } }))
    stopped.child.stop()
    expectNothingLeft(stopped)
  })

  it('does not let a crash touch its neighbours or its parent', async () => {
    const clock = new VirtualClock()
    const ends: string[] = []
    const crashing = createMachine({ after: { 5: { actions: boom } } })
    const lasting = createMachine({ initial: 'a', states: { a: { after: { 20: 'b' } }, b: { type: 'final' } } })
    const parent = setup({ actors: { crashing: hosted(crashing, clock), lasting: hosted(lasting, clock) } }).createMachine({
      invoke: [
        { src: 'crashing', input: { input: undefined } },
        { src: 'lasting', input: { input: undefined } },
      ],
      on: {
        'child.crashed': { actions: () => ends.push('crashed') },
        'child.closed': { actions: () => ends.push('closed') },
      },
    })
    const child = startHosted(parent, { clock, onEnd: () => ends.push('parent') })
    await clock.advance(30)
    expect(ends).toEqual(['crashed', 'closed'])
    child.stop()
    expect(clock.pending).toBe(0)
  })

  it('stops what it hosts when its parent is stopped', async () => {
    const clock = new VirtualClock()
    const probe = { started: 0, cleaned: 0 }
    const inner = busy({}, probe)
    const child = startHosted(hosted(inner, clock), { clock, input: { input: undefined }, onEnd: () => {} })
    await clock.advance(25)
    expect(probe.started).toBe(2)
    child.stop()
    expect(probe.cleaned).toBe(2)
    expect(clock.pending).toBe(0)
  })
})
