/** What goes wrong with a file, by what Node throws: which errors mean that it is gone, and the sentence for the others. */

import { ClusterError, type ErrorCode } from '../../base/errors.js'
import type { FileFailure } from '../../domain/files/treeValues.js'

/** Node's code of a failed system call (`ENOENT`); undefined for anything else, which is a bug and must not be swallowed. */
export const errnoOf = (thrown: unknown): string | undefined =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && /^E[A-Z0-9]+$/.test(thrown.code)
    ? thrown.code
    : undefined

/** There is nothing at the path, or no directory that could hold it. */
export const isGone = (errno: string | undefined): boolean => errno === 'ENOENT' || errno === 'ENOTDIR'

/** Node's text without the absolute path behind it: `ENOSPC: no space left on device`. */
const reasonOf = (thrown: unknown, errno: string): string => {
  const text = thrown instanceof Error ? (thrown.message.split(', ')[0] ?? errno) : errno
  return text.startsWith(errno) ? text : `${errno}: ${text}`
}

const codeOf = (errno: string): ErrorCode => (errno === 'ENOSPC' || errno === 'EDQUOT' ? 'diskFull' : 'fileFailed')

/** As failureOf, for an operation that fails as a whole. */
export const diskError = (path: string, thrown: unknown, doing: string): ClusterError => {
  if (thrown instanceof ClusterError) return thrown
  const errno = errnoOf(thrown)
  if (errno === undefined) throw thrown
  return new ClusterError(codeOf(errno), { message: failureOf(path, thrown, doing).message, cause: thrown })
}

/**
 * The failure of one file. Rethrows what is no failed system call and no ClusterError.
 * @param doing what could not be done: `written`
 * @param what as text, where the path says nothing to a reader
 */
export const failureOf = (path: string, thrown: unknown, doing: string, what = `'${path}'`): FileFailure => {
  if (thrown instanceof ClusterError) return { path, code: thrown.code, message: thrown.message }
  const errno = errnoOf(thrown)
  if (errno === undefined) throw thrown
  return { path, code: codeOf(errno), message: `${what} could not be ${doing} (${reasonOf(thrown, errno)}).` }
}
