/** Private keys: made, written as PEM, read from it, and handed to the library that signs certificates with them. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, webcrypto } from 'node:crypto'
import { promisify } from 'node:util'
import { ClusterError } from '../../base/errors.js'
import type { KeyKind } from '../../domain/certificates/keyKinds.js'
import { keyTypeOf } from './readCertificates.js'

const generate = promisify(generateKeyPair)

export const makePrivateKey = async (kind: KeyKind): Promise<KeyObject> => {
  switch (kind) {
    case 'rsa2048':
    case 'rsa3072':
    case 'rsa4096':
      return (await generate('rsa', { modulusLength: Number(kind.slice('rsa'.length)) })).privateKey
    case 'p256':
    case 'p384':
      return (await generate('ec', { namedCurve: kind === 'p256' ? 'prime256v1' : 'secp384r1' })).privateKey
    case 'ed25519':
      return (await generate('ed25519')).privateKey
    default:
      return kind
  }
}

/** PKCS#8, encrypted when there is a passphrase. */
export const keyPem = (key: KeyObject, passphrase?: string): string =>
  String(key.export({ type: 'pkcs8', format: 'pem', ...(passphrase !== undefined && { cipher: 'aes-256-cbc', passphrase }) }))

export const isEncryptedKey = (pem: string): boolean => /BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(pem)

/** Fails with `configInvalid`, in a sentence about `place`. */
export const parsedKey = (pem: string, place: string, passphrase?: string): KeyObject => {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) })
  } catch (thrown) {
    const message =
      passphrase !== undefined && isEncryptedKey(pem)
        ? `The passphrase does not open the key ${place}`
        : `${place} has no private key that can be read (PEM)`
    throw new ClusterError('configInvalid', { message, cause: thrown })
  }
}

export const publicKeyDer = (key: KeyObject): Buffer =>
  (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })

export interface SigningAlgorithm {
  readonly name: string
  readonly namedCurve?: string
  readonly hash?: string
}

const ecdsa = (namedCurve: string, hash: string): SigningAlgorithm => ({ name: 'ECDSA', namedCurve, hash })

/** Of the key that signs. Fails with `configInvalid` for a kind that signs no certificates. */
export const signingAlgorithm = (key: KeyObject): SigningAlgorithm => {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    case 'ed25519':
      return { name: 'Ed25519' }
    default:
  }
  const kind = keyTypeOf(key)
  if (kind === 'p256') return ecdsa('P-256', 'SHA-256')
  if (kind === 'p384') return ecdsa('P-384', 'SHA-384')
  if (kind === 'p521') return ecdsa('P-521', 'SHA-512')
  throw new ClusterError('configInvalid', { message: `A key of the kind ${kind} cannot sign certificates here` })
}

export const signingKey = (key: KeyObject): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), { ...signingAlgorithm(key) }, false, ['sign'])
