/**
 * What a frame contains: records `u8 kind, u32 length, body`. Request: `u32 id, u16 type, msgpack`. Reply and error reply:
 * `u32 id, msgpack`. Notice: `u16 type, msgpack`. Chunk: `u32 stream, bytes`.
 */
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'

export const recordKinds = { request: 1, reply: 2, errorReply: 3, notice: 4, chunk: 5 } as const

export const recordHeaderBytes = 5
export const chunkHeaderBytes = recordHeaderBytes + 4
/** Room before the msgpack of each kind. */
export const headroom = { request: recordHeaderBytes + 6, reply: recordHeaderBytes + 4, notice: recordHeaderBytes + 2 } as const

export interface RecordVisitor {
  /** Whether to go on. `from` and `to` are where the msgpack is within `frame`. */
  onRequest(id: number, type: number, frame: Buffer, from: number, to: number): boolean
  onReply(id: number, frame: Buffer, from: number, to: number): boolean
  onErrorReply(id: number, frame: Buffer, from: number, to: number): boolean
  onNotice(type: number, frame: Buffer, from: number, to: number): boolean
  onChunk(stream: number, frame: Buffer, from: number, to: number): boolean
}

const begin = (record: Buffer, kind: number): void => {
  record[0] = kind
  record.writeUInt32BE(record.byteLength - recordHeaderBytes, 1)
}

export const fillRequest = (record: Buffer, id: number, type: number): void => {
  begin(record, recordKinds.request)
  record.writeUInt32BE(id, recordHeaderBytes)
  record.writeUInt16BE(type, recordHeaderBytes + 4)
}

export const fillReply = (record: Buffer, kind: typeof recordKinds.reply | typeof recordKinds.errorReply, id: number): void => {
  begin(record, kind)
  record.writeUInt32BE(id, recordHeaderBytes)
}

export const fillNotice = (record: Buffer, type: number): void => {
  begin(record, recordKinds.notice)
  record.writeUInt16BE(type, recordHeaderBytes)
}

/** What stands before a chunk's bytes; the bytes themselves are not copied. */
export const chunkHeader = (stream: number, chunkBytes: number): Uint8Array => {
  const header = Buffer.allocUnsafe(chunkHeaderBytes)
  header[0] = recordKinds.chunk
  header.writeUInt32BE(4 + chunkBytes, 1)
  header.writeUInt32BE(stream, recordHeaderBytes)
  return header
}

const malformed = (what: string): Result<never> => refuse('malformed', { message: `A frame has a wrong shape: ${what}` })

/** How far the records of a frame have been visited. */
export interface RecordPosition {
  at: number
  records: number
}

const never = (): boolean => false

/**
 * Fails where the frame stops making sense; what stood before has been visited by then. `some`: `isOver` was true after a record,
 * and the rest is to be visited from `position` on.
 */
export const visitRecords = (
  frame: Buffer,
  visitor: RecordVisitor,
  position: RecordPosition = { at: 0, records: 0 },
  isOver: () => boolean = never,
): Result<'all' | 'some'> => {
  while (position.at < frame.byteLength) {
    if (++position.records > limits.recordsPerFrameMax) return malformed('too many records')
    const body = position.at + recordHeaderBytes
    if (body > frame.byteLength) return malformed('a record ends early')
    const end = body + frame.readUInt32BE(position.at + 1)
    if (end > frame.byteLength) return malformed('a record ends early')
    const goOn = visitRecord(frame[position.at], frame, body, end, visitor)
    if (goOn === undefined) return malformed('a record is unknown or too short')
    if (!goOn) return ok('all')
    position.at = end
    if (end < frame.byteLength && isOver()) return ok('some')
  }
  return ok('all')
}

const visitRecord = (kind: number | undefined, frame: Buffer, body: number, end: number, visitor: RecordVisitor): boolean | undefined => {
  // The numbers before the msgpack must be there; every kind but a notice has at least an id.
  if (end - body < (kind === recordKinds.request ? 6 : kind === recordKinds.notice ? 2 : 4)) return undefined
  switch (kind) {
    case recordKinds.request:
      return visitor.onRequest(frame.readUInt32BE(body), frame.readUInt16BE(body + 4), frame, body + 6, end)
    case recordKinds.reply:
      return visitor.onReply(frame.readUInt32BE(body), frame, body + 4, end)
    case recordKinds.errorReply:
      return visitor.onErrorReply(frame.readUInt32BE(body), frame, body + 4, end)
    case recordKinds.notice:
      return visitor.onNotice(frame.readUInt16BE(body), frame, body + 2, end)
    case recordKinds.chunk:
      return visitor.onChunk(frame.readUInt32BE(body), frame, body + 4, end)
    default:
      return undefined
  }
}
