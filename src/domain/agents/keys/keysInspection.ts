/**
 * Whether a content of client.keys can be what anybody meant it to be, read part by part while it is hashed: so that the digest and
 * the judgement are of the same bytes. It rests on the same rules as the reading of its lines (domain/agents/clientKeys).
 */
import { isAscii } from 'node:buffer'
import { limits } from '../../../base/limits.js'
import type { KeysNonsense } from '../../files/treeValues.js'
import { hasControlCharacter, readLine } from '../clientKeys.js'

const commentPattern = /^[ \t]*#/

export class KeysInspection {
  /** From the first part on that is more than ASCII, which is checked much faster. */
  #utf8: InstanceType<typeof TextDecoder> | undefined
  #isText = true
  /** The beginning of a line that goes on in the next part; of a long one only as much as shows that it is too long. */
  #rest = ''
  #namesAnyone = false
  #hasComment = false
  #hasUnusable = false

  /** The next part of the content, of any length. */
  take(part: Uint8Array): void {
    this.#isText &&= this.#isUtf8(part, true) && !hasControlCharacter(part)
    if (!this.#isText || this.#namesAnyone) return
    const lines = (this.#rest + Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('latin1')).split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, limits.keysLineBytesMax + 1)
    for (const line of lines) this.#note(line)
  }

  /** After the last part: what is wrong with the content, if anything. */
  end(): KeysNonsense | undefined {
    if (!this.#isText || !this.#isUtf8(new Uint8Array(), false)) return 'noise'
    this.#note(this.#rest)
    // An operator who deletes all lines leaves a comment (see AgentKeys); a comment among lines that cannot be used is of another file.
    return this.#namesAnyone || (this.#hasComment && !this.#hasUnusable) ? undefined : 'noLine'
  }

  #note(text: string): void {
    const { kind } = readLine(text)
    if (kind === 'live' || kind === 'removed') this.#namesAnyone = true
    else if (kind === 'unusable') this.#hasUnusable = true
    else if (commentPattern.test(text)) this.#hasComment = true
  }

  #isUtf8(part: Uint8Array, stream: boolean): boolean {
    if (!this.#utf8 && isAscii(part)) return true
    this.#utf8 ??= new TextDecoder('utf-8', { fatal: true })
    try {
      this.#utf8.decode(part, { stream })
      return true
    } catch {
      return false
    }
  }
}
