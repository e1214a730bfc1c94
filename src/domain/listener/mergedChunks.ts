/** A merged.mg as it is sent: in chunks, each a message. An agent takes a chunk that begins like a control message for one, and ends it at a NUL. */
import { bufferOver } from '../../base/bytes.js'
import { limits } from '../../base/limits.js'

const controlMark = Buffer.from('#!-')

const beginsLikeControl = (content: Uint8Array, at: number): boolean =>
  content[at] === controlMark[0] && content[at + 1] === controlMark[1] && content[at + 2] === controlMark[2]

/** Why no agent could take this content, as the rest of a sentence; undefined when one can. */
export const unsendable = (content: Uint8Array): string | undefined => {
  if (bufferOver(content).includes(0)) return 'holds a NUL, at which an agent would end what it reads'
  return beginsLikeControl(content, 0) ? 'begins like a control message' : undefined
}

/** Where the chunk that begins at `from` ends: no chunk begins like a control message, and none is longer than it may be. */
export const chunkEnd = (content: Uint8Array, from: number): number => {
  const end = Math.min(from + limits.agentPushChunkBytesMax, content.length)
  // One byte earlier is always fit: a mark does not overlap another one.
  return beginsLikeControl(content, end) ? end - 1 : end
}
