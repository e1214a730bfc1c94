/**
 * A file that nobody means to be gone when it is missing or empty on the master: an editor saves it at that moment, or a disk ran
 * full. Its copies stay as they are until it says something again (decision 0008).
 */
import type { FileEntry } from './tree.js'

export interface LastingFile {
  /** Relative to the home. */
  readonly path: string
  /** Whether it ever said something, as far as anybody knows. */
  readonly isLasting: () => boolean
}

/**
 * What the manifest has of the file.
 *
 * @param found what is on the disk; missing when there is no such file
 * @param shown what the manifest had before
 */
export const lastingEntry = ({ isLasting, path }: LastingFile, found?: FileEntry, shown?: FileEntry): FileEntry | undefined => {
  const saysSomething = found !== undefined && (found.held === true || found.size > 0)
  if (saysSomething || !isLasting()) return found
  return { path, size: shown?.size ?? 0, mode: shown?.mode ?? 0, digest: shown?.digest ?? unknownDigest, held: true }
}

/** Of no content at all. */
const unknownDigest = '0'.repeat(64)
