/**
 * Bytes of a peer as the inside of a JSON string, without a string in between: what is valid UTF-8 stays as it is, every part that
 * is not becomes U+FFFD (as a TextDecoder does it), quotes, backslashes and control characters are escaped.
 */
import type { GrowingBytes } from '../../base/growingBytes.js'

/** The most that one byte becomes: `\u0000`. */
export const escapedBytesMax = 6

const backslash = 0x5c

/** How a byte is written, by byte: as it is, as `\\u001b`, as a part of a sequence of several; else as a backslash and this letter. */
const copied = 0
const hex = 1
const many = 2
const kinds = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x20 ? hex : byte < 0x80 ? copied : many))
for (const letter of 'bfnrt"\\') kinds[JSON.parse(`"\\${letter}"`).charCodeAt(0)] = letter.charCodeAt(0)

/** Of control characters: `\u001b`. */
const longEscapes: readonly Uint8Array[] = Array.from({ length: 0x20 }, (_, byte) =>
  Buffer.from(`\\u${byte.toString(16).padStart(4, '0')}`),
)

export const appendText = (into: GrowingBytes, from: Uint8Array, start: number, end: number): void => {
  into.reserve((end - start) * escapedBytesMax)
  const out = into.bytes
  let at = into.length
  let index = start
  while (index < end) {
    const byte = from[index] as number
    const kind = kinds[byte] as number
    if (kind === copied) {
      out[at++] = byte
      index++
      continue
    }
    if (kind === hex) {
      out.set(longEscapes[byte] as Uint8Array, at)
      at += escapedBytesMax
      index++
      continue
    }
    if (kind !== many) {
      out[at++] = backslash
      out[at++] = kind
      index++
      continue
    }
    const next = afterSequence(from, index, end)
    if (next > 0) while (index < next) out[at++] = from[index++] as number
    else {
      out[at++] = 0xef
      out[at++] = 0xbf
      out[at++] = 0xbd
      index = -next
    }
  }
  into.length = at
}

/** Where the sequence ends that begins here; below zero (and the place to go on at) when it is no valid one. */
const afterSequence = (from: Uint8Array, index: number, end: number): number => {
  const lead = from[index] as number
  const following = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3
  if (following === 0) return -(index + 1)
  let at = index + 1
  // What may follow at once keeps out overlong forms, surrogates and what is above U+10FFFF.
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (at === end || (from[at] as number) < lowest || (from[at] as number) > highest) return -at
  for (at++; at <= index + following; at++) if (at === end || ((from[at] as number) & 0xc0) !== 0x80) return -at
  return at
}
