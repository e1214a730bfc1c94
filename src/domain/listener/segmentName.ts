/**
 * The names of event segments: `events-1795698922123-00000017.jsonl`, which sort in the order in which they were begun. A name is
 * never used again, even when all segments are deleted or the clock is set back while some are there.
 */

export interface SegmentName {
  /** When it was begun, in milliseconds since 1970; more than that of the one before. */
  readonly startMs: number
  /** One more than that of the one before: a gap shows that segments are gone. */
  readonly sequence: number
}

const pattern = /^events-(\d{13,15})-(\d{8,15})\.jsonl$/

export const segmentFileName = ({ sequence, startMs }: SegmentName): string =>
  `events-${String(startMs).padStart(13, '0')}-${String(sequence).padStart(8, '0')}.jsonl`

export const parseSegmentName = (fileName: string): SegmentName | undefined => {
  const [, startMs, sequence] = pattern.exec(fileName) ?? []
  return startMs === undefined || sequence === undefined ? undefined : { startMs: Number(startMs), sequence: Number(sequence) }
}

/** Below zero when `a` was begun before `b`. */
export const compareSegments = (a: SegmentName, b: SegmentName): number => a.startMs - b.startMs || a.sequence - b.sequence

export const nextSegment = (last: SegmentName | undefined, nowMs: number): SegmentName => ({
  startMs: Math.max(Math.floor(nowMs), last ? last.startMs + 1 : 0),
  sequence: last ? last.sequence + 1 : 1,
})

/** How many segments lie between two of which one follows the other; one at least when their numbers do not say it. */
export const segmentsBetween = (before: SegmentName, after: SegmentName): number =>
  after.sequence > before.sequence ? after.sequence - before.sequence - 1 : 1
