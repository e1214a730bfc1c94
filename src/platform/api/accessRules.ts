/** Who may call what: the Host, the rate of an address, who the caller is, and whether its role is enough. Before any route runs. */
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { escapeText } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import { AddressCounts } from '../../domain/api/addressCounts.js'
import type { ApiUser } from '../../domain/api/apiUsers.js'
import { type Authorization, parseAuthorization, parseCookie } from '../../domain/api/authorization.js'
import { isFromOwnPage } from '../../domain/api/csrfRule.js'
import { ApiRefusal, plainProblem, problems } from '../../domain/api/problem.js'
import type { Access, ApiContext, Caller } from './apiContext.js'
import { fingerprintOf } from './passwordHash.js'
import { securityHeaders } from './securityHeaders.js'

const minuteMs = 60_000

/** A browser lets only this origin set a cookie of this name. */
export const cookieName = (isSecure: boolean): string => (isSecure ? '__Host-muster' : 'muster')

/** What is kept of the cookie's value. */
export const sessionIdOf = (value: string): string => createHash('sha256').update(value).digest('base64url')

const unauthorized = (detail: string): ApiRefusal => new ApiRefusal(plainProblem(401, detail))

export const assertFromOwnPage = ({ headers, method, protocol }: FastifyRequest): void => {
  const isOwn = isFromOwnPage({
    method,
    contentType: headers['content-type'],
    secFetchSite: one(headers['sec-fetch-site']),
    origin: headers.origin,
    ownOrigin: `${protocol}://${headers.host}`,
  })
  if (!isOwn) throw new ApiRefusal(plainProblem(403, 'A request of a browser that changes something must come from our own page, as JSON'))
}

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)

/** The sender of a request; undefined when it does not say. Throws an ApiRefusal when it says it wrongly. */
const callerOf = async (request: FastifyRequest, access: Access, api: ApiContext): Promise<Caller | undefined> => {
  const authorization = parseAuthorization(request.headers.authorization)
  if (authorization) return byHeader(authorization, request, access, api)
  const cookie = parseCookie(request.headers.cookie, cookieName(api.isSecure))
  if (cookie === undefined) return undefined
  const id = sessionIdOf(cookie)
  const session = api.sessions.use(id, api.clock.monotonicMs())
  const user = session && (await api.users.users()).find(({ name }) => name === session.user)
  if (!user || fingerprintOf(user) !== session.fingerprint) {
    api.sessions.end(id)
    return undefined
  }
  assertFromOwnPage(request)
  return { name: user.name, role: user.role, how: 'session', fingerprint: session.fingerprint, session: id }
}

const byHeader = async (
  authorization: Authorization,
  { ip }: FastifyRequest,
  access: Access,
  api: ApiContext,
): Promise<Caller | undefined> => {
  if (authorization.kind === 'bearer') {
    return callerAs('token', api.tokens.userOf(authorization.token, await api.users.users()))
  }
  // Each hash costs a tenth of a second: with a password come a login, and those who read metrics and cannot log in first.
  if (authorization.kind === 'unusable' || access !== 'local') throw unauthorized('Invalid token')
  return callerAs('password', await api.logins.login(ip, authorization.user, authorization.password))
}

const callerAs = (how: Caller['how'], user: ApiUser): Caller => ({
  name: user.name,
  role: user.role,
  how,
  fingerprint: fingerprintOf(user),
})

const assertMay = (access: Access, caller: Caller | undefined, isLoopback: boolean): void => {
  if (access === 'local' && isLoopback) return
  if (!caller) throw unauthorized('No authorization token provided')
  if (access === 'admin' && caller.role !== 'admin') throw new ApiRefusal(problems.permissionDenied)
}

export interface AccessRules {
  readonly isHostAllowed: (host: string | undefined) => boolean
}

export const accessRules = (app: FastifyInstance, api: ApiContext, { isHostAllowed }: AccessRules): void => {
  const requests = new AddressCounts(minuteMs)
  app.decorateRequest('caller', undefined)
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    reply.headers(securityHeaders)
    const { host } = request.headers
    if (!isHostAllowed(host))
      throw new ApiRefusal(
        plainProblem(
          421,
          `'${escapeText(host ?? '').slice(0, limits.nodeNameCharsMax)}' is not a name of this service: the option hosts of api in etc/cluster.json adds one`,
        ),
      )
    const access: Access = request.is404 ? 'open' : (request.routeOptions.config.access ?? 'read')
    if (access === 'open') {
      request.caller = await callerOf(request, access, api).catch(() => undefined)
      return
    }
    if (requests.add(request.ip, api.clock.monotonicMs()) > limits.apiRequestsPerMinute) throw new ApiRefusal(problems.tooManyRequests)
    if (access === 'login') return
    request.caller = await callerOf(request, access, api)
    assertMay(access, request.caller, api.isLoopback(request))
  })
}
