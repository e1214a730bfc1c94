/** A zlib stream that is not compressed: a hundredth of what zlib costs for a short message, and every inflater reads it. */

const blockBytesMax = 0xffff
const headerBytes = 2
const blockHeaderBytes = 5
const checksumBytes = 4
const adlerModulus = 65_521
/** This many bytes cannot overflow 32 bits. */
const adlerRunBytes = 5_552

/** `bytes`: at most 65 535. */
export const storedZlib = (bytes: Uint8Array): Buffer => {
  const size = Math.min(bytes.byteLength, blockBytesMax)
  const stream = Buffer.allocUnsafe(headerBytes + blockHeaderBytes + size + checksumBytes)
  stream.writeUInt16BE(0x7801, 0)
  stream[headerBytes] = 1
  stream.writeUInt16LE(size, headerBytes + 1)
  stream.writeUInt16LE(size ^ 0xffff, headerBytes + 3)
  stream.set(bytes.subarray(0, size), headerBytes + blockHeaderBytes)
  stream.writeUInt32BE(adler32(bytes, size), stream.byteLength - checksumBytes)
  return stream
}

const adler32 = (bytes: Uint8Array, size: number): number => {
  let low = 1
  let high = 0
  for (let at = 0; at < size; ) {
    for (const end = Math.min(at + adlerRunBytes, size); at < end; at++) {
      low += bytes[at] ?? 0
      high += low
    }
    low %= adlerModulus
    high %= adlerModulus
  }
  return high * 65_536 + low
}
