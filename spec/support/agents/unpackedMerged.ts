/** Unpacks a merged.mg as a real agent does (UnmergeFiles and TestUnmergeFiles of Wazuh's src/shared/file_op.c), for tests. */

const lineBytesMax = 2_047

export interface UnpackedMerged {
  readonly title: string
  /** In the order of the file. */
  readonly files: readonly { readonly name: string; readonly content: string }[]
}

/** Contents as Latin-1. Throws on whatever an agent refuses. */
export const unpackMerged = (bytes: Uint8Array): UnpackedMerged => {
  const merged = Buffer.from(bytes)
  const files: { name: string; content: string }[] = []
  let title: string | undefined
  for (let at = 0; at < merged.length; ) {
    const end = merged.indexOf('\n', at)
    const line = merged.toString('utf8', at, end)
    if (end < 0 || end + 1 - at > lineBytesMax) throw new Error('A line is too long, or has no end.')
    at = end + 1
    if (line.startsWith('#') && title === undefined) title = line.slice(1)
    else {
      const [, size, name] = /^!(\d+) (.+)$/s.exec(line) ?? []
      if (size === undefined || name === undefined) throw new Error(`This is not a line of a merged.mg: ${line}`)
      if (name.split('/').includes('..')) throw new Error(`The name leads out: ${name}`)
      if (at + Number(size) > merged.length) throw new Error('A content is cut off.')
      files.push({ name, content: merged.toString('latin1', at, at + Number(size)) })
      at += Number(size)
    }
  }
  if (title === undefined) throw new Error('There is no title.')
  return { title, files }
}
