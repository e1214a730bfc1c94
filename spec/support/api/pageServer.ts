/**
 * A small HTTP server that serves the page as the real service does, with its headers, and answers as a test says: for
 * hostile names, lost streams and pictures. The real one is in src/platform/api.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Overview } from '../../../src/domain/api/overview/streamMessage.js'
import type { ClusterEvent, FileRow, FilesSummary } from '../../../src/domain/queries/clusterAnswer.js'
import { type PageFile, readPageFiles } from '../../../src/platform/api/pageFiles.js'
import { securityHeaders } from '../../../src/platform/api/securityHeaders.js'

export const pageUser = { user: 'night-shift', password: 'correct horse' } as const

const cookie = 'muster=a-session-'
const notYet = 'n/a'

export class PageServer {
  readonly #server = createServer((request, response) => void this.#answered(request, response))
  readonly #files: ReadonlyMap<string, PageFile>
  readonly #streams = new Set<ServerResponse>()
  readonly #events: ClusterEvent[] = []
  #overview: Overview
  /** Sessions of earlier numbers have ended. */
  #session = 1
  /** While it is set, nothing but the page's files is answered. */
  #refusal: string | undefined
  files: readonly FileRow[] = []
  summaries: readonly FilesSummary[] = []
  /** Of every node. */
  lines: readonly { readonly timestamp: string; readonly level: string; readonly description: string }[] = []

  constructor(overview: Overview) {
    this.#files = readPageFiles()
    this.#overview = overview
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
  }

  async close(): Promise<void> {
    this.breakStreams(undefined)
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}/page/`
  }

  /** Streams that are open. */
  get watchers(): number {
    return this.#streams.size
  }

  show(overview: Overview): void {
    this.#overview = overview
    this.#toAll('overview', overview)
  }

  happen(...events: readonly Omit<ClusterEvent, 'id'>[]): void {
    for (const event of events) {
      const whole = { id: this.#events.length + 1, ...event }
      this.#events.push(whole)
      this.#toAll('event', whole)
    }
  }

  /** The node cannot say how the cluster is. */
  trouble(message: string): void {
    this.#toAll('problem', { code: 'notConnected', message })
  }

  /** Ends all streams, and refuses new ones with this sentence; undefined: takes them again. */
  breakStreams(refusal: string | undefined): void {
    this.#refusal = refusal
    for (const stream of this.#streams) stream.destroy()
    this.#streams.clear()
  }

  /** As after a restart of the service: everybody has to sign in again. */
  endSessions(): void {
    this.#session++
    this.breakStreams(undefined)
  }

  #toAll(name: string, data: object): void {
    for (const stream of this.#streams) this.#write(stream, name, data)
  }

  #write(stream: ServerResponse, name: string, data: object): void {
    stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  async #answered(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://node')
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
    const file = url.pathname.startsWith('/page/') ? this.#files.get(url.pathname.slice('/page/'.length)) : undefined
    if (file) response.writeHead(200, { 'Content-Type': file.contentType, ETag: file.etag }).end(file.bytes)
    else if (this.#refusal !== undefined) problem(response, 503, this.#refusal)
    else if (url.pathname === '/page/login') await this.#login(request, response)
    else if (!request.headers.cookie?.includes(`${cookie}${this.#session}`)) problem(response, 401, 'No authorization token provided')
    else if (url.pathname === '/page/logout')
      response.writeHead(204, { 'Set-Cookie': `${cookie}${this.#session}; Path=/; Max-Age=0` }).end()
    else this.#data(url, response)
  }

  async #login(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { password, user } = JSON.parse(await text(request)) as { user: string; password: string }
    if (user !== pageUser.user || password !== pageUser.password) problem(response, 401, 'Invalid credentials')
    else response.writeHead(204, { 'Set-Cookie': `${cookie}${this.#session}; Path=/; HttpOnly; SameSite=Strict` }).end()
  }

  #data(url: URL, response: ServerResponse): void {
    const node = url.searchParams.get('nodes_list')
    if (url.pathname === '/cluster/stream') this.#stream(Number(url.searchParams.get('after')), response)
    else if (url.pathname === '/cluster/files') {
      const rows = this.files.filter((row) => row.node === node)
      listed(response, rows, { summaries: this.summaries.filter((summary) => summary.node === node) })
    } else if (url.pathname === '/cluster/healthcheck') listed(response, [{ info: { name: node }, status: this.#health() }])
    else if (/^\/cluster\/[^/]+\/logs$/.test(url.pathname)) listed(response, this.lines)
    else problem(response, 404, '404: Not Found')
  }

  #stream(after: number, response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
    for (const event of this.#events) if (event.id > after) this.#write(response, 'event', event)
    this.#write(response, 'overview', this.#overview)
  }

  #health(): object {
    const moment = new Date(this.#overview.nowMs - 4_000).toISOString()
    const span = { date_start_master: moment, date_end_master: moment }
    return {
      last_check_integrity: span,
      last_sync_integrity: span,
      last_sync_agentinfo: { ...span, n_synced_chunks: 1 },
      last_sync_agentgroup: { date_start: notYet, date_end: notYet, n_synced_chunks: 0 },
    }
  }
}

const problem = (response: ServerResponse, status: number, detail: string): void => {
  response
    .writeHead(status, { 'Content-Type': 'application/problem+json; charset=utf-8' })
    .end(JSON.stringify({ title: 'Refused', detail }))
}

const listed = (response: ServerResponse, items: readonly object[], more: object = {}): void => {
  const data = { affected_items: items, total_affected_items: items.length, total_failed_items: 0, failed_items: [], ...more }
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ data, message: '', error: 0 }))
}
