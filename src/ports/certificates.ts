/** The certificates of a node, as it shows them to the others. They may be renewed while it runs. */
import type { ShownCertificate } from '../domain/cluster/nodeCertificate.js'

export interface CertificatesInUse {
  readonly own: ShownCertificate
  /** Whose certificates are trusted. */
  readonly authorities: readonly { readonly name: string; readonly endsMs: number }[]
}

/** `kept`: what is there now cannot be used, and what was in use before stays. Said once for each such state. */
export type CertificatesRefresh = { readonly kind: 'same' } | { readonly kind: 'taken' } | { readonly kind: 'kept'; readonly why: string }

export interface OwnCertificates {
  readonly inUse: CertificatesInUse
  /** Takes what was renewed; for connections that are made from now on. Called now and then. */
  refresh(): CertificatesRefresh
}
