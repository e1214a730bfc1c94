/**
 * A file that is not meant to be gone when it is missing, empty or damaged on the master: an editor saves it at that moment, a disk
 * ran full, or a crash left zeros in it. Its copies stay as they are until it says something again (decision 0008).
 */
import type { FileEntry } from './treeValues.js'

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
  if (found?.held || (found && found.size > 0 && !found.nonsense)) return found
  // What is no text was never meant, whatever there was before.
  if (found?.nonsense !== 'noise' && !isLasting()) return found
  const { digest = unknownDigest, mode = 0, size = 0 } = shown ?? {}
  return { path, size, mode, digest, held: true, ...(found && { nonsense: found.nonsense ?? 'noLine' }) }
}

/** Why a file is not sent to the workers, for operators. */
export const heldReason = ({ nonsense }: FileEntry): string => `${heldReasons[nonsense ?? 'unreadable']}, so the workers keep their copies.`

const heldReasons = {
  noise: 'The file is not a text file on the master',
  noLine: 'The file lists no agents on the master',
  unreadable: 'The file is missing or unreadable on the master',
} as const

/** Of no content at all. */
const unknownDigest = '0'.repeat(64)
