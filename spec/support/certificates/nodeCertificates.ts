/** Certificates of nodes for tests: real ones, made with openssl as Wazuh's tool makes them, and simulated ones of the same kinds. */
import { fileURLToPath } from 'node:url'
import { NodeCertificateFiles, type NodeCertificatePaths } from '../../../src/platform/net/nodeCertificateFiles.js'
import { simulatedAuthority, simulatedIdentity } from '../../../src/simulation/network/simulatedCertificates.js'
import { SimulatedNodeCertificates } from '../../../src/simulation/network/simulatedNodeCertificates.js'
import type { NodeKind } from '../../../src/testing/compliance/nodeNetworkCases.js'

const names: Readonly<Record<NodeKind, string>> = {
  valid: 'node-1',
  other: 'node_2',
  expired: 'node-3',
  early: 'node-4',
  stranger: 'node-1',
}

export const nodeNameOf = (kind: NodeKind): string => names[kind]

const vector = (name: string): string => fileURLToPath(new URL(`../../vectors/tls/nodes/${name}`, import.meta.url))

/** Another authority with the same name, as all have that Wazuh's tool makes: of the stranger's certificate. */
export const foreignAuthority = vector('foreign.cert')

export const vectorPaths = (kind: NodeKind): NodeCertificatePaths => ({
  ca: vector('authority.cert'),
  cert: vector(`${kind}.cert`),
  key: vector(`${kind}.key`),
})

export const nodeVector = (kind: NodeKind): NodeCertificateFiles => new NodeCertificateFiles(vectorPaths(kind))

/** Around the time at which the virtual clock begins. */
const validity: { readonly [K in NodeKind]?: { readonly startsMs: number; readonly endsMs: number } } = {
  expired: { startsMs: 0, endsMs: 1 },
  early: { startsMs: 8e15, endsMs: 8.1e15 },
}

export const authorityText = simulatedAuthority('authority')

/** Of a node that is called so, with a certificate of the authority that all trust. */
export const simulatedCertificates = (
  name: string,
  authority = 'authority',
  valid?: { startsMs: number; endsMs: number },
): SimulatedNodeCertificates => new SimulatedNodeCertificates({ ca: authorityText, ...simulatedIdentity(authority, [name], valid) })

export const simulatedCertificatesOf = (kind: NodeKind): SimulatedNodeCertificates =>
  simulatedCertificates(nodeNameOf(kind), kind === 'stranger' ? 'another' : 'authority', validity[kind])
