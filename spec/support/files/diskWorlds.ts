/** Two disks for the same tests: the real one in a temporary directory, and the simulated one; and an operator's edits on each. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createNodeDisk } from '../../../src/platform/machine/nodeDisk.js'
import type { Disk } from '../../../src/ports/files.js'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import type { NodeHome } from '../../../src/testing/compliance/nodeHome.js'

/** In memory where there is such a place: the tests write many files, durably. */
export const temporaryDirectory = (): string => (existsSync('/dev/shm') ? '/dev/shm' : tmpdir())

const isDangling = (path: string): boolean => {
  try {
    return lstatSync(path).isSymbolicLink()
  } catch {
    return false
  }
}

/** One node's disk. Paths are relative to its home. */
export interface DiskWorld {
  readonly disk: Disk
  readonly home: string
  write(path: string, content: string | Uint8Array, mode?: number): void
  mkdir(path: string): void
  symlink(target: string, path: string): void
  /** A second name for a file. */
  hardLink(present: string, path: string): void
  fifo(path: string): void
  raw(directory: string, name: Uint8Array): void
  remove(path: string): void
  chmod(path: string, mode: number): void
  read(path: string): string
  modeOf(path: string): number
  exists(path: string): boolean
  /** Time passes, so that the next scan treats no file as freshly written. */
  age(): void
  dispose(): void
}

export const createNodeWorld = (): DiskWorld => {
  const home = mkdtempSync(join(temporaryDirectory(), 'muster-tree-'))
  const at = (path: string): string => join(home, path)
  const above = (path: string): void => {
    mkdirSync(dirname(at(path)), { recursive: true })
  }
  let offsetMs = 0
  const disk = createNodeDisk()
  const replace = (path: string): void => {
    const present = lstatSync(at(path), { throwIfNoEntry: false })
    if (present && !present.isFile()) rmSync(at(path), { recursive: true })
  }
  return {
    disk: { ...disk, now: () => disk.now() + offsetMs },
    home,
    write: (path, content, mode = 0o660) => {
      above(path)
      replace(path)
      writeFileSync(at(path), content)
      chmodSync(at(path), mode)
    },
    mkdir: (path) => {
      mkdirSync(at(path), { recursive: true })
    },
    symlink: (target, path) => {
      above(path)
      symlinkSync(target, at(path))
    },
    hardLink: (present, path) => {
      above(path)
      linkSync(at(present), at(path))
    },
    fifo: (path) => {
      above(path)
      execFileSync('sh', ['-c', 'mkfifo "$0"', at(path)])
    },
    raw: (directory, name) => {
      above(`${directory}/x`)
      writeFileSync(Buffer.concat([Buffer.from(`${at(directory)}/`), name]), 'raw')
    },
    remove: (path) => {
      if (existsSync(dirname(at(path))) && lstatSync(dirname(at(path))).isDirectory()) rmSync(at(path), { recursive: true, force: true })
    },
    chmod: (path, mode) => chmodSync(at(path), mode),
    read: (path) => readFileSync(at(path), 'utf8'),
    modeOf: (path) => lstatSync(at(path)).mode & 0o7777,
    exists: (path) => existsSync(at(path)) || isDangling(at(path)),
    age: () => {
      offsetMs += 10_000
    },
    dispose: () => rmSync(home, { recursive: true, force: true }),
  }
}

export interface MemoryWorld extends DiskWorld {
  readonly disk: MemoryDisk
  readonly clock: { nowMs: number }
}

export const createMemoryWorld = (options: { readonly capacityBytes?: number; readonly mounts?: readonly string[] } = {}): MemoryWorld => {
  const clock = { nowMs: 1_700_000_000_000 }
  const disk = new MemoryDisk({ now: () => clock.nowMs, ...options })
  const home = '/home'
  const at = (path: string): string => `${home}/${path}`
  disk.makeDirectories(home)
  const kindAt = (path: string): string | undefined => {
    try {
      return disk.lstat(at(path)).kind
    } catch {
      return undefined
    }
  }
  const above = (path: string): void => disk.makeDirectories(dirname(at(path)))
  return {
    disk,
    home,
    clock,
    write: (path, content, mode = 0o660) => {
      above(path)
      const kind = kindAt(path)
      if (kind !== undefined && kind !== 'file') disk.remove(at(path))
      disk.edit(at(path), Buffer.from(content), mode)
    },
    mkdir: (path) => disk.makeDirectories(at(path)),
    symlink: (target, path) => {
      above(path)
      disk.makeSymlink(target, at(path))
    },
    hardLink: (present, path) => {
      above(path)
      disk.makeHardLink(at(present), at(path))
    },
    fifo: (path) => {
      above(path)
      disk.makeOther(at(path))
    },
    raw: (directory, name) => {
      disk.makeDirectories(at(directory))
      disk.makeRaw(at(directory), name)
    },
    remove: (path) => {
      if (kindAt(path) !== undefined) disk.remove(at(path))
    },
    chmod: (path, mode) => disk.setMode(at(path), mode),
    read: (path) => disk.contentOf(at(path)).toString('utf8'),
    modeOf: (path) => disk.lstat(at(path)).mode,
    exists: (path) => kindAt(path) !== undefined,
    age: () => {
      clock.nowMs += 10_000
    },
    dispose: () => undefined,
  }
}

/** All regular files below a directory of a world, by path relative to the home, with mode and content. */
export const filesBelow = (world: DiskWorld, directory: string): Map<string, string> => {
  const files = new Map<string, string>()
  const visit = (path: string): void => {
    for (const entry of world.disk.readdir(`${world.home}/${path}`)) {
      const below = `${path}/${Buffer.from(entry.name).toString('utf8')}`
      if (entry.kind === 'directory') visit(below)
      else if (entry.kind === 'file') files.set(below, `${world.modeOf(below).toString(8)} ${world.read(below)}`)
      else files.set(below, entry.kind)
    }
  }
  if (world.exists(directory)) visit(directory)
  return files
}

/** The world as the suites of muster/testing take it. */
export const nodeHomeIn = (world: DiskWorld): NodeHome => ({ ...world, filesBelow: (directory) => filesBelow(world, directory) })
