import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RefusalLog } from '../../../src/actors/cluster/refusalLog.js'
import { ClusterError, type ErrorCode } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../../support/recordingLog.js'

const { refusalLinesMax, refusalLogIntervalMs, refusalLogKeysMax } = limits

const opened = () => {
  const clock = new VirtualClock()
  const log = recordingLog()
  return { clock, log, refusals: new RefusalLog(clock, log) }
}

/** How many refusals the summaries count. */
const countedIn = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + Number(/In the last minute (\d+) more connection/.exec(line)?.[1] ?? 0), 0)

const singleIn = (lines: readonly string[]): string[] => lines.filter((line) => line.includes('A connection from'))

interface Burst {
  readonly pauseMs: number
  readonly count: number
  readonly from: string
  readonly code: ErrorCode
  readonly sentences: number
}

const burst: fc.Arbitrary<Burst> = fc.record({
  pauseMs: fc.oneof(fc.nat(500), fc.nat(90_000)),
  count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1_000, max: 1_300 })),
  from: fc.constantFrom('one', 'ipv4', 'ipv6'),
  code: fc.constantFrom('notAuthentic', 'overloaded', 'malformed', 'handshakeTimeout', 'linkClosed', 'duplicateName', 'wrongClusterName'),
  sentences: fc.integer({ min: 1, max: 6 }),
})

const addressOf = (from: string, number: number): string => {
  if (from === 'one') return '10.0.0.1'
  return from === 'ipv4' ? `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}` : `2001:db8:${number.toString(16)}::1`
}

describe('the log of refusals', () => {
  it('stays within its bound of lines in any minute, and logs or counts each refusal', () =>
    fc.assert(
      fc.asyncProperty(fc.array(burst, { minLength: 1, maxLength: 12 }), async (bursts) => {
        const { clock, log, refusals } = opened()
        const timesMs: number[] = []
        let added = 0
        const noteTimes = (): void => {
          while (timesMs.length < log.lines.length) timesMs.push(clock.monotonicMs())
        }
        for (const { code, count, from, pauseMs, sentences } of bursts) {
          for (let passedMs = 0; passedMs < pauseMs; passedMs += 250) {
            await clock.advance(Math.min(250, pauseMs - passedMs))
            noteTimes()
          }
          for (let number = 0; number < count; number++)
            refusals.add({ address: addressOf(from, added++), error: new ClusterError(code, { message: `Reason ${number % sentences}` }) })
          noteTimes()
        }
        await clock.advance(refusalLogIntervalMs)
        noteTimes()
        // Times are recorded up to 250 ms late, so a burst can seem shorter by that much.
        const within = (at: number): number => timesMs.filter((ms) => ms >= at && ms < at + refusalLogIntervalMs - 250).length
        for (const at of timesMs) expect(within(at)).toBeLessThanOrEqual(refusalLinesMax)
        expect(singleIn(log.lines).length + countedIn(log.lines)).toBe(added)
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 40 },
    ))

  it('stays within its bound while 1 400 addresses a second are refused, one /64 counting as one address', async () => {
    const { clock, log, refusals } = opened()
    for (let second = 0; second < 60; second++) {
      for (let number = 0; number < 1_400; number++)
        refusals.add({ address: `10.${second}.${number >> 8}.${number & 255}`, error: new ClusterError('notAuthentic') })
      await clock.advance(1_000)
    }
    expect(log.lines.length).toBeLessThanOrEqual(refusalLinesMax)
    expect(log.lines.at(-1)).toContain(`from more than ${refusalLogKeysMax} addresses`)
    const network = opened()
    for (let number = 0; number < 1_400; number++)
      network.refusals.add({ address: `2001:db8::${number.toString(16)}`, error: new ClusterError('notAuthentic') })
    await network.clock.advance(refusalLogIntervalMs)
    expect(network.log.lines).toHaveLength(2)
    expect(network.log.lines[1]).toContain('In the last minute 1399 more connections from 1 address were refused')
  })

  it('ends a line with one full stop, and counts a single connection as one', async () => {
    const { clock, log, refusals } = opened()
    for (const message of ['no end', 'an end.']) refusals.add({ address: '10.0.0.1', error: new ClusterError('notAuthentic', { message }) })
    expect(log.lines.map((line) => line.slice(-8))).toEqual([' no end.', ' an end.'])
    refusals.add({ address: '10.0.0.1', error: new ClusterError('notAuthentic', { message: 'an end.' }) })
    await clock.advance(refusalLogIntervalMs)
    expect(log.lines.at(-1)).toContain('In the last minute 1 more connection from 1 address was refused and not logged.')
  })

  it('logs one address, kind and sentence once a minute, and another sentence or kind beside it', async () => {
    const { clock, log, refusals } = opened()
    const add = (code: ErrorCode, message: string) => refusals.add({ address: '10.0.0.1', error: new ClusterError(code, { message }) })
    add('linkClosed', 'a health check')
    add('linkClosed', 'a health check')
    add('notAuthentic', 'a wrong key')
    add('duplicateName', 'a name')
    add('duplicateName', 'another name')
    expect(singleIn(log.lines)).toHaveLength(4)
    await clock.advance(refusalLogIntervalMs)
    add('linkClosed', 'a health check')
    expect(singleIn(log.lines)).toHaveLength(5)
    expect(countedIn(log.lines)).toBe(1)
  })

  it('does not let many strangers hide why a peer with the key was refused', () => {
    const { log, refusals } = opened()
    for (const code of ['notAuthentic', 'overloaded', 'handshakeTimeout', 'linkClosed', 'malformed'] as const)
      for (let number = 0; number < 2_000; number++) refusals.add({ address: addressOf('ipv4', number), error: new ClusterError(code) })
    refusals.add({ address: '192.0.2.1', error: new ClusterError('duplicateName') })
    expect(log.lines.at(-1)).toContain('A connection from 192.0.2.1 was refused')
  })

  it('reports crowding once a minute, with how many connections were closed to make room', async () => {
    const { clock, log, refusals } = opened()
    for (let number = 0; number < 2_000; number++)
      refusals.add({ address: addressOf('ipv4', number), error: new ClusterError('overloaded') })
    for (let number = 0; number < 100; number++) refusals.add({ address: '10.9.9.9', error: new ClusterError('notAuthentic') })
    expect(singleIn(log.lines)).toHaveLength(2)
    await clock.advance(refusalLogIntervalMs)
    expect(log.lines.at(-1)).toContain('1999 of them were closed to make room')
  })

  it('leaves no timer when it is closed', () => {
    const { clock, refusals } = opened()
    for (let number = 0; number < 3; number++) refusals.add({ address: 'one', error: new ClusterError('notAuthentic') })
    refusals.close()
    expect(clock.pending).toBe(0)
  })
})
