/** Rows for wazuh-db in as many requests as they need: one that is too long ends a thread of it. */
import type { WazuhStates } from './wazuhAgent.js'

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

/** All rows, at most this many at a time, in the order in which wazuh-db takes them. */
export function* slicedStates(states: WazuhStates, rowsMax: number): Generator<WazuhStates> {
  for (let at = 0; at < states.syncreq.length; at += rowsMax) yield { ...none, syncreq: states.syncreq.slice(at, at + rowsMax) }
  for (let at = 0; at < states.syncreq_keepalive.length; at += rowsMax)
    yield { ...none, syncreq_keepalive: states.syncreq_keepalive.slice(at, at + rowsMax) }
  for (let at = 0; at < states.syncreq_status.length; at += rowsMax)
    yield { ...none, syncreq_status: states.syncreq_status.slice(at, at + rowsMax) }
}

const none: WazuhStates = { syncreq: [], syncreq_keepalive: [], syncreq_status: [] }
