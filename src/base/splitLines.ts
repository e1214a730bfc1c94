/** Lines out of a stream of bytes, in memory of one line and one chunk. */
import { ClusterError } from './errors.js'

const newline = 10
const partsMax = 64

/**
 * The lines of UTF-8 `chunks`, without their newlines. What follows the last newline is not a line and is left out.
 * Fails with `tooLarge` when a line is longer than `lineBytesMax`.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, lineBytesMax: number): AsyncGenerator<string, void, undefined> {
  let parts: Uint8Array[] = []
  let partBytes = 0
  for await (const chunk of chunks) {
    const last = chunk.lastIndexOf(newline)
    const whole = last < 0 ? undefined : Buffer.concat([...parts, chunk.subarray(0, last)])
    if (whole) {
      parts = []
      partBytes = 0
      // A newline byte is never part of another character, so whole lines decode on their own.
      for (const line of whole.toString('utf8').split('\n')) {
        if (line.length > lineBytesMax) throw tooLong(lineBytesMax)
        yield line
      }
    }
    const rest = chunk.subarray(last + 1)
    if (rest.length > 0) parts.push(rest)
    partBytes += rest.length
    if (partBytes > lineBytesMax) throw tooLong(lineBytesMax)
    // Drips of a byte each must not become a long list of small arrays.
    if (parts.length > partsMax) parts = [Buffer.concat(parts)]
  }
}

const tooLong = (lineBytesMax: number): ClusterError =>
  new ClusterError('tooLarge', { message: `A line is longer than ${lineBytesMax} bytes` })
