/** `GET /`: what this is, to a program as Wazuh says it, and to a browser the page. */
import { hostname } from 'node:os'
import type { FastifyInstance } from 'fastify'
import { jsonWriter } from '../../../domain/api/envelope.js'
import { common } from '../../../domain/api/parameters.js'
import { ApiRefusal, plainProblem } from '../../../domain/api/problem.js'
import type { ApiContext } from '../apiContext.js'
import { queryOf } from './clusterRoutes.js'
import { sendJson } from './listReply.js'

export const rootRoutes = (app: FastifyInstance, api: ApiContext): void => {
  app.get('/', { config: { access: 'open' } }, (request, reply) => {
    if (/\btext\/html\b/.test(request.headers.accept ?? '')) return reply.redirect('/page/', 303)
    if (!request.caller) throw new ApiRefusal(plainProblem(401, 'No authorization token provided'))
    const { pretty = false } = queryOf(request, common)
    const { options } = api
    const data = {
      title: 'Wazuh API REST',
      api_version: options.wazuhVersion.replace(/^v/, ''),
      revision: `muster-${options.version}`,
      license_name: 'Apache-2.0',
      license_url: 'https://www.apache.org/licenses/LICENSE-2.0',
      hostname: hostname(),
      timestamp: new Date(api.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
    }
    return sendJson(reply, jsonWriter(pretty)({ data, error: 0 }))
  })
}
