/**
 * A Data Plane API of HAProxy, version 2 or 3, as transcripts of it show it: HAProxy's own is not in Debian. It keeps a configuration
 * with a version, and the running HAProxy behind it: each forced write reloads that, after which servers are ready and unchecked again.
 */
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import type { BalancedAgent } from '../../../src/testing/compliance/balancerCases.js'

export interface FakeDataPlaneOptions {
  /** The first has no more than its name. */
  readonly version: 'v1' | 'v2' | 'v3'
  readonly user: string
  readonly password: string
  /** Where servers answer their checks. */
  readonly nodes: readonly string[]
  readonly tls?: ServerOptions
}

interface Named {
  readonly name: string
  readonly [field: string]: unknown
}

type Configuration = Pick<FakeDataPlane, 'backends' | 'binds' | 'frontends' | 'global' | 'servers'>

interface Running {
  adminState: 'ready' | 'drain' | 'maint'
  /** Checks that have passed or failed. */
  checks: number
  agents: FakeAgent[]
}

class FakeAgent implements BalancedAgent {
  readonly address: string
  isOpen = true

  constructor(address: string) {
    this.address = address
  }
}

interface Asked {
  readonly method: string
  /** Below the version. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Record<string, unknown>
}

interface Answered {
  readonly status: number
  readonly body?: unknown
}

const done = (body: unknown, status = 200): Answered => ({ status, body })
const refused = (status: number, message: string): Answered => ({ status, body: { code: status, message } })

export class FakeDataPlane {
  readonly #options: FakeDataPlaneOptions
  readonly #server: Server
  backends: Named[] = []
  frontends: Named[] = []
  binds = new Map<string, Named[]>()
  servers: Named[] = []
  global: Record<string, unknown> = { daemon: true, maxconn: 4_000, pidfile: '/var/run/haproxy.pid' }
  version = 1
  /** Configurations that are not carried out yet, by their IDs. */
  readonly transactions = new Map<string, { readonly version: number; configuration: Configuration }>()
  #begun = 0
  reloads = 0
  /** `METHOD /path?query`, without the version of writes. */
  readonly asked: string[] = []
  /** Called before a write is carried out: another program's change may come first. */
  beforeWrite: () => void = () => undefined
  /** Called with `METHOD /path` of what changes no configuration, once its answer is made. */
  afterAnswer: (line: string) => void = () => undefined
  /** In place of the next answer. */
  nextAnswer: ((response: ServerResponse) => void) | undefined
  readonly #running = new Map<string, Running>()

  constructor(options: FakeDataPlaneOptions) {
    this.#options = options
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => void this.#serve(request, response)
    this.#server = options.tls ? createHttpsServer(options.tls, onRequest) : createHttpServer(onRequest)
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** Time passes: each server is checked. */
  check(): void {
    for (const running of this.#running.values()) running.checks += 1
  }

  connect(): BalancedAgent {
    const able = this.servers.filter(({ name }) => this.#isUp(name) && this.#running.get(name)?.adminState === 'ready')
    const [least] = able.toSorted((a, b) => this.#agents(a.name).length - this.#agents(b.name).length)
    if (!least) throw new Error('No server is up')
    const agent = new FakeAgent(String(least['address']))
    this.#running.get(least.name)?.agents.push(agent)
    return agent
  }

  #agents(name: string): readonly FakeAgent[] {
    return this.#running.get(name)?.agents ?? []
  }

  #isUp(name: string): boolean {
    return this.#options.nodes.includes(String(this.servers.find((server) => server.name === name)?.['address']))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const bytes of request) text += String(bytes)
    const url = new URL(request.url ?? '/', 'http://fake')
    const asked: Asked = {
      method: request.method ?? '',
      path: url.pathname.replace(/^\/v\d+/, ''),
      query: url.searchParams,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    }
    const given = this.nextAnswer
    this.nextAnswer = undefined
    if (given) return given(response)
    const answered = this.#answer(url.pathname, asked, request.headers.authorization ?? '')
    response.setHeader('Configuration-Version', String(this.version))
    response.setHeader('content-type', 'application/json')
    response.writeHead(answered.status)
    response.end(answered.body === undefined ? '' : `${JSON.stringify(answered.body)}\n`)
  }

  #answer(pathname: string, asked: Asked, authorization: string): Answered {
    if (!pathname.startsWith(`/${this.#options.version}/`)) return refused(404, `path ${pathname} was not found`)
    const { password, user } = this.#options
    if (authorization !== `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
      return refused(401, 'unauthenticated for invalid credentials')
    const query = new URLSearchParams(asked.query)
    query.delete('version')
    query.delete('transaction_id')
    this.asked.push(`${asked.method} ${asked.path}${query.size > 0 ? `?${query}` : ''}`)
    if (asked.path.startsWith('/services/haproxy/transactions')) return this.#transaction(asked)
    const transaction = this.transactions.get(asked.query.get('transaction_id') ?? '')
    if (asked.query.has('transaction_id') && !transaction) return refused(404, 'the transaction does not exist')
    const found = this.#find(asked)
    if (!found) return refused(404, `path ${pathname} was not found`)
    if (asked.method === 'GET' || asked.path.includes('/runtime/')) {
      const answered = this.#within(transaction, found)
      this.afterAnswer(`${asked.method} ${asked.path}`)
      return answered
    }
    this.beforeWrite()
    if (!transaction) return this.#forced(asked, found)
    const answered = this.#within(transaction, found)
    return answered.status === 200 || answered.status === 201 ? { ...answered, status: 202 } : answered
  }

  #forced(asked: Asked, found: () => Answered): Answered {
    const outdated = this.#outdated(Number(asked.query.get('version')))
    if (outdated) return outdated
    const answered = found()
    if (answered.status >= 300) return answered
    this.version += 1
    if (asked.query.get('force_reload') === 'true') this.#reload()
    return answered
  }

  #outdated(given: number): Answered | undefined {
    if (given === this.version) return undefined
    return refused(409, `15: version in configuration file is ${this.version}, given version is ${given}`)
  }

  get #configuration(): Configuration {
    const { backends, binds, frontends, global, servers } = this
    return { backends, binds, frontends, global, servers }
  }

  /** As if its configuration were the current one. */
  #within(transaction: { configuration: Configuration } | undefined, found: () => Answered): Answered {
    if (!transaction) return found()
    const outside = this.#configuration
    Object.assign(this, transaction.configuration)
    const answered = structuredClone(found())
    transaction.configuration = this.#configuration
    Object.assign(this, outside)
    return answered
  }

  #transaction({ method, path, query }: Asked): Answered {
    const [, , , , id] = path.split('/')
    if (id === undefined) {
      this.beforeWrite()
      const version = Number(query.get('version'))
      const outdated = this.#outdated(version)
      if (outdated) return outdated
      const begun = `273e3385-2d0c-4fb1-aa27-${++this.#begun}`
      this.transactions.set(begun, { version, configuration: structuredClone(this.#configuration) })
      return done({ _version: version, id: begun, status: 'in_progress' }, 201)
    }
    const transaction = this.transactions.get(id)
    if (!transaction) return refused(404, `the transaction ${id} does not exist`)
    if (method === 'DELETE') {
      this.transactions.delete(id)
      return { status: 204 }
    }
    this.beforeWrite()
    // As version 2 refuses a transaction that is late, and version 3.
    const outdated = this.#outdated(transaction.version)
    if (outdated) return this.#options.version === 'v2' ? { ...outdated, status: 406 } : outdated
    this.transactions.delete(id)
    Object.assign(this, transaction.configuration)
    this.version += 1
    if (query.get('force_reload') === 'true') this.#reload()
    return done({ _version: this.version, id, status: 'success' })
  }

  /** A new process: it has the servers of the configuration, and nothing of what was said to the old one. */
  #reload(): void {
    this.reloads += 1
    const before = new Map(this.#running)
    this.#running.clear()
    for (const { name } of this.servers)
      this.#running.set(name, { adminState: 'ready', checks: 0, agents: before.get(name)?.agents.filter(({ isOpen }) => isOpen) ?? [] })
  }

  #configured(data: unknown): Answered {
    return done(this.#options.version === 'v2' ? { _version: this.version, data } : data)
  }

  /** What an address means in this version; undefined for none. */
  #find(asked: Asked): (() => Answered) | undefined {
    const { method, path, query } = asked
    const isV2 = this.#options.version === 'v2'
    const [, below = ''] = /^\/services\/haproxy\/(.*)$/.exec(path) ?? []
    if (path === '/health') return () => done({ haproxy: 'unknown' })
    if (below === 'runtime/info') return () => this.#ofProcess({ info: { version: '2.8.3', pid: 7 }, runtimeAPI: '/run/haproxy.sock' })
    if (below === 'configuration/version') return () => done(this.version)
    if (below === 'configuration/global') return () => (method === 'GET' ? this.#configured(this.global) : this.#replaceGlobal(asked.body))
    if (below === 'configuration/backends') return () => this.#list(asked, this.backends)
    if (below === 'configuration/frontends') return () => this.#list(asked, this.frontends)
    if (below === 'stats/native') return () => this.#stats(query.get('parent') ?? '')
    const v2 = /^(?<place>configuration|runtime)\/(?<kind>servers|binds)(?:\/(?<name>[^/]+))?$/
    const v3 = /^(?<place>configuration|runtime)\/(?:backends|frontends)\/(?<parent>[^/]+)\/(?<kind>servers|binds)(?:\/(?<name>[^/]+))?$/
    const { kind, name, parent, place } = (isV2 ? v2 : v3).exec(below)?.groups ?? {}
    const owner = isV2 ? (query.get('backend') ?? query.get('frontend') ?? '') : decodeURIComponent(parent ?? '')
    if (kind === 'binds') return () => this.#list(asked, this.#bindsOf(owner))
    if (kind !== 'servers') return undefined
    if (place === 'runtime') return () => this.#runtimeServers(asked, name && decodeURIComponent(name))
    return () => (name === undefined ? this.#list(asked, this.servers) : this.#removeServer(decodeURIComponent(name)))
  }

  #ofProcess(body: unknown): Answered {
    return done(this.#options.version === 'v2' ? [body] : body)
  }

  #bindsOf(frontend: string): Named[] {
    const binds = this.binds.get(frontend) ?? []
    this.binds.set(frontend, binds)
    return binds
  }

  #list({ body, method }: Asked, list: Named[]): Answered {
    if (method === 'GET') return this.#configured(list)
    const { name } = body
    if (typeof name !== 'string') return refused(422, 'name in body is required')
    if (list.some((one) => one.name === name)) return refused(409, `${name} already exists`)
    list.push({ ...body, name })
    return done(body, 201)
  }

  #replaceGlobal(body: Record<string, unknown>): Answered {
    this.global = body
    return done(body, 202)
  }

  #removeServer(name: string): Answered {
    if (!this.servers.some((server) => server.name === name)) return refused(404, `server ${name} does not exist`)
    this.servers = this.servers.filter((server) => server.name !== name)
    return { status: 204 }
  }

  #runtimeServers({ body, method }: Asked, name: string | undefined): Answered {
    if (name === undefined) return done([...this.#running.keys()].map((one) => this.#runtimeServer(one)))
    const running = this.#running.get(name)
    if (!running) return refused(500, `no data for server ${name}: not found`)
    if (method === 'PUT') this.#setAdminState(name, running, String(body['admin_state']))
    return done(this.#runtimeServer(name))
  }

  #runtimeServer(name: string) {
    const configured = this.servers.find((server) => server.name === name)
    const running = this.#running.get(name)
    return {
      ...{ address: configured?.['address'], admin_state: running?.adminState, id: '1', name },
      ...{ operational_state: this.#isUp(name) || running?.checks === 0 ? 'up' : 'down', port: configured?.['port'] },
    }
  }

  #setAdminState(name: string, running: Running, state: string): void {
    if (state === 'ready' || state === 'drain' || state === 'maint') running.adminState = state
    const endsSessions = this.servers.find((server) => server.name === name)?.['on-marked-down'] === 'shutdown-sessions'
    if (state !== 'maint' || !endsSessions) return
    for (const agent of running.agents) agent.isOpen = false
    running.agents = []
  }

  #stats(backend: string): Answered {
    const rows = [...this.#running].map(([name, { agents, checks }]) => ({
      ...{ backend_name: backend, name, type: 'server' },
      stats: { status: this.#isUp(name) ? 'UP' : 'DOWN', scur: agents.length, check_status: checks === 0 ? 'INI' : 'L4OK' },
    }))
    return this.#ofProcess({ runtimeAPI: '/run/haproxy.sock', stats: rows })
  }
}
