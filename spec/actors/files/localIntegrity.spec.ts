import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localIntegrity } from '../../../src/actors/files/localIntegrity.js'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { type ChildEvent, startHosted } from '../../../src/actors/kit/host.js'
import { ClusterError } from '../../../src/base/errors.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { ScriptedFiles } from '../../support/files/scriptedFiles.js'
import { digestOf, synced } from '../../support/files/treeArbitraries.js'
import { recordingLog } from '../../support/recordingLog.js'

const setUp = (intervalMs = 8_000, prepare: (files: ScriptedFiles) => void = () => {}) => {
  const clock = new VirtualClock()
  const files = new ScriptedFiles(clock)
  prepare(files)
  const tree = new LocalTree(files, synced, clock)
  const log = recordingLog()
  const ends: ChildEvent[] = []
  const child = startHosted(localIntegrity({ tree, clock, intervalMs, log }), { clock, onEnd: (event) => ends.push(event) })
  const everythingAtMs = (): number[] => files.scanTimesMs.filter((_, index) => files.scans[index] === 'everything')
  const stop = async (): Promise<void> => {
    child.stop()
    await clock.settle()
    expect(child.timers).toBe(0)
    expect(clock.pending).toBe(0)
    expect(files.openWatches).toBe(0)
  }
  return { clock, child, ends, everythingAtMs, files, log, stop, tree }
}

describe('local integrity', () => {
  it('scans everything at once, and again an interval after each full scan', async () => {
    const { clock, everythingAtMs, stop } = setUp(8_000)
    await clock.advance(30_000)
    expect(everythingAtMs()).toEqual([0, 8_005, 16_010, 24_015])
    await stop()
  })

  it('scans everything at least once an interval, under any stream of hints', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 60 }), async (hintEveryMs, scanMs) => {
        const { clock, everythingAtMs, files, stop } = setUp(1_000, (prepared) => {
          prepared.scanMs = scanMs
        })
        for (let passedMs = 0; passedMs < 5_000; passedMs += hintEveryMs) {
          files.hint([`etc/shared/${passedMs}`])
          await clock.advance(hintEveryMs)
        }
        const times = everythingAtMs()
        const gaps = times.map((atMs, index) => (times[index + 1] ?? clock.monotonicMs()) - atMs)
        // The scan before, the interval, and one scan of hinted paths that is under way at that moment.
        expect(Math.max(...gaps)).toBeLessThanOrEqual(scanMs + 1_000 + scanMs)
        await stop()
      }),
      { numRuns: 25 },
    ))

  it('rests nine times as long as a scan takes while every change is watched, and an interval otherwise', async () => {
    for (const [isWatchWhole, restMs] of [
      [true, 18_000],
      [false, 8_000],
    ] as const) {
      const { clock, everythingAtMs, stop } = setUp(8_000, (files) => {
        files.scanMs = 2_000
        files.isWatchWhole = isWatchWhole
      })
      await clock.advance(60_000)
      // The first scan reads all content: it sets no pace.
      expect(everythingAtMs().slice(0, 4)).toEqual([0, 10_000, 10_000 + 2_000 + restMs, 10_000 + 2 * (2_000 + restMs)])
      await stop()
    }
  })

  it('scans a hinted path at once, and all paths hinted meanwhile in the next scan', async () => {
    const { clock, files, stop } = setUp()
    await clock.advance(100)
    files.hint(['etc/shared/a'])
    files.hint(['etc/shared/b', 'etc/shared/c'])
    files.hint(['etc/shared/b'])
    await clock.advance(100)
    expect(files.scans).toEqual(['everything', ['etc/shared/a'], ['etc/shared/b', 'etc/shared/c']])
    expect(files.scanTimesMs).toEqual([0, 100, 105])
    await stop()
  })

  it('scans everything at once when anything may have changed, or too much was hinted', async () => {
    const { clock, files, stop } = setUp()
    await clock.advance(100)
    files.hint(undefined)
    await clock.advance(100)
    for (let batch = 0; batch < 30; batch++) files.hint(Array.from({ length: 500 }, (_, file) => `etc/shared/${batch}-${file}`))
    await clock.advance(100)
    expect(files.scans.slice(0, 2)).toEqual(['everything', 'everything'])
    expect(files.scans[2]).toHaveLength(500)
    expect(files.scans.slice(3)).toEqual(['everything'])
    await stop()
  })

  it('takes a long stream of single hints during one scan without slowing down', async () => {
    const { clock, files, stop } = setUp()
    const startMs = performance.now()
    for (let file = 0; file < 9_999; file++) files.hint([`etc/shared/${file}`])
    expect(performance.now() - startMs).toBeLessThan(1_000)
    await clock.advance(100)
    expect(files.scans.at(-1)).toHaveLength(9_999)
    await stop()
  })

  it('brings an edit into the manifest, hinted or not', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(3), fc.nat(5), fc.boolean(), fc.nat(3_000)), { maxLength: 10 }), async (edits) => {
        const { clock, files, stop, tree } = setUp(1_000)
        for (const [file, content, isHinted, ms] of edits) {
          const path = `etc/shared/${file}`
          files.disk.set(path, { path, size: 1, mode: 0o660, digest: digestOf(content) })
          if (isHinted) files.hint([path])
          await clock.advance(ms)
        }
        await clock.advance(1_050)
        expect([...tree.manifest.entries()].sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(
          [...files.disk.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
        )
        await stop()
      }),
      { numRuns: 30 },
    ))

  it('says once that changes cannot be watched, and goes on at intervals', async () => {
    const { clock, ends, everythingAtMs, log, stop } = setUp(1_000, (files) => {
      files.watchFailure = new ClusterError('fileFailed', { message: 'Too many watches' })
    })
    await clock.advance(5_000)
    expect(log.lines.filter((line) => line.includes('Too many watches'))).toHaveLength(1)
    expect(everythingAtMs().length).toBeGreaterThanOrEqual(4)
    expect(ends).toEqual([])
    await stop()
  })

  it('logs that a scan failed, and scans everything again after its interval', async () => {
    const { clock, ends, everythingAtMs, log, stop } = setUp(1_000, (files) => {
      files.scanFailure = new ClusterError('fileFailed', { message: 'The disk is away' })
    })
    await clock.advance(1_010)
    expect(log.lines.filter((line) => line.startsWith('error') && line.includes('The disk is away'))).toHaveLength(1)
    expect(everythingAtMs()).toEqual([0, 1_005])
    expect(ends).toEqual([])
    await stop()
  })

  it('crashes, to be restarted, when a scan fails unexpectedly', async () => {
    const { clock, ends, files, stop } = setUp(1_000, (prepared) => {
      prepared.scanFailure = new TypeError('boom')
    })
    await clock.advance(100)
    expect(ends).toMatchObject([{ type: 'child.crashed' }])
    expect(files.openWatches).toBe(0)
    await stop()
  })

  it('leaves nothing when it is stopped during a scan or a rest', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(2_000), fc.boolean(), async (ms, isHinted) => {
        const { clock, ends, files, stop } = setUp(1_000)
        await clock.advance(ms)
        if (isHinted) files.hint(['etc/shared/a'])
        await stop()
        await clock.advance(5_000)
        expect(ends).toEqual([])
      }),
      { numRuns: 50 },
    ))
})
