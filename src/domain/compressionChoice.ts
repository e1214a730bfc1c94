/** Whether content is compressed on its way: worth it only where the wire is slower than the compressor. */

export type Compression = 'auto' | 'never' | 'always'

/**
 * Deflate level 1 packs about 190 MB/s on one core: a wire that carries a tenth of that is the bottleneck. Not a third: on a
 * busy machine, or beside other workers of the master, plain content comes no faster than that over the fastest wire.
 */
export const slowWireBytesPerSecond = 16_000_000

/** Bytes of content, as they are in the files, that came in a second: in the last transfer of each kind that tells anything. */
export interface TransferSpeeds {
  readonly plain: number | undefined
  readonly packed: number | undefined
}

/** Content that cannot be packed comes about as fast either way, and says nothing of the next. */
const clearlySlowerShare = 3 / 4

/** What is slow may be the master instead of the wire; then packing makes it slower still, and is left off again. */
export const choosesCompression = (compression: Compression, { packed, plain }: TransferSpeeds): boolean => {
  if (compression !== 'auto') return compression === 'always'
  return plain !== undefined && plain < slowWireBytesPerSecond && (packed === undefined || packed >= plain * clearlySlowerShare)
}
