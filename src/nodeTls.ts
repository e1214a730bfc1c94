/** TLS between nodes in the real world: a node's certificates from its files, and the networks that its links are made over. */
import { resolve } from 'node:path'
import type { TlsSettings } from './config/settings.js'
import { NodeCertificateFiles } from './platform/net/nodeCertificateFiles.js'
import { createNodeNetwork } from './platform/net/nodeNetwork.js'
import { createTcpNetwork } from './platform/net/tcp.js'
import type { TransportOptions } from './transport/transport.js'

/** Fails with `configInvalid`. */
export const ownCertificates = (tls: TlsSettings | undefined, home: string): NodeCertificateFiles | undefined =>
  tls && new NodeCertificateFiles({ ca: resolve(home, tls.ca), cert: resolve(home, tls.cert), key: resolve(home, tls.key) })

export const transportNetworks = (
  tls: TlsSettings | undefined,
  certificates: NodeCertificateFiles | undefined,
): Pick<TransportOptions, 'network' | 'certified'> => {
  const plain = createTcpNetwork()
  if (!certificates) return { network: plain }
  return { network: createNodeNetwork(certificates), certified: { requires: tls?.require ?? true, allowed: tls?.allow, plain } }
}
