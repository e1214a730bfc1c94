/** Homes with the files of a manager: rules, decoders, lists and groups, the same in each run. */
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { defaultSyncedItems } from '../src/domain/files/syncedItems.js'
import { SeededRandom } from '../src/simulation/world/seededRandom.js'

const fileMode = 0o660
const poolBytes = 2 ** 20

/** The directories of the synced items, as an installed manager has them. */
export const makeHome = (home: string): string => {
  for (const { dir } of defaultSyncedItems.items) mkdirSync(join(home, dir), { recursive: true })
  return home
}

export const writeSynced = (home: string, path: string, parts: readonly Uint8Array[]): void => {
  const file = openSync(join(home, path), 'w', fileMode)
  for (const part of parts) for (let at = 0; at < part.byteLength; ) at += writeSync(file, part, at)
  closeSync(file)
  // The umask changes the mode that `open` is given.
  chmodSync(join(home, path), fileMode)
}

const pathOf = (index: number): string => {
  const number = `${index}`.padStart(6, '0')
  switch (index % 4) {
    case 0:
      return `etc/rules/${number}-rules.xml`
    case 1:
      return `etc/lists/part${index % 20}/${number}.cdb`
    case 2:
      return `etc/decoders/${number}-decoders.xml`
    default:
      return `etc/shared/group${index % 50}/${number}.yml`
  }
}

export interface TreeSize {
  readonly count: number
  readonly bytes: number
  /** Of each path, at least. */
  readonly pathBytes?: number
}

const lengthened = (path: string, bytes: number): string =>
  join(dirname(path), basename(path).padStart(bytes - dirname(path).length - 1, '0'))

/** Writes `count` files of `bytes` in all, many small and a few large, no two the same. Resolves with their paths. */
export const fillHome = (home: string, { count, bytes, pathBytes = 0 }: TreeSize): readonly string[] => {
  makeHome(home)
  const random = new SeededRandom('bench tree')
  const pool = Buffer.from(Buffer.from(random.bytes(poolBytes)).toString('base64'))
  const weights = Array.from({ length: count }, () => 0.05 - Math.log(1 - random.fraction()))
  const weight = weights.reduce((sum, one) => sum + one, 0)
  const dirs = new Set<string>()
  return weights.map((one, index) => {
    const path = lengthened(pathOf(index), pathBytes)
    const dir = dirname(path)
    if (!dirs.has(dir)) mkdirSync(join(home, dir), { recursive: true })
    dirs.add(dir)
    const first = Buffer.from(`<!-- ${path} -->\n`)
    const size = Math.max(0, Math.round((one / weight) * bytes) - first.byteLength)
    const start = Math.floor(random.fraction() * (poolBytes - size))
    writeSynced(home, path, [first, pool.subarray(start, start + size)])
    return path
  })
}

const filesBelow = (home: string): string[] =>
  defaultSyncedItems.items
    .filter(({ dir }) => dir !== 'etc')
    .flatMap(({ dir }) =>
      readdirSync(join(home, dir), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1)),
    )
    .sort()

/** A measurement counts only when the trees are the same, byte for byte. */
export const assertSameFiles = (master: string, worker: string): void => {
  const [ours, theirs] = [filesBelow(master), filesBelow(worker)]
  const other = ours.find(
    (path, index) => path !== theirs[index] || !readFileSync(join(master, path)).equals(readFileSync(join(worker, path))),
  )
  if (ours.length !== theirs.length || other !== undefined)
    throw new Error(`The trees are not the same: ${ours.length} and ${theirs.length} files, the first that differs is '${other}'`)
}
