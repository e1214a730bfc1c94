/**
 * `GET /cluster/stream`: what the page shows, as it changes (Server-Sent Events). The node is asked once for all clients; each gets all of
 * it at the start, then what is new. A client that does not read is cut, and asks again.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asClusterError } from '../../../base/errors.js'
import { invariant } from '../../../base/invariant.js'
import { limits } from '../../../base/limits.js'
import { common, wholeNumber } from '../../../domain/api/parameters.js'
import { ApiRefusal, problems } from '../../../domain/api/problem.js'
import { streamText } from '../../../domain/api/streamText.js'
import type { ClusterEvent, NodeOverview } from '../../../domain/queries/clusterAnswer.js'
import type { ApiContext, Caller } from '../apiContext.js'
import { fingerprintOf } from '../passwordHash.js'
import { securityHeaders } from '../securityHeaders.js'
import { answerLines, linesOf } from './answerLines.js'
import { queryOf } from './clusterRoutes.js'

interface Client {
  readonly response: ServerResponse
  readonly caller: Caller
  /** Of its token, on the clock that never goes back; a session's end is announced. */
  readonly endsMs: number
  /** The last event that it has. */
  lastEvent: number
  sentMs: number
  /** Since when it has taken nothing of what was written. */
  stalledMs: number | undefined
}

const parameters = { ...common, after: wholeNumber } as const

/** What the node said last. */
interface Known {
  readonly nodes: readonly NodeOverview[]
  readonly nodesText: string
  readonly events: readonly ClusterEvent[]
}

export class EventStreams {
  readonly #api: ApiContext
  readonly #clients = new Set<Client>()
  #known: Known | undefined
  #problem: string | undefined
  #timer: unknown
  #isAsking = false

  constructor(api: ApiContext) {
    this.#api = api
  }

  get size(): number {
    return this.#clients.size
  }

  routes(app: FastifyInstance): void {
    app.get('/cluster/stream', (request, reply) => this.#begin(request, reply))
  }

  close(): void {
    if (this.#timer !== undefined) this.#api.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    for (const { response } of this.#clients) response.end()
    this.#clients.clear()
  }

  #begin(request: FastifyRequest, reply: FastifyReply): void {
    const { after } = queryOf(request, parameters)
    const lastId = request.headers['last-event-id']
    const lastEvent = after ?? (typeof lastId === 'string' && /^\d{1,15}$/.test(lastId) ? Number(lastId) : 0)
    if (this.#clients.size >= limits.apiStreamsMax)
      throw new ApiRefusal(problems.tooManyRequests, `${limits.apiStreamsMax} streams are open already`)
    reply.hijack()
    const response = reply.raw
    response.writeHead(200, { ...securityHeaders, 'content-type': 'text/event-stream; charset=utf-8', connection: 'close' })
    const { caller } = request
    invariant(caller !== undefined, 'a stream is for somebody who is logged in')
    const { session } = caller
    const nowMs = this.#api.clock.monotonicMs()
    const endsMs = session === undefined ? nowMs + limits.apiTokenMs : Number.POSITIVE_INFINITY
    const client: Client = { response, caller, endsMs, lastEvent, sentMs: nowMs, stalledMs: undefined }
    const stopWatching = session === undefined ? () => undefined : this.#api.sessions.onEnd(session, () => response.end())
    response.on('drain', () => {
      client.stalledMs = undefined
    })
    response.on('error', () => undefined)
    response.once('close', () => {
      stopWatching()
      this.#clients.delete(client)
    })
    this.#clients.add(client)
    response.flushHeaders()
    if (this.#known) this.#catchUp(client, this.#overview(this.#known), this.#known)
    else if (this.#problem !== undefined) this.#write(client, this.#problem)
    if (this.#timer === undefined && !this.#isAsking) void this.#ask()
  }

  /** While there is a client. */
  async #ask(): Promise<void> {
    this.#timer = undefined
    this.#isAsking = true
    try {
      await this.#endOld()
      await this.#update()
    } catch (thrown) {
      const { code, message } = asClusterError(thrown)
      const problem = streamText({ event: 'problem', data: { code, message } })
      this.#known = undefined
      if (problem !== this.#problem) for (const client of this.#clients) this.#write(client, problem)
      this.#problem = problem
    }
    this.#isAsking = false
    if (this.#clients.size === 0) {
      // The next client must not be shown what was true long ago.
      this.#known = undefined
      return
    }
    this.#timer = this.#api.clock.setTimeout(() => void this.#ask(), limits.apiStreamPollMs)
  }

  /** Of those who may not see any more what they were shown: they ask again, and are refused. */
  async #endOld(): Promise<void> {
    const nowMs = this.#api.clock.monotonicMs()
    this.#api.sessions.endOld(nowMs)
    const users = new Map((await this.#api.users.users()).map((user) => [user.name, fingerprintOf(user)]))
    for (const { caller, endsMs, response } of this.#clients)
      if (endsMs <= nowMs || users.get(caller.name) !== caller.fingerprint) response.end()
  }

  async #update(): Promise<void> {
    const api = this.#api
    const before = this.#known
    const nodes: NodeOverview[] = []
    for await (const { node } of linesOf(answerLines(api, { kind: 'overview' }), 'overview')) nodes.push(node)
    const isSameMaster = before !== undefined && masterSince(before.nodes) === masterSince(nodes)
    const remembered = isSameMaster ? before.events : []
    const fresh: ClusterEvent[] = []
    for await (const { event } of linesOf(answerLines(api, { kind: 'events', after: remembered.at(-1)?.id ?? 0 }), 'event'))
      fresh.push(event)
    const known: Known = { nodes, nodesText: JSON.stringify(nodes), events: [...remembered, ...fresh].slice(-limits.apiStreamEventsMax) }
    this.#known = known
    this.#problem = undefined
    const overview = known.nodesText === before?.nodesText ? undefined : this.#overview(known)
    for (const client of this.#clients) this.#catchUp(client, overview, known)
  }

  #overview({ nodes }: Known): string {
    const { cluster, node, type } = this.#api.options
    return streamText({ event: 'overview', data: { cluster, node, type, nowMs: this.#api.clock.now(), nodes } })
  }

  #catchUp(client: Client, overview: string | undefined, { events }: Known): void {
    // A master that was restarted counts from the beginning.
    if ((events.at(-1)?.id ?? 0) < client.lastEvent) client.lastEvent = 0
    let text = ''
    for (const event of events) if (event.id > client.lastEvent) text += streamText({ event: 'event', id: event.id, data: event })
    client.lastEvent = events.at(-1)?.id ?? client.lastEvent
    text += overview ?? ''
    const { clock } = this.#api
    if (text === '' && clock.monotonicMs() - client.sentMs >= limits.apiStreamAliveMs)
      text = streamText({ event: 'alive', data: { nowMs: clock.now() } })
    if (text !== '') this.#write(client, text)
  }

  #write(client: Client, text: string): void {
    const { response } = client
    const nowMs = this.#api.clock.monotonicMs()
    const isStalled = client.stalledMs !== undefined && nowMs - client.stalledMs >= limits.apiStreamStallMsMax
    if (isStalled || response.writableLength + text.length > limits.apiStreamQueueBytesMax) {
      response.destroy()
      return
    }
    client.sentMs = nowMs
    if (!response.write(text)) client.stalledMs ??= nowMs
  }
}

const masterSince = (nodes: readonly NodeOverview[]): number | undefined => nodes.find(({ type }) => type === 'master')?.sinceMs
