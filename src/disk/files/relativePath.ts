/** Paths relative to the home: their parents and names, and the bytes of a directory entry as a name. */

import { isUtf8 } from 'node:buffer'
import { bufferOver } from '../../base/bytes.js'

/** `a/b` of `a/b/c`; empty for a path without a slash. */
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
export const isBelow = (path: string, directory: string): boolean => directory === '' || path.startsWith(`${directory}/`)

/** The name as text; undefined when its bytes are not UTF-8, so that no text names it. */
export const decodeName = (bytes: Uint8Array): string | undefined => {
  const name = bufferOver(bytes).toString('utf8')
  return name.includes('\ufffd') && !isUtf8(bytes) ? undefined : name
}

/** A name that is not UTF-8, with its odd bytes as `\xNN`, fit to be shown. */
export const shownName = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)).join(
    '',
  )

/** What a copy across file systems is called until it is whole. Ends in an excluded ending, and is recognizably ours. */
export const temporaryName = (digest: string): string => `.muster-${digest.slice(0, 32)}.tmp`
export const isTemporaryName = (name: string): boolean => /^\.muster-[0-9a-f]{32}\.tmp$/.test(name)
