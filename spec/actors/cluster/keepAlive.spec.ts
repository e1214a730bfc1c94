import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterClock } from '../../../src/actors/agents/clusterClock.js'
import { type Beats, type KeepAliveOptions, keepAliveReceiver, keepAliveSender, linkBeats } from '../../../src/actors/cluster/keepAlive.js'
import { type ChildEvent, type Hosted, startHosted } from '../../../src/actors/kit/host.js'
import { ClusterError } from '../../../src/base/errors.js'
import { clockSkewWarningMs, detectionMsMax, silenceDetectionMsMax } from '../../../src/domain/cluster/heartbeat.js'
import type { Beat } from '../../../src/domain/cluster/workerState.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { type RecordingLog, recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const rules = fc.record({
  intervalMs: fc.integer({ min: 1, max: 60_000 }),
  answerMsMax: fc.integer({ min: 2, max: 20_000 }),
  missedBeatsMax: fc.integer({ min: 1, max: 5 }),
})
const lateness = fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), { minLength: 1, maxLength: 20 })

interface Sender {
  readonly child: Hosted
  readonly ends: ChildEvent[]
  readonly log: RecordingLog
}

const startSender = (clock: VirtualClock, peer: Beats, rule: KeepAliveOptions): Sender => {
  const log = recordingLog()
  const ends: ChildEvent[] = []
  const child = startHosted(keepAliveSender(rule), { clock, input: { peer, log }, onEnd: (event) => ends.push(event) })
  return { child, ends, log }
}

/** Resolves later, unless it is aborted before. */
const later = <T>(clock: VirtualClock, delayMs: number, value: T, signal: AbortSignal): Promise<T> =>
  new Promise((resolve) => {
    const timer = clock.setTimeout(() => resolve(value), delayMs)
    signal.addEventListener('abort', () => clock.clearTimeout(timer))
  })

describe('keep alive, the sender', () => {
  it('beats at once', async () => {
    const clock = new VirtualClock()
    let beats = 0
    const { child } = startSender(clock, { beat: async () => ++beats }, { intervalMs: 60_000, answerMsMax: 20_000, missedBeatsMax: 2 })
    await clock.advance(0)
    expect(beats).toBe(1)
    await clock.advance(59_999)
    expect(beats).toBe(1)
    await clock.advance(1)
    expect(beats).toBe(2)
    child.stop()
    expect(clock.pending).toBe(0)
  })

  it('reports a peer that never answers as lost after the allowed beats, an interval before its bound', () =>
    fc.assert(
      fc.asyncProperty(rules, async (rule) => {
        const clock = new VirtualClock()
        const { child, ends, log } = startSender(clock, { beat: () => new Promise(() => {}) }, rule)
        await clock.advance(detectionMsMax(rule) - rule.intervalMs - 1)
        expect(ends).toEqual([])
        await clock.advance(1)
        expect(ends).toMatchObject([{ type: 'child.closed', error: { code: 'peerSilent' } }])
        expect(log.lines.filter((line) => line.startsWith('warning'))).toHaveLength(rule.missedBeatsMax)
        expect(child.timers + clock.pending).toBe(0)
      }),
    ))

  it('reports a peer that dies after an answer as lost exactly at its bound', () =>
    fc.assert(
      fc.asyncProperty(rules, lateness, fc.nat(6), async (rule, late, answers) => {
        const clock = new VirtualClock()
        let beats = 0
        let lastAnswerMs = 0
        const beat: Beats['beat'] = async (signal) => {
          if (beats > answers) return new Promise(() => {})
          await later(clock, Math.floor(rule.answerMsMax * (late[beats++ % late.length] ?? 0)), undefined, signal)
          lastAnswerMs = clock.monotonicMs()
          return 0
        }
        const { child, ends } = startSender(clock, { beat }, rule)
        await clock.runUntil(() => beats > answers, 1e9)
        await clock.advance(rule.answerMsMax - 1)
        await clock.advance(lastAnswerMs + detectionMsMax(rule) - 1 - clock.monotonicMs())
        expect(ends).toEqual([])
        await clock.advance(1)
        expect(ends).toHaveLength(1)
        expect(child.timers + clock.pending).toBe(0)
      }),
    ))

  it('never reports a peer as lost that answers every beat in time, however late', () =>
    fc.assert(
      fc.asyncProperty(rules, lateness, async (rule, late) => {
        const clock = new VirtualClock()
        let beats = 0
        const beat: Beats['beat'] = (signal) => later(clock, Math.floor(rule.answerMsMax * (late[beats++ % late.length] ?? 0)), 0, signal)
        const { child, ends, log } = startSender(clock, { beat }, rule)
        await clock.runUntil(() => beats >= 30, 30 * (rule.intervalMs + rule.answerMsMax))
        expect(beats).toBeGreaterThanOrEqual(30)
        expect(ends).toEqual([])
        expect(log.lines.filter((line) => line.startsWith('warning'))).toEqual([])
        child.stop()
        expect(child.timers + clock.pending).toBe(0)
      }),
      { numRuns: 50 },
    ))

  it('forgives all missed beats at the first answer', () =>
    fc.assert(
      fc.asyncProperty(rules, fc.array(fc.constantFrom('answer', 'refuse', 'silence'), { maxLength: 40 }), async (rule, script) => {
        const clock = new VirtualClock()
        let beats = 0
        const beat: Beats['beat'] = (signal) => {
          const says = script[beats++] ?? 'answer'
          if (says === 'refuse') return Promise.reject(new ClusterError('overloaded'))
          return says === 'answer' ? Promise.resolve(0) : later(clock, 1e6, 0, signal)
        }
        const { child, ends } = startSender(clock, { beat }, rule)
        await clock.runUntil(() => beats > script.length, (script.length + 2) * (rule.intervalMs + rule.answerMsMax))
        let missed = 0
        let lostAt: number | undefined
        for (const [index, says] of script.entries()) {
          missed = says === 'answer' ? 0 : missed + 1
          if (missed >= rule.missedBeatsMax) lostAt ??= index
        }
        expect(ends).toHaveLength(lostAt === undefined ? 0 : 1)
        if (lostAt !== undefined) expect(beats).toBe(lostAt + 1)
        child.stop()
        expect(child.timers + clock.pending).toBe(0)
      }),
    ))

  it('warns once when the clocks drift apart, and again only after they agreed', async () => {
    const clock = new VirtualClock()
    const skews = [0, clockSkewWarningMs, clockSkewWarningMs + 1, 9_000, 9_000, 10, -9_000]
    let beats = 0
    const { child, log } = startSender(
      clock,
      { beat: async () => skews[beats++] ?? 0 },
      { intervalMs: 10, answerMsMax: 10, missedBeatsMax: 2 },
    )
    await clock.advance(100)
    const warnings = log.lines.filter((line) => line.startsWith('warning'))
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toContain('5.0 s apart (this one is behind)')
    expect(warnings[1]).toContain('9.0 s apart (this one is ahead)')
    child.stop()
  })

  it('measures the skew over its link, and reports it to the master with the next beat', async () => {
    const clock = new VirtualClock()
    const sent: unknown[] = []
    const link = new ScriptedLink('master', (_type, body) => {
      sent.push(body)
      const receivedAtMs = clock.now() + 30 + 7_000
      return new Promise((resolve) => clock.setTimeout(() => resolve({ receivedAtMs }), 60))
    })
    const clusterClock = new ClusterClock(clock, 'worker')
    const beats = linkBeats(link, { clock, answerMsMax: 1_000, clusterClock, integrity: () => 'applying' })
    for (const knownMs of [undefined, 7_000]) {
      const beating = beats.beat(new AbortController().signal, knownMs)
      await clock.advance(60)
      expect(await beating).toBe(7_000)
      expect(clusterClock.skewMs).toBe(7_000)
    }
    expect(sent).toMatchObject([
      { sentAtMs: expect.any(Number), integrity: 'applying' },
      { clockSkewMs: 7_000, integrity: 'applying' },
    ])
    expect(sent[0]).not.toHaveProperty('clockSkewMs')
  })

  it('says where agents report to only to a master that takes it', async () => {
    const clock = new VirtualClock()
    const counts = { connected: 1, eventsTaken: 2, eventsDropped: 3, refused: 4 }
    for (const capabilities of [[], ['places']]) {
      const sent: unknown[] = []
      const scripted = new ScriptedLink('master', async (_type, body) => {
        sent.push(body)
        return { receivedAtMs: clock.now() }
      })
      const link = Object.assign(scripted, { peer: { ...scripted.peer, capabilities } })
      const clusterClock = new ClusterClock(clock, 'worker')
      const listener = async () => ({ ...counts, places: '1514/TCP' })
      const beating = linkBeats(link, { clock, answerMsMax: 1_000, clusterClock, integrity: () => 'resting', listener }).beat(
        new AbortController().signal,
        undefined,
      )
      await clock.advance(1_000)
      await beating
      expect(sent).toMatchObject([{ listener: counts }])
      expect((sent[0] as { listener: object }).listener).toEqual({ ...counts, ...(capabilities.length > 0 && { places: '1514/TCP' }) })
    }
  })
})

/** Check intervals from a twentieth of the allowed silence to several times as long. */
const silences = fc
  .record({ checksPerSilence: fc.double({ min: 0.2, max: 20, noNaN: true }), silenceMsMax: fc.integer({ min: 1, max: 120_000 }) })
  .map(({ checksPerSilence, silenceMsMax }) => ({ silenceMsMax, checkIntervalMs: Math.ceil(silenceMsMax / checksPerSilence) }))

const startReceiver = (
  clock: VirtualClock,
  rule: { checkIntervalMs: number; silenceMsMax: number },
  onBeat: (beat: Omit<Beat, 'atMs'>) => void = () => {},
) => {
  const link = new ScriptedLink()
  const ends: ChildEvent[] = []
  const child = startHosted(keepAliveReceiver(rule, clock), {
    clock,
    input: { link, log: recordingLog(), onBeat },
    onEnd: (event) => ends.push(event),
  })
  return { child, ends, link }
}

describe('keep alive, the receiver', () => {
  it('takes the state of the integrity thread from a beat, if it knows that state', () => {
    const named: (string | undefined)[] = []
    const clock = new VirtualClock()
    const { child, link } = startReceiver(clock, { checkIntervalMs: 10, silenceMsMax: 100 }, ({ integrity }) => named.push(integrity))
    for (const integrity of ['applying', 'dreaming']) link.ask('keepAlive.beat', { sentAtMs: clock.now(), integrity })
    link.ask('keepAlive.beat', { sentAtMs: clock.now() })
    expect(named).toEqual(['applying', undefined, undefined])
    child.stop()
  })

  it('reports a silent worker after the time allowed and within its bound, whenever it fell silent', () =>
    fc.assert(
      fc.asyncProperty(silences, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), async (rule, gaps) => {
        const clock = new VirtualClock()
        const { child, ends, link } = startReceiver(clock, rule)
        for (const gap of gaps) {
          await clock.advance(Math.floor(gap * rule.silenceMsMax))
          link.ask('keepAlive.beat', { sentAtMs: clock.now() })
        }
        expect(ends).toEqual([])
        await clock.advance(rule.silenceMsMax)
        expect(ends).toEqual([])
        await clock.advance(silenceDetectionMsMax(rule) - rule.silenceMsMax)
        expect(ends).toMatchObject([{ type: 'child.closed', error: { code: 'peerSilent' } }])
        expect(link.served).toBe(0)
        expect(child.timers + clock.pending).toBe(0)
      }),
    ))

  it('reaches its bound to the millisecond when a check falls on the last moment allowed', () =>
    fc.assert(
      fc.asyncProperty(silences, fc.integer({ min: 1, max: 10 }), async (rule, checks) => {
        const clock = new VirtualClock()
        const silenceMsMax = rule.checkIntervalMs * checks
        const { ends } = startReceiver(clock, { ...rule, silenceMsMax })
        await clock.advance(silenceDetectionMsMax({ ...rule, silenceMsMax }) - 1)
        expect(ends).toEqual([])
        await clock.advance(1)
        expect(ends).toHaveLength(1)
      }),
    ))

  it('never reports a worker as silent that beats within the time allowed', () =>
    fc.assert(
      fc.asyncProperty(
        silences,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 15 }),
        async (rule, gaps) => {
          const clock = new VirtualClock()
          const { child, ends, link } = startReceiver(clock, rule)
          for (const gap of gaps) {
            await clock.advance(Math.floor(gap * rule.silenceMsMax))
            expect(link.ask('keepAlive.beat', { sentAtMs: clock.now() })).toEqual({ receivedAtMs: clock.now() })
          }
          expect(ends).toEqual([])
          child.stop()
          expect(link.served).toBe(0)
          expect(child.timers + clock.pending).toBe(0)
        },
      ),
    ))

  it('does not mistake a change of the system time for silence', async () => {
    const clock = new VirtualClock()
    const view = clock.view()
    const link = new ScriptedLink()
    const ends: ChildEvent[] = []
    const logic = keepAliveReceiver({ checkIntervalMs: 10, silenceMsMax: 100 }, view)
    const child = startHosted(logic, {
      clock: view,
      input: { link, log: recordingLog(), onBeat: () => {} },
      onEnd: (event) => ends.push(event),
    })
    view.jump(3_600_000)
    await clock.advance(90)
    view.jump(-7_200_000)
    link.ask('keepAlive.beat', { sentAtMs: 0 })
    await clock.advance(90)
    expect(ends).toEqual([])
    child.stop()
  })

  it('crashes, to be restarted, when an answer fails unexpectedly', async () => {
    const clock = new VirtualClock()
    const { child, ends, link } = startReceiver(clock, { checkIntervalMs: 10, silenceMsMax: 100 }, () => {
      throw new Error('boom')
    })
    link.ask('keepAlive.beat', { sentAtMs: 0 })
    await clock.settle()
    expect(ends).toMatchObject([{ type: 'child.crashed', error: { code: 'threadCrashed' } }])
    expect(link.served).toBe(0)
    expect(child.timers + clock.pending).toBe(0)
  })
})
