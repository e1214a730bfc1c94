/** The services that agents connect to: the options of `<auth>` and `<remote>`, as Wazuh 4.14 has them, and what comes of them. */
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import { limits } from '../base/limits.js'
import { defaultEnrolmentRules, type EnrolmentRules } from '../domain/agents/replacement.js'
import type { ListeningPlace } from '../domain/listener/listeningPlace.js'
import type { AgentTransport } from '../ports/listener.js'
import { type Option, option } from './option.js'

const yesOrNo = 'yes or no'
const yesNo = (name: string, fallback: boolean, description: string) =>
  option({ name, schema: Type.Boolean(), fallback, allowed: yesOrNo, description })
const pathText = () => Type.String({ maxLength: limits.pathBytesMax, pattern: '^[^\\u0000]*$' })
const path = (name: string, fallback: string, description: string) =>
  option({ name, schema: pathText(), fallback, allowed: 'the path of a file, absolute or relative to the home', description })
const portOption = (fallback: number, description: string) =>
  option({
    name: 'port',
    schema: Type.Integer({ minimum: 1, maximum: 65_535 }),
    fallback,
    allowed: 'an integer, 1 to 65535',
    description,
  })
const timeOption = (name: string, fallback: string, description: string) =>
  option({
    name,
    schema: Type.String({ pattern: '^[0-9]{1,9}[smhdw]?$' }),
    fallback,
    allowed: 'a number of seconds, or of the unit that follows it: s, m, h, d or w',
    description,
  })

/** The times of such an option. */
export const timeMs = (text: string): number => Number.parseInt(text, 10) * (unitsMs[text.at(-1) as keyof typeof unitsMs] ?? unitsMs.s)
const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

const allowHigherVersions = yesNo('agents><allow_higher_versions', false, 'Whether agents of a newer version than the manager may come.')

/** Of `<auth>`, but for what is in `<force>`. */
export const authOptions = {
  disabled: yesNo('disabled', false, 'Whether agents cannot enrol at this node. Without an `<auth>` block they cannot.'),
  port: portOption(1515, 'The TCP port that agents enrol at.'),
  ipv6: yesNo('ipv6', false, 'Whether agents may come over IPv6 too.'),
  usesSourceIp: yesNo('use_source_ip', false, 'Whether an agent is registered with the address that it comes from, in place of `any`.'),
  purge: yesNo('purge', false, 'Whether removed agents are dropped from client.keys; else their lines stay, marked. Of the master.'),
  usesPassword: yesNo('use_password', false, 'Whether agents have to know the password in `etc/authd.pass`.'),
  ciphers: option({
    name: 'ciphers',
    schema: Type.String({ minLength: 1, maxLength: 1_024, pattern: '^[A-Za-z0-9:!+@=_., -]+$' }),
    fallback: 'HIGH:!ADH:!EXP:!MD5:!RC4:!3DES:!CAMELLIA:@STRENGTH',
    allowed: 'a list of ciphers as OpenSSL writes it',
    description: 'The ciphers of TLS 1.2.',
  }),
  agentCaPath: path('ssl_agent_ca', '', 'A file of authorities: agents have to show a certificate of one of them.'),
  verifiesHost: yesNo(
    'ssl_verify_host',
    false,
    'With `ssl_agent_ca`: whether the certificate must name the address that the agent comes from.',
  ),
  certificatePath: path(
    'ssl_manager_cert',
    'etc/sslmanager.cert',
    'The certificate; made at the first start when it and the key are not there.',
  ),
  keyPath: path('ssl_manager_key', 'etc/sslmanager.key', 'The key of the certificate.'),
  autoNegotiate: yesNo('ssl_auto_negotiate', false, 'Has no effect: TLS 1.2 and 1.3 are taken, older versions never.'),
  allowHigherVersions,
} as const

/** Of `<force>` in `<auth>`: when an agent that enrols may take the place of one with its name or address. Of the master. */
export const forceOptions = {
  enabled: yesNo('enabled', true, 'Whether agents are replaced at all.'),
  keyMismatch: yesNo('key_mismatch', true, 'Whether an agent that shows to have the key of the one that is there does not replace it.'),
  disconnectedTime: timeOption(
    'disconnected_time',
    '1h',
    'Only agents are replaced that have been disconnected for longer, or never connected; any with the attribute `enabled="no"`.',
  ),
  afterRegistrationTime: timeOption('after_registration_time', '1h', 'Only agents are replaced that were registered longer ago.'),
} as const

/** Texts of `protocol` name one, or both in any order. */
export const transportsIn = (text: string): readonly AgentTransport[] =>
  (['tcp', 'udp'] as const).filter((transport) => text.split(',').some((word) => word.trim().toLowerCase() === transport))

/** Of `<remote>` with `<connection>secure</connection>`. */
export const remoteOptions = {
  connection: option({
    name: 'connection',
    schema: Type.Union([Type.Literal('secure'), Type.Literal('syslog')]),
    fallback: 'secure',
    allowed: 'secure or syslog',
    description: 'What comes in: agents, or lines of syslog, which are left to Wazuh (with a note).',
  }),
  port: portOption(1514, 'The port that agents report to.'),
  protocol: option({
    name: 'protocol',
    schema: Type.Refine(Type.String({ maxLength: 100 }), (text) => transportsIn(text).length > 0),
    fallback: 'tcp',
    allowed: 'tcp, udp, or both with a comma between',
    description: 'Over what agents report.',
  }),
  localIp: option({
    name: 'local_ip',
    schema: Type.Union([Type.Literal(''), Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })]),
    fallback: '',
    allowed: 'an IPv4 or IPv6 address of this machine',
    description: 'The address to listen on; all when it is left out.',
  }),
  ipv6: yesNo('ipv6', false, 'Whether agents may come over IPv6 too.'),
  queueSize: option({
    name: 'queue_size',
    schema: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
    fallback: 131_072,
    allowed: 'an integer, at least 1',
    description: 'Has no effect: nothing is kept in a queue; agents over TCP wait while the disk or the reader is slow.',
  }),
  ridsClosingTime: timeOption('rids_closing_time', '5m', 'Has no effect: no files of counters are kept open.'),
  allowHigherVersions,
} as const

const wholeBytes = (name: string, minimum: number, maximum: number, fallback: number, description: string) =>
  option({
    name,
    schema: Type.Integer({ minimum, maximum }),
    fallback,
    allowed: `a whole number of bytes, ${minimum} to ${maximum}`,
    description,
  })

const MiB = 1024 * 1024

/** The object `events` of cluster.json. */
export const eventOptions = {
  segmentBytesMax: wholeBytes(
    'segment_bytes',
    MiB,
    1_024 * MiB,
    64 * MiB,
    'A segment of `queue/events` is ended when it has this many bytes; half of `keep_bytes` at most.',
  ),
  bytesMax: wholeBytes(
    'keep_bytes',
    2 * MiB,
    1_024 * 1_024 * MiB,
    4_096 * MiB,
    'The oldest segments are deleted when all together have more bytes.',
  ),
  toReader: option({
    name: 'reader',
    schema: Type.Boolean(),
    fallback: true,
    allowed: 'true or false',
    description: 'Whether events also go to the socket `queue/sockets/queue`, as wazuh-analysisd reads them, when there is a reader.',
  }),
} as const

const addressOrNetwork = (text: string): boolean => {
  const [address = '', bits, ...rest] = text.split('/')
  const isV4 = Check(Type.String({ format: 'ipv4' }), address)
  const isAddress = isV4 || Check(Type.String({ format: 'ipv6' }), address)
  return isAddress && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isV4 ? 32 : 128)))
}

/** The object `proxy_protocol` of cluster.json. */
export const proxyOptions = {
  from: option({
    name: 'from',
    schema: Type.Array(Type.Refine(Type.String(), addressOrNetwork), { maxItems: 1_000 }),
    fallback: [],
    allowed: 'a list of addresses or networks, such as "10.0.0.7" or "10.1.0.0/16"',
    description:
      'Load balancers whose connections to 1514 (TCP) and 1515 begin with a header of the PROXY protocol, version 1 or 2. From all others none is taken.',
  }),
} as const

/** Further options of cluster.json for the listener. */
export const verifiesCountersOption: Option<ReturnType<typeof Type.Boolean>> = option({
  name: 'verify_msg_id',
  schema: Type.Boolean(),
  fallback: false,
  allowed: 'true or false',
  description:
    "Whether a message of an agent is refused when its counter is not greater than the previous one, as with Wazuh's `remoted.verify_msg_id`.",
})

/** As a program hands them to createNode: in types of their own, and with any free port. */
export const trueOrFalse = 'true or false'
const orFree = (known: Option): Option => ({
  ...known,
  schema: Type.Integer({ minimum: 0, maximum: 65_535 }),
  allowed: `${known.allowed}, or 0 for any that is free`,
})
const asBoolean = (known: Option): Option => ({ ...known, allowed: trueOrFalse })

const transportList = () => Type.Array(Type.Union([Type.Literal('tcp'), Type.Literal('udp')]), { minItems: 1, maxItems: 2 })

export const serviceOptions: Readonly<Record<'enrolment' | 'listener' | 'events', Readonly<Record<string, Option>>>> = {
  enrolment: {
    port: orFree(authOptions.port),
    ipv6: asBoolean(authOptions.ipv6),
    usesSourceIp: asBoolean(authOptions.usesSourceIp),
    usesPassword: asBoolean(authOptions.usesPassword),
    ciphers: authOptions.ciphers,
    agentCaPath: authOptions.agentCaPath,
    verifiesHost: asBoolean(authOptions.verifiesHost),
    certificatePath: authOptions.certificatePath,
    keyPath: authOptions.keyPath,
    allowHigherVersions: asBoolean(allowHigherVersions),
  },
  listener: {
    port: orFree(remoteOptions.port),
    transports: option({
      name: 'transports',
      schema: transportList(),
      fallback: ['tcp'],
      allowed: 'a list of "tcp", "udp" or both',
      description: '',
    }),
    localIp: remoteOptions.localIp,
    ipv6: asBoolean(remoteOptions.ipv6),
    further: option({
      name: 'further',
      schema: Type.Array(
        Type.Object(
          {
            port: remoteOptions.port.schema,
            transports: transportList(),
            localIp: remoteOptions.localIp.schema,
            ipv6: remoteOptions.ipv6.schema,
          },
          { additionalProperties: false },
        ),
        { maxItems: limits.listeningPlacesMax - 1 },
      ),
      fallback: [],
      allowed: `a list of at most ${limits.listeningPlacesMax - 1} objects with port, transports, localIp and ipv6`,
      description: '',
    }),
    allowHigherVersions: asBoolean(allowHigherVersions),
  },
  events: eventOptions,
}

/** What `<auth>` makes of this node. */
export interface EnrolmentServiceSettings {
  readonly port: number
  readonly ipv6: boolean
  readonly usesSourceIp: boolean
  readonly usesPassword: boolean
  readonly ciphers: string
  /** Empty: agents need no certificate. */
  readonly agentCaPath: string
  readonly verifiesHost: boolean
  readonly certificatePath: string
  readonly keyPath: string
  readonly allowHigherVersions: boolean
}

/** What `<remote>` makes of it. */
export interface ListenerServiceSettings extends ListeningPlace {
  readonly further?: readonly ListeningPlace[]
  readonly allowHigherVersions: boolean
}

export const defaultEnrolmentService: EnrolmentServiceSettings = {
  port: authOptions.port.fallback,
  ipv6: authOptions.ipv6.fallback,
  usesSourceIp: authOptions.usesSourceIp.fallback,
  usesPassword: authOptions.usesPassword.fallback,
  ciphers: authOptions.ciphers.fallback,
  agentCaPath: authOptions.agentCaPath.fallback,
  verifiesHost: authOptions.verifiesHost.fallback,
  certificatePath: authOptions.certificatePath.fallback,
  keyPath: authOptions.keyPath.fallback,
  allowHigherVersions: authOptions.allowHigherVersions.fallback,
}

export const defaultListenerService: ListenerServiceSettings = {
  port: remoteOptions.port.fallback,
  transports: transportsIn(remoteOptions.protocol.fallback),
  localIp: remoteOptions.localIp.fallback,
  ipv6: remoteOptions.ipv6.fallback,
  allowHigherVersions: remoteOptions.allowHigherVersions.fallback,
}

/** What an ossec.conf says about agents; undefined: the service is off. */
export interface AgentServices {
  readonly enrolment: EnrolmentServiceSettings | undefined
  readonly listener: ListenerServiceSettings | undefined
  readonly enrolmentRules: EnrolmentRules
}

export const noAgentServices: AgentServices = { enrolment: undefined, listener: undefined, enrolmentRules: defaultEnrolmentRules }
