/** Sets of agents' IDs as sorted columns: 100 000 of them are 400 KB, and change and hash in well under a millisecond. */
import { createHash } from 'node:crypto'

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** `ids` with some more and without some. Sorted, and an array of its own, when `ids` is sorted. An ID in both is taken out. */
export const changedIds = (ids: Uint32Array, added: Iterable<number>, removed: ReadonlySet<number>): Uint32Array => {
  const more = Uint32Array.from(added).sort()
  const changed = new Uint32Array(ids.length + more.length)
  let length = 0
  let last = 0
  const take = (id: number): void => {
    if (id === last || removed.has(id)) return
    changed[length++] = id
    last = id
  }
  let at = 0
  for (const id of ids) {
    for (let next = more[at]; next !== undefined && next <= id; next = more[++at]) take(next)
    take(id)
  }
  for (const id of more.subarray(at)) take(id)
  return changed.slice(0, length)
}

/** SHA-256 (hex) over the IDs, each as four bytes, the lowest first. */
export const idsDigest = (ids: Uint32Array): string => {
  const bytes = Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength)
  return createHash('sha256')
    .update(isLittleEndian ? bytes : Buffer.from(bytes).swap32())
    .digest('hex')
}
