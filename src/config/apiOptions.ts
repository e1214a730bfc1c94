/** The object `api` of cluster.json: the HTTP service. */
import { Type } from 'typebox'
import { usersPath } from '../domain/api/apiUsers.js'
import { isLoopbackAddress } from '../domain/api/loopback.js'
import { filePath, option } from './option.js'

export const apiOptions = {
  enabled: option({
    name: 'enabled',
    schema: Type.Boolean(),
    fallback: false,
    allowed: 'true or false',
    description: 'Whether this node has the HTTP service: API, health, metrics and page.',
  }),
  address: option({
    name: 'address',
    schema: Type.Union([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })]),
    fallback: '127.0.0.1',
    allowed: 'an IPv4 or IPv6 address, not a name',
    description: 'The address that it listens on. Any other than a loopback address needs `certificate`, `key` and a user.',
  }),
  port: option({
    name: 'port',
    schema: Type.Integer({ minimum: 1_025, maximum: 65_535 }),
    fallback: 55_000,
    allowed: 'an integer, 1024 < port < 65536',
    description: 'Its TCP port.',
  }),
  certificatePath: filePath(
    'certificate',
    'Its certificate in PEM, with those between it and the authority; read at each start of the service.',
  ),
  keyPath: filePath('key', 'The key of the certificate, in PEM, without a passphrase.'),
  clientCaPath: filePath('client_ca', 'Clients must show a certificate of one of the authorities in this file too.'),
  hosts: option({
    name: 'hosts',
    schema: Type.Array(Type.String({ pattern: '^[A-Za-z0-9_.:-]{1,253}$' }), { maxItems: 100 }),
    fallback: [],
    allowed: 'a list of host names or addresses, without a port',
    description: 'Names that requests may be for, besides `localhost` and the name and addresses of this machine.',
  }),
} as const

/** What is configured of the service; undefined: it is off. */
export interface ApiServiceSettings {
  readonly address: string
  readonly port: number
  readonly certificatePath: string | undefined
  readonly keyPath: string | undefined
  readonly clientCaPath: string | undefined
  readonly hosts: readonly string[]
}

export const defaultApiService: ApiServiceSettings = {
  address: apiOptions.address.fallback,
  port: apiOptions.port.fallback,
  certificatePath: undefined,
  keyPath: undefined,
  clientCaPath: undefined,
  hosts: apiOptions.hosts.fallback,
}

const isOpenToOthers = ({ address }: ApiServiceSettings): boolean => !isLoopbackAddress(address)

/** What is wrong between the options; the names are those that the caller wrote. */
export const mistakesInApi = (settings: ApiServiceSettings, name: (option: keyof ApiServiceSettings) => string): readonly string[] => {
  const { address, certificatePath, clientCaPath, keyPath } = settings
  const mistakes: string[] = []
  const [given, missing] =
    certificatePath === undefined ? (['keyPath', 'certificatePath'] as const) : (['certificatePath', 'keyPath'] as const)
  if ((certificatePath === undefined) !== (keyPath === undefined))
    mistakes.push(`${name(given)} is given without ${name(missing)}: must be both or neither`)
  if (clientCaPath !== undefined && certificatePath === undefined)
    mistakes.push(`${name('clientCaPath')} is given without ${name('certificatePath')}: clients show certificates over TLS only`)
  if (isOpenToOthers(settings) && certificatePath === undefined)
    mistakes.push(
      `${name('address')} is "${address}", which other machines reach: must be a loopback address such as "127.0.0.1" (reach it by ssh -L), or set ${name('certificatePath')} and ${name('keyPath')} too`,
    )
  return mistakes
}

/** The same of the users, when there are none. */
export const mistakeWithoutUsers = (settings: ApiServiceSettings, name: string): string | undefined =>
  isOpenToOthers(settings)
    ? `${name} is "${settings.address}", which other machines reach, and ${usersPath} has no user: must be a loopback address, or make a user first: muster-api user add NAME`
    : undefined
