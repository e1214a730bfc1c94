/** JSON that a peer or a client wrote, as a value of one shape. */
import { ok, type Result, refuse } from '../errors.js'
import type { Shape } from '../shapeOf.js'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Refuses with `malformed`.
 *
 * @param json text, or its bytes as UTF-8
 * @param called what it is, as the refusal's sentence begins: `A page of groups`
 * @param isNot what is wrong with JSON of any other shape
 */
export const parsedJson = <T>(json: string | Uint8Array, shape: Shape<T>, called: string, isNot = 'has a wrong shape'): Result<T> => {
  let value: unknown
  try {
    value = JSON.parse(typeof json === 'string' ? json : utf8.decode(json))
  } catch {
    return refuse('malformed', { message: `${called} is not JSON` })
  }
  return shape.Check(value) ? ok(value) : refuse('malformed', { message: `${called} ${isNot}` })
}
