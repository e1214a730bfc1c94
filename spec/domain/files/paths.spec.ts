import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { checkPath } from '../../../src/domain/files/paths.js'
import { defaultSyncedItems, isExcluded } from '../../../src/domain/files/syncedItems.js'
import { synced, syncedPaths } from '../../support/files/treeArbitraries.js'

const fragments = fc.constantFrom(
  'etc',
  'shared',
  'rules',
  'client.keys',
  'ar.conf',
  'a',
  '.',
  '..',
  '...',
  '',
  '..foo',
  'a..b',
  '\0',
  '\\',
  '~',
  'x~',
  '\ud800',
  'etc/shared',
  '../..',
  ' ',
  '\n',
)
const wildPaths = fc.oneof(
  fc.array(fragments, { maxLength: 8 }).map((names) => names.join('/')),
  fc
    .tuple(fc.constantFrom('etc/shared/', 'etc/rules/', 'etc/', '/', ''), fc.string({ unit: 'binary', maxLength: 20 }))
    .map((parts) => parts.join('')),
  syncedPaths,
)

describe('paths', () => {
  it('that are accepted stay inside the directory of their item', () =>
    fc.assert(
      fc.property(wildPaths, (path) => {
        const checked = checkPath(synced, path)
        if (!checked.ok) {
          expect(checked.error.code).toBe('pathRefused')
          return
        }
        const home = '/var/ossec'
        const resolved = posix.resolve(home, path)
        expect(resolved).toBe(`${home}/${path}`)
        expect(posix.normalize(path)).toBe(path)
        expect(posix.relative(posix.join(home, checked.value.dir), resolved)).not.toMatch(/^\.\.(\/|$)|^\/|^$/)
        expect(path).not.toContain('\0')
        expect(Buffer.from(path).toString()).toBe(path)
        expect(isExcluded(synced, posix.basename(path))).toBe(false)
      }),
      { numRuns: 1_000 },
    ))

  it('are accepted when they belong to an item, whatever odd characters their names have', () =>
    fc.assert(
      fc.property(syncedPaths, (path) => {
        expect(checkPath(synced, path).ok).toBe(true)
      }),
    ))

  it('are refused when anything in them leads elsewhere', () =>
    fc.assert(
      fc.property(syncedPaths, fc.nat(), fc.constantFrom('..', '.', '', '\0', 'a\0b', '\udc00', 'x'.repeat(256)), (path, pick, bad) => {
        const names = path.split('/')
        names.splice(pick % (names.length + 1), 0, bad)
        expect(checkPath(synced, names.join('/')).ok).toBe(false)
        expect(checkPath(synced, `/${path}`).ok).toBe(false)
        expect(checkPath(synced, `${path}/`).ok).toBe(false)
        expect(checkPath(synced, `../ossec/${path}`).ok).toBe(false)
        expect(checkPath(synced, `./${path}`).ok).toBe(false)
      }),
    ))

  it.each(['etc/shared/..foo', 'etc/shared/a..b', 'etc/shared/...', 'etc/shared/..a/b', `etc/shared/${'é'.repeat(127)}`])(
    'with dots that only look like traversal are accepted: %s',
    (path) => {
      expect(checkPath(defaultSyncedItems, path)).toMatchObject({ ok: true, value: { dir: 'etc/shared' } })
    },
  )

  it.each([
    '',
    '.',
    '..',
    'etc',
    'etc/shared',
    'etc/ossec.conf',
    'etc/shared/ar.conf',
    'etc/other',
    'bin/x',
    'etc/sharedx/a',
    'etc/rules/../client.keys',
  ])('that name no synced file are refused: %j', (path) => {
    expect(checkPath(defaultSyncedItems, path)).toMatchObject({ ok: false, error: { code: 'pathRefused' } })
  })

  it('are refused with one byte or one directory too many', () => {
    const deep = (names: number): string => `etc/shared/${Array.from({ length: names - 2 }, () => 'd').join('/')}`
    expect(checkPath(synced, deep(limits.pathDepthMax)).ok).toBe(true)
    expect(checkPath(synced, deep(limits.pathDepthMax + 1)).ok).toBe(false)
    const long = (bytes: number): string => {
      const names = `etc/shared/${`${'é'.repeat(100)}/`.repeat(20)}`
      return names + 'x'.repeat(bytes - Buffer.byteLength(names))
    }
    expect(checkPath(synced, long(limits.pathBytesMax)).ok).toBe(true)
    expect(checkPath(synced, long(limits.pathBytesMax + 1)).ok).toBe(false)
  })

  it('are named in a refusal that fits into a line of the log', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 2_000 }), (path) => {
        const checked = checkPath(synced, `/${path}`)
        expect(checked.ok || checked.error.message).not.toMatch(/\p{Cc}|\p{Surrogate}/u)
        expect(checked.ok || checked.error.message.length).toBeLessThan(limits.logLineCharsMax)
      }),
    ))
})
