import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PeerLogs } from '../../../src/actors/cluster/peerLogs.js'
import { limits } from '../../../src/base/limits.js'
import type { Clock } from '../../../src/ports/machine.js'
import { recordingLog } from '../../support/recordingLog.js'

const { peerLogBurstBytes, peerLogBytesPerSecond, peerLogPlaceBytes } = limits
const subtags = ['Integrity check', 'Integrity sync']
const levels = ['info', 'error'] as const

const handClock = (): Pick<Clock, 'monotonicMs'> & { atMs: number } => ({
  atMs: 0,
  monotonicMs() {
    return this.atMs
  },
})

const lines = fc.array(
  fc.record({
    peer: fc.constantFrom('w1', 'w2'),
    subtag: fc.constantFrom(...subtags),
    level: fc.constantFrom(...levels),
    chars: fc.integer({ min: 10, max: 6_000 }),
    times: fc.integer({ min: 1, max: 40 }),
    afterMs: fc.integer({ min: 0, max: 3_000 }),
  }),
  { minLength: 1, maxLength: 60 },
)

/** The number of lines that a line says were left out before it. */
const leftOutIn = (line: string): number => Number(/\((\d+) more lines? of this kind (?:was|were) left out\)$/.exec(line)?.[1] ?? 0)

describe('what peers cause to be logged', () => {
  it('is bounded for each peer and kind, and what is left out is counted', () =>
    fc.assert(
      fc.property(lines, (said) => {
        const clock = handClock()
        const log = recordingLog()
        const logs = new PeerLogs(log, clock, 10)
        const caused = new Map<string, number>()
        const write = (peer: string, subtag: string, level: 'info' | 'error', message: string): void => {
          const kind = `${level} [${peer}] [${subtag}]`
          caused.set(kind, (caused.get(kind) ?? 0) + 1)
          logs.of(peer, { tag: peer, subtag: 'Main' }).at({ subtag })[level](message)
        }
        for (const { afterMs, chars, level, peer, subtag, times } of said) {
          clock.atMs += afterMs
          // A peer chooses its texts.
          for (let time = 0; time < times; time++) write(peer, subtag, level, `${time} ${'x'.repeat(chars)}`)
        }
        const bytesMax = peerLogBurstBytes + (clock.atMs / 1000) * peerLogBytesPerSecond
        for (const kind of caused.keys()) {
          const written = log.lines.filter((line) => line.startsWith(kind))
          const bytes = written.reduce((sum, line) => sum + line.length - kind.length + peerLogPlaceBytes, 0)
          expect(bytes).toBeLessThanOrEqual(bytesMax + written.length * 60)
        }
        clock.atMs += (1000 * peerLogBurstBytes) / peerLogBytesPerSecond
        for (const peer of ['w1', 'w2']) for (const subtag of subtags) for (const level of levels) write(peer, subtag, level, 'last')
        for (const [kind, count] of caused) {
          const written = log.lines.filter((line) => line.startsWith(kind))
          expect(written.length + written.reduce((sum, line) => sum + leftOutIn(line), 0)).toBe(count)
        }
      }),
      { numRuns: 50 },
    ))

  it('is complete for a worker that checks every second and syncs every few seconds', () => {
    const clock = handClock()
    const log = recordingLog()
    const logs = new PeerLogs(log, clock, 10)
    for (let second = 0; second < 3_600; second++) {
      clock.atMs += 1_000
      const at = (subtag: string) => logs.of('w1', { tag: 'w1', subtag })
      at('Integrity check').info('Starting.')
      at('Integrity check').info('Finished in 0.012 s. Received metadata of 20000 files. Sync not required.')
      if (second % 3 > 0) continue
      at('Integrity sync').info('Starting.')
      at('Integrity sync').info('Files to create in worker: 1 | Files to update in worker: 0 | Files to delete in worker: 0')
      at('Integrity sync').info('Finished in 0.120 s.')
    }
    expect(log.lines.filter((line) => line.includes('left out'))).toEqual([])
    expect(log.lines).toHaveLength(2 * 3_600 + 3 * 1_200)
  })

  it('is bounded too when a peer takes many names, and counts what it left out of a dropped name', () => {
    const clock = handClock()
    const log = recordingLog()
    const logs = new PeerLogs(log, clock, 5)
    const message = 'x'.repeat(1_000)
    for (let name = 0; name < 200; name++) for (let time = 0; time < 100; time++) logs.of(`n${name}`, { subtag: 'Main' }).info(message)
    expect(log.lines.length).toBeLessThanOrEqual((6 * peerLogBurstBytes) / message.length)
    clock.atMs += (1000 * peerLogBurstBytes) / peerLogBytesPerSecond
    const before = log.lines.length
    logs.of('another', { subtag: 'Main' }).info('Starting.')
    const [first = ''] = log.lines.slice(before)
    expect(first).toMatch(/\d+ more lines of this kind were left out\.$/)
    expect(log.lines.length).toBe(before + 5 + 1)
  })
})
