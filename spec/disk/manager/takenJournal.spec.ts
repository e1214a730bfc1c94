/** The journal of what wazuh-db said once, on a real disk and in memory: durable after each entry, and whole after every crash. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { TakenJournalFile, takenJournalPath } from '../../../src/disk/manager/takenJournal.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld } from '../../support/files/diskWorlds.js'

const texts = fc.array(fc.oneof(fc.string(), fc.constantFrom('', '{"syncreq":[]}', 'ä\n\0'.repeat(50))), { maxLength: 6 })

const contentOf = ({ disk, home }: DiskWorld): Buffer => {
  const file = disk.open(`${home}/${takenJournalPath}`, 'r')
  const bytes = Buffer.alloc(disk.fstat(file).size)
  disk.read(file, bytes, 0, bytes.length, 0)
  disk.close(file)
  return bytes
}

const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'none'
  } catch (thrown) {
    return thrown instanceof ClusterError ? thrown.code : String(thrown)
  }
}

describe.each([
  ['a real disk', createNodeWorld],
  ['a disk in memory', createMemoryWorld],
])('the journal of what was taken, on %s', (_, create) => {
  const inWorld = (act: (world: DiskWorld, open: () => TakenJournalFile, warnings: string[]) => void): void => {
    const world = create()
    const warnings: string[] = []
    try {
      act(world, () => new TakenJournalFile(world.disk, world.home, (sentence) => warnings.push(sentence)), warnings)
    } finally {
      world.dispose()
    }
  }

  it('has the entries of an earlier process, in order, until it is cleared', () =>
    inWorld((world, open, warnings) => {
      expect(open().entries()).toEqual([])
      fc.assert(
        fc.property(texts, texts, (first, second) => {
          open().clear()
          const journal = open()
          for (const text of first) journal.append(text)
          const next = open()
          expect(next.entries()).toEqual(first)
          for (const text of second) next.append(text)
          expect(open().entries()).toEqual([...first, ...second])
          next.clear()
          expect([open().entries(), next.entries()]).toEqual([[], []])
        }),
        { numRuns: 20 },
      )
      open().append('x')
      expect(world.modeOf(takenJournalPath)).toBe(0o640)
      expect(warnings).toEqual([])
    }))

  it('drops what a crash left of the last entry, says so, and goes on behind the others', () =>
    inWorld((world, open, warnings) => {
      open().append('first')
      open().append('second')
      const whole = contentOf(world)
      const firstBytes = 4 + 8 + 'first'.length
      for (let length = 0; length < whole.length; length++) {
        world.write(takenJournalPath, whole.subarray(0, length))
        const isTorn = length !== 0 && length !== firstBytes
        const kept = length < firstBytes ? [] : ['first']
        const journal = open()
        expect(journal.entries()).toEqual(kept)
        expect(warnings.splice(0)).toHaveLength(isTorn ? 1 : 0)
        journal.append('third')
        expect(open().entries()).toEqual([...kept, 'third'])
      }
    }))

  it('drops what is not its own, whatever the bytes', () =>
    inWorld((world, open) =>
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
          world.write(takenJournalPath, bytes)
          const journal = open()
          journal.entries()
          journal.append('own')
          expect(open().entries().at(-1)).toBe('own')
        }),
        { numRuns: 30 },
      ),
    ))

  it('fails with a sentence where a link or a directory has its name, and touches neither', () =>
    inWorld((world, open) => {
      world.write('elsewhere', 'kept')
      world.symlink(`${world.home}/elsewhere`, takenJournalPath)
      const journal = open()
      expect(codeOf(() => journal.append('x'))).toBe('fileFailed')
      expect(codeOf(() => journal.entries())).toBe('fileFailed')
      expect(codeOf(() => journal.clear())).toBe('fileFailed')
      expect(world.read('elsewhere')).toBe('kept')
      world.remove(takenJournalPath)
      world.mkdir(takenJournalPath)
      expect(codeOf(() => open().append('x'))).toBe('fileFailed')
    }))
})

describe('the journal of what was taken', () => {
  it('is durable when an entry was noted, and keeps the earlier ones when the disk is full', () => {
    const world = createMemoryWorld()
    const open = () => new TakenJournalFile(world.disk, world.home, () => {})
    open().append('first')
    world.disk.crash()
    expect(open().entries()).toEqual(['first'])
    const undo = world.disk.fail({ operation: 'write', code: 'ENOSPC' })
    const journal = open()
    expect(codeOf(() => journal.append('second'))).toBe('diskFull')
    undo()
    journal.append('third')
    expect(open().entries()).toEqual(['first', 'third'])
  })
})
