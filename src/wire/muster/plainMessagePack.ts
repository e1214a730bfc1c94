/**
 * Checks msgpack before it is decoded: only plain data (nil, booleans, numbers, texts, bytes, lists and maps with text keys),
 * nested within a bound and exactly as long as it says. A decoder then never meets extension types or bottomless nesting.
 */

const unknownShape = -1

interface Head {
  /** Where the value ends, or for a list or map where its first value starts. */
  next: number
  /** Values that follow as its parts. */
  inner: number
  isMap: boolean
}

const scalar = (head: Head, next: number): void => {
  head.next = next
  head.inner = 0
  head.isMap = false
}

const collection = (head: Head, next: number, inner: number, isMap: boolean): void => {
  head.next = next
  head.inner = isMap ? 2 * inner : inner
  head.isMap = isMap
}

const readHead = (bytes: Buffer, at: number, to: number, head: Head): void => {
  const byte = bytes[at] ?? 0xc1
  if (byte <= 0x7f || byte >= 0xe0) scalar(head, at + 1)
  else if (byte <= 0x8f) collection(head, at + 1, byte & 0x0f, true)
  else if (byte <= 0x9f) collection(head, at + 1, byte & 0x0f, false)
  else if (byte <= 0xbf) scalar(head, at + 1 + (byte & 0x1f))
  else readLongHead(byte, bytes, at, to, head)
}

const readLongHead = (byte: number, bytes: Buffer, at: number, to: number, head: Head): void => {
  const left = to - at - 1
  switch (byte) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      scalar(head, at + 1)
      return
    case 0xc4: // bin 8
    case 0xd9: // str 8
      scalar(head, left < 1 ? unknownShape : at + 2 + bytes.readUInt8(at + 1))
      return
    case 0xc5: // bin 16
    case 0xda: // str 16
      scalar(head, left < 2 ? unknownShape : at + 3 + bytes.readUInt16BE(at + 1))
      return
    case 0xc6: // bin 32
    case 0xdb: // str 32
      scalar(head, left < 4 ? unknownShape : at + 5 + bytes.readUInt32BE(at + 1))
      return
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      scalar(head, at + 5)
      return
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      scalar(head, at + 9)
      return
    case 0xcc: // uint 8
    case 0xd0: // int 8
      scalar(head, at + 2)
      return
    case 0xcd: // uint 16
    case 0xd1: // int 16
      scalar(head, at + 3)
      return
    case 0xdc: // array 16
    case 0xde: // map 16
      if (left < 2) scalar(head, unknownShape)
      else collection(head, at + 3, bytes.readUInt16BE(at + 1), byte === 0xde)
      return
    case 0xdd: // array 32
    case 0xdf: // map 32
      if (left < 4) scalar(head, unknownShape)
      else collection(head, at + 5, bytes.readUInt32BE(at + 1), byte === 0xdf)
      return
    default: // extension types and the one that is never used
      scalar(head, unknownShape)
      return
  }
}

const isText = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 0xa0 && byte <= 0xbf) || (byte >= 0xd9 && byte <= 0xdb))

// Kept between calls, which never overlap: this runs for every message.
const head: Head = { next: 0, inner: 0, isMap: false }
/** How many values each open list or map still lacks. */
const lacking: number[] = []
const inMap: boolean[] = []

/** Whether bytes `from` to `to` are exactly one plain value, with at most `depthMax` lists and maps inside one another. */
export const isPlain = (bytes: Buffer, from: number, to: number, depthMax: number): boolean => {
  let depth = 0
  lacking[0] = 1
  inMap[0] = false
  let at = from
  while (depth >= 0) {
    const left = lacking[depth] ?? 0
    if (left === 0) {
      depth--
      continue
    }
    // Of a map's values each second one is a key, beginning with the first.
    if (at >= to || (inMap[depth] && left % 2 === 0 && !isText(bytes[at]))) return false
    lacking[depth] = left - 1
    readHead(bytes, at, to, head)
    at = head.next
    if (at < 0 || at > to) return false
    if (head.inner === 0) continue
    // A value takes at least a byte: a count that cannot be true is not looped over.
    if (head.inner > to - at || depth >= depthMax) return false
    depth++
    lacking[depth] = head.inner
    inMap[depth] = head.isMap
  }
  return at === to
}
