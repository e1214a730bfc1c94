/** Which lines of a text differ between two versions of it, found at the speed of a comparison of bytes. */

/** Lines that replace others: whole lines, and there may be none of either. */
export interface ChangedLines {
  readonly before: Buffer
  readonly after: Buffer
}

const newline = 10
const stepBytesMax = 64 * 1024
/** Up to this many differing lines are kept apart, each at its place; more are one run. */
const runsMax = 1_024

/** Runs of lines, in order. What is not in them is the same in both versions. */
export const changedLines = (before: Buffer, after: Buffer): readonly ChangedLines[] => {
  if (before.equals(after)) return []
  const shorter = Math.min(before.length, after.length)
  const start = lineStart(before, commonStart(before, after, shorter))
  const sameEnd = commonEnd(before, after, shorter - start)
  // From the first newline of what is the same at the end, which is just as far from the end in both.
  const next = before.indexOf(newline, before.length - sameEnd)
  const rest = next < 0 ? 0 : before.length - next - 1
  const run = { before: before.subarray(start, before.length - rest), after: after.subarray(start, after.length - rest) }
  return lineByLine(run) ?? [run]
}

/** Taken line for line from the start; undefined when the lines of one version are not at the places that they have in the other. */
const lineByLine = ({ after, before }: ChangedLines): readonly ChangedLines[] | undefined => {
  const runs: ChangedLines[] = []
  let left = before
  let right = after
  while (left.length + right.length > 0) {
    if (runs.length === runsMax) return undefined
    const [leftEnd, rightEnd] = [lineEnd(left), lineEnd(right)]
    runs.push({ before: left.subarray(0, leftEnd), after: right.subarray(0, rightEnd) })
    left = left.subarray(leftEnd)
    right = right.subarray(rightEnd)
    const same = commonStart(left, right, Math.min(left.length, right.length))
    const start = same === left.length && same === right.length ? same : lineStart(left, same)
    left = left.subarray(start)
    right = right.subarray(start)
  }
  return runs
}

const lineStart = (text: Buffer, at: number): number => (at === 0 ? 0 : text.lastIndexOf(newline, at - 1) + 1)

const lineEnd = (text: Buffer): number => {
  const next = text.indexOf(newline)
  return next < 0 ? text.length : next + 1
}

const commonStart = (a: Buffer, b: Buffer, lengthMax: number): number =>
  // A version may be kept in the memory of the one before, with lines added.
  a.buffer === b.buffer && a.byteOffset === b.byteOffset
    ? lengthMax
    : commonLength(lengthMax, (from, to) => a.compare(b, from, to, from, to) === 0)

const commonEnd = (a: Buffer, b: Buffer, lengthMax: number): number =>
  commonLength(lengthMax, (from, to) => a.compare(b, b.length - to, b.length - from, a.length - to, a.length - from) === 0)

const commonLength = (lengthMax: number, isSame: (from: number, to: number) => boolean): number => {
  let length = 0
  let stepBytes = stepBytesMax
  while (stepBytes > 0 && length < lengthMax) {
    const end = Math.min(length + stepBytes, lengthMax)
    if (isSame(length, end)) length = end
    else stepBytes = Math.floor(Math.min(stepBytes, end - length) / 2)
  }
  return length
}
