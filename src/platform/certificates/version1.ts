/** A certificate of version 1, which the library that makes certificates cannot make: the same one, signed again without what version 1 lacks. */
import { type KeyObject, sign } from 'node:crypto'
import { invariant } from '../../base/invariant.js'
import { signingAlgorithm } from './privateKeys.js'

const sequenceTag = 0x30
const versionTag = 0xa0
const extensionsTag = 0xa3
const bitStringTag = 0x03

interface DerValue {
  readonly tag: number
  readonly content: Buffer
  readonly whole: Buffer
}

/** Of what the library wrote itself: tags of one byte, definite lengths. */
const derValues = (bytes: Buffer): readonly DerValue[] => {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes.readUInt8(at + 1)
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes)
    const start = at + 2 + lengthBytes
    invariant(start + length <= bytes.length, 'a value of DER lies within its parent')
    values.push({ tag: bytes.readUInt8(at), content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) })
    at = start + length
  }
  return values
}

const derOf = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts)
  const hex = content.length.toString(16)
  const lengthBytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  const header = content.length < 0x80 ? [tag, content.length] : [tag, 0x80 | lengthBytes.length, ...lengthBytes]
  return Buffer.concat([Buffer.from(header), content])
}

const valuesIn = (value: DerValue | undefined): readonly DerValue[] => (value ? derValues(value.content) : [])

export const asVersion1 = (certificate: Buffer, issuerKey: KeyObject): Buffer => {
  const [body, algorithm] = valuesIn(derValues(certificate)[0])
  invariant(body !== undefined && algorithm !== undefined, 'a certificate has a body and an algorithm')
  const kept = valuesIn(body).filter(({ tag }) => tag !== versionTag && tag !== extensionsTag)
  const signed = derOf(sequenceTag, ...kept.map(({ whole }) => whole))
  const signature = sign(signingAlgorithm(issuerKey).hash, signed, issuerKey)
  return derOf(sequenceTag, signed, algorithm.whole, derOf(bitStringTag, Buffer.of(0), signature))
}

/** The body of a later version begins with its number. */
export const isVersion1 = (certificate: Buffer): boolean => {
  const inside = (at: number): number => at + 2 + ((certificate[at + 1] ?? 0) < 0x80 ? 0 : (certificate[at + 1] ?? 0) & 0x7f)
  return certificate[inside(inside(0))] !== versionTag
}
