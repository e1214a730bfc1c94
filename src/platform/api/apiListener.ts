/** The HTTP service on its port: certificates are read at each start, connections are bounded, and nothing is open after the stop. */
import type { AddressInfo, Socket } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { FastifyInstance } from 'fastify'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { hostAllowList } from '../../domain/api/hostAllowList.js'
import { isLoopbackAddress } from '../../domain/api/loopback.js'
import { addressPrefix } from '../../domain/cluster/addressPrefix.js'
import { loadTls } from './apiFiles.js'
import { type ApiServerOptions, createApi } from './apiServer.js'

export type ApiListenerOptions = Omit<ApiServerOptions, 'isHostAllowed' | 'tls'>

/** Names and addresses of this machine. */
const ownHosts = (): readonly string[] => [
  hostname(),
  ...Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address)),
]

export class ApiListener {
  readonly #given: ApiListenerOptions
  #app: FastifyInstance | undefined

  constructor(given: ApiListenerOptions) {
    this.#given = given
  }

  /** The port. Fails with `configInvalid` and `listenFailed`. */
  async start(): Promise<number> {
    const { options, users } = this.#given
    const tls = await loadTls(options)
    const hasUsers = (await users.users()).length > 0
    const { address } = options
    if (!isLoopbackAddress(address) && !(tls && hasUsers))
      throw new ClusterError('configInvalid', { message: `api.address is ${address}: ${unsafe(tls !== undefined)}` })
    if (!hasUsers)
      void this.#given.desk.log('warning', 'Nobody can log in: `muster-api user add NAME` makes a user.').catch(() => undefined)
    // With port 0 the machine decides, and names of the service have it in them: they are known only then.
    let isAllowed = (_: string | undefined): boolean => false
    const app = createApi({ ...this.#given, tls, isHostAllowed: (host) => isAllowed(host) })
    boundConnections(app)
    this.#app = app
    try {
      await app.listen({ host: address, port: options.port, listenTextResolver: () => '' })
    } catch (thrown) {
      await app.close()
      throw new ClusterError('listenFailed', { message: `Cannot listen on ${address}:${options.port}: ${reasonOf(thrown)}`, cause: thrown })
    }
    const { port } = app.server.address() as AddressInfo
    isAllowed = hostAllowList({ hosts: [address, ...ownHosts(), ...options.hosts], port, scheme: tls ? 'https' : 'http' })
    return port
  }

  async stop(): Promise<void> {
    await this.#app?.close()
  }
}

const unsafe = (hasTls: boolean): string =>
  hasTls
    ? 'other machines may reach the service only when there is a user: `muster-api user add NAME`'
    : 'other machines may reach the service only over TLS: set certificate and key of api in etc/cluster.json, or listen on 127.0.0.1 and use an SSH tunnel'

const reasonOf = (thrown: unknown): string => {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program has the port',
    EACCES: 'permission denied',
    EADDRNOTAVAIL: 'this machine does not have the address',
  }
  return known[code] ?? (thrown instanceof Error ? thrown.message : String(thrown))
}

/** A connection beyond the bounds is closed before a byte of it is read. */
const boundConnections = ({ server }: FastifyInstance): void => {
  const byAddress = new Map<string, number>()
  server.maxConnections = limits.apiConnectionsMax
  server.on('connection', (socket: Socket) => {
    const prefix = addressPrefix(socket.remoteAddress ?? '')
    const open = (byAddress.get(prefix) ?? 0) + 1
    if (open > limits.apiConnectionsPerAddressMax) {
      socket.destroy()
      return
    }
    byAddress.set(prefix, open)
    socket.once('close', () => {
      const left = (byAddress.get(prefix) ?? 1) - 1
      if (left > 0) byAddress.set(prefix, left)
      else byAddress.delete(prefix)
    })
  })
}
