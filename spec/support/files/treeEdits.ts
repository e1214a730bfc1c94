/** Generated edits of a synced tree, as by an operator: few names, so that files and directories take each other's places. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { itemOf, type SyncedItems } from '../../../src/domain/files/syncedItems.js'
import { type DiskWorld, filesBelow } from './diskWorlds.js'

export type TreeEdit =
  | { readonly kind: 'write'; readonly path: string; readonly content: string; readonly mode: number }
  | { readonly kind: 'remove' | 'mkdir'; readonly path: string }

const name = fc.constantFrom('a', 'b', 'c', 'ar.conf', 'x~', 'sp ace', 'q\'uo"te', 'new\nline', 'ä', 'x'.repeat(255))
const path = fc
  .tuple(fc.constantFrom('etc/shared', 'etc/rules', 'etc/rules/a'), fc.array(name, { minLength: 1, maxLength: 3 }))
  .map(([dir, names]) => [dir, ...names].join('/'))
const anyPath = fc.oneof(
  { weight: 8, arbitrary: path },
  { weight: 1, arbitrary: fc.constantFrom('etc/client.keys', 'etc/other', 'etc/deep/client.keys') },
)
const content = fc.oneof(
  fc.constantFrom('', 'one', 'two', 'three'),
  fc.nat(400_000).map((length) => 'long '.repeat(length / 5)),
)

export const treeEdits: fc.Arbitrary<TreeEdit[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('write' as const), path: anyPath, content, mode: fc.constantFrom(0o660, 0o640, 0o600) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('remove' as const, 'mkdir' as const), path }) },
  ),
  { maxLength: 14 },
)

/** Whatever is in the way of a directory is removed. */
const clearWay = (world: DiskWorld, path: string): void => {
  const names = path.split('/')
  for (let depth = 1; depth <= names.length; depth++) {
    const above = names.slice(0, depth).join('/')
    if (world.exists(above) && world.disk.lstat(`${world.home}/${above}`).kind !== 'directory') world.remove(above)
  }
}

export const edit = (world: DiskWorld, change: TreeEdit): void => {
  if (change.kind === 'write') {
    clearWay(world, change.path.slice(0, change.path.lastIndexOf('/')))
    world.write(change.path, change.content, change.mode)
  } else if (change.kind === 'remove') {
    world.remove(change.path)
  } else {
    clearWay(world, change.path)
    world.mkdir(change.path)
  }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What a node must report, computed from what is on its disk: path to `mode digest`. */
export const expectedEntries = (world: DiskWorld, synced: SyncedItems, role: 'master' | 'worker'): Map<string, string> => {
  const expected = new Map<string, string>()
  for (const [file, text] of filesBelow(world, 'etc')) {
    const item = itemOf(synced, file)
    const space = text.indexOf(' ')
    if (item) expected.set(file, `${role === 'master' ? item.mode.toString(8) : text.slice(0, space)} ${sha256(text.slice(space + 1))}`)
  }
  return expected
}
