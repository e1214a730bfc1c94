/** Rows for wazuh-db in as many requests as they need: one that is too long ends a thread of it. */

/** Rows in order, each slice at most this many rows and bytes. A row that is too long alone is a slice of its own. */
export function* requestSlices<T>(
  rows: readonly T[],
  bytesOf: (row: T) => number,
  { bytesMax, rowsMax }: { readonly bytesMax: number; readonly rowsMax: number },
): Generator<readonly T[]> {
  let slice: T[] = []
  let bytes = 0
  for (const row of rows) {
    const more = bytesOf(row)
    if (slice.length > 0 && (slice.length >= rowsMax || bytes + more > bytesMax)) {
      yield slice
      slice = []
      bytes = 0
    }
    slice.push(row)
    bytes += more
  }
  if (slice.length > 0) yield slice
}
