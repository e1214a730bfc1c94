/** `/metrics` for Prometheus: from this machine without a login, from others with one (a token, or Basic as scrapers have it). */
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../apiContext.js'
import { metricsContentType, metricsText } from '../metricsText.js'

export const metricsRoutes = (app: FastifyInstance, { desk, requests }: ApiContext): void => {
  app.get('/metrics', { config: { access: 'local' } }, async (_, reply) =>
    reply.type(metricsContentType).send(await metricsText(await desk.figures(), requests)),
  )
}
