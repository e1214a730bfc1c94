/** What stands before a carried answer on its stream: whether it is one or an exception in its place, and its length. */

import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'

export interface CarriedHead {
  /** What follows is the exception that the framework raised, as JSON. */
  readonly isException: boolean
  readonly bytes: number
}

const kinds = { answer: 0, exception: 1 } as const

export const carriedHeadBytes = 9

export const encodeCarriedHead = ({ bytes, isException }: CarriedHead): Buffer => {
  const head = Buffer.alloc(carriedHeadBytes)
  head.writeUInt8(isException ? kinds.exception : kinds.answer)
  head.writeBigUInt64BE(BigInt(bytes), 1)
  return head
}

/** @param bytesMax of an answer; an exception has a bound of its own */
export const decodeCarriedHead = (head: Buffer, bytesMax: number): Result<CarriedHead> => {
  const kind = head.readUInt8()
  if (kind !== kinds.answer && kind !== kinds.exception)
    return refuse('malformed', { message: `A carried answer begins with ${kind}: must be ${kinds.answer} or ${kinds.exception}` })
  const isException = kind === kinds.exception
  const bytes = Number(head.readBigUInt64BE(1))
  const allowed = isException ? limits.carriedExceptionBytesMax : bytesMax
  if (bytes > allowed) return refuse('tooLarge', { message: `A carried answer of ${bytes} bytes is over the limit of ${allowed}` })
  return ok({ bytes, isException })
}
