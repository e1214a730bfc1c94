/** Makes what an authority signs in one run: keys and certificates, as the files that they are to become. Nothing is written here. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import type { AltName } from '../../domain/certificates/altName.js'
import { certificateKind } from '../../domain/certificates/certificateFacts.js'
import {
  adminProfile,
  type CertificateForm,
  type CertificateProfile,
  holderSubject,
  nodeAltNames,
  nodeProfile,
} from '../../domain/certificates/certificateProfile.js'
import { dayMs } from '../../domain/certificates/expiry.js'
import { defaultKeyKind, type KeyKind, keyKinds } from '../../domain/certificates/keyKinds.js'
import { adminName, certificateFile, keyFile } from '../../domain/certificates/nodeName.js'
import type { Authority } from './authority.js'
import { type CertificateOrder, certificatePem, issueCertificate } from './issueCertificate.js'
import type { NamedFile } from './pemFiles.js'
import { keyPem, makePrivateKey } from './privateKeys.js'
import { certificateFacts, keyTypeOf } from './readCertificates.js'

export interface MakerOptions {
  readonly authority: Authority
  readonly form: CertificateForm
  /** Undefined: Wazuh's, or for a renewal what the old key is. */
  readonly keyKind: KeyKind | undefined
  readonly days: number
  readonly nowMs: number
}

export interface MadeCertificate {
  readonly certificate: X509Certificate
  /** The key first: it is of no use without its certificate. */
  readonly files: readonly NamedFile[]
}

const isRsa = (key: KeyObject): boolean => key.asymmetricKeyType === 'rsa'

export class CertificateMaker {
  readonly #options: MakerOptions

  constructor(options: MakerOptions) {
    this.#options = options
  }

  /** When the certificates end: never after that of their authority. */
  get endsMs(): number {
    return Math.min(this.#wantedEndMs, this.#authorityEndMs)
  }

  /** By a day or more: right after the authority was made, it is seconds. */
  get isCutShort(): boolean {
    return this.#wantedEndMs - this.#authorityEndMs >= dayMs
  }

  async admin(): Promise<MadeCertificate> {
    const key = await this.#newKey()
    const profile = adminProfile(this.#options.form, isRsa(key))
    return this.#withKey(adminName, key, await this.#issue(profile, key, holderSubject(adminName)))
  }

  async node(name: string, addresses: readonly AltName[]): Promise<MadeCertificate> {
    const key = await this.#newKey()
    return this.#withKey(name, key, await this.#issueNode(name, addresses, key))
  }

  /** For a key that stays where it is. */
  async nodeOf(publicKey: KeyObject, name: string, addresses: readonly AltName[]): Promise<MadeCertificate> {
    return this.#withoutKey(name, await this.#issueNode(name, addresses, publicKey))
  }

  /** With the subject and the names of another one. `kept`: its key, when that stays. */
  async like(name: string, certificate: X509Certificate, kept: KeyObject | undefined): Promise<MadeCertificate> {
    const key = kept ?? (await this.#newKey(keyTypeOf(certificate.publicKey)))
    const isAdmin = certificateKind(certificateFacts(certificate)) === 'admin'
    const { form } = this.#options
    const profile = isAdmin ? adminProfile(form, isRsa(key)) : nodeProfile(form, isRsa(key), [])
    const issued = await this.#issue(profile, key, certificate)
    return kept ? this.#withoutKey(name, issued) : this.#withKey(name, key, issued)
  }

  get #wantedEndMs(): number {
    return this.#options.nowMs + this.#options.days * dayMs
  }

  get #authorityEndMs(): number {
    return certificateFacts(this.#options.authority.certificate).endsMs
  }

  #newKey(earlier?: string): Promise<KeyObject> {
    return makePrivateKey(this.#options.keyKind ?? keyKinds.find((kind) => kind === earlier) ?? defaultKeyKind)
  }

  #issueNode(name: string, addresses: readonly AltName[], key: KeyObject): Promise<X509Certificate> {
    const { form } = this.#options
    return this.#issue(nodeProfile(form, isRsa(key), nodeAltNames(form, name, addresses)), key, holderSubject(name))
  }

  #issue(profile: CertificateProfile, publicKey: KeyObject, subject: CertificateOrder['subject']): Promise<X509Certificate> {
    const { authority, nowMs } = this.#options
    const startsMs = Math.max(nowMs - profile.backdatedMs, certificateFacts(authority.certificate).startsMs)
    const { certificate: issuer, key: issuerKey } = authority
    return issueCertificate({ profile, publicKey, subject, issuer, issuerKey, startsMs, endsMs: this.endsMs })
  }

  #withKey(name: string, key: KeyObject, certificate: X509Certificate): MadeCertificate {
    return { certificate, files: [{ name: keyFile(name), content: keyPem(key) }, ...this.#withoutKey(name, certificate).files] }
  }

  #withoutKey(name: string, certificate: X509Certificate): MadeCertificate {
    const content = certificatePem(certificate, ...this.#options.authority.chain)
    return { certificate, files: [{ name: certificateFile(name), content }] }
  }
}
