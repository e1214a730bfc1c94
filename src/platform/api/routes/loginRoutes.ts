/** Logging in and out as Wazuh's API has it: a name and a password for a token. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { parseAuthorization } from '../../../domain/api/authorization.js'
import { jsonWriter } from '../../../domain/api/envelope.js'
import { common, flag, type RawQuery, readParameters } from '../../../domain/api/parameters.js'
import { ApiRefusal, plainProblem } from '../../../domain/api/problem.js'
import type { ApiContext } from '../apiContext.js'
import { sendJson } from './listReply.js'

const path = '/security/user/authenticate'

const parameters = { ...common, raw: flag } as const

export const loginRoutes = (app: FastifyInstance, api: ApiContext): void => {
  const login = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { pretty = false, raw = false } = readParameters(parameters, request.query as RawQuery)
    const given = parseAuthorization(request.headers.authorization)
    if (given?.kind !== 'basic') throw new ApiRefusal(plainProblem(401, given ? 'Invalid credentials' : 'No authorization token provided'))
    const token = api.tokens.issue(await api.logins.login(request.ip, given.user, given.password))
    if (raw) return reply.type('text/plain; charset=utf-8').send(token)
    return sendJson(reply, jsonWriter(pretty)({ data: { token }, error: 0 }))
  }
  app.route({ method: ['GET', 'POST'], url: path, config: { access: 'login' }, handler: login })
  app.delete(path, async (request, reply) => {
    const { pretty = false } = readParameters(common, request.query as RawQuery)
    const name = request.caller?.name ?? ''
    api.tokens.endOf(name)
    api.sessions.endOf(name)
    api.log('info', `User '${name}' logged out everywhere.`)
    return sendJson(reply, jsonWriter(pretty)({ message: `User ${name} was successfully logged out`, error: 0 }))
  })
}
