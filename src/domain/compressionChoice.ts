/** Whether content is compressed on its way: worth it only where the wire is slower than the compressor. */

export type Compression = 'auto' | 'never' | 'always'

/** Deflate level 1 packs about 190 MB/s on one core: a wire that carries a third of that is the bottleneck. */
export const slowWireBytesPerSecond = 60_000_000

/** @param bytesPerSecond of the transfer before this one, if there was one that tells anything */
export const choosesCompression = (compression: Compression, bytesPerSecond: number | undefined): boolean =>
  compression === 'always' || (compression === 'auto' && bytesPerSecond !== undefined && bytesPerSecond < slowWireBytesPerSecond)
