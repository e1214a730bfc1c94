/** Inflates a zlib stream into a buffer, and never more than fits. */
import { inflateSync } from 'node:zlib'

/** It would not fit. */
export const tooMuch = -2
/** It is no zlib stream, or is cut off. */
export const notDeflated = -1

/** `source` from `from` on. Returns how many bytes were written, `notDeflated` or `tooMuch`. */
export const inflateInto = (target: Buffer, source: Uint8Array, from: number): number => {
  try {
    const inflated = inflateSync(source.subarray(from), { maxOutputLength: target.byteLength })
    target.set(inflated)
    return inflated.byteLength
  } catch (thrown) {
    return thrown instanceof RangeError ? tooMuch : notDeflated
  }
}
