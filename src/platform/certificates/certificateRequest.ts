/** Requests for certificates (PKCS#10): made on a node, read where the authority is. Of a request only its key, name and addresses count. */
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto'
import type { JsonGeneralName } from '@peculiar/x509'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { shown } from '../../base/shown.js'
import { type AltName, altNameOf, distinctAltNames } from '../../domain/certificates/altName.js'
import { nameRefusalText } from '../../domain/certificates/nodeName.js'
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
  const { asked, names, publicKey, types } = await requestFields(library, pem, place)
  const bits = publicKey.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && bits < rsaBitsMin) throw invalid(`The request ${place} has a key that is too short (${keyTypeOf(publicKey)})`)
  const [name = ''] = names
  if (names.length !== 1) throw invalid(`The request ${place} has ${names.length} common names (CN), and not one`)
  const refusal = nameRefusalText(name)
  if (refusal !== undefined) throw invalid(`The request ${place}: ${refusal}`)
  const ignored = types.some((type) => type !== altNamesType) ? ['it asks for usages or constraints, which are decided here'] : []
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

interface RequestFields {
  readonly names: readonly string[]
  readonly publicKey: KeyObject
  readonly asked: readonly JsonGeneralName[]
  /** Of its extensions. */
  readonly types: readonly string[]
}

/** The library parses some of it only when it is asked for, and throws what it likes. */
const requestFields = async (library: CertificateLibrary, pem: string, place: string): Promise<RequestFields> => {
  const body = requestPattern.exec(pem)?.[1]
  if (body === undefined) throw invalid(`${place} has no request for a certificate (PEM)`)
  let isOwn: boolean
  let fields: RequestFields
  try {
    const request = new library.Pkcs10CertificateRequest(Buffer.from(body, 'base64'))
    isOwn = await request.verify(webcrypto)
    const extension = request.getExtension(altNamesType)
    fields = {
      names: request.subjectName.getField('CN'),
      publicKey: createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' }),
      asked: extension ? new library.SubjectAlternativeNameExtension(extension.rawData).names.toJSON() : [],
      types: request.extensions.map(({ type }) => type),
    }
  } catch (thrown) {
    throw invalid(`${place} has a request for a certificate that cannot be read`, thrown)
  }
  if (!isOwn) throw invalid(`The request ${place} is not signed by its own key`)
  return fields
}
