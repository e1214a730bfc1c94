/** Files of certificates and keys: read within a bound, written so that nobody else can read them and a crash leaves whole ones. */
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'

export interface NamedFile {
  readonly name: string
  readonly content: string
}

export interface PemFile {
  readonly text: string
  readonly mode: number
}

const mode = 0o600

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'it is there already',
  ENOENT: 'it does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of its path is not a directory',
  ENOTEMPTY: 'it is there already, and not empty',
  EROFS: 'the file system takes no changes',
}

const errnoOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '')

const failed = (path: string, what: 'read' | 'written', thrown: unknown): ClusterError => {
  if (thrown instanceof ClusterError) return thrown
  const reason = reasons[errnoOf(thrown)] ?? (thrown instanceof Error ? thrown.message : String(thrown))
  return new ClusterError('fileFailed', { message: `${path} cannot be ${what}: ${reason}`, cause: thrown })
}

/** Undefined when it is not there. Fails with `fileFailed`. Nothing that waits for a writer is opened. */
export const readPemFile = (path: string): PemFile | undefined => {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = fstatSync(file)
    if (!stats.isFile()) throw new ClusterError('fileFailed', { message: `${path} is not a file` })
    if (stats.size > limits.certificateFileBytesMax)
      throw new ClusterError('fileFailed', { message: `${path} is larger than ${limits.certificateFileBytesMax} bytes` })
    const bytes = Buffer.alloc(stats.size)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null)
    return { text: bytes.toString('utf8', 0, length), mode: stats.mode & 0o777 }
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return undefined
    throw failed(path, 'read', thrown)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** In the order of their names; undefined when there is no such directory. Fails with `fileFailed`. */
export const fileNamesIn = (directory: string): readonly string[] | undefined => {
  try {
    const names = readdirSync(directory).sort()
    if (names.length > limits.certificateDirectoryMax)
      throw new ClusterError('fileFailed', { message: `${directory} has more than ${limits.certificateDirectoryMax} files` })
    return names
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return undefined
    throw failed(directory, 'read', thrown)
  }
}

/** Before work is done whose outcome is to be written there. Fails with `fileFailed`. */
export const assertWritable = (directory: string): void => {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
  } catch (thrown) {
    throw failed(directory, 'written', thrown)
  }
}

/** The bits that a file may keep of the one that it replaces: Wazuh's tool let everybody read keys. */
const keptMode = (name: string): number => (name.endsWith('-key.pem') || name.endsWith('.key') ? 0o640 : 0o644)

type Access = Pick<Stats, 'gid' | 'mode' | 'uid'>

const writeWhole = (path: string, content: string, access?: Access): void => {
  rmSync(path, { force: true })
  const file = openSync(path, 'wx', mode)
  try {
    writeSync(file, content)
    if (access) {
      fchmodSync(file, access.mode)
      if (process.getuid?.() === 0) fchownSync(file, access.uid, access.gid)
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const syncDirectory = (path: string): void => {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Hidden, and always the same, so that what a crash left is replaced. */
const unfinished = (directory: string, name: string): string => join(directory, `.${name}.new`)

/** A signal that would end the process waits until the work is done. */
const withoutSignals = <T>(work: () => T): T => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const hold = (): void => undefined
  for (const signal of signals) process.on(signal, hold)
  try {
    return work()
  } finally {
    for (const signal of signals) process.off(signal, hold)
  }
}

/** All of the files or nothing: the directory appears, or takes an empty one's place, by one rename. Fails with `fileFailed`. */
export const writeNewDirectory = (path: string, files: readonly NamedFile[]): void =>
  withoutSignals(() => {
    let staged: string | undefined
    try {
      staged = mkdtempSync(join(dirname(path), `.${basename(path)}.`))
      for (const { content, name } of files) writeWhole(join(staged, name), content)
      syncDirectory(staged)
      renameSync(staged, path)
      syncDirectory(dirname(path))
    } catch (thrown) {
      if (staged !== undefined) rmSync(staged, { recursive: true, force: true })
      throw failed(path, 'written', thrown)
    }
  })

/** All of the files or none, each with a name that nothing has yet. Fails with `fileFailed`. */
export const addToDirectory = (directory: string, files: readonly NamedFile[]): void =>
  withoutSignals(() => {
    const added: string[] = []
    let path = directory
    try {
      for (const { content, name } of files) {
        path = join(directory, name)
        writeWhole(unfinished(directory, name), content)
      }
      for (const { name } of files) {
        path = join(directory, name)
        // Unlike a rename, a link takes nothing's place.
        linkSync(unfinished(directory, name), path)
        added.push(path)
      }
      syncDirectory(directory)
    } catch (thrown) {
      for (const other of added) rmSync(other, { force: true })
      throw failed(path, 'written', thrown)
    } finally {
      for (const { name } of files) rmSync(unfinished(directory, name), { force: true })
    }
  })

/** Each takes the place of a file, which is kept as `.old`. Fails with `fileFailed`. */
export const replaceInDirectory = (directory: string, files: readonly NamedFile[]): void =>
  withoutSignals(() => {
    let path = directory
    try {
      for (const { content, name } of files) {
        path = join(directory, name)
        const { gid, mode: oldMode, uid } = statSync(path)
        writeWhole(unfinished(directory, name), content, { gid, mode: oldMode & keptMode(name), uid })
      }
      for (const { name } of files) {
        path = join(directory, name)
        rmSync(`${path}.old`, { force: true })
        linkSync(path, `${path}.old`)
        renameSync(unfinished(directory, name), path)
      }
      syncDirectory(directory)
    } catch (thrown) {
      throw failed(path, 'written', thrown)
    } finally {
      for (const { name } of files) rmSync(unfinished(directory, name), { force: true })
    }
  })

/** Only what nothing has the name of yet. Fails with `fileFailed`. */
export const writeNewFile = (path: string, content: Uint8Array): void => {
  let file: number | undefined
  try {
    file = openSync(path, 'wx', mode)
    for (let at = 0; at < content.byteLength; ) at += writeSync(file, content, at)
    fsyncSync(file)
  } catch (thrown) {
    if (file !== undefined) rmSync(path, { force: true })
    throw failed(path, 'written', thrown)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
