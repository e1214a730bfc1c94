/**
 * `/health/live`: does the process have to be started again? `/health/ready`: does the node do its work? Only the status is for machines; why a node is not
 * ready is said to this machine, and to those who are logged in.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { limits } from '../../../base/limits.js'
import { readinessAnswer } from '../../../domain/cluster/monitoring/nodeHealth.js'
import type { NodeFigures } from '../../../domain/cluster/nodeFigures.js'
import type { ApiContext } from '../apiContext.js'

/** Anybody may ask: many questions cost the node one answer within limits.apiHealthMs. Undefined when the node does not answer in time. */
class RecentFigures {
  readonly #api: ApiContext
  #asked: { readonly atMs: number; readonly figures: Promise<NodeFigures | undefined> } | undefined

  constructor(api: ApiContext) {
    this.#api = api
  }

  read(): Promise<NodeFigures | undefined> {
    const nowMs = this.#api.clock.monotonicMs()
    if (!this.#asked || nowMs - this.#asked.atMs >= limits.apiHealthMs) this.#asked = { atMs: nowMs, figures: this.#inTime() }
    return this.#asked.figures
  }

  #inTime(): Promise<NodeFigures | undefined> {
    const { clock, desk } = this.#api
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => resolve(undefined), limits.apiHealthMsMax)
      const settle = (figures: NodeFigures | undefined): void => {
        clock.clearTimeout(timer)
        resolve(figures)
      }
      desk.figures().then(settle, () => settle(undefined))
    })
  }
}

export const healthRoutes = (app: FastifyInstance, api: ApiContext): void => {
  const recent = new RecentFigures(api)
  const mayKnow = (request: FastifyRequest): boolean => request.caller !== undefined || api.isLoopback(request)
  const open = { config: { access: 'open' } } as const

  // The node has answered: its event loop turns, and its services are kept up, or its process would have ended.
  app.get('/health/live', open, async (_, reply) => {
    const isAlive = (await recent.read()) !== undefined
    return reply.code(isAlive ? 200 : 503).send({ status: isAlive ? 'ok' : 'unresponsive' })
  })

  app.get('/health/ready', open, async (request, reply) => {
    const figures = await recent.read()
    if (!figures) return reply.code(503).send({ status: 'unresponsive' })
    const { body, code } = readinessAnswer(figures, mayKnow(request))
    return reply.code(code).send(body)
  })
}
