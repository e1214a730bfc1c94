/** Digests of files, in constant memory: one buffer, whatever the size. */
import { createHash } from 'node:crypto'
import type { HashName } from '../../domain/files/hashNames.js'
import type { Digest } from '../../domain/files/treeValues.js'
import type { Disk, DiskStat } from '../../ports/files.js'

export const readBytes = 1024 * 1024
/** A file that changes while it is hashed is hashed again this often, then reported as last seen; the next scan sees the rest. */
const attemptsMax = 3

/** Stands for content that is not known, or that is not a file's: no file has this digest. */
export const unknownDigest: Digest = '0'.repeat(64)

export const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)

/** Whether nothing was written to the file between the two. */
export const isUntouched = (before: DiskStat, after: DiskStat): boolean =>
  before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs && before.inode === after.inode

/** As a text: the same for two stats when nothing was written to the file between them. */
export const stampOf = ({ ctimeNs, inode, mtimeNs, size }: DiskStat): string => `${size} ${mtimeNs} ${ctimeNs} ${inode}`

/** Calls `take` with each part of the open file, from its start on, at most `length` bytes in all. Returns how many there were. */
export const readThrough = (disk: Disk, file: number, buffer: Uint8Array, length: number, take: (part: Uint8Array) => void): number => {
  let position = 0
  while (position < length) {
    const wanted = Math.min(buffer.length, length - position)
    const count = disk.read(file, buffer, 0, wanted, position)
    if (count === 0) break
    take(buffer.subarray(0, count))
    position += count
  }
  return position
}

/** Of those that OpenSSL knows by other names: theirs. */
const opensslNames: { readonly [K in HashName]?: string } = {
  ...{ blake2b: 'blake2b512', blake2s: 'blake2s256' },
  ...{ sha3_224: 'sha3-224', sha3_256: 'sha3-256', sha3_384: 'sha3-384', sha3_512: 'sha3-512' },
}

/**
 * The digest and the stat of the content that has it.
 *
 * @param begin called when the content is read from its start; returns what is called with each part of it
 */
export const hashFile = (
  disk: Disk,
  path: string,
  buffer: Uint8Array,
  algorithm: HashName = 'sha256',
  begin?: () => (part: Uint8Array) => void,
): { readonly digest: Digest; readonly stat: DiskStat } => {
  const file = disk.open(path, 'r')
  try {
    let stat = disk.fstat(file)
    for (let attempt = 1; ; attempt++) {
      const hash = createHash(opensslNames[algorithm] ?? algorithm)
      const take = begin?.()
      readThrough(disk, file, buffer, stat.size, (part) => {
        hash.update(part)
        take?.(part)
      })
      const after = disk.fstat(file)
      if (isUntouched(stat, after) || attempt === attemptsMax) return { digest: hash.digest('hex'), stat }
      stat = after
    }
  } finally {
    disk.close(file)
  }
}
