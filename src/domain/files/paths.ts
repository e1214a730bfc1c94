/** Which paths a peer may name at all: relative, normalized, inside a synced item. Both sides check, always. */
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import { itemOf, type SyncedItem, type SyncedItems } from './syncedItems.js'

const refusePath = (path: string, why: string): Result<never> =>
  refuse('pathRefused', {
    message: `The path ${JSON.stringify(shortened(path, 200))} is refused: ${why}`,
    context: { path: path.slice(0, 200) },
  })

/** No half of a surrogate pair: such a name cannot be written as UTF-8. */
const isUtf8Text = (text: string): boolean => !/\p{Surrogate}/u.test(text)

const utf8Bytes = (text: string): number => Buffer.byteLength(text)

/** The item that the path belongs to, or why the path is refused. */
export const checkPath = (synced: SyncedItems, path: string): Result<SyncedItem> => {
  if (path.length === 0 || path.startsWith('/')) return refusePath(path, 'it is not relative')
  if (path.includes('\0')) return refusePath(path, 'it contains a NUL')
  if (!isUtf8Text(path)) return refusePath(path, 'it is not valid Unicode')
  if (utf8Bytes(path) > limits.pathBytesMax) return refusePath(path, `it is longer than ${limits.pathBytesMax} bytes`)
  const names = path.split('/')
  if (names.length > limits.pathDepthMax) return refusePath(path, `it is deeper than ${limits.pathDepthMax} directories`)
  for (const name of names) {
    if (name === '' || name === '.' || name === '..') return refusePath(path, 'it is not normalized')
    if (utf8Bytes(name) > limits.nameBytesMax) return refusePath(path, `a name in it is longer than ${limits.nameBytesMax} bytes`)
  }
  const item = itemOf(synced, path)
  return item ? ok(item) : refusePath(path, 'it is in none of the synced items')
}
