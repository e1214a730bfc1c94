/**
 * Strings that a client sends ahead of a request. No request of a local client uses one, so what counts is that every step is answered
 * as clients know it: the lengths are kept, the bytes are not.
 */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { bytesText } from '../../wire/wazuh/bytesText.js'

interface ReceivedString {
  readonly length: number
  received: number
}

const space = 0x20
/** Longer numbers are not valid lengths. */
const digitsMax = 10

export class ReceivedStrings {
  readonly #strings = new Map<string, ReceivedString>()
  #lastId = 0

  /** The id of the new string. */
  begin(payload: Buffer): string {
    const text = payload.toString('latin1')
    if (!/^\d+$/.test(text) || text.length > digitsMax)
      throw new ClusterError('malformed', { message: `invalid literal for int() with base 10: ${bytesText(shortened(text))}` })
    const length = Number(text)
    if (length > limits.carriedBytesMax)
      throw new ClusterError('tooLarge', { message: `A string of ${length} bytes is over the limit of ${limits.carriedBytesMax}` })
    if (this.#strings.size >= limits.localStringsMax)
      throw new ClusterError('overloaded', { message: `More than ${limits.localStringsMax} strings are under way` })
    this.#lastId += 1
    const id = String(this.#lastId)
    this.#strings.set(id, { length, received: 0 })
    return id
  }

  update(payload: Buffer): void {
    const end = payload.indexOf(space)
    const id = payload.toString('latin1', 0, end < 0 ? payload.byteLength : end)
    const string = this.#strings.get(id)
    if (!string) throw new ClusterError('malformed', { message: bytesText(shortened(id)) })
    string.received += end < 0 ? 0 : payload.byteLength - end - 1
    if (string.received < string.length) return
    this.#strings.delete(id)
    if (string.received > string.length)
      throw new ClusterError('tooLarge', { message: `The string ${id} is longer than the ${string.length} bytes that were announced` })
  }

  /** The client gave a string of this length up; it never learnt the id. */
  forget(payload: Buffer): void {
    const length = Number(payload.toString('latin1', 0, digitsMax))
    for (const [id, string] of this.#strings) if (string.length === length && string.received === 0) return void this.#strings.delete(id)
  }
}

const shownCharsMax = 64
const shortened = (text: string): string => text.slice(0, shownCharsMax)
