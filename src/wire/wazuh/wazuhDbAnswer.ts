/** An answer of wazuh-db's stream socket: a word, and what it says after a space. */
import { ok, type Result, refuse } from '../../base/errors.js'

export type WazuhDbAnswer =
  | {
      readonly status: 'ok'
      readonly payload: string
      /** There is more to be had (`due`). */
      readonly isMore: boolean
    }
  | { readonly status: 'err'; readonly reason: string }

/** What is over this is not an answer; a list ends before it, SQL is cut there without a word. */
export const answerBytesMax = 65_536

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Refuses with `malformed`. */
export const readWazuhDbAnswer = (bytes: Uint8Array): Result<WazuhDbAnswer> => {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return refuse('malformed', { message: 'An answer of wazuh-db is not UTF-8' })
  }
  const space = text.indexOf(' ')
  const word = space < 0 ? text : text.slice(0, space)
  const payload = space < 0 ? '' : text.slice(space + 1)
  switch (word) {
    case 'ok':
      return ok({ status: 'ok', payload, isMore: false })
    case 'due':
      return ok({ status: 'ok', payload, isMore: true })
    case 'err':
      return ok({ status: 'err', reason: payload })
    default:
      return refuse('malformed', { message: 'An answer of wazuh-db does not begin with ok, due or err' })
  }
}
