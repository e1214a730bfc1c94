/** Who is let in by certificate: what the two ends of a handshake ask of the channel under it, and what they say when it is not enough. */
import { ClusterError, ok, type Result } from '../base/errors.js'
import { type AllowedNodes, certificateName, isCertifiedAs, problemText } from '../domain/cluster/nodeCertificate.js'
import type { PeerCertificate } from '../ports/link.js'
import type { ByteStream, SecureChannel } from '../ports/network.js'
import type { EarlyRefusal } from '../wire/muster/earlyRefusal.js'

export interface CertifiedPeers {
  /** Whether a connection without TLS is refused. */
  readonly requires: boolean
  readonly allowed: AllowedNodes
}

/** Why the connection ends before the session's handshake; undefined: it goes on. */
export const earlyRefusalOf = (
  channel: SecureChannel | undefined,
  certified: CertifiedPeers | undefined,
  nowMs: number,
): { readonly reason: EarlyRefusal; readonly error: ClusterError } | undefined => {
  if (channel?.problem === undefined) {
    if (channel || !certified?.requires) return undefined
    return {
      reason: 'tlsRequired',
      error: new ClusterError('notCertified', {
        message: 'It did not come over TLS, which this node requires (tls.require in etc/cluster.json)',
      }),
    }
  }
  const { certificate, problem } = channel
  const whose = certificate ? `The certificate of the peer ('${certificateName(certificate)}')` : 'The certificate of the peer'
  return { reason: problem, error: new ClusterError('notCertified', { message: `${whose} ${problemText(problem, certificate, nowMs)}` }) }
}

const says: Readonly<Record<EarlyRefusal, string>> = {
  tlsRequired: "The peer takes nodes over TLS only: give this node certificates (option 'tls' in etc/cluster.json)",
  missing: 'The peer wants a certificate, and got none',
  expired: 'The peer refused the certificate of this node: it has expired, or its authority has',
  early: "The peer refused the certificate of this node: it is not valid yet, by the peer's clock",
  untrusted: 'The peer refused the certificate of this node: it is not of an authority that the peer trusts, or not for this use',
}

/** What the other side said. */
export const refusedEarly = (reason: EarlyRefusal): ClusterError => new ClusterError('notCertified', { message: says[reason] })

/** Whether the peer may be the node that it says it is; any may without a channel. */
export const checkedName = (
  { channel }: Pick<ByteStream, 'channel'>,
  node: string,
  certified: CertifiedPeers | undefined,
): Result<undefined> => {
  if (!channel) return ok(undefined)
  const { certificate } = channel
  if (certificate) return isCertifiedAs(certificate, node, certified?.allowed)
  return { ok: false, error: refusedEarly('missing') }
}

export const peerCertificate = (channel: SecureChannel | undefined): { readonly certificate?: PeerCertificate } => {
  if (!channel?.certificate) return {}
  const { certificate, ownEndsMs } = channel
  return { certificate: { name: certificateName(certificate), endsMs: certificate.endsMs, ownEndsMs } }
}

/** What the session's handshake is bound to: its first bytes, and the channel that it is made over. */
export const prologueOf = (preamble: Uint8Array, channel: SecureChannel | undefined): Uint8Array =>
  channel ? Buffer.concat([preamble, channel.binding]) : preamble
