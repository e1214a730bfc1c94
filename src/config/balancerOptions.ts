/** The load balancer of a master: the options of `<haproxy_helper>`, as Wazuh 4.14 has them, those of cluster.json, and what comes of them. */
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import { limits } from '../base/limits.js'
import { type BalancingOptions, defaultBalancing } from '../domain/balancer/balancingOptions.js'
import { filePath, type Option, option } from './option.js'
import { clusterOptions, hostAddress } from './settings.js'

const minuteMs = 60_000
/** A day. */
const secondsMax = 86_400

/** What HAProxy takes as the name of a section: nothing that could end a command. */
const sectionName = () => Type.String({ maxLength: 128, pattern: '^[A-Za-z0-9_.:-]+$' })
const sectionAllowed = '1 to 128 letters, digits, underscores, dashes, dots or colons'

type Bounds = readonly [minimum: number, maximum: number]

/** In seconds, but where it says so. */
const bounds = {
  frequency: [10, secondsMax],
  reconnectionTime: [0, secondsMax],
  stabilityTime: [10, secondsMax],
  removeAfterMinutes: [0, 1_000_000],
} as const satisfies Record<string, Bounds>

const wholeNumber = (name: string, [minimum, maximum]: Bounds, fallback: number, description: string) =>
  option({
    name,
    schema: Type.Integer({ minimum, maximum }),
    fallback,
    allowed: `a whole number, ${minimum} to ${maximum}`,
    description,
  })

/** Required where the Data Plane API is used; a path is relative to the home, or absolute. */
const requiredText = (name: string, pattern: string, allowed: string, description: string, secret?: true) =>
  option({
    name,
    schema: Type.String({ minLength: 1, maxLength: 1_024, pattern }),
    fallback: '',
    allowed,
    description,
    ...(secret && { secret }),
  })

/** Of the text of `excluded_nodes`. */
export const nodeNames = (text: string): readonly string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

const areNodeNames = (text: string): boolean => nodeNames(text).every((name) => Check(clusterOptions.nodeName.schema, name))

/** The options of `<haproxy_helper>` in `<cluster>`. */
export const helperOptions = {
  disabled: option({
    name: 'haproxy_disabled',
    schema: Type.Boolean(),
    fallback: true,
    allowed: 'yes or no',
    description: 'Whether the helper is off. It is unless this is `no`, on a master.',
  }),
  address: option({
    name: 'haproxy_address',
    schema: hostAddress,
    fallback: '',
    allowed: "the IPv4 or IPv6 address or DNS name of HAProxy's Data Plane API",
    description: 'Where the Data Plane API is. Required without `haproxy.runtime_socket`.',
  }),
  user: requiredText(
    'haproxy_user',
    '^[^:\\u0000-\\u001f\\u007f]+$',
    'the name of a user of the Data Plane API, on one line and without a colon',
    'Its user. Required without `haproxy.runtime_socket`.',
  ),
  password: requiredText(
    'haproxy_password',
    '^[^\\u0000-\\u001f\\u007f]+$',
    "the user's password, 1 to 1024 characters on one line",
    "The user's password. Required without `haproxy.runtime_socket`.",
    true,
  ),
  port: wholeNumber('haproxy_port', [1, 65_535], 5_555, 'The TCP port of the Data Plane API.'),
  protocol: option({
    name: 'haproxy_protocol',
    schema: Type.Union([Type.Literal('http'), Type.Literal('https')]),
    fallback: 'http',
    allowed: 'http or https',
    description: 'How the Data Plane API is spoken to. With `https`, `haproxy_cert` is required.',
  }),
  backend: option({
    name: 'haproxy_backend',
    schema: sectionName(),
    fallback: 'wazuh_reporting',
    allowed: sectionAllowed,
    description: 'The backend whose servers are the nodes; made by the Data Plane API when it is not there.',
  }),
  resolver: option({
    name: 'haproxy_resolver',
    schema: sectionName(),
    fallback: '',
    allowed: sectionAllowed,
    description: "The section `resolvers` of HAProxy that it asks about the nodes' DNS names; of the Data Plane API.",
  }),
  certificate: filePath(
    'haproxy_cert',
    'The certificate, or that of its authority, that the Data Plane API has to show. Required for `https`.',
  ),
  clientCertificate: filePath('client_cert', 'The certificate that is shown to the Data Plane API; with `client_cert_key`.'),
  clientKey: filePath('client_cert_key', 'Its key; with `client_cert`.'),
  clientKeyPassword: requiredText(
    'client_cert_password',
    '^[^\\u0000-\\u001f\\u007f]+$',
    'the password of the key, 1 to 1024 characters on one line',
    'The password of that key.',
    true,
  ),
  excludedNodes: option({
    name: 'excluded_nodes',
    schema: Type.Refine(Type.String({ maxLength: 100_000 }), areNodeNames),
    fallback: '',
    allowed: 'names of nodes, each in a <node>, or with commas between',
    description: 'Nodes that HAProxy sends no agents to.',
  }),
  frequency: wholeNumber(
    'frequency',
    bounds.frequency,
    defaultBalancing.frequencyMs / 1_000,
    'Seconds from one round to the next. A node that joins or leaves is seen at once.',
  ),
  agentChunkSize: wholeNumber(
    'agent_chunk_size',
    [100, limits.reconnectIdsMax],
    defaultBalancing.agentChunkSize,
    'Agents that are asked to reconnect at a time.',
  ),
  agentReconnectionTime: wholeNumber(
    'agent_reconnection_time',
    bounds.reconnectionTime,
    defaultBalancing.agentReconnectionMs / 1_000,
    'Seconds from one such chunk to the next.',
  ),
  stabilityTime: wholeNumber(
    'agent_reconnection_stability_time',
    bounds.stabilityTime,
    defaultBalancing.stabilityMs / 1_000,
    'Seconds after agents were moved before it is judged again whether they are balanced.',
  ),
  imbalanceTolerance: option({
    name: 'imbalance_tolerance',
    schema: Type.Number({ exclusiveMinimum: 0, maximum: 1 }),
    fallback: defaultBalancing.imbalanceTolerance,
    allowed: 'a number above 0, at most 1',
    description: 'How far from the mean a node may be, as a share of the mean, before agents are moved.',
  }),
  removeDisconnectedAfter: wholeNumber(
    'remove_disconnected_node_after',
    bounds.removeAfterMinutes,
    defaultBalancing.removeDisconnectedMs / minuteMs,
    'Minutes after which the server of a node that is not connected is removed, when HAProxy did not see it up for as long.',
  ),
} as const

/** What a runtime socket is reached by. */
export type RuntimeSocket = { readonly path: string } | { readonly host: string; readonly port: number }

/** A text with a slash is a path. */
export const runtimeSocketOf = (text: string): RuntimeSocket | undefined => {
  if (text.includes('/')) return { path: text }
  const [, v6, name = v6 ?? '', port = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  return Check(hostAddress, name) && Check(helperOptions.port.schema, Number(port)) ? { host: name, port: Number(port) } : undefined
}

/** The object `haproxy` of cluster.json. */
export const haproxyJsonOptions = {
  runtimeSocket: option({
    name: 'runtime_socket',
    schema: Type.Refine(
      Type.String({ maxLength: limits.pathBytesMax, pattern: '^[^\\u0000]+$' }),
      (text) => runtimeSocketOf(text) !== undefined,
    ),
    fallback: '',
    allowed: 'the path of the socket (with a slash in it), or HOST:PORT',
    description:
      "HAProxy's own runtime socket (`stats socket … level admin`), in place of the Data Plane API: changes need no reload. Used by the helper when `<haproxy_helper>` is on; a path is absolute or relative to the home.",
  }),
  addresses: option({
    name: 'addresses',
    schema: Type.Record(clusterOptions.nodeName.schema, hostAddress, { additionalProperties: false }),
    fallback: {},
    allowed: 'an object of node names, each with an IPv4 or IPv6 address or a DNS name',
    description: 'Where HAProxy reaches a node, by its name, when that is not the address by which the master knows it.',
  }),
} as const

/** How HAProxy is reached; paths are absolute. */
export type BalancerAccess = RuntimeSocketAccess | DataPlaneAccess

export interface RuntimeSocketAccess {
  readonly kind: 'runtimeSocket'
  readonly socket: RuntimeSocket
}

export interface DataPlaneAccess {
  readonly kind: 'dataPlane'
  readonly address: string
  readonly port: number
  readonly protocol: 'http' | 'https'
  readonly user: string
  readonly password: string
  /** A section `resolvers` of HAProxy. */
  readonly resolver?: string
  /** With https: what it has to show. */
  readonly certificatePath?: string
  readonly client?: { readonly certificatePath: string; readonly keyPath: string; readonly keyPassword?: string }
}

/** What `<haproxy_helper>` makes of a master. */
export interface BalancerSettings {
  readonly access: BalancerAccess
  readonly backend: string
  /** That the agents report to, at every node and at HAProxy. */
  readonly agentsPort: number
  readonly balancing: BalancingOptions
}

/** As a program hands it to createNode; what is left out is as in Wazuh. */
export interface BalancerOptions {
  /** Needed unless a port `balancer` is handed in. */
  readonly access?: BalancerAccess
  readonly backend?: string
  /** The listener's, or 1514, when left out. */
  readonly agentsPort?: number
  readonly balancing?: Partial<BalancingOptions>
}

const milliseconds = ([minimum, maximum]: Bounds, unitMs = 1_000): Option =>
  option({
    name: '',
    schema: Type.Number({ minimum: minimum * unitMs, maximum: maximum * unitMs }),
    fallback: minimum * unitMs,
    allowed: `a number of milliseconds, ${minimum * unitMs} to ${maximum * unitMs}`,
    description: '',
  })

/** As a program hands them in: in milliseconds, and names in a list. */
export const balancingOptions: Readonly<Record<keyof BalancingOptions, Option>> = {
  excludedNodes: option({
    name: 'excludedNodes',
    schema: Type.Array(clusterOptions.nodeName.schema),
    fallback: [],
    allowed: 'a list of names of nodes',
    description: '',
  }),
  addresses: haproxyJsonOptions.addresses,
  frequencyMs: milliseconds(bounds.frequency),
  agentChunkSize: helperOptions.agentChunkSize,
  agentReconnectionMs: milliseconds(bounds.reconnectionTime),
  stabilityMs: milliseconds(bounds.stabilityTime),
  imbalanceTolerance: helperOptions.imbalanceTolerance,
  removeDisconnectedMs: milliseconds(bounds.removeAfterMinutes, minuteMs),
}

/** Of an `access` that a program hands in, besides its kind and the objects in it. */
export const dataPlaneOptions = {
  address: helperOptions.address,
  port: helperOptions.port,
  protocol: helperOptions.protocol,
  user: helperOptions.user,
  password: helperOptions.password,
  resolver: helperOptions.resolver,
  certificatePath: helperOptions.certificate,
} as const
