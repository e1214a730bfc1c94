/** Reads a configuration file whole, or says why it cannot. */
import { closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { limits } from '../base/limits.js'
import type { Findings } from './option.js'

export type SmallFile =
  | { readonly ok: true; readonly text: string; readonly mode: number }
  | { readonly ok: false; readonly why: string; readonly absent: boolean; readonly isEmpty?: true }

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  ENOTDIR: 'a part of its path is not a directory',
}

/**
 * No more than the file had when its size was read, and nothing that waits for a writer: files that the system makes up as they are
 * read (/proc/kmsg) call themselves empty, and can block for ever.
 */
const readUpTo = (path: string, size: number): string => {
  const bytes = Buffer.alloc(size)
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    let length = 0
    for (let read = -1; read !== 0 && length < size; length += read) read = readSync(file, bytes, length, size - length, length)
    return bytes.toString('utf8', 0, length).replace(/^\uFEFF/, '')
  } finally {
    closeSync(file)
  }
}

export const loadSmallFile = (path: string): SmallFile => {
  try {
    const { mode, size } = statSync(path)
    if ((mode & 0o170000) !== 0o100000) return { ok: false, why: 'it is not a file', absent: false }
    if (size > limits.configFileBytesMax) return { ok: false, why: `it is larger than ${limits.configFileBytesMax} bytes`, absent: false }
    if (size === 0) return { ok: false, why: 'it is empty, or the system makes it up as it is read', absent: false, isEmpty: true }
    return { ok: true, text: readUpTo(path, size), mode }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return { ok: false, why: causes[code] ?? (error instanceof Error ? error.message : String(error)), absent: code === 'ENOENT' }
  }
}

/** For a file that holds a key. */
export const warnWhenExposed = (path: string, mode: number, findings: Findings, what = 'the cluster key'): void => {
  if ((mode & 0o004) !== 0)
    findings.warnings.push(
      `${path}: every user of this machine can read it (mode ${(mode & 0o777).toString(8)}); ${what} should be secret: chmod o-rwx`,
    )
}
