import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PlanPortions } from '../../../src/domain/files/planPortions.js'

const path = fc
  .array(fc.constantFrom('a', 'b', 'shared', 'client.keys'), { minLength: 1, maxLength: 4 })
  .map((names) => ['etc', ...names].join('/'))
const paths = fc.uniqueArray(path, { maxLength: 20 })

const portionsOf = (writes: readonly string[]): PlanPortions => {
  const entries = writes.map((each) => ({ path: each, size: 0, mode: 0o660, digest: '' }))
  const half = entries.length >> 1
  const portions = new PlanPortions({ create: entries.slice(0, half), update: entries.slice(half) })
  for (let index = 0; index < portions.writes; index++) portions.add(index)
  return portions
}
const directoryOf = (each: string): string => each.slice(0, each.lastIndexOf('/'))

describe('the portions of a plan', () => {
  it('have every write once, none too many, each directory in one piece, groups first, client.keys last', () =>
    fc.assert(
      fc.property(paths, fc.integer({ min: 1, max: 7 }), (writes, filesMax) => {
        const portions = [...portionsOf(writes).ofAtMost(filesMax)]
        const all = portions.flat().map((entry) => entry.path)
        expect([...all].sort()).toEqual([...writes].sort())
        expect(portions.slice(0, -1).every(({ length }) => length === filesMax)).toBe(true)
        const last = all.indexOf('etc/client.keys')
        expect([-1, all.length - 1]).toContain(last)
        const ofGroups = all.map((each) => each.startsWith('etc/shared/'))
        expect(ofGroups.lastIndexOf(true)).toBe(ofGroups.filter(Boolean).length - 1)
        const directories = all.filter((each) => each !== 'etc/client.keys').map(directoryOf)
        const runs = directories.filter((directory, index) => directory !== directories[index - 1])
        expect(new Set(runs).size).toBe(runs.length)
      }),
    ))

  it('count as in the way what is a directory of a write, or below a write, and nothing else', () =>
    fc.assert(
      fc.property(paths, path, (writes, removal) => {
        const isInTheWay = writes.some((write) => write.startsWith(`${removal}/`) || removal.startsWith(`${write}/`))
        expect(portionsOf(writes).isInTheWay(removal)).toBe(isInTheWay)
      }),
    ))
})
