import fc from 'fast-check'
import { expect, it } from 'vitest'
import { EntryList } from '../../../src/domain/files/entryList.js'
import { EntryTable } from '../../../src/domain/files/entryTable.js'
import type { FileEntry } from '../../../src/domain/files/treeValues.js'
import { entries, heldEntries } from '../../support/files/treeArbitraries.js'

const anyEntry: fc.Arbitrary<FileEntry> = fc
  .tuple(heldEntries, fc.constantFrom(undefined, 'noise' as const, 'noLine' as const))
  .map(([entry, nonsense]) => ({ ...entry, ...(nonsense && { nonsense }) }))

type Step =
  | { readonly add: FileEntry }
  | { readonly write: FileEntry; readonly at: number }
  | { readonly remove: number }
  | { readonly hold: boolean; readonly at: number }
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: anyEntry.map((add): Step => ({ add })) },
    { weight: 1, arbitrary: fc.record({ write: anyEntry, at: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ hold: fc.boolean(), at: fc.nat() }) },
    { weight: 1, arbitrary: fc.nat().map((remove): Step => ({ remove })) },
  ),
  { maxLength: 80 },
)

const withHeld = ({ held: _, ...entry }: FileEntry, held: boolean): FileEntry => ({ ...entry, ...(held && { held }) })

it('a table of entries has in each row what was written there last, after any changes', () =>
  fc.assert(
    fc.property(steps, fc.nat(40), (list, moreBytes) => {
      const table = new EntryTable(moreBytes)
      const model = new Map<number, FileEntry>()
      const rowAt = (at: number): number | undefined => [...model.keys()][at % Math.max(1, model.size)]
      for (const step of list) {
        const row = 'add' in step ? table.add() : rowAt('remove' in step ? step.remove : step.at)
        if (row === undefined) continue
        if ('add' in step) expect(model.has(row)).toBe(false)
        if ('remove' in step) {
          table.remove(row)
          model.delete(row)
        } else if ('hold' in step) {
          table.setHeld(row, step.hold)
          model.set(row, withHeld(model.get(row) as FileEntry, step.hold))
        } else {
          const entry = 'add' in step ? step.add : step.write
          table.write(row, entry)
          model.set(row, entry)
        }
        expect(table.size).toBe(model.size)
      }
      for (const [row, entry] of model) {
        expect(table.entry(row, entry.path)).toEqual(entry)
        expect(table.digestOf(row)).toBe(entry.digest)
        expect([table.sizeOf(row), table.modeOf(row), table.isHeld(row)]).toEqual([entry.size, entry.mode, entry.held === true])
      }
    }),
  ))

it('a table of many pages keeps its rows apart, and uses those again that were removed', () => {
  const table = new EntryTable(5)
  const entryAt = (row: number): FileEntry => ({ path: 'a', size: row, mode: row % 4096, digest: row.toString(16).padStart(64, '0') })
  const rows = Array.from({ length: 5_000 }, () => table.add())
  for (const row of rows) table.write(row, entryAt(row))
  for (const row of rows) expect(table.entry(row, 'a')).toEqual(entryAt(row))
  for (const row of rows.slice(100, 200)) table.remove(row)
  const again = Array.from({ length: 100 }, () => table.add())
  expect([...again].sort((a, b) => a - b)).toEqual(rows.slice(100, 200))
})

it('a list of entries is the array of what was added', () =>
  fc.assert(
    fc.property(fc.array(entries), (array) => {
      const list = new EntryList()
      for (const entry of array) list.add(entry)
      expect([...list]).toEqual(array)
      expect(list).toHaveLength(array.length)
      for (let index = 0; index <= array.length; index++) expect(list.at(index)).toEqual(array[index])
    }),
  ))
