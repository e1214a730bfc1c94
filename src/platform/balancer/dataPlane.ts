/**
 * A Balancer over HAProxy's Data Plane API, version 2 or 3, whichever is there. It changes HAProxy's configuration, which is then reloaded, once
 * for all that is changed together: the backend and its frontend are made when they are missing.
 */
import { asClusterError, ClusterError } from '../../base/errors.js'
import type { Shape } from '../../base/shapeOf.js'
import { addressBytes, isSameAddress } from '../../domain/kit/addressInNetwork.js'
import type { Balancer, BalancerOpening, BalancerServer, ServerChange } from '../../ports/balancer.js'
import { isBalancerName, serverChecks } from '../../wire/haproxy/runtimeCommand.js'
import { uncheckedStatus } from '../../wire/haproxy/statTable.js'
import { bareHost, shownEndpoint } from '../net/tcpSocket.js'
import { answeredBadly, balancerSays, checkBackend, stopped } from './balancerFailure.js'
import { type ChangedConfiguration, changeConfiguration } from './configurationChange.js'
import { type ApiAnswer, type ApiCall, type DataPlaneAccess, DataPlaneClient, isDone } from './dataPlaneClient.js'
import { type ApiPath, type ApiShape, answerShapes, apiShapes, commonPaths, processShapes, statsPath } from './dataPlaneShapes.js'

export interface DataPlaneOptions extends DataPlaneAccess {
  readonly backend: string
  /** Where agents report, the same on each node, and where they reach HAProxy. */
  readonly agentsPort: number
  /** A section of HAProxy that resolves the names of servers. */
  readonly resolver?: string | undefined
}

const { fall, interMs, rise } = serverChecks
const serverDefaults = { check: 'enabled', inter: interMs, fall, rise, 'on-marked-down': 'shutdown-sessions' }
const states: Readonly<Record<string, BalancerServer['state']>> = { ready: 'ready', drain: 'drain', maint: 'maintenance' }

/** Fails with `configInvalid` for a backend that HAProxy cannot have. */
export const createDataPlane = (options: DataPlaneOptions): Balancer => new DataPlane(options)

class DataPlane implements Balancer {
  readonly #options: DataPlaneOptions
  readonly #client: DataPlaneClient
  readonly #closing = new AbortController()
  #shape: ApiShape | undefined

  constructor(options: DataPlaneOptions) {
    checkBackend(options.backend)
    this.#options = options
    this.#client = new DataPlaneClient(options)
  }

  async open(signal: AbortSignal): Promise<BalancerOpening> {
    await this.#client.open()
    this.#shape = await this.#findShape(signal)
    const version = await this.#haproxyVersion(signal)
    const foreignFrontends = await this.#change(async (configuration) => {
      await this.#makeBackend(configuration)
      return this.#makeFrontend(configuration)
    }, signal)
    return { version, foreignFrontends, warnings: plainTextWarnings(this.#options), reloads: true }
  }

  async servers(signal: AbortSignal): Promise<readonly BalancerServer[]> {
    const { backend } = this.#options
    const configured = await this.#configured(signal)
    if (configured.length === 0) return []
    const running = await this.#read(this.#api.runtimeServers(backend), answerShapes.runtimeServers, signal)
    const stats = await this.#read(statsPath(backend), processShapes.stats, signal)
    const runningOf = new Map(running.map((server) => [server.name, server]))
    const ofBackend = [stats].flat().flatMap((process) => (process.stats ?? []).filter((row) => row.backend_name === backend))
    const rows = new Map(ofBackend.map((row) => [row.name, row.stats]))
    return configured
      .map(({ address, name, port }): BalancerServer => {
        const server = runningOf.get(name)
        const row = rows.get(name)
        return {
          ...{ name, address, port: port ?? 0, state: states[server?.admin_state ?? ''] ?? 'ready' },
          isUp: server?.operational_state === 'up' && row !== undefined && row.check_status !== uncheckedStatus,
          sessions: row?.scur ?? 0,
        }
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async add(server: Pick<BalancerServer, 'name' | 'address'>, signal: AbortSignal): Promise<void> {
    await this.#changeServer({ kind: 'add', ...server }, signal)
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    await this.#changeServer({ kind: 'remove', name }, signal)
  }

  async together(changes: readonly ServerChange[], signal: AbortSignal): Promise<readonly (ClusterError | undefined)[]> {
    const outcomes = await this.#change(async (configuration) => {
      const made: (ClusterError | 'done' | 'there')[] = []
      for (const change of changes) {
        try {
          made.push(await this.#makeChange(change, configuration, signal))
        } catch (thrown) {
          const error = asClusterError(thrown)
          if (error.code !== 'balancerFailed') throw error
          made.push(error)
        }
      }
      return made
    }, signal)
    for (const [index, outcome] of outcomes.entries())
      if (outcome === 'there') await this.setState(changes[index]?.name ?? '', 'ready', signal)
    return outcomes.map((outcome) => (outcome instanceof ClusterError ? outcome : undefined))
  }

  async setState(name: string, state: 'ready' | 'drain', signal: AbortSignal): Promise<void> {
    this.#checkName(name)
    const call: ApiCall = { method: 'PUT', ...this.#api.runtimeServer(this.#options.backend, name), body: { admin_state: state } }
    const answer = await this.#call(call, signal)
    if (!isDone(answer)) throw this.#refusal(call, answer)
  }

  setHardStop(ms: number, signal: AbortSignal): Promise<void> {
    return this.#change(async (configuration) => {
      const present = await configuration.read(commonPaths.global, answerShapes.global)
      if (present.hard_stop_after === ms) return
      await configuration.write({ method: 'PUT', ...commonPaths.global, body: { ...present, hard_stop_after: ms } })
    }, signal)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#client.close()
  }

  get #api(): ApiShape {
    if (!this.#shape) throw balancerSays(this.#client.where, 'was not opened')
    return this.#shape
  }

  async #findShape(signal: AbortSignal): Promise<ApiShape> {
    for (const shape of apiShapes) {
      const call: ApiCall = { method: 'GET', path: `/${shape.version}${commonPaths.health.path}` }
      const answer = await this.#client.call(call, this.#either(signal))
      if (isDone(answer)) return shape
      if (answer.status !== 404) throw this.#refusal(call, answer)
    }
    throw balancerSays(this.#client.where, 'has neither version 3 nor version 2 of the Data Plane API')
  }

  async #haproxyVersion(signal: AbortSignal): Promise<string | undefined> {
    const answers = [await this.#read(commonPaths.info, processShapes.info, signal)].flat()
    return answers.map(({ info }) => info?.version ?? undefined).find((version) => version !== undefined)
  }

  async #makeBackend(configuration: ChangedConfiguration): Promise<void> {
    const { backend } = this.#options
    const backends = await configuration.read(commonPaths.backends, answerShapes.backends)
    if (backends.some(({ name }) => name === backend)) return
    const body = { name: backend, mode: 'tcp', balance: { algorithm: 'leastconn' } }
    await configuration.write({ method: 'POST', ...commonPaths.backends, body })
  }

  /** Returns the frontends of others on the agents' port, besides which ours could not listen: then none is made. */
  async #makeFrontend(configuration: ChangedConfiguration): Promise<readonly string[]> {
    const { agentsPort, backend } = this.#options
    const ours = `${backend}_front`
    const frontends = await configuration.read(commonPaths.frontends, answerShapes.frontends)
    const there: string[] = []
    for (const { name } of frontends) {
      const binds = await configuration.read(this.#api.binds(name), answerShapes.binds)
      if (binds.some(({ port, 'port-range-end': end }) => port && port <= agentsPort && agentsPort <= (end ?? port))) there.push(name)
    }
    const isOurs = new Set([ours, ...frontends.filter((frontend) => frontend.default_backend === backend).map(({ name }) => name)])
    if (there.length === 0) {
      const body = { name: ours, mode: 'tcp', default_backend: backend }
      if (!frontends.some(({ name }) => name === ours)) await configuration.write({ method: 'POST', ...commonPaths.frontends, body })
      const bind = { name: `${ours}_bind_${agentsPort}`, address: '*', port: agentsPort }
      await configuration.write({ method: 'POST', ...this.#api.binds(ours), body: bind })
    }
    return there.filter((name) => !isOurs.has(name))
  }

  #configured(signal: AbortSignal) {
    return this.#readConfigured(this.#api.servers(this.#options.backend), answerShapes.servers, signal)
  }

  async #readConfigured<T>(path: ApiPath, shape: Shape<T>, signal: AbortSignal): Promise<T> {
    const value = this.#api.configured(await this.#readAny(path, signal))
    if (!shape.Check(value)) throw this.#notUnderstood(path)
    return value
  }

  async #read<T>(path: ApiPath, shape: Shape<T>, signal: AbortSignal): Promise<T> {
    const value = await this.#readAny(path, signal)
    if (!shape.Check(value)) throw this.#notUnderstood(path)
    return value
  }

  async #readAny(path: ApiPath, signal: AbortSignal): Promise<unknown> {
    const call: ApiCall = { method: 'GET', ...path }
    const answer = await this.#call(call, signal)
    if (!isDone(answer)) throw this.#refusal(call, answer)
    return answer.body
  }

  /** One of them, whose failure is the caller's. */
  async #changeServer(change: ServerChange, signal: AbortSignal): Promise<void> {
    this.#checkName(change.name)
    const [error] = await this.together([change], signal)
    if (error) throw error
  }

  /** There: nothing of its configuration has to be changed. */
  async #makeChange(change: ServerChange, configuration: ChangedConfiguration, signal: AbortSignal): Promise<'done' | 'there'> {
    const { name } = change
    this.#checkName(name)
    const { agentsPort, backend, resolver } = this.#options
    if (change.kind === 'remove') {
      await this.#makeRemoval(name, configuration, signal)
      return 'done'
    }
    const servers = await configuration.read(this.#api.servers(backend), answerShapes.servers)
    const present = servers.find((server) => server.name === name)
    if (present && isSameAddress(present.address, change.address) && present.port === agentsPort) return 'there'
    if (present) await this.#makeRemoval(name, configuration, signal)
    const bare = bareHost(change.address)
    const isNamed = resolver !== undefined && !addressBytes(bare)
    await configuration.write({
      method: 'POST',
      ...this.#api.servers(backend),
      body: {
        ...{ ...serverDefaults, name, address: bare, port: agentsPort },
        ...(isNamed && { resolvers: resolver, 'init-addr': 'last,libc,none' }),
      },
    })
    return 'done'
  }

  async #makeRemoval(name: string, configuration: ChangedConfiguration, signal: AbortSignal): Promise<void> {
    const { backend } = this.#options
    // Ends its sessions; the old process of HAProxy would keep them after the reload. What it says is of no account: the server may be gone.
    await this.#call({ method: 'PUT', ...this.#api.runtimeServer(backend, name), body: { admin_state: 'maint' } }, signal)
    await configuration.write({ method: 'DELETE', ...this.#api.server(backend, name) }, [404])
  }

  #change<T>(work: (configuration: ChangedConfiguration) => Promise<T>, signal: AbortSignal): Promise<T> {
    return changeConfiguration(
      {
        call: (call, during) => this.#call(call, during),
        read: (path, shape, during) => this.#read(path, shape, during),
        readConfigured: (path, shape, during) => this.#readConfigured(path, shape, during),
        refusal: (call, answer) => this.#refusal(call, answer),
        notUnderstood: (path) => this.#notUnderstood(path, 'POST'),
      },
      work,
      this.#either(signal),
    )
  }

  #call(call: ApiCall, signal: AbortSignal): Promise<ApiAnswer> {
    return this.#client.call({ ...call, path: `/${this.#api.version}${call.path}` }, this.#either(signal))
  }

  #either(signal: AbortSignal): AbortSignal {
    if (this.#closing.signal.aborted) throw stopped()
    return AbortSignal.any([signal, this.#closing.signal])
  }

  #refusal({ method, path }: ApiCall, { body, status }: ApiAnswer): ClusterError {
    const { user } = this.#options
    if (status === 401) return balancerSays(this.#client.where, `does not know the user ${JSON.stringify(user)} with this password (401)`)
    const says = answerShapes.failure.Check(body) ? body.message : typeof body === 'string' ? body : ''
    return answeredBadly(this.#client.where, `${method} ${path}`, `${status} ${this.#client.discreet(says)}`)
  }

  #notUnderstood({ path }: ApiPath, method: ApiCall['method'] = 'GET'): ClusterError {
    return answeredBadly(this.#client.where, `${method} ${path}`, 'something that has a wrong shape')
  }

  #checkName(name: string): void {
    if (!isBalancerName(name)) throw balancerSays(this.#client.where, `cannot have a server with the name ${JSON.stringify(name)}`)
  }
}

/** Sentences for the log: that others on the way may read the password. */
export const plainTextWarnings = ({
  address,
  port,
  protocol,
}: Pick<DataPlaneAccess, 'address' | 'port' | 'protocol'>): readonly string[] =>
  protocol === 'https' || isThisMachine(address)
    ? []
    : [`The password for HAProxy goes to ${shownEndpoint({ host: address, port })} in plain text: use "haproxy_protocol" https`]

const isThisMachine = (address: string): boolean => {
  const bytes = addressBytes(bareHost(address))
  if (!bytes) return address === 'localhost'
  return bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, at) => byte === (at === bytes.length - 1 ? 1 : 0))
}
