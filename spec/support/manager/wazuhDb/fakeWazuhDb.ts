/**
 * A wazuh-db in this process, over its real Unix sockets and real SQL: held to what was recorded of the real one (wazuhDbRecordings.spec.ts).
 * It commits late, so that a kill takes back what it answered; it can be slow, silent, down, full of errors, or lie.
 */
import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { LengthFrameReader, lengthFrame } from '../../../../src/wire/wazuh/lengthFrames.js'
import { WazuhDbAgents } from './wazuhDbAgents.js'
import { answerBytesMax, WazuhDbCommands } from './wazuhDbCommands.js'
import { WazuhDbGroups } from './wazuhDbGroups.js'
import { readRequest, replyBytes, WazuhDbHttp } from './wazuhDbHttp.js'
import { WazuhDbTables } from './wazuhDbTables.js'

export interface FakeWazuhDbOptions {
  readonly home: string
  readonly role: 'master' | 'worker'
  /** Of the manager that it belongs to. */
  readonly nodeName?: string
  /** Before 4.13: no HTTP, and every wish is for the whole row. */
  readonly isOld?: boolean
}

const streamPath = 'queue/db/wdb'
const httpPath = 'queue/sockets/wdb-http.sock'
const threadsMax = 8
const requestBytesMax = 65_536
const requestsPerConnection = 5
const commitMsMin = 10_000
const commitMsMax = 60_000

type Details = Readonly<Record<string, unknown>>

export class FakeWazuhDb {
  readonly #options: FakeWazuhDbOptions
  readonly #tables = new WazuhDbTables(() => this.#commitLater())
  readonly #agents = new WazuhDbAgents(this.#tables)
  readonly #groups: WazuhDbGroups
  readonly #commands: WazuhDbCommands
  readonly #http = new WazuhDbHttp(this.#tables, this.#agents)
  readonly #starting = new Set<number>()
  readonly #sockets = new Set<Socket>()
  readonly #waiting = new Set<() => void>()
  #servers: Server[] = []
  #commitTimer: NodeJS.Timeout | undefined
  #openedMs: number | undefined
  /** Threads that are left: each request that is too long ends one. */
  threads = threadsMax
  /** Bytes that came, over both sockets. */
  received = 0
  /** Requests that it answered, or lied to. */
  requests = 0
  /** Of an answer. */
  delayMs = 0
  /** Requests that it answers with an error, of those that come next. */
  refusals = 0
  /** It takes requests and carries them out, and answers none. */
  isSilent = false
  /** Answers in its place, when it returns true. */
  lie: ((socket: Socket, request: string) => boolean) | undefined

  constructor(options: FakeWazuhDbOptions) {
    this.#options = options
    this.#groups = new WazuhDbGroups(this.#tables, options.role === 'worker')
    this.#commands = new WazuhDbCommands(this.#tables, this.#agents, this.#groups)
  }

  async start(): Promise<void> {
    const { home, isOld } = this.#options
    this.threads = threadsMax
    this.#servers = [await this.#listen(join(home, streamPath), (socket) => this.#serveStream(socket))]
    if (!isOld) this.#servers.push(await this.#listen(join(home, httpPath), (socket) => this.#serveHttp(socket)))
  }

  /** As a service ends: everything is committed. */
  async stop(): Promise<void> {
    this.#tables.commit()
    await this.#end()
  }

  /** What it did not commit is lost, though it was answered. Its sockets stay, as files that nobody listens at. */
  async kill(): Promise<void> {
    this.#tables.rollback()
    const paths = [streamPath, httpPath].map((path) => join(this.#options.home, path)).filter((path) => existsSync(path))
    for (const path of paths) linkSync(path, `${path}.left`)
    await this.#end()
    for (const path of paths) renameSync(`${path}.left`, path)
  }

  /** Ends it for good, and forgets everything. */
  async close(): Promise<void> {
    await this.#end()
    this.#tables.close()
  }

  commit(): void {
    this.#tables.commit()
    this.#openedMs = undefined
  }

  heal(): void {
    this.delayMs = 0
    this.refusals = 0
    this.isSilent = false
    this.lie = undefined
  }

  /** Waits until this is so, after each thing that comes. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!isSo()) return
        this.#waiting.delete(check)
        resolve()
      }
      this.#waiting.add(check)
      check()
    })
  }

  // --- what the other daemons of the manager do

  /** A command, as any other program of the manager sends it. */
  command(request: string): string {
    return this.#commands.answers(request).join('\n')
  }

  insertAgent(id: number, name: string, ip = 'any'): void {
    this.command(`global insert-agent ${JSON.stringify({ id, name, ip, register_ip: ip, date_add: 1_700_000_000 })}`)
  }

  deleteAgent(id: number): void {
    this.command(`global delete-agent ${id}`)
  }

  insertGroup(name: string): void {
    this.command(`global insert-agent-group ${name}`)
  }

  deleteGroup(name: string): void {
    this.command(`global delete-group ${name}`)
  }

  /** agent_groups, the API or wazuh-authd, on a master. */
  assignGroups(id: number, groups: readonly string[]): void {
    this.command(`global set-agent-groups ${JSON.stringify({ mode: 'override', sync_status: 'syncreq', data: [{ id, groups }] })}`)
  }

  agentStarts(id: number): void {
    this.#starting.add(id)
    this.#tables.run('UPDATE agent SET node_name=? WHERE id=?', this.#options.nodeName ?? 'unknown', id)
    const data = { id, connection_status: 'pending', sync_status: this.#wish('syncreq_status'), status_code: 0 }
    this.command(`global update-connection-status ${JSON.stringify(data)}`)
  }

  agentSendsKeepAlive(id: number, details: Details = {}): void {
    const isWhole = this.#starting.delete(id) || Object.keys(details).length > 0
    if (!isWhole) {
      const data = { id, connection_status: 'active', sync_status: this.#wish('syncreq_keepalive') }
      this.command(`global update-keepalive ${JSON.stringify(data)}`)
      return
    }
    const status = { connection_status: 'active', sync_status: this.#wish('syncreq'), group_config_status: 'synced' }
    const { labels, ip, ...columns } = details
    this.command(
      `global update-agent-data ${JSON.stringify({ id, node_name: this.#options.nodeName, agent_ip: ip, ...columns, ...status })}`,
    )
    if (labels !== undefined) this.#agents.setLabels(id, labels)
  }

  agentStops(id: number): void {
    const data = { id, connection_status: 'disconnected', sync_status: this.#wish('syncreq_status'), status_code: 0 }
    this.command(`global update-connection-status ${JSON.stringify(data)}`)
  }

  remotedStarts(): void {
    this.command('global reset-agents-connection synced')
  }

  groupsOf(id: number): readonly string[] {
    return this.#groups.of(id)
  }

  groupsHash(): string | null {
    return this.#tables.groupsHash()
  }

  /** Rows of SQL, to compare with. */
  sql(sql: string): readonly Readonly<Record<string, unknown>>[] {
    return this.#tables.rows(sql)
  }

  #wish(wish: string): string {
    if (this.#options.role === 'master') return 'synced'
    return this.#options.isOld ? 'syncreq' : wish
  }

  // --- sockets

  #listen(path: string, serve: (socket: Socket) => void): Promise<Server> {
    mkdirSync(dirname(path), { recursive: true })
    rmSync(path, { force: true })
    const server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      serve(socket)
    })
    return new Promise((resolve, reject) => {
      server.on('error', reject)
      server.listen(path, () => resolve(server))
    })
  }

  async #end(): Promise<void> {
    clearTimeout(this.#commitTimer)
    this.#openedMs = undefined
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)))
    for (const socket of this.#sockets) socket.destroy()
    this.#servers = []
    await Promise.all(closed)
  }

  #serveStream(socket: Socket): void {
    const reader = new LengthFrameReader(requestBytesMax)
    let isHung = false
    socket.on('data', (bytes) => {
      this.received += bytes.length
      if (!isHung) isHung = this.#readFrames(socket, reader, bytes)
      for (const check of [...this.#waiting]) check()
    })
  }

  /** Whether nobody reads of the connection any more. */
  #readFrames(socket: Socket, reader: LengthFrameReader, bytes: Buffer): boolean {
    if (this.threads === 0) return true
    reader.append(bytes)
    try {
      for (let frame = reader.next(); frame; frame = reader.next()) {
        if (frame.length === 0) socket.destroy()
        else this.#answer(socket, frame.toString())
      }
      return false
    } catch {
      this.threads -= 1
      return true
    }
  }

  #answer(socket: Socket, request: string): void {
    this.requests += 1
    if (this.lie?.(socket, request)) return
    const answers = this.#isRefused() ? ['err Cannot execute Global database query; disk I/O error'] : this.#commands.answers(request)
    const frames = answers.map((answer) => lengthFrame(Buffer.from(answer).subarray(0, answerBytesMax)))
    this.#send(socket, Buffer.concat(frames), false)
  }

  #serveHttp(socket: Socket): void {
    let gathered: Buffer = Buffer.alloc(0)
    let served = 0
    socket.on('data', (bytes) => {
      this.received += bytes.length
      gathered = Buffer.concat([gathered, bytes])
      for (let next = readRequest(gathered); next; next = readRequest(gathered)) {
        served += 1
        this.requests += 1
        if (next === 'bad') {
          gathered = Buffer.alloc(0)
          this.#send(socket, replyBytes({ status: 400, body: '' }, false, false), false)
          break
        }
        gathered = next.rest
        const { body, headers, method, target } = next.request
        if (this.lie?.(socket, `${method} ${target}`)) continue
        const reply = this.#isRefused() ? ({ status: 500, body: '' } as const) : this.#http.reply(method, target, body)
        const isLast = headers.get('connection') === 'close' || served === requestsPerConnection
        this.#send(socket, replyBytes(reply, isLast, headers.get('accept-encoding')?.includes('gzip') ?? false), isLast)
      }
      for (const check of [...this.#waiting]) check()
    })
  }

  #isRefused(): boolean {
    if (this.refusals === 0) return false
    this.refusals -= 1
    return true
  }

  #send(socket: Socket, bytes: Buffer, isLast: boolean): void {
    if (this.isSilent) return
    const send = (): void => {
      if (isLast) socket.end(bytes)
      else socket.write(bytes)
    }
    if (this.delayMs === 0) send()
    else setTimeout(send, this.delayMs).unref()
  }

  #commitLater(): void {
    const nowMs = performance.now()
    this.#openedMs ??= nowMs
    clearTimeout(this.#commitTimer)
    this.#commitTimer = setTimeout(() => this.commit(), Math.max(0, Math.min(commitMsMin, this.#openedMs + commitMsMax - nowMs)))
    this.#commitTimer.unref()
  }
}
