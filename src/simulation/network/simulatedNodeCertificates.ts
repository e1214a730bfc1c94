/** The certificates of a simulated node: texts that a test renews, and what the node has taken of them. */
import { ClusterError } from '../../base/errors.js'
import type { CertificatesInUse, CertificatesRefresh, OwnCertificates } from '../../ports/certificates.js'
import { authorityNames, checkTlsTexts, type SimulatedIdentity, shownBySimulated } from './simulatedCertificates.js'

/** The content of its files. */
export interface NodeCertificateTexts extends SimulatedIdentity {
  readonly ca: string
}

const farMs = 8.64e15

export class SimulatedNodeCertificates implements OwnCertificates {
  /** What the files hold now; a test writes it. */
  files: NodeCertificateTexts
  #texts: NodeCertificateTexts
  #tried: NodeCertificateTexts

  constructor(files: NodeCertificateTexts) {
    check(files)
    this.files = files
    this.#texts = files
    this.#tried = files
  }

  /** What is shown. */
  get texts(): NodeCertificateTexts {
    return this.#texts
  }

  get inUse(): CertificatesInUse {
    const { ca, certificate } = this.#texts
    return { own: shownBySimulated(certificate), authorities: authorityNames(ca).map((name) => ({ name, endsMs: farMs })) }
  }

  refresh(): CertificatesRefresh {
    const { files } = this
    if (files === this.#tried) return { kind: 'same' }
    this.#tried = files
    try {
      check(files)
    } catch (thrown) {
      return { kind: 'kept', why: thrown instanceof ClusterError ? thrown.message : String(thrown) }
    }
    this.#texts = files
    return { kind: 'taken' }
  }
}

const check = ({ ca, certificate, key }: NodeCertificateTexts): void => checkTlsTexts({ ca, certificate, key })
