/** What the two sides say before and inside the handshake: who speaks which versions of the protocol. */
import { ok, type Result, refuse } from '../../base/errors.js'
import { invariant } from '../../base/invariant.js'
import { limits } from '../../base/limits.js'
import { handshakeMessageBytes } from './noise.js'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

export const magic = Buffer.from('MSTR')
/** Of the handshake and the frames themselves; what messages there are is the protocol version's matter. */
export const format = 1
const verdicts = { chosen: 1, noneInCommon: 2 } as const
const verdictBytes = 4

/** Everything that an initiator sends before it receives anything. */
export const openingBytes = limits.preambleBytes + handshakeMessageBytes(0)
export const answerBytes = handshakeMessageBytes(verdictBytes)
invariant(openingBytes <= limits.handshakeBytesMax && answerBytes <= limits.handshakeBytesMax, 'a handshake message is small')

/** In clear, and part of the Noise prologue: a changed byte fails the handshake. */
export const encodePreamble = ({ min, max }: VersionRange): Uint8Array => Uint8Array.of(...magic, format, min, max, 0)

const firstTlsBytes = Buffer.of(22, 3)

export const decodePreamble = (bytes: Uint8Array): Result<VersionRange> => {
  const [, , , , spoken, min = 0, max = 0, reserved] = bytes
  if (Buffer.compare(bytes.subarray(0, firstTlsBytes.byteLength), firstTlsBytes) === 0)
    return refuse('malformed', { message: "The peer speaks TLS, which this node does not (option 'tls' in etc/cluster.json)" })
  if (bytes.byteLength !== limits.preambleBytes || Buffer.compare(bytes.subarray(0, magic.byteLength), magic) !== 0)
    return refuse('malformed', { message: 'The peer does not speak the cluster protocol' })
  if (spoken !== format)
    return refuse('noCommonProtocol', { message: `The peer speaks format ${spoken} of the session, this node ${format}` })
  if (reserved !== 0 || min > max) return refuse('malformed', { message: 'The peer announces an impossible range of protocol versions' })
  return ok({ min, max })
}

/** The highest version that both speak. */
export const chooseProtocol = (own: VersionRange, theirs: VersionRange): Result<number> => {
  const chosen = Math.min(own.max, theirs.max)
  if (chosen >= Math.max(own.min, theirs.min)) return ok(chosen)
  return refuse('noCommonProtocol', {
    message: `The two nodes have no protocol version in common: this node speaks ${own.min} to ${own.max}, the peer ${theirs.min} to ${theirs.max}`,
  })
}

/** The responder's decision, sealed in its answer. It has the responder's range, so that a refused initiator can log it. */
export const encodeVerdict = (chosen: Result<number>, own: VersionRange): Uint8Array =>
  Uint8Array.of(chosen.ok ? verdicts.chosen : verdicts.noneInCommon, chosen.ok ? chosen.value : 0, own.min, own.max)

export const decodeVerdict = (payload: Uint8Array, own: VersionRange): Result<number> => {
  const [verdict, chosen = 0, min = 0, max = 0] = payload
  if (payload.byteLength !== verdictBytes) return refuse('malformed')
  if (verdict === verdicts.noneInCommon) {
    const range = chooseProtocol(own, { min, max })
    return range.ok ? refuse('noCommonProtocol') : range
  }
  if (verdict !== verdicts.chosen || chosen < own.min || chosen > own.max) return refuse('malformed')
  return ok(chosen)
}
