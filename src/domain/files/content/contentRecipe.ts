/**
 * A recipe says of which chunks a content is made, so that a node that has most of them needs only the rest: delta transfer. It
 * is trusted in nothing but where to put bytes: the digest of the whole content decides whether they are right.
 */

import { createHash } from 'node:crypto'
import { bufferOver } from '../../../base/bytes.js'
import { ok, type Result, refuse } from '../../../base/errors.js'
import { limits } from '../../../base/limits.js'
import { averageBitsMax, averageBitsMin, chunkBytesMax } from './contentChunks.js'

export interface ContentRecipe {
  /** Of the chunker that cut the content. */
  readonly averageBits: number
  /** One row for each chunk, in order: the first 16 bytes of its SHA-256, and its length as an unsigned 32-bit number, big-endian. */
  readonly chunks: Uint8Array
}

/** Part of a content; `end` is the first byte that no longer belongs to it. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface ChunkPlace {
  readonly offset: number
  readonly length: number
}

export const chunkKeyBytes = 16
export const recipeRowBytes = chunkKeyBytes + 4
const rangeRowBytes = 8

/** What distinguishes chunks. */
export const chunkKey = (chunk: Uint8Array): string => createHash('sha256').update(chunk).digest().toString('latin1', 0, chunkKeyBytes)

/** @param key of the chunk */
export const recipeRow = (chunk: Uint8Array, key = chunkKey(chunk)): Uint8Array => {
  const row = Buffer.allocUnsafe(recipeRowBytes)
  row.write(key, 'latin1')
  row.writeUInt32BE(chunk.length, chunkKeyBytes)
  return row
}

/**
 * Where each chunk has its place, in order of the places, by its key; a chunk may have several.
 * @param bytes of the whole content: a recipe that does not fit this content is refused
 */
export const placesIn = ({ averageBits, chunks }: ContentRecipe, bytes: number): Result<Map<string, ChunkPlace[]>> => {
  if (!Number.isInteger(averageBits) || averageBits < averageBitsMin || averageBits > averageBitsMax)
    return malformed('its chunks are too small or too large')
  if (chunks.length % recipeRowBytes !== 0 || chunks.length > limits.recipeChunksMax * recipeRowBytes)
    return malformed('it has too many rows or an incomplete one')
  const rows = bufferOver(chunks)
  const places = new Map<string, ChunkPlace[]>()
  let offset = 0
  for (let at = 0; at < rows.length; at += recipeRowBytes) {
    const key = rows.toString('latin1', at, at + chunkKeyBytes)
    const length = rows.readUInt32BE(at + chunkKeyBytes)
    if (length === 0 || length > chunkBytesMax(averageBits)) return malformed('a chunk has an impossible length')
    const others = places.get(key)
    if (others && others[0]?.length !== length) return malformed('two lengths stand for one chunk')
    if (others) others.push({ offset, length })
    else places.set(key, [{ offset, length }])
    offset += length
  }
  return offset === bytes ? ok(places) : malformed('its chunks do not add up to the content')
}

/** The fewest ranges that cover the places. */
export const rangesOver = (places: Iterable<ChunkPlace>): ByteRange[] => {
  const ranges: { start: number; end: number }[] = []
  for (const { length, offset } of [...places].sort((one, other) => one.offset - other.offset)) {
    const last = ranges.at(-1)
    if (last?.end === offset) last.end += length
    else ranges.push({ start: offset, end: offset + length })
  }
  return ranges
}

export const bytesIn = (ranges: readonly ByteRange[]): number => ranges.reduce((sum, { end, start }) => sum + end - start, 0)

/** As they travel: start and length, each unsigned 32-bit, big-endian. */
export const encodeRanges = (ranges: readonly ByteRange[]): Uint8Array => {
  const rows = Buffer.allocUnsafe(ranges.length * rangeRowBytes)
  for (const [index, { end, start }] of ranges.entries()) {
    rows.writeUInt32BE(start, index * rangeRowBytes)
    rows.writeUInt32BE(end - start, index * rangeRowBytes + 4)
  }
  return rows
}

/** Refuses ranges that are empty, or that overlap: so nobody is asked for more than the content. */
export const decodeRanges = (bytes: Uint8Array): Result<ByteRange[]> => {
  if (bytes.length === 0 || bytes.length % rangeRowBytes !== 0 || bytes.length > limits.patchRangesMax * rangeRowBytes)
    return refuse('malformed', { message: 'The list of ranges is empty, too long or incomplete' })
  const rows = bufferOver(bytes)
  const ranges: ByteRange[] = []
  let done = 0
  for (let at = 0; at < rows.length; at += rangeRowBytes) {
    const start = rows.readUInt32BE(at)
    const end = start + rows.readUInt32BE(at + 4)
    if (start < done || end === start || end > limits.deltaBytesMax)
      return refuse('malformed', { message: 'The ranges of a file are empty, out of order or out of bounds' })
    ranges.push({ start, end })
    done = end
  }
  return ok(ranges)
}

const malformed = (why: string): Result<never> => refuse('malformed', { message: `A recipe of content is malformed: ${why}` })
