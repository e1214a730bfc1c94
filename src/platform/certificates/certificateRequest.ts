/** Requests for certificates (PKCS#10): made on a node, read where the authority is. Of a request only its key, name and addresses count. */
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto'
import type { JsonGeneralName, Pkcs10CertificateRequest } from '@peculiar/x509'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { shown } from '../../base/shown.js'
import { type AltName, altNameOf, distinctAltNames } from '../../domain/certificates/altName.js'
import { nameRefusal } from '../../domain/certificates/nodeName.js'
import { type CertificateLibrary, certificateLibrary } from './issueCertificate.js'
import { publicKeyDer, signingAlgorithm, signingKey } from './privateKeys.js'
import { keyTypeOf } from './readCertificates.js'

export interface CertificateRequest {
  readonly name: string
  readonly addresses: readonly AltName[]
  readonly publicKey: KeyObject
  /** What it asks for and does not get, a sentence each. */
  readonly ignored: readonly string[]
}

const altNamesType = '2.5.29.17'
const rsaBitsMin = 2_048

const invalid = (message: string, cause?: unknown): ClusterError => new ClusterError('configInvalid', { message, cause })

/** PEM. */
export const makeRequest = async (key: KeyObject, name: string, addresses: readonly AltName[]): Promise<string> => {
  const library = await certificateLibrary()
  const algorithm = { ...signingAlgorithm(key) }
  const publicKey = await webcrypto.subtle.importKey('spki', publicKeyDer(key), algorithm, true, ['verify'])
  const names = addresses.map(({ type, value }) => ({ type, value }))
  const request = await library.Pkcs10CertificateRequestGenerator.create(
    {
      name: new library.Name([{ CN: [{ utf8String: name }] }]),
      keys: { privateKey: await signingKey(key), publicKey },
      signingAlgorithm: algorithm,
      extensions: [new library.SubjectAlternativeNameExtension(names)],
    },
    webcrypto,
  )
  return `${request.toString('pem')}\n`
}

/** Fails with `configInvalid`, in a sentence about `place`. */
export const readRequest = async (pem: string, place: string): Promise<CertificateRequest> => {
  const library = await certificateLibrary()
  const request = await parsedRequest(library, pem, place)
  const publicKey = publicKeyIn(request, place)
  const names = request.subjectName.getField('CN')
  const [name = ''] = names
  if (names.length !== 1) throw invalid(`The request ${place} has ${names.length} common names (CN), and not one`)
  const refusal = nameRefusal(name)
  if (refusal) throw invalid(`The request ${place}: ${refusal.sentence}${refusal.detail === undefined ? '' : ` (${refusal.detail})`}`)
  const asked = altNamesIn(library, request, place)
  const ignored = request.extensions.some(({ type }) => type !== altNamesType)
    ? ['it asks for usages or constraints, which are decided here']
    : []
  const addresses: AltName[] = []
  for (const { type, value } of asked) {
    const address = type === 'ip' || type === 'dns' ? altNameOf(value) : undefined
    if (address) addresses.push(address)
    else ignored.push(`it asks for ${shown(value)} (${type}), which is neither an IP address nor a DNS name`)
  }
  if (addresses.length >= limits.certificateNamesMax)
    throw invalid(`The request ${place} has ${limits.certificateNamesMax} addresses or more`)
  return { name, addresses: distinctAltNames(addresses), publicKey, ignored }
}

const requestPattern = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]*)-----END (?:NEW )?CERTIFICATE REQUEST-----/

const parsedRequest = async (library: CertificateLibrary, pem: string, place: string): Promise<Pkcs10CertificateRequest> => {
  const body = requestPattern.exec(pem)?.[1]
  if (body === undefined) throw invalid(`${place} has no request for a certificate (PEM)`)
  let isOwn: boolean
  let request: Pkcs10CertificateRequest
  try {
    request = new library.Pkcs10CertificateRequest(Buffer.from(body, 'base64'))
    isOwn = await request.verify(webcrypto)
  } catch (thrown) {
    throw invalid(`${place} has a request for a certificate that cannot be read`, thrown)
  }
  if (!isOwn) throw invalid(`The request ${place} is not signed by its own key`)
  return request
}

const publicKeyIn = (request: Pkcs10CertificateRequest, place: string): KeyObject => {
  let key: KeyObject
  try {
    key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' })
  } catch (thrown) {
    throw invalid(`The request ${place} has a key that cannot be read`, thrown)
  }
  const bits = key.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && bits < rsaBitsMin) throw invalid(`The request ${place} has a key that is too short (${keyTypeOf(key)})`)
  return key
}

const altNamesIn = (library: CertificateLibrary, request: Pkcs10CertificateRequest, place: string): readonly JsonGeneralName[] => {
  try {
    const extension = request.getExtension(altNamesType)
    return extension ? new library.SubjectAlternativeNameExtension(extension.rawData).names.toJSON() : []
  } catch (thrown) {
    throw invalid(`The request ${place} has names that cannot be read`, thrown)
  }
}
