/** Whether content is compressed on its way: worth it only where the wire is slower than the compressor. */
import { limits } from '../../../base/limits.js'

export type Compression = 'auto' | 'never' | 'always'

/** Deflate level 1 packs 60 to 190 MB/s on one core, shared by all workers of a master: a wire much slower than that is the bottleneck. */
export const slowWireBytesPerSecond = 16_000_000

/** One block of content as it came in. */
export interface Arrival {
  /** Bytes of the files in it. */
  readonly contentBytes: number
  /** Bytes as they travelled. */
  readonly wireBytes: number
  /** How long the receiver had nothing else to do than to wait for it. */
  readonly waitedMs: number
}

/** What the last conclusive transfers were like, in bytes per second. */
export interface TransferSpeeds {
  /** Content, as it is in the files, when it came plain and when it came packed. */
  readonly plain: number | undefined
  readonly packed: number | undefined
  /** At which blocks followed one another, whatever they held. */
  readonly wire: number | undefined
}

export const unknownSpeeds: TransferSpeeds = { plain: undefined, packed: undefined, wire: undefined }

/**
 * The median block shows the wire. The mean does not: a master that reads or packs for others too, and a worker that waits for its
 * turn on a busy processor, make few long pauses, with blocks between them that come as fast as the wire lets them.
 */
const wireSpeed = (arrivals: readonly Arrival[]): number => {
  const speeds = arrivals.map(({ waitedMs, wireBytes }) => (wireBytes / waitedMs) * 1000).sort((a, b) => a - b)
  return speeds[Math.floor(speeds.length / 2)] ?? Number.POSITIVE_INFINITY
}

/** What is known after one more transfer, of these blocks. Less content than a window says nothing. */
export const withTransfer = (known: TransferSpeeds, wasPacked: boolean, arrivals: readonly Arrival[]): TransferSpeeds => {
  const bytes = arrivals.reduce((sum, { contentBytes }) => sum + contentBytes, 0)
  const waitedMs = arrivals.reduce((sum, arrival) => sum + arrival.waitedMs, 0)
  if (bytes < limits.streamWindowBytes || waitedMs <= 0) return known
  return { ...known, [wasPacked ? 'packed' : 'plain']: (bytes / waitedMs) * 1000, wire: wireSpeed(arrivals) }
}

/** Content that cannot be packed comes about as fast either way, and says nothing of the next. */
const clearlySlowerShare = 3 / 4

/** Where packed content came clearly slower, the master is too busy to pack as fast as even this wire is. */
export const choosesCompression = (compression: Compression, { packed, plain, wire }: TransferSpeeds): boolean => {
  if (compression !== 'auto') return compression === 'always'
  if (wire === undefined || wire >= slowWireBytesPerSecond) return false
  return packed === undefined || plain === undefined || packed >= plain * clearlySlowerShare
}
