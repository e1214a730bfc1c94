/** A small file of PEM or of one line, whole. */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'

const invalid = (message: string, cause?: unknown): ClusterError => new ClusterError('configInvalid', { message, cause })

const errnoOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '')

/** Undefined when it is not there. Nothing that waits for a writer, and no more than a text of this kind can have. */
export const readBoundedText = (path: string, encoding: 'latin1' | 'utf8'): string | undefined => {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const bytes = Buffer.alloc(limits.enrolmentFileBytesMax + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(file, bytes, length, bytes.length - length, null)
    if (length > limits.enrolmentFileBytesMax) throw invalid(`${path} is larger than ${limits.enrolmentFileBytesMax} bytes`)
    return bytes.toString(encoding, 0, length)
  } catch (thrown) {
    if (thrown instanceof ClusterError) throw thrown
    if (errnoOf(thrown) === 'ENOENT') return undefined
    throw invalid(`${path} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, thrown)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
