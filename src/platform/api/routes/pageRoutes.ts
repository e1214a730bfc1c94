/** The web page: its files out of memory, so that no path of a request reaches the disk, and the session that it works with. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { fields, text } from '../../../base/fields.js'
import { limits } from '../../../base/limits.js'
import { shapeOf } from '../../../base/shapeOf.js'
import { jsonWriter } from '../../../domain/api/envelope.js'
import { common } from '../../../domain/api/parameters.js'
import { ApiRefusal, badRequest, plainProblem } from '../../../domain/api/problem.js'
import type { Random } from '../../../ports/machine.js'
import { assertFromOwnPage, cookieName, sessionIdOf } from '../accessRules.js'
import type { ApiContext } from '../apiContext.js'
import type { PageFile } from '../pageFiles.js'
import { fingerprintOf } from '../passwordHash.js'
import { queryOf } from './clusterRoutes.js'
import { sendJson } from './listReply.js'

const login = shapeOf(fields({ user: text(limits.apiUserNameCharsMax), password: text(limits.apiBodyBytesMax) }))
const nothing = shapeOf(Type.Union([fields({}), Type.Null(), Type.Undefined()]))

const sessionBytes = 32

const cookie = (isSecure: boolean, value: string, seconds: number): string =>
  `${cookieName(isSecure)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${isSecure ? '; Secure' : ''}`

export interface PageOptions {
  readonly files: ReadonlyMap<string, PageFile>
  readonly random: Random
}

export const pageRoutes = (app: FastifyInstance, api: ApiContext, { files, random }: PageOptions): void => {
  const sendFile = (request: FastifyRequest, reply: FastifyReply, name: string): FastifyReply => {
    const file = files.get(name)
    if (!file) throw new ApiRefusal(plainProblem(404, '404: Not Found'))
    reply.headers({ etag: file.etag, 'cache-control': 'no-cache' })
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send()
    return reply.type(file.contentType).send(file.bytes)
  }
  app.get('/page', { config: { access: 'open' } }, (_, reply) => reply.redirect('/page/', 308))
  app.get<{ Params: { '*': string } }>('/page/*', { config: { access: 'open' } }, (request, reply) =>
    sendFile(request, reply, request.params['*']),
  )

  app.post('/page/login', { config: { access: 'login' } }, async (request, reply) => {
    assertFromOwnPage(request)
    if (!login.Check(request.body)) throw new ApiRefusal(badRequest('The body must be {"user": "…", "password": "…"}'))
    const { password, user: name } = request.body
    const user = await api.logins.login(request.ip, name, password)
    const value = Buffer.from(random.bytes(sessionBytes)).toString('base64url')
    api.sessions.begin(sessionIdOf(value), { user: user.name, fingerprint: fingerprintOf(user) }, api.clock.monotonicMs())
    return reply
      .code(204)
      .header('set-cookie', cookie(api.isSecure, value, limits.apiSessionMs / 1_000))
      .send()
  })

  app.post('/page/logout', (request, reply) => {
    if (!nothing.Check(request.body)) throw new ApiRefusal(badRequest('The body must be {}'))
    if (request.caller?.session !== undefined) {
      api.sessions.end(request.caller.session)
      api.log('info', `User '${request.caller.name}' logged out.`)
    }
    return reply
      .code(204)
      .header('set-cookie', cookie(api.isSecure, '', 0))
      .send()
  })

  app.get('/page/session', (request, reply) => {
    const { pretty = false } = queryOf(request, common)
    return sendJson(reply, jsonWriter(pretty)({ user: request.caller?.name, role: request.caller?.role }))
  })
}
