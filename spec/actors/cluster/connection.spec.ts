import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AnyActorLogic, createMachine, fromCallback, fromPromise, setup } from 'xstate'
import { answering, type Connected, type ConnectionThread, connection, thread } from '../../../src/actors/cluster/connection.js'
import { keepAliveReceiver, keepAliveSender } from '../../../src/actors/cluster/keepAlive.js'
import { type ChildEvent, startHosted } from '../../../src/actors/kit/host.js'
import { ClusterError } from '../../../src/base/errors.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

interface ThreadPlan {
  /** When it ends, in milliseconds after its start; never when left out. */
  readonly afterMs?: number | undefined
  readonly how: 'closed' | 'closedWithError' | 'crashes'
}

const threadError = new ClusterError('peerSilent', { message: 'The thread said so' })

const threadOf = (clock: VirtualClock, { afterMs, how }: ThreadPlan, held: { count: number }): AnyActorLogic =>
  createMachine({
    invoke: {
      src: fromCallback(() => {
        held.count += 1
        return () => {
          held.count -= 1
        }
      }),
    },
    initial: 'running',
    states: {
      running: {
        invoke: {
          src: fromPromise(
            ({ signal }) =>
              new Promise<void>((resolve, reject) => {
                if (afterMs === undefined) return
                const timer = clock.setTimeout(how === 'crashes' ? () => reject(new Error('boom')) : resolve, afterMs)
                signal.addEventListener('abort', () => clock.clearTimeout(timer))
              }),
          ),
          onDone: 'ended',
        },
      },
      ended: { type: 'final' },
    },
    output: how === 'closedWithError' ? { kind: 'closed', error: threadError } : { kind: 'closed' },
  })

const connect = (threads: readonly ThreadPlan[], link = new ScriptedLink()) => {
  const clock = new VirtualClock()
  const held = { count: 0 }
  const ends: ChildEvent[] = []
  const log = recordingLog()
  const logic = connection(
    threads.map((plan, index) => thread(`thread-${index}`, threadOf(clock, plan, held), () => undefined)),
    clock,
  )
  const child = startHosted(logic, { clock, input: { link, log }, onEnd: (event) => ends.push(event) })
  const expectNothingLeft = (): void => {
    expect(held.count).toBe(0)
    expect(child.timers).toBe(0)
    expect(clock.pending).toBe(0)
    expect(link.isOpen).toBe(false)
  }
  return { child, clock, ends, held, link, log, expectNothingLeft }
}

const lasting: ThreadPlan = { how: 'closed' }
const lost = new ClusterError('linkLost', { message: 'The wire was cut' })

describe('a connection', () => {
  it('runs all of its threads until its link closes, then ends with the reason of the link', async () => {
    const { clock, ends, held, link, expectNothingLeft } = connect([lasting, lasting, lasting])
    await clock.advance(1_000)
    expect(held.count).toBe(3)
    expect(ends).toEqual([])
    link.lose(lost)
    await clock.settle()
    expect(ends).toEqual([{ type: 'child.closed', error: lost }])
    expect(link.closedWith).toBeUndefined()
    expectNothingLeft()
  })

  it('closes its link with the reason of the thread that ended', async () => {
    const { clock, ends, link, expectNothingLeft } = connect([lasting, { how: 'closedWithError', afterMs: 5 }])
    await clock.advance(10)
    expect(link.closedWith).toEqual({ reason: 'error', error: threadError })
    expect(ends).toEqual([{ type: 'child.closed', error: threadError }])
    expectNothingLeft()
  })

  it('closes when a thread ends without a reason', async () => {
    const { clock, ends, expectNothingLeft } = connect([lasting, { how: 'closed', afterMs: 5 }])
    await clock.advance(10)
    expect(ends).toMatchObject([{ type: 'child.closed', error: { code: 'linkClosed' } }])
    expectNothingLeft()
  })

  it('outlives the crashes of a thread until it is given up, then closes with its error', async () => {
    const { clock, ends, held, link, log, expectNothingLeft } = connect([lasting, { how: 'crashes', afterMs: 0 }])
    await clock.advance(3_000)
    expect(ends).toEqual([])
    expect(held.count).toBeGreaterThan(0)
    await clock.advance(1_000)
    expect(link.closedWith).toMatchObject({ reason: 'error', error: { code: 'threadCrashed' } })
    expect(ends).toMatchObject([{ type: 'child.closed', error: { code: 'threadCrashed' } }])
    expect(log.lines.filter((line) => line.includes('is not restarted again'))).toHaveLength(1)
    expectNothingLeft()
  })

  it('over an already closed link ends at once', async () => {
    const link = new ScriptedLink()
    link.lose(lost)
    const { clock, ends, expectNothingLeft } = connect([lasting, lasting], link)
    await clock.settle()
    expect(ends).toEqual([{ type: 'child.closed', error: lost }])
    expectNothingLeft()
  })

  it('that is stopped says goodbye over its link and reports nothing', async () => {
    const { child, clock, ends, link, expectNothingLeft } = connect([lasting, lasting])
    await clock.advance(5)
    child.stop()
    expect(link.closedWith).toMatchObject({ reason: 'stopping' })
    expectNothingLeft()
    expect(ends).toEqual([])
  })

  it('keeps the first of several reasons to close, and ends once', async () => {
    const first = new ClusterError('peerSilent')
    const { child, clock, ends, link, expectNothingLeft } = connect([lasting])
    child.send({ type: 'connection.close', ...{ error: first } })
    child.send({ type: 'connection.close', ...{ error: new ClusterError('overloaded') } })
    link.lose(lost)
    await clock.settle()
    expect(ends).toEqual([{ type: 'child.closed', error: first }])
    expect(link.closedWith?.error).toBe(first)
    expectNothingLeft()
  })

  it('keeps the reason of its thread when the link gives another one for being closed', async () => {
    class VagueLink extends ScriptedLink {
      override close(reason: 'stopping' | 'error'): void {
        super.close(reason)
      }
    }
    const { clock, ends } = connect([{ how: 'closedWithError', afterMs: 5 }], new VagueLink())
    await clock.advance(10)
    expect(ends).toEqual([{ type: 'child.closed', error: threadError }])
  })

  it('ends once and leaves nothing, in whatever order its parts end', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            afterMs: fc.option(fc.nat(50), { nil: undefined }),
            how: fc.constantFrom<ThreadPlan['how']>('closed', 'closedWithError', 'crashes'),
          }),
          { maxLength: 4 },
        ),
        fc.option(fc.nat(50), { nil: undefined }),
        fc.option(fc.nat(50), { nil: undefined }),
        async (threads, lostAtMs, stoppedAtMs) => {
          const { child, clock, ends, link, expectNothingLeft } = connect(threads)
          const timers = [
            ...(lostAtMs === undefined ? [] : [clock.setTimeout(() => link.lose(lost), lostAtMs)]),
            ...(stoppedAtMs === undefined ? [] : [clock.setTimeout(() => child.stop(), stoppedAtMs)]),
          ]
          await clock.advance(100_000)
          for (const timer of timers) clock.clearTimeout(timer)
          const ended = ends.length
          expect(ended).toBeLessThanOrEqual(1)
          const mustEnd =
            lostAtMs !== undefined ||
            stoppedAtMs !== undefined ||
            threads.some((thread) => thread.afterMs !== undefined && thread.how !== 'crashes')
          if (stoppedAtMs === undefined && mustEnd) expect(ended).toBe(1)
          if (!mustEnd) child.stop()
          expectNothingLeft()
        },
      ),
      { numRuns: 80 },
    ))
})

const silence = { checkIntervalMs: 1, silenceMsMax: 1 }
const receiver = keepAliveReceiver(silence, new VirtualClock())

describe('a row of the threads of a connection', () => {
  it('does not compile when its input is not what its logic takes', () => {
    const rows: readonly ConnectionThread<Connected>[] = [
      thread('keepAlive', receiver, ({ link, log }) => ({ link, log, onBeat: () => undefined })),
      // @ts-expect-error A part of the input has another name.
      thread('keepAlive', receiver, ({ link, log }) => ({ link, log, onBeats: () => undefined })),
      // @ts-expect-error A part is missing.
      thread('keepAlive', receiver, ({ link, log }) => ({ link, log })),
      // @ts-expect-error The input is that of another logic.
      thread('keepAlive', keepAliveSender({ intervalMs: 1, answerMsMax: 1, missedBeatsMax: 1 }), ({ link, log }) => ({ link, log })),
      // @ts-expect-error A connection does not have it.
      thread('keepAlive', receiver, ({ link, log, state }) => ({ link, log, onBeat: () => state })),
      // @ts-expect-error It answers nothing.
      answering('integrity', ({ link }) => ({ link })),
    ]
    expect(rows).toHaveLength(6)
  })

  it('has its input made once for a connection, however often its thread crashes', async () => {
    const clock = new VirtualClock()
    const log = recordingLog()
    const link = new ScriptedLink()
    const started: unknown[] = []
    const crashing = setup({
      types: { input: {} as { readonly of: number } },
      actors: { crash: fromPromise(() => Promise.reject(new Error('boom'))) },
    }).createMachine({
      context: ({ input }) => {
        started.push(input)
        return {}
      },
      invoke: { src: 'crash' },
    })
    let made = 0
    const logic = connection([thread('crashing', crashing, () => ({ of: ++made }))], clock)
    const child = startHosted(logic, { clock, input: { link, log }, onEnd: () => undefined })
    await clock.advance(1_000)
    child.stop()
    expect(started.length).toBeGreaterThan(1)
    expect(new Set(started)).toEqual(new Set([{ of: 1 }]))
    expect(made).toBe(1)
  })
})
