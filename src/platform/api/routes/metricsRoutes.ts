/** The routes of metrics: see docs/operating.md. */
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../apiContext.js'

export const metricsRoutes = (_app: FastifyInstance, _api: ApiContext): void => undefined
