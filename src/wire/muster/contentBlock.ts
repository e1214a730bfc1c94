/**
 * A block of content as it travels: pieces of several files, or a part of one, in at most limits.streamChunkBytesMax bytes.
 * The bytes come first and the table of pieces last, so that a sender reads files straight into the block.
 *
 *     u8 flags | u16 pieces | u32 bytes stored | u32 bytes inflated | bytes | table
 *
 * Decoding trusts nothing: what a block inflates to is known, and bounded, before anything is inflated.
 */

import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { bufferOver } from '../../base/bytes.js'
import { type ErrorCode, isErrorCode, ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'

/** `more` of the file follows; `last` ends it; the others end it without its content. */
export type PieceStatus = 'more' | 'last' | 'gone' | 'changed' | 'failed'

export interface PieceFailure {
  readonly code: ErrorCode
  readonly message: string
}

export interface ContentPiece {
  /** Index into the files of the request. */
  readonly file: number
  /** Where in the file the bytes belong. */
  readonly offset: number
  readonly status: PieceStatus
  readonly bytes: Uint8Array
  /** Only with `failed`. */
  readonly failure?: PieceFailure
}

const statuses: readonly PieceStatus[] = ['more', 'last', 'gone', 'changed', 'failed']
const deflatedFlag = 1
const headBytes = 11
const rowBytes = 17
const codeBytesMax = 64
const messageBytesMax = 512
/** Below this a block is copied out of its buffer, rather than holding on to all of it. */
const keepBufferBytesMin = limits.streamChunkBytesMax / 4
/** Deflating must save an eighth, or the block travels as it is. */
const worthItShare = 7 / 8

/** The longest row of the table. */
const failedRowBytesMax = rowBytes + 3 + codeBytesMax + messageBytesMax

/** Fills one block, piece by piece, in order. */
export class ContentBlockWriter {
  readonly #buffer = Buffer.allocUnsafeSlow(limits.streamChunkBytesMax)
  #end = headBytes
  #table = 0
  readonly #rows: Buffer[] = []

  get pieces(): number {
    return this.#rows.length
  }

  /** Bytes of content that one more piece can have; below zero when no piece fits at all. */
  get room(): number {
    if (this.#rows.length >= limits.contentBlockFilesMax) return -1
    return this.#buffer.length - this.#end - this.#table - failedRowBytesMax
  }

  /** Where the bytes of the next piece go; at most `room` of them. */
  get free(): Uint8Array {
    return this.#buffer.subarray(this.#end, this.#end + Math.max(0, this.room))
  }

  /** Adds a piece whose `length` bytes are already at the start of `free`. */
  add(
    piece: { readonly file: number; readonly offset: number; readonly status: PieceStatus; readonly failure?: PieceFailure },
    length: number,
  ): void {
    const row = Buffer.allocUnsafe(failedRowBytesMax)
    row.writeUInt32BE(piece.file, 0)
    row.writeBigUInt64BE(BigInt(piece.offset), 4)
    row.writeUInt32BE(length, 12)
    row.writeUInt8(statuses.indexOf(piece.status), 16)
    let end = rowBytes
    if (piece.status === 'failed') {
      const { code, message } = piece.failure ?? { code: 'transferFailed', message: 'The file could not be sent' }
      const codeBytes = row.write(code, end + 1, codeBytesMax)
      row.writeUInt8(codeBytes, end)
      end += 1 + codeBytes
      const messageBytes = row.write(message, end + 2, messageBytesMax)
      row.writeUInt16BE(messageBytes, end)
      end += 2 + messageBytes
    }
    this.#rows.push(row.subarray(0, end))
    this.#end += length
    this.#table += end
  }

  /** The block, as a buffer of its own. The writer is used up. */
  finish(compress: boolean): Uint8Array {
    const inflated = this.#end - headBytes
    let stored = inflated
    let flags = 0
    if (compress && inflated > 0) {
      const deflated = deflateRawSync(this.#buffer.subarray(headBytes, this.#end), { level: 1 })
      if (deflated.length < inflated * worthItShare) {
        this.#buffer.set(deflated, headBytes)
        stored = deflated.length
        flags = deflatedFlag
      }
    }
    this.#buffer.writeUInt8(flags, 0)
    this.#buffer.writeUInt16BE(this.#rows.length, 1)
    this.#buffer.writeUInt32BE(stored, 3)
    this.#buffer.writeUInt32BE(inflated, 7)
    let end = headBytes + stored
    for (const row of this.#rows) {
      this.#buffer.set(row, end)
      end += row.length
    }
    const block = this.#buffer.subarray(0, end)
    return end < keepBufferBytesMin ? Uint8Array.from(block) : block
  }
}

const malformed = (why: string): Result<never> => refuse('malformed', { message: `A block of content is malformed: ${why}` })

const readHead = (block: Buffer): Result<{ deflated: boolean; count: number; stored: number; inflated: number }> => {
  if (block.length > limits.streamChunkBytesMax) return malformed('it is too long')
  if (block.length < headBytes) return malformed('it is too short')
  const flags = block.readUInt8(0)
  const count = block.readUInt16BE(1)
  const stored = block.readUInt32BE(3)
  const inflated = block.readUInt32BE(7)
  if (flags > deflatedFlag) return malformed('it has unknown flags')
  if (count > limits.contentBlockFilesMax) return malformed('it has too many pieces')
  if (inflated > limits.streamChunkBytesMax) return malformed('it inflates to too much')
  if (headBytes + stored > block.length || (flags === 0 && stored !== inflated)) return malformed('its lengths do not fit')
  return ok({ deflated: flags === deflatedFlag, count, stored, inflated })
}

interface Row {
  readonly file: number
  readonly offset: number
  readonly length: number
  readonly status: PieceStatus
  readonly failure?: PieceFailure
}

const readText = (block: Buffer, at: number, lengthBytes: 1 | 2, bytesMax: number): { text: string; end: number } | undefined => {
  if (at + lengthBytes > block.length) return undefined
  const length = lengthBytes === 1 ? block.readUInt8(at) : block.readUInt16BE(at)
  const end = at + lengthBytes + length
  if (length > bytesMax || end > block.length) return undefined
  return { text: block.toString('utf8', at + lengthBytes, end), end }
}

const readRow = (block: Buffer, at: number): { row: Row; end: number } | undefined => {
  if (at + rowBytes > block.length) return undefined
  const status = statuses[block.readUInt8(at + 16)]
  const offset = Number(block.readBigUInt64BE(at + 4))
  if (status === undefined || !Number.isSafeInteger(offset)) return undefined
  const row = { file: block.readUInt32BE(at), offset, length: block.readUInt32BE(at + 12), status }
  if (status !== 'failed') return { row, end: at + rowBytes }
  const code = readText(block, at + rowBytes, 1, codeBytesMax)
  const message = code && readText(block, code.end, 2, messageBytesMax)
  if (!message) return undefined
  return {
    row: { ...row, failure: { code: isErrorCode(code.text) ? code.text : 'transferFailed', message: message.text } },
    end: message.end,
  }
}

const readRows = (block: Buffer, count: number, from: number, inflated: number): Result<Row[]> => {
  const rows: Row[] = []
  let at = from
  let bytes = 0
  for (let index = 0; index < count; index++) {
    const read = readRow(block, at)
    if (!read) return malformed('its table cannot be read')
    rows.push(read.row)
    bytes += read.row.length
    at = read.end
  }
  if (at !== block.length) return malformed('something stands behind its table')
  return bytes === inflated ? ok(rows) : malformed('its pieces are longer or shorter than its bytes')
}

const inflate = (bytes: Buffer, length: number): Result<Uint8Array> => {
  try {
    const inflated = inflateRawSync(bytes, { maxOutputLength: Math.max(1, length), chunkSize: Math.max(64, length) })
    return inflated.length === length ? ok(inflated) : malformed('it inflates to less than it says')
  } catch {
    return malformed('it cannot be inflated')
  }
}

/** Bytes of the files that a block has, once it is inflated; 0 for what is no block. */
export const contentBytesIn = (block: Uint8Array): number => {
  const head = readHead(bufferOver(block))
  return head.ok ? head.value.inflated : 0
}

/** Which files of the request a block has pieces of, without reading the content. */
export const filesInBlock = (block: Uint8Array): Result<number[]> => {
  const bytes = bufferOver(block)
  const head = readHead(bytes)
  if (!head.ok) return head
  const rows = readRows(bytes, head.value.count, headBytes + head.value.stored, head.value.inflated)
  return rows.ok ? ok(rows.value.map((row) => row.file)) : rows
}

/** The pieces of a block, in order; their bytes are views into it unless it was deflated. Refuses with `malformed`. */
export const decodeContentBlock = (block: Uint8Array): Result<ContentPiece[]> => {
  const bytes = bufferOver(block)
  const head = readHead(bytes)
  if (!head.ok) return head
  const { deflated, count, stored, inflated } = head.value
  const rows = readRows(bytes, count, headBytes + stored, inflated)
  if (!rows.ok) return rows
  const packed = bytes.subarray(headBytes, headBytes + stored)
  const content = deflated ? inflate(packed, inflated) : ok(packed)
  if (!content.ok) return content
  let at = 0
  return ok(
    rows.value.map(({ file, offset, length, status, failure }) => {
      const piece = { file, offset, status, bytes: content.value.subarray(at, at + length) }
      at += length
      return failure ? { ...piece, failure } : piece
    }),
  )
}
