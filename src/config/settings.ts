/** The configuration of a node: the options of the `<cluster>` block and of cluster.json, and the settings that come of them. */
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import { limits } from '../base/limits.js'
import { defaultTimings, type Timings } from '../domain/cluster/timings.js'
import { defaultSyncedItems, type SyncedItems } from '../domain/files/syncedItems.js'
import type { EventOptions } from '../ports/listener.js'
import { type AgentServices, eventOptions, proxyOptions, verifiesCountersOption } from './agentServiceOptions.js'
import type { ApiServiceSettings } from './apiOptions.js'
import type { BalancerSettings } from './balancerOptions.js'
import { filePath, option } from './option.js'

const ipAddress = () => Type.Union([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })])
const keyText = () => Type.String({ pattern: '^[A-Za-z0-9_]{32}$' })
const yesOrNo = 'yes or no'
const keyAllowed = 'exactly 32 letters, digits or underscores'

const refusedAddresses = ['localhost', 'NODE_IP', '0.0.0.0', '127.0.1.1']
const addressSchemas = {
  ip: ipAddress(),
  // A name that ends in a number is a mistyped IPv4 address.
  dns: Type.String({
    maxLength: 253,
    pattern: '^(?!.*(^|\\.)[0-9]+$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\\.?$',
  }),
}

/** Of any machine. */
export const hostAddress = Type.Union([addressSchemas.ip, addressSchemas.dns])

const isNodeAddress = (text: string): boolean =>
  !refusedAddresses.some((refused) => refused.toLowerCase() === text.toLowerCase()) && Check(hostAddress, text)

/** The options of `<cluster>` that have one value, under the names that the code uses. */
export const clusterOptions = {
  name: option({
    name: 'name',
    schema: Type.String({ minLength: 1, maxLength: limits.clusterNameCharsMax, pattern: '^[^\\u0000-\\u001f\\u007f]+$' }),
    fallback: 'wazuh',
    allowed: `a text of 1 to ${limits.clusterNameCharsMax} characters on one line`,
    description: "The cluster's name; the same on every node.",
  }),
  nodeName: option({
    name: 'node_name',
    schema: Type.String({ maxLength: limits.nodeNameCharsMax, pattern: '^(?!\\.+$)[A-Za-z0-9_.-]+$' }),
    fallback: 'node01',
    allowed: `1 to ${limits.nodeNameCharsMax} letters, digits, underscores, dashes or dots (not dots alone)`,
    description: "This node's name; another one on each node.",
  }),
  nodeType: option({
    name: 'node_type',
    schema: Type.Union([Type.Literal('master'), Type.Literal('worker')]),
    fallback: 'master',
    allowed: 'master or worker',
    description: 'What the node is. `client` is a deprecated name of `worker`.',
  }),
  key: option({
    name: 'key',
    schema: keyText(),
    fallback: '',
    allowed: keyAllowed,
    description:
      'The secret that the nodes share (`openssl rand -hex 16` makes one). Required, unless `key_file` in `etc/cluster.json` names a file.',
    secret: true,
  }),
  port: option({
    name: 'port',
    schema: Type.Integer({ minimum: 1025, maximum: 65_534 }),
    fallback: 1516,
    allowed: 'an integer, 1024 < port < 65535',
    description: 'The TCP port that the master listens on and the workers dial.',
  }),
  bindAddress: option({
    name: 'bind_addr',
    schema: ipAddress(),
    fallback: '0.0.0.0',
    allowed: 'an IPv4 or IPv6 address, not a name',
    description: 'The address that the master listens on; `::` for IPv6 and IPv4.',
  }),
  masterAddress: option({
    name: 'nodes><node',
    schema: Type.Refine(Type.String(), isNodeAddress),
    fallback: 'NODE_IP',
    allowed: `the master's IPv4 or IPv6 address or DNS name, and none of ${refusedAddresses.join(', ')}`,
    description: "The master's address, on every node; the first `<node>` counts, further ones are warned about and ignored. Required.",
  }),
  hidden: option({
    name: 'hidden',
    schema: Type.Boolean(),
    fallback: false,
    allowed: yesOrNo,
    description: 'Whether alerts keep silent about the cluster.',
  }),
  disabled: option({
    name: 'disabled',
    schema: Type.Boolean(),
    fallback: false,
    allowed: yesOrNo,
    description: 'Whether the cluster is off. Without any `<cluster>` block it is.',
  }),
} as const

/** What the units of `agents_disconnection_time` are. */
export const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** Options of `<global>`, which is Wazuh's block: nothing else in it is read. */
export const globalOptions = {
  agentsDisconnectionTime: option({
    name: 'agents_disconnection_time',
    schema: Type.String({ pattern: '^[1-9][0-9]{0,5}[smhdw]?$' }),
    fallback: `${defaultTimings.agentsDisconnectionMs / unitsMs.m}m`,
    allowed: 'a number of seconds from 1 to 999999, or of the unit that follows it: s, m, h, d or w',
    description: 'How long an agent may be silent before it is called disconnected. The same on every node.',
  }),
} as const

/** Top-level options of cluster.json besides the tables `intervals` and `files`. What Wazuh's `<cluster>` does not know has its place here. */
export const topOptions = {
  keyFile: option({
    name: 'key_file',
    schema: Type.String({ minLength: 1, maxLength: limits.pathBytesMax }),
    fallback: '',
    allowed: 'the path of a file that holds the key, in place of <key>',
    description: 'A file that holds the key, absolute or relative to the home; in place of `<key>` in `ossec.conf`.',
  }),
  previousKey: option({
    name: 'previous_key',
    schema: keyText(),
    fallback: '',
    allowed: keyAllowed,
    description: 'A second key that is accepted too while the key is being changed on node after node.',
    secret: true,
  }),
  previousKeyFile: option({
    name: 'previous_key_file',
    schema: Type.String({ minLength: 1, maxLength: limits.pathBytesMax }),
    fallback: '',
    allowed: 'the path of a file that holds the previous key, in place of previous_key',
    description: 'A file that holds the previous key; in place of `previous_key`.',
  }),
  reloadCommand: option({
    name: 'reload_command',
    schema: Type.Array(Type.String({ minLength: 1, maxLength: 4_096, pattern: '^[^\\u0000]+$' }), { minItems: 1, maxItems: 64 }),
    fallback: [],
    allowed: 'a list of texts: the program and its arguments',
    description:
      'Run once after a change of items with `restart`, but for a Wazuh manager from 4.13 on, whose `wazuh-analysisd` is asked to load its rules again. The program and its arguments, without a shell.',
  }),
  compression: option({
    name: 'compression',
    schema: Type.Union([Type.Literal('auto'), Type.Literal('never'), Type.Literal('always')]),
    fallback: 'auto',
    allowed: '"auto", "never" or "always"',
    description: 'Whether content is compressed on its way; `auto` leaves it out where it does not pay.',
  }),
  workersMax: option({
    name: 'workers_max',
    schema: Type.Integer({ minimum: 1, maximum: limits.workersMax }),
    fallback: 100,
    allowed: `a whole number, 1 to ${limits.workersMax}`,
    description: 'How many workers may be connected to the master at the same time; more are refused, and try again slowly.',
  }),
  verifiesCounters: verifiesCountersOption,
  manager: option({
    name: 'manager',
    schema: Type.Union([Type.Literal('auto'), Type.Literal('wazuh'), Type.Literal('none')]),
    fallback: 'auto',
    allowed: '"auto", "wazuh" or "none"',
    description:
      'Whether a real Wazuh manager runs in this home. With `wazuh` agents, their groups, `merged.mg` and `queue/rids` are left to it; `auto` means `wazuh` where `bin/wazuh-control` or the socket `queue/db/wdb` is there, else `none`.',
  }),
  apiBridge: option({
    name: 'api_bridge',
    schema: Type.Union([Type.Literal('auto'), Type.Literal('off')]),
    fallback: 'auto',
    allowed: '"auto" or "off"',
    description:
      "Whether requests of Wazuh's distributed API (its REST API, `cluster_control -a`, `agent_groups`) are carried out here, beside a real manager: `auto` means with the manager's own Python, `framework/python/bin/python3`, where it is there.",
  }),
} as const

/** The object `tls` of cluster.json: the certificates of a node, and whom it lets in by them. */
export const tlsOptions = {
  ca: filePath('ca', 'The authorities whose certificates nodes have, in PEM; two of them while one is replaced by another.'),
  cert: filePath('cert', "This node's certificate in PEM, with those between it and the authority. It must be for the name of the node."),
  key: filePath('key', 'The key of the certificate, in PEM, without a passphrase. The daemon reads all three again when they change.'),
  require: option({
    name: 'require',
    schema: Type.Boolean(),
    fallback: true,
    allowed: 'true or false',
    description:
      'Whether connections without TLS are refused. With `false` a master takes both on its port, and a worker goes on without TLS, with a warning, where the master has none.',
  }),
  allow: option({
    name: 'allow',
    schema: Type.Array(Type.String({ minLength: 1, maxLength: limits.nodeNameCharsMax, pattern: '^[A-Za-z0-9_.:-]+$' }), {
      minItems: 1,
      maxItems: limits.allowedNodesMax,
    }),
    fallback: [],
    allowed: 'a list of names of nodes, and of SHA-256 fingerprints of certificates',
    description:
      'Who may be a node, of those whose certificate is for their name; all of them when it is left out. On a worker: who may be its master.',
  }),
} as const

/** Paths are absolute, or relative to the home. */
export interface TlsSettings {
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** True when left out. */
  readonly require?: boolean
  readonly allow?: readonly string[]
}

/** Where a key comes from, if it is configured at all. */
export type KeySource = { readonly from: 'text'; readonly text: string } | { readonly from: 'file'; readonly path: string } | undefined

/** What cluster.json says about keys. */
export interface JsonKeys {
  readonly keyFile: string | undefined
  readonly previousKey: KeySource
}

/** What cluster.json decides besides the keys. */
export interface InternalSettings {
  readonly timings: Timings
  readonly synced: SyncedItems
  /** Program and arguments. */
  readonly reloadCommand?: readonly string[]
  readonly compression: Static<typeof topOptions.compression.schema>
  readonly manager: Static<typeof topOptions.manager.schema>
  readonly apiBridge: Static<typeof topOptions.apiBridge.schema>
  readonly workersMax: number
  readonly verifiesCounters: boolean
  readonly events: EventOptions
  /** Load balancers that say whose connections they pass on. */
  readonly proxies: readonly string[]
  /** Nothing: this node has no HTTP service. */
  readonly api?: ApiServiceSettings
  /** Undefined: nodes have no certificates. */
  readonly tls?: TlsSettings
}

/** The whole configuration of a node, checked. */
export interface NodeSettings extends InternalSettings, AgentServices {
  /** Absolute. */
  readonly home: string
  /** The cluster's name. */
  readonly name: string
  readonly nodeName: string
  readonly nodeType: 'master' | 'worker'
  /** Empty only when `disabled`. */
  readonly key: string
  readonly previousKey?: string
  readonly port: number
  readonly bindAddress: string
  /** IPv4, IPv6 or a DNS name. */
  readonly masterAddress: string
  readonly hidden: boolean
  readonly disabled: boolean
  /** Of a master whose HAProxy helper is on. */
  readonly balancer?: BalancerSettings
}

export const defaultInternalSettings: InternalSettings = {
  timings: defaultTimings,
  synced: defaultSyncedItems,
  compression: topOptions.compression.fallback,
  manager: topOptions.manager.fallback,
  apiBridge: topOptions.apiBridge.fallback,
  workersMax: topOptions.workersMax.fallback,
  verifiesCounters: topOptions.verifiesCounters.fallback,
  events: {
    segmentBytesMax: eventOptions.segmentBytesMax.fallback,
    bytesMax: eventOptions.bytesMax.fallback,
    toReader: eventOptions.toReader.fallback,
  },
  proxies: proxyOptions.from.fallback,
}
