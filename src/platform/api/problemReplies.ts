/** Errors as `application/problem+json`: those of routes, of unknown paths and methods, of fastify, and of requests that are not HTTP. */
import type { Duplex } from 'node:stream'
import type { FastifyError, FastifyInstance, FastifyReply, HTTPMethods } from 'fastify'
import { ClusterError } from '../../base/errors.js'
import { visibleLine } from '../../base/escapeText.js'
import { fullStop } from '../../base/fullStop.js'
import { ApiRefusal, badRequest, type Problem, plainProblem, problemBody, problemOf, problems } from '../../domain/api/problem.js'
import type { LogLevel } from '../../ports/machine.js'
import { securityHeaders } from './securityHeaders.js'

const contentType = 'application/problem+json; charset=utf-8'

export const sendProblem = (reply: FastifyReply, problem: Problem): FastifyReply => {
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="Muster"')
  return reply
    .code(problem.status)
    .headers(securityHeaders)
    .header('content-type', contentType)
    .send(JSON.stringify(problemBody(problem)))
}

const ofFastify = ({ code, message, statusCode = 500 }: FastifyError): Problem => {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return plainProblem(413, 'Content size exceeded.')
  if (statusCode >= 400 && statusCode < 500) return plainProblem(statusCode, visibleLine(message))
  return problems.internal
}

const isFastifys = (thrown: Error): thrown is FastifyError =>
  'code' in thrown && typeof thrown.code === 'string' && thrown.code.startsWith('FST_')

const problemIn = (thrown: unknown, log: (level: LogLevel, message: string) => void): Problem => {
  if (thrown instanceof ApiRefusal) return thrown.problem
  if (thrown instanceof ClusterError && thrown.code !== 'internal') return problemOf(thrown)
  if (thrown instanceof Error && isFastifys(thrown)) return ofFastify(thrown)
  // A mistake of ours: the log says what it is, and the client need not know.
  log('error', fullStop(`A request failed: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`))
  return problems.internal
}

const allMethods: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']

/** Adds routes, with errors as problems; any other method of a path that they have is refused as such. */
export const withProblemReplies = (app: FastifyInstance, log: (level: LogLevel, message: string) => void, addRoutes: () => void): void => {
  const methodsOf = new Map<string, Set<string>>()
  let isNoted = true
  app.addHook('onRoute', ({ method, url }) => {
    if (!isNoted) return
    const methods = methodsOf.get(url) ?? new Set()
    for (const one of Array.isArray(method) ? method : [method]) methods.add(one)
    methodsOf.set(url, methods)
  })
  app.setErrorHandler((thrown, _, reply) => sendProblem(reply, problemIn(thrown, log)))
  app.setNotFoundHandler((_, reply) => sendProblem(reply, plainProblem(404, '404: Not Found')))
  addRoutes()
  isNoted = false
  for (const [url, methods] of methodsOf)
    app.route({
      method: allMethods.filter((method) => !methods.has(method)),
      url,
      config: { access: 'open' },
      handler: (_, reply) => {
        reply.header('allow', [...methods].join(', '))
        return sendProblem(reply, plainProblem(405, '405: Method Not Allowed'))
      },
    })
}

/** For bytes that are not a request at all: no reply can be made, only bytes. */
export const refuseBytes = (error: NodeJS.ErrnoException, socket: Duplex): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? plainProblem(431, 'The headers are too large')
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? plainProblem(408, 'The request took too long')
        : badRequest('This is not a request of HTTP/1.1')
  const body = JSON.stringify(problemBody(problem))
  const headers = {
    ...securityHeaders,
    'content-type': contentType,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('')}\r\n${body}`)
}
