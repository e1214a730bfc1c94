import fc from 'fast-check'
import { expect, it } from 'vitest'
import { counted } from '../../../src/base/counted.js'
import { limits } from '../../../src/base/limits.js'
import { addApplied, FileLines } from '../../../src/domain/files/fileLines.js'

const kinds = fc.constantFrom('create', 'update', 'remove')
const rows = fc.array(fc.record({ kind: kinds, fails: fc.boolean(), isUndone: fc.boolean() }), { maxLength: 3 * limits.filesLoggedMax })

it('the lines of a plan name each file and its change once, up to the bound, and count the rest', () =>
  fc.assert(
    fc.property(rows, (list) => {
      const files = list.map((row, index) => ({ ...row, path: `etc/rules/${index}` }))
      const pathsOf = (kind: string): string[] => files.filter((file) => file.kind === kind).map(({ path }) => path)
      const entriesOf = (kind: string) => pathsOf(kind).map((path) => ({ path, size: 0, mode: 0o660, digest: '' }))
      const failures = files.filter(({ fails }) => fails).map(({ path }) => ({ path, code: 'fileFailed', message: '' }))
      const undone = new Set(files.filter(({ isUndone }) => isUndone).map(({ path }) => path))
      const plan = { create: entriesOf('create'), update: entriesOf('update'), remove: pathsOf('remove') }
      const added = new FileLines()
      expect([...addApplied(added, plan, failures, undone)]).toHaveLength(files.length)
      const { lines } = added
      const done = files.filter(({ fails }) => !fails)
      const named = Math.min(done.length, limits.filesLoggedMax)
      expect(lines).toHaveLength(named + (done.length > named ? 1 : 0))
      if (done.length > named) expect(lines.at(-1)).toBe(`And ${counted(done.length - named, 'more file')}.`)
      const expected = new Map(
        done.map(({ isUndone, kind, path }) => [
          `${{ create: 'Created', update: 'Updated', remove: 'Remove' }[kind]} file: '${path}'${isUndone ? ' (a change made on this node is undone)' : ''}`,
          path,
        ]),
      )
      const seen = new Set(lines.slice(0, named).map((line) => expected.get(line)))
      expect(seen.has(undefined)).toBe(false)
      expect(seen.size).toBe(named)
    }),
  ))
