/**
 * Entries as they travel: columns instead of objects, because one text and three blobs are far cheaper to pack, check and
 * unpack than thousands of small maps. Decoding trusts nothing.
 */
import { bufferOver } from '../../base/bytes.js'
import { ok, type Result, refuse } from '../../base/errors.js'
import { checkPath } from './paths.js'
import type { SyncedItems } from './syncedItems.js'
import type { FileEntry } from './treeValues.js'

export interface EntryColumns {
  /** Joined by NUL, which no path contains. */
  readonly paths: string
  /** 32 bytes each. */
  readonly digests: Uint8Array
  /** Unsigned 64-bit, big-endian. */
  readonly sizes: Uint8Array
  /** Unsigned 16-bit, big-endian. */
  readonly modes: Uint8Array
}

export const encodeEntries = (entries: readonly FileEntry[]): EntryColumns => {
  const digests = Buffer.allocUnsafe(entries.length * 32)
  const sizes = Buffer.allocUnsafe(entries.length * 8)
  const modes = Buffer.allocUnsafe(entries.length * 2)
  entries.forEach((entry, index) => {
    digests.write(entry.digest, index * 32, 32, 'hex')
    sizes.writeBigUInt64BE(BigInt(entry.size), index * 8)
    modes.writeUInt16BE(entry.mode, index * 2)
  })
  return { paths: entries.map((entry) => entry.path).join('\0'), digests, sizes, modes }
}

export const splitPaths = (joined: string): string[] => (joined === '' ? [] : joined.split('\0'))
export const joinPaths = (paths: readonly string[]): string => paths.join('\0')

/** Unpacks 32-byte digests to hexadecimal. */
export const splitDigests = (joined: Uint8Array): string[] => {
  const hex = bufferOver(joined).toString('hex')
  return Array.from({ length: joined.byteLength / 32 }, (_, index) => hex.slice(index * 64, index * 64 + 64))
}

export const joinDigests = (digests: readonly string[]): Uint8Array => Buffer.from(digests.join(''), 'hex')

/** Refuses columns of different lengths, paths outside the synced items, duplicates and impossible sizes. */
export const decodeEntries = (columns: EntryColumns, synced: SyncedItems): Result<FileEntry[]> => {
  const paths = splitPaths(columns.paths)
  const { sizes, modes } = columns
  if (columns.digests.byteLength !== paths.length * 32 || sizes.byteLength !== paths.length * 8 || modes.byteLength !== paths.length * 2)
    return refuse('malformed', { message: 'Columns of entries have different lengths' })
  const digests = splitDigests(columns.digests)
  const sizeView = bufferOver(sizes)
  const modeView = bufferOver(modes)
  const entries: FileEntry[] = []
  const seen = new Set<string>()
  for (const [index, path] of paths.entries()) {
    const checked = checkPath(synced, path)
    if (!checked.ok) return checked
    if (seen.has(path)) return refuse('malformed', { message: 'A path appears twice in a list of entries' })
    seen.add(path)
    const size = Number(sizeView.readBigUInt64BE(index * 8))
    if (!Number.isSafeInteger(size)) return refuse('malformed', { message: 'A file size is impossible' })
    entries.push({ path, size, mode: modeView.readUInt16BE(index * 2), digest: digests[index] ?? '' })
  }
  return ok(entries)
}

/** Bytes that an entry takes on the wire, for filling pages. */
export const entryWireBytes = (entry: FileEntry): number => Buffer.byteLength(entry.path) + 1 + 32 + 8 + 2
