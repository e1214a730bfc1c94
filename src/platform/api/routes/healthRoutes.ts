/** The routes of health: see docs/operating.md. */
import type { FastifyInstance } from 'fastify'
import type { ApiContext } from '../apiContext.js'

export const healthRoutes = (_app: FastifyInstance, _api: ApiContext): void => undefined
