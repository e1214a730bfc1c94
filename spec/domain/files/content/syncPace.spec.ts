/** The pace at which files are made durable, derived from calls that are quick or slow. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blocksUntilProbeMax, diskWritesOf, instantMs, SyncPace, waitsOnDisk } from '../../../../src/domain/files/content/syncPace.js'

const quickMs = fc.double({ min: 0, max: instantMs, noNaN: true })
const slowMs = fc.double({ min: instantMs, max: 10_000, minExcluded: true, noNaN: true })

/** Begins a block of files that take these times; returns how many were made durable one after the other. */
const oneByOneIn = (pace: SyncPace, filesMs: readonly number[]): number => {
  pace.beginBlock()
  let count = 0
  for (const ms of filesMs) {
    if (!pace.isOneByOne) break
    pace.took(ms)
    count += 1
  }
  return count
}

describe('files are made durable', () => {
  it('one after the other as long as no two slow ones follow each other in a block', () =>
    fc.assert(
      fc.property(fc.array(fc.array(fc.tuple(quickMs, slowMs), { maxLength: 5 }), { maxLength: 50 }), (blocks) => {
        const pace = new SyncPace()
        for (const pairs of blocks) {
          // The last of a block is slow, and so is the first of the next.
          const filesMs = [...pairs.flatMap(([quick, slow]) => [slow, quick]), instantMs * 2]
          expect(oneByOneIn(pace, filesMs)).toBe(filesMs.length)
        }
      }),
    ))

  it('in parallel after two slow ones in a row, until the block that tries again', () =>
    fc.assert(
      fc.property(fc.array(quickMs, { maxLength: 5 }), slowMs, slowMs, fc.array(slowMs, { maxLength: 5 }), (before, one, other, after) => {
        const pace = new SyncPace()
        const filesMs = [...before, one, other, ...after]
        for (let round = 0; round < 3; round++) {
          expect(oneByOneIn(pace, filesMs)).toBe(before.length + waitsOnDisk)
          for (let block = 1; block < blocksUntilProbeMax; block++) expect(oneByOneIn(pace, filesMs)).toBe(0)
        }
        expect(oneByOneIn(pace, [0, 0, 0])).toBe(3)
        expect(oneByOneIn(pace, [0, 0, 0])).toBe(3)
      }),
    ))

  it('with a name for each way, which is understood, and other names are not', () => {
    const pace = new SyncPace()
    expect(diskWritesOf(pace.diskWrites)).toBe('one by one')
    oneByOneIn(
      pace,
      Array.from({ length: waitsOnDisk }, () => instantMs * 2),
    )
    expect(diskWritesOf(pace.diskWrites)).toBe('together')
    expect(['by night', undefined].map(diskWritesOf)).toEqual([undefined, undefined])
  })
})
