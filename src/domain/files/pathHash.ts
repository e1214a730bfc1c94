/** Where a path belongs in a manifest: in which bucket, and in which part of it. Both ends of a comparison must agree. */

/** Bytes of the digest of a bucket, or of a part, on the wire. */
export const digestBytes = 16
export const partCount = 256

/** FNV-1a over the UTF-16 code units. */
const hashOf = (path: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193)
  return hash
}

/** Folded to one byte. */
export const bucketOf = (path: string): number => {
  const hash = hashOf(path)
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & 0xff
}

/** The upper byte of the hash times the golden ratio: independent of the bucket, in which all paths have the same fold. */
export const partOf = (path: string): number => Math.imul(hashOf(path), 0x9e3779b1) >>> 24

/** Of all parts of a tree: the part's bucket, and its place in there. */
export const partIndexOf = (path: string): number => bucketOf(path) * partCount + partOf(path)
