/** The real disk: Node's synchronous file calls, for use inside a thread. */
import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  existsSync,
  fchmodSync,
  fchownSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { ClusterError } from '../../base/errors.js'
import type { Disk, DiskStat } from '../../ports/files.js'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } =
  constants

/** Never through a symlink at the end of the path, and without waiting for the other end of a FIFO that took a file's place. */
const always = O_NOFOLLOW | O_NONBLOCK
const flagBits = {
  r: O_RDONLY | always,
  'r+': O_RDWR | always,
  w: O_WRONLY | O_CREAT | O_TRUNC | always,
  wx: O_WRONLY | O_CREAT | O_EXCL | always,
} as const

const kindOfMode = (mode: number): DiskStat['kind'] => {
  const type = mode & S_IFMT
  if (type === S_IFREG) return 'file'
  if (type === S_IFDIR) return 'directory'
  return type === S_IFLNK ? 'symlink' : 'other'
}

const diskStat = (stats: BigIntStats): DiskStat => {
  const mode = Number(stats.mode)
  return {
    kind: kindOfMode(mode),
    size: Number(stats.size),
    mode: mode & 0o7777,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    inode: stats.ino,
    links: Number(stats.nlink),
  }
}

const kindOfEntry = (entry: Dirent<Buffer>): DiskStat['kind'] => {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'directory'
  return entry.isSymbolicLink() ? 'symlink' : 'other'
}

const isGiven = (file: number, uid: number, gid: number): boolean => {
  try {
    fchownSync(file, uid, gid)
    return true
  } catch (thrown) {
    // EINVAL: a container that does not know the owner.
    if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'EPERM' || thrown.code === 'EINVAL')) return false
    throw thrown
  }
}

const openHere = '/proc/self/fd'

/** Threads that go by the link `/proc/self` wait for each other at each step: a third of what three of them do. */
const byProcessNumber = (): string => {
  try {
    return `/proc/${readlinkSync('/proc/self')}/fd`
  } catch {
    return openHere
  }
}

/** Linux: what is open in this process, by number; a path through it leads to the open directory itself. */
const handles = byProcessNumber()

const openDirectory = (path: string): number => openSync(path, O_RDONLY | O_DIRECTORY | always)

/**
 * @param at where open directories have a path
 * @throws ClusterError on a system where they have none: nothing is safe from links there
 */
export const assertHandles = (at = openHere): void => {
  if (!existsSync(at))
    throw new ClusterError('fileFailed', { message: `${at} does not exist, and no file can be written safely without it: mount /proc` })
}

const bigint = { bigint: true } as const
const rawEntries = { encoding: 'buffer', withFileTypes: true } as const

export interface FileOwner {
  readonly uid: number
  readonly gid: number
}

/** @param owner of what it creates; the user of this process when left out. What is there already keeps its own */
export const createNodeDisk = (owner?: FileOwner): Disk => ({
  now: () => Date.now(),
  lstat: (path) => diskStat(lstatSync(path, bigint)),
  stat: (path) => diskStat(statSync(path, bigint)),
  realpath: (path) => realpathSync.native(path),
  readdir: (path) => readdirSync(path, rawEntries).map((entry) => ({ name: entry.name, kind: kindOfEntry(entry) })),
  open: (path, flags, mode = 0o600) => {
    const file = openSync(path, flagBits[flags], mode)
    // Nothing else is sure to be new.
    if (flags === 'wx' && owner) isGiven(file, owner.uid, owner.gid)
    return file
  },
  fstat: (file) => diskStat(fstatSync(file, bigint)),
  read: (file, into, offset, length, position) => readSync(file, into, offset, length, position),
  write: (file, from, offset, length, position) => writeSync(file, from, offset, length, position),
  truncate: (file, size) => ftruncateSync(file, size),
  // A directory has no data to speak of: only fsync makes its entries durable.
  sync: (file) => (kindOfMode(fstatSync(file).mode) === 'directory' ? fsyncSync(file) : fdatasyncSync(file)),
  close: (file) => closeSync(file),
  openDirectory,
  heldPath: (directory) => `${handles}/${directory}`,
  chmod: (file, mode) => fchmodSync(file, mode),
  keepOwner: (file, of) => {
    const { gid, uid } = fstatSync(of)
    // Only root gives files away; others may still give them to a group that they are in.
    if (!isGiven(file, uid, gid)) isGiven(file, -1, gid)
  },
  mkdir: (path, mode) => {
    mkdirSync(path, { mode })
    // The umask took bits away that the tree's owner wants to have.
    const directory = openDirectory(path)
    try {
      fchmodSync(directory, mode)
      if (owner) isGiven(directory, owner.uid, owner.gid)
    } finally {
      closeSync(directory)
    }
  },
  rename: (from, to) => renameSync(from, to),
  unlink: (path) => unlinkSync(path),
  rmdir: (path) => rmdirSync(path),
})
