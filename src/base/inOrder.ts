/** Many sorted lists as one: what a reader takes is all that is compared, so that the first of a million costs no more than their number. */

/** One list, and how far it has been read. */
interface Cursor {
  readonly list: readonly string[]
  at: number
}

const headOf = ({ at, list }: Cursor): string => list[at] ?? ''

/** The strings of lists that are sorted by code units, in that order, each once. */
export function* inOrder(lists: Iterable<readonly string[]>): Generator<string, void, undefined> {
  const heap = [...lists].filter(({ length }) => length > 0).map((list): Cursor => ({ list, at: 0 }))
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, at)
  let last: string | undefined
  for (let [first] = heap; first; [first] = heap) {
    const next = headOf(first)
    if (next !== last) yield next
    last = next
    first.at += 1
    if (first.at >= first.list.length) {
      const end = heap.pop()
      if (end && end !== first) heap[0] = end
    }
    sink(heap, 0)
  }
}

/** Moves a cursor down to its place in a binary heap whose first has the smallest head. */
const sink = (heap: Cursor[], from: number): void => {
  const moved = heap[from]
  if (!moved) return
  let at = from
  for (;;) {
    const left = heap[2 * at + 1]
    const right = heap[2 * at + 2]
    const isRight = left !== undefined && right !== undefined && headOf(right) < headOf(left)
    const smaller = isRight ? right : left
    if (!smaller || headOf(moved) <= headOf(smaller)) break
    heap[at] = smaller
    at = 2 * at + (isRight ? 2 : 1)
  }
  heap[at] = moved
}
