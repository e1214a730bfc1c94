/** The smallest tar (ustar) that every tar reads: a few files with short names, for root. */
import { invariant } from '../../base/invariant.js'

export interface TarFile {
  readonly name: string
  readonly content: Uint8Array
  readonly mode: number
}

const blockBytes = 512
const nameBytesMax = 100
/** Two blocks of zeros end an archive. */
const endBytes = 2 * blockBytes

const octal = (value: number, bytes: number): string => `${value.toString(8).padStart(bytes - 1, '0')}\0`

const header = ({ content, mode, name }: TarFile, changedMs: number): Buffer => {
  const bytes = Buffer.alloc(blockBytes)
  const put = (at: number, text: string): number => bytes.write(text, at, 'latin1')
  invariant(/^[\x21-\x7e]+$/.test(name) && name.length < nameBytesMax, 'a name in a tar is short and plain')
  put(0, name)
  put(100, octal(mode, 8))
  put(108, octal(0, 8))
  put(116, octal(0, 8))
  put(124, octal(content.byteLength, 12))
  put(136, octal(Math.floor(changedMs / 1_000), 12))
  // The sum counts its own place as blanks.
  put(148, ' '.repeat(8))
  put(156, '0')
  put(257, 'ustar\x0000')
  put(265, 'root')
  put(297, 'root')
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `)
  return bytes
}

export const tarArchive = (files: readonly TarFile[], changedMs: number): Buffer =>
  Buffer.concat([
    ...files.flatMap((file) => {
      const rest = file.content.byteLength % blockBytes
      return [header(file, changedMs), file.content, Buffer.alloc(rest === 0 ? 0 : blockBytes - rest)]
    }),
    Buffer.alloc(endBytes),
  ])
