/** The HTTP service: its rules and its routes, on one fastify instance. Listening is apiListener's. */
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { visibleLine } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import { isLoopbackAddress } from '../../domain/api/loopback.js'
import { plainProblem } from '../../domain/api/problem.js'
import { Sessions } from '../../domain/api/sessions.js'
import type { ApiDesk, ApiOptions } from '../../ports/api.js'
import type { Clock, LogLevel, Random } from '../../ports/machine.js'
import { type AccessRules, accessRules } from './accessRules.js'
import type { ApiContext } from './apiContext.js'
import { Logins } from './logins.js'
import type { PageFile } from './pageFiles.js'
import { refuseBytes, sendProblem, withProblemReplies } from './problemReplies.js'
import { agentRoutes } from './routes/agentRoutes.js'
import { agentSummaryRoutes } from './routes/agentSummaryRoutes.js'
import { changeRoutes } from './routes/changeRoutes.js'
import { clusterRoutes } from './routes/clusterRoutes.js'
import { EventStreams } from './routes/eventStreams.js'
import { extraRoutes } from './routes/extraRoutes.js'
import { healthRoutes } from './routes/healthRoutes.js'
import { loginRoutes } from './routes/loginRoutes.js'
import { metricsRoutes } from './routes/metricsRoutes.js'
import { nodeRoutes } from './routes/nodeRoutes.js'
import { pageRoutes } from './routes/pageRoutes.js'
import { rootRoutes } from './routes/rootRoutes.js'
import { Tokens } from './tokens.js'
import type { UserStore } from './userFile.js'

export interface ApiServerOptions extends AccessRules {
  readonly options: ApiOptions
  readonly desk: ApiDesk
  readonly clock: Clock
  readonly random: Random
  readonly users: UserStore
  readonly page: ReadonlyMap<string, PageFile>
  /** Certificates; plain HTTP without. */
  readonly tls: ServerOptions | undefined
}

/** Routes are counted by their pattern: a client cannot make more of them. */
const noRoute = 'none'

const ofServer: ServerOptions = {
  maxHeaderSize: limits.apiHeaderBytesMax,
  headersTimeout: limits.apiHeadersMsMax,
  requestTimeout: limits.apiRequestMsMax,
  keepAliveTimeout: limits.apiIdleMsMax,
  connectionsCheckingInterval: limits.apiHeadersMsMax / 10,
  requireHostHeader: true,
}

const contextOf = ({
  clock,
  desk,
  options,
  random,
  tls,
  users,
}: ApiServerOptions): ApiContext & { readonly requests: Map<string, number> } => {
  // A node that does not answer loses lines of its log, and nothing else.
  const log = (level: LogLevel, message: string): void => void desk.log(level, message).catch(() => undefined)
  return {
    ...{ options, desk, clock, users, log },
    logins: new Logins({ clock, random, users, log }),
    tokens: new Tokens(clock, random),
    sessions: new Sessions(),
    requests: new Map(),
    isSecure: tls !== undefined,
    isLoopback: ({ ip }: FastifyRequest) => isLoopbackAddress(ip),
  }
}

export const createApi = (given: ApiServerOptions): FastifyInstance => {
  const api = contextOf(given)
  const app = fastify({
    logger: false,
    bodyLimit: limits.apiBodyBytesMax,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    requestIdHeader: false,
    routerOptions: { maxParamLength: 4 * limits.nodeNameCharsMax },
    serverFactory: (handler): Server => {
      const server = given.tls ? createTlsServer({ ...ofServer, ...given.tls }, handler) : createServer(ofServer, handler)
      return server.setTimeout(limits.apiIdleMsMax)
    },
    clientErrorHandler: refuseBytes,
    frameworkErrors: (error, _, reply) => {
      sendProblem(reply, plainProblem(error.statusCode ?? 400, visibleLine(error.message)))
    },
  })
  const streams = new EventStreams(api)
  app.addHook('onClose', () => streams.close())
  withoutBodiesButJson(app)
  accessLog(app, api)
  accessRules(app, api, given)
  withProblemReplies(app, api.log, () => {
    rootRoutes(app, api)
    loginRoutes(app, api)
    clusterRoutes(app, api)
    nodeRoutes(app, api)
    extraRoutes(app, api)
    agentRoutes(app, api)
    agentSummaryRoutes(app, api)
    changeRoutes(app, api, given.random)
    streams.routes(app)
    metricsRoutes(app, api)
    healthRoutes(app, api)
    pageRoutes(app, api, { files: given.page, random: given.random })
  })
  return app
}

/** JSON is the only body that is taken; none at all will do where a command needs none. */
const withoutBodiesButJson = (app: FastifyInstance): void => {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else void parse(request, String(body), done)
  })
}

/** Never what a header or a body holds: passwords, tokens and keys are there. */
const accessLog = (app: FastifyInstance, api: ApiContext & { readonly requests: Map<string, number> }): void => {
  app.addHook('onResponse', async (request, reply) => {
    const { caller, ip, method, url } = request
    const pattern = request.routeOptions.url ?? noRoute
    const key = `${pattern} ${reply.statusCode}`
    api.requests.set(key, (api.requests.get(key) ?? 0) + 1)
    const line = `${ip} ${caller?.name ?? '-'} "${method} ${shortened(visibleLine(url), 1_024)}" ${reply.statusCode} ${reply.elapsedTime.toFixed(0)} ms`
    api.log(method === 'GET' ? 'debug' : 'info', line)
  })
}
