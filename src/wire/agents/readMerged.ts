/** Reads a merged.mg as agents do (domain/agents/mergedFile.ts says how it is made): a title, then files, each after a line with its size and name. */
import { bufferOver } from '../../base/bytes.js'
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'

export interface ReadMerged {
  readonly title: string
  /** Contents are views of what was read. */
  readonly files: readonly { readonly name: string; readonly content: Uint8Array }[]
}

/** An agent reads a line into 2 048 bytes. */
const lineBytesMax = 2_047

/** Refuses with `malformed` what an agent would not unpack, and names that lead out of its directory. */
export const readMerged = (bytes: Uint8Array): Result<ReadMerged> => {
  const merged = bufferOver(bytes)
  const files: { name: string; content: Uint8Array }[] = []
  let title: string | undefined
  for (let at = 0; at < merged.byteLength; ) {
    const end = merged.indexOf('\n', at)
    if (end < 0 || end + 1 - at > lineBytesMax) return broken('has a line that is too long or has no end')
    const line = merged.toString('utf8', at, end)
    at = end + 1
    if (title === undefined && line.startsWith('#')) {
      title = line.slice(1)
      continue
    }
    const [, size, name] = /^!(\d{1,10}) (.+)$/s.exec(line) ?? []
    if (size === undefined || name === undefined) return broken('has something else where a file should begin')
    if (isLeadingOut(name)) return broken('has a name that leads out of its directory')
    const contentEnd = at + Number(size)
    if (contentEnd > merged.byteLength) return broken('is cut off')
    if (files.length === limits.groupFilesMax) return broken(`has more than ${limits.groupFilesMax} files`)
    files.push({ name, content: merged.subarray(at, contentEnd) })
    at = contentEnd
  }
  return title === undefined ? broken('has no title') : ok({ title, files })
}

const isLeadingOut = (name: string): boolean => name.startsWith('/') || name.split(/[\\/]/).includes('..')

const broken = (how: string): ReturnType<typeof refuse> => refuse('malformed', { message: `A merged.mg ${how}` })
