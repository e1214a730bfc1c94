/**
 * Whose file lies where the agents' table is expected. Decided by plain reading: SQLite makes files beside a database that it opens,
 * and nothing of another program may be changed in any way.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readSync, renameSync } from 'node:fs'
import { ClusterError } from '../../base/errors.js'
import { applicationId } from './agentTableSchema.js'

/** `noDatabase`: content that no database begins with. */
export type TableFile = 'missing' | 'empty' | 'ours' | 'foreign' | 'noDatabase'

/** What SQLite keeps beside a database: what it has not written into it yet, or would undo in it. */
export const sidecars = ['-wal', '-shm', '-journal'] as const

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
const magic = 'SQLite format 3\0'
const headerBytes = 100
const applicationIdAt = 68
const logHeaderBytes = 32
const frameHeaderBytes = 24

const isMissing = (thrown: unknown): boolean => thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'

/** Nothing when the file is not there. Does not follow a link, nor wait for the other end of a FIFO. */
const reading = <T>(path: string, read: (file: number) => T): T | undefined => {
  let file: number
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (thrown) {
    if (isMissing(thrown)) return undefined
    throw thrown
  }
  try {
    return read(file)
  } finally {
    closeSync(file)
  }
}

const bytesAt = (file: number, position: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, readSync(file, bytes, 0, length, position))
}

/** The application ID of the last first page that a write-ahead log holds: it counts, not the one in the database. */
const idInLog = (path: string): number | undefined =>
  reading(`${path}-wal`, (file) => {
    const header = bytesAt(file, 0, logHeaderBytes)
    if (header.length < logHeaderBytes) return undefined
    const pageBytes = header.readUInt32BE(8)
    const salts = header.subarray(16, 24)
    let id: number | undefined
    let committed: number | undefined
    for (let at = logHeaderBytes; pageBytes >= 512; at += frameHeaderBytes + pageBytes) {
      const frame = bytesAt(file, at, frameHeaderBytes)
      // Beyond what was written since the log was restarted lies what it held before.
      if (frame.length < frameHeaderBytes || !frame.subarray(8, 16).equals(salts)) break
      if (frame.readUInt32BE(0) === 1) {
        const page = bytesAt(file, at + frameHeaderBytes, headerBytes)
        if (page.length === headerBytes) id = page.readUInt32BE(applicationIdAt)
      }
      if (frame.readUInt32BE(4) !== 0) committed = id
    }
    return committed
  })

/** Fails as the file system does. */
export const inspectTableFile = (path: string): TableFile => {
  const found = reading(path, (file): TableFile | number => {
    if (fstatSync(file).isFIFO()) return 'foreign'
    const header = bytesAt(file, 0, headerBytes)
    if (header.length === 0) return 'empty'
    if (header.length < headerBytes || header.toString('latin1', 0, magic.length) !== magic) return 'noDatabase'
    return header.readUInt32BE(applicationIdAt)
  })
  if (typeof found !== 'number') return found ?? 'missing'
  return (idInLog(path) ?? found) === applicationId ? 'ours' : 'foreign'
}

/** @throws ClusterError `tableNotOurs` */
export const assertNotForeign = (path: string): TableFile => {
  const found = inspectTableFile(path)
  if (found === 'foreign') throw notOurs(path)
  return found
}

export const notOurs = (path: string): ClusterError =>
  new ClusterError('tableNotOurs', {
    message: `${path} belongs to another program and is left as it is: move it out of the way, for the agents' table has its place there`,
  })

export const hasSidecars = (path: string): boolean => sidecars.some((suffix) => existsSync(path + suffix))

/** Renames a table that cannot be relied on, with all that lies beside it; returns the new name. */
export const setAside = (path: string): string => {
  const aside = freeName(path)
  for (const suffix of [...sidecars, '']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  return aside
}

const freeName = (path: string): string => {
  const date = new Date()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-')
  const name = `${path}.corrupt-${date}`
  let free = name
  for (let next = 2; existsSync(free) || hasSidecars(free); next++) free = `${name}-${next}`
  return free
}
