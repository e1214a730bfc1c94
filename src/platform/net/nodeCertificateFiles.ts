/** A node's own certificate, its key and the authorities that it trusts, from their files; read again when these changed. */
import { statSync } from 'node:fs'
import type { SecureContextOptions } from 'node:tls'
import { asClusterError, ClusterError } from '../../base/errors.js'
import type { CertificatesInUse, CertificatesRefresh, OwnCertificates } from '../../ports/certificates.js'
import { parsedCertificates } from '../certificates/readCertificates.js'
import { readBoundedText } from '../machine/readBoundedText.js'
import { certificateTitle, shownCertificate } from './certificateNames.js'
import { contextOptions } from './tlsContext.js'

/** Absolute. */
export interface NodeCertificatePaths {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

interface Loaded {
  readonly inUse: CertificatesInUse
  readonly context: SecureContextOptions
}

export class NodeCertificateFiles implements OwnCertificates {
  readonly #paths: NodeCertificatePaths
  #loaded: Loaded
  /** Of the files that are in use. */
  #stamp: string
  /** Of files that could not be used, and whether that was said: an operator replaces one after the other. */
  #broken: { readonly stamp: string; readonly isSaid: boolean } | undefined

  /** Fails with `configInvalid`. */
  constructor(paths: NodeCertificatePaths) {
    this.#paths = paths
    this.#stamp = stampOf(paths)
    this.#loaded = load(paths)
  }

  get inUse(): CertificatesInUse {
    return this.#loaded.inUse
  }

  /** Another object when the files were taken again. */
  get context(): SecureContextOptions {
    return this.#loaded.context
  }

  refresh(): CertificatesRefresh {
    const stamp = stampOf(this.#paths)
    if (stamp === this.#stamp) {
      this.#broken = undefined
      return { kind: 'same' }
    }
    if (this.#broken?.stamp === stamp && this.#broken.isSaid) return { kind: 'same' }
    try {
      this.#loaded = load(this.#paths)
    } catch (thrown) {
      const isSaid = this.#broken?.stamp === stamp
      this.#broken = { stamp, isSaid }
      return isSaid ? { kind: 'kept', why: asClusterError(thrown).message } : { kind: 'same' }
    }
    this.#stamp = stamp
    this.#broken = undefined
    return { kind: 'taken' }
  }
}

/** Another one when a file was written or replaced. */
const stampOf = ({ ca, cert, key }: NodeCertificatePaths): string =>
  [ca, cert, key]
    .map((path) => {
      const found = statSync(path, { bigint: true, throwIfNoEntry: false })
      return found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : 'none'
    })
    .join('\n')

const textOf = (path: string): string => {
  const text = readBoundedText(path, 'utf8')
  if (text === undefined) throw new ClusterError('configInvalid', { message: `${path} does not exist` })
  return text
}

const load = (paths: NodeCertificatePaths): Loaded => {
  const [ca, certificate, key] = [textOf(paths.ca), textOf(paths.cert), textOf(paths.key)]
  const authorities = parsedCertificates(ca, paths.ca)
  const [leaf] = parsedCertificates(certificate, paths.cert)
  const own = leaf && shownCertificate(leaf.toLegacyObject())
  if (!own) throw new ClusterError('configInvalid', { message: `${paths.cert} holds no certificate` })
  for (const authority of authorities)
    if (!authority.ca)
      throw new ClusterError('configInvalid', {
        message: `${paths.ca} holds a certificate that is not an authority's: ${certificateTitle(authority)}`,
      })
  const context = { ...contextOptions({ ca, certificate, key }), minVersion: 'TLSv1.3' } as const
  return {
    context,
    inUse: {
      own,
      authorities: authorities.map((authority) => ({ name: certificateTitle(authority), endsMs: Date.parse(authority.validTo) })),
    },
  }
}
