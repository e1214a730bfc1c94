/**
 * The simplest possible model of what workers must end up with: what an operator sees on the master's disk in the synced
 * directories. Written independently of disk/files, so that both would have to be wrong in the same way.
 */
import { posix } from 'node:path'
import { itemOf, type SyncedItems } from '../../domain/files/syncedItems.js'
import type { Disk } from '../../ports/files.js'

export interface ExpectedFile {
  readonly content: Buffer
  readonly mode: number
}

/** Path to file; `unknown` are paths below which the master itself cannot see. */
export interface ExpectedTree {
  readonly files: ReadonlyMap<string, ExpectedFile>
  readonly unknown: ReadonlySet<string>
}

const chunkBytes = 65_536

export const readWhole = (disk: Disk, path: string): Buffer => {
  const file = disk.open(path, 'r')
  try {
    const parts: Buffer[] = []
    let position = 0
    for (;;) {
      const part = Buffer.alloc(chunkBytes)
      const length = disk.read(file, part, 0, chunkBytes, position)
      if (length === 0) return Buffer.concat(parts)
      parts.push(part.subarray(0, length))
      position += length
    }
  } finally {
    disk.close(file)
  }
}

/** `mode` of a file on the master is what its item says; on a worker it is what the file has. */
export const expectedTree = (disk: Disk, home: string, synced: SyncedItems, role: 'master' | 'worker'): ExpectedTree => {
  const files = new Map<string, ExpectedFile>()
  const unknown = new Set<string>()
  const visit = (path: string): void => {
    for (const entry of disk.readdir(posix.join(home, path))) {
      const below = `${path}/${Buffer.from(entry.name).toString('utf8')}`
      if (entry.kind === 'directory') visitDirectory(below)
      else visitFile(below, entry.kind)
    }
  }
  const visitDirectory = (path: string): void => {
    try {
      visit(path)
    } catch {
      unknown.add(path)
    }
  }
  const visitFile = (path: string, kind: string): void => {
    const item = itemOf(synced, path)
    if (!item) return
    if (kind !== 'file' && role === 'master' && !leadsToFileInside(disk, home, item.dir, path)) return
    if (kind === 'other') return
    try {
      const content = kind === 'symlink' && role === 'worker' ? Buffer.from('a link') : readWhole(disk, posix.join(home, path))
      const mode = role === 'master' ? item.mode : disk.lstat(posix.join(home, path)).mode & 0o777
      files.set(path, { content, mode })
    } catch {
      unknown.add(path)
    }
  }
  for (const top of new Set(synced.items.map((item) => item.dir.split('/', 1)[0] ?? ''))) visitDirectory(top)
  return { files, unknown }
}

const leadsToFileInside = (disk: Disk, home: string, dir: string, path: string): boolean => {
  try {
    const target = disk.realpath(posix.join(home, path))
    return target.startsWith(`${disk.realpath(posix.join(home, dir))}/`) && disk.stat(target).kind === 'file'
  } catch {
    return false
  }
}

/** Where the worker's tree is not the master's, as sentences; empty when it is. */
export const treeDifferences = (master: ExpectedTree, worker: ExpectedTree): string[] => {
  const isUnknown = (path: string): boolean => [...master.unknown].some((unknown) => path === unknown || path.startsWith(`${unknown}/`))
  const differences: string[] = []
  for (const [path, wanted] of master.files) {
    const present = worker.files.get(path)
    if (!present) differences.push(`${JSON.stringify(path)} is missing`)
    else if (!present.content.equals(wanted.content)) differences.push(`${JSON.stringify(path)} has other content`)
    else if (present.mode !== wanted.mode)
      differences.push(`${JSON.stringify(path)} has mode ${present.mode.toString(8)}, not ${wanted.mode.toString(8)}`)
  }
  for (const path of worker.files.keys())
    if (!master.files.has(path) && !isUnknown(path)) differences.push(`${JSON.stringify(path)} is on the worker only`)
  return differences
}
