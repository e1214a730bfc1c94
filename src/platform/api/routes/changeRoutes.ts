/** What of Wazuh's API changes something: for the role admin, and noted in the log. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { escapeText } from '../../../base/escapeText.js'
import { fields } from '../../../base/fields.js'
import { shapeOf } from '../../../base/shapeOf.js'
import { agentIdText } from '../../../domain/agents/agent.js'
import { anyText } from '../../../domain/agents/agentQuery.js'
import { keyLineText } from '../../../domain/agents/keyLine.js'
import { jsonWriter } from '../../../domain/api/envelope.js'
import { common } from '../../../domain/api/parameters.js'
import { ApiRefusal, badRequest } from '../../../domain/api/problem.js'
import type { Random } from '../../../ports/machine.js'
import type { ApiContext } from '../apiContext.js'
import { answerLines } from './answerLines.js'
import { queryOf } from './clusterRoutes.js'
import { sendJson } from './listReply.js'

const newGroup = shapeOf(fields({ group_id: anyText() }))
const newAgent = shapeOf(fields({ name: anyText(), ip: Type.Optional(anyText()) }))

const keyBytes = 32

export const changeRoutes = (app: FastifyInstance, api: ApiContext, random: Random): void => {
  app.post('/groups', { config: { access: 'admin' } }, async (request, reply) => {
    const { pretty = false, wait_for_complete } = queryOf(request, common)
    if (!newGroup.Check(request.body)) throw new ApiRefusal(badRequest('The body must be {"group_id": "…"}'))
    const { group_id: group } = request.body
    for await (const _ of answerLines(api, { kind: 'createGroup', group, tool: 'agent_groups' }, wait_for_complete));
    api.log('info', `User '${request.caller?.name}' created the group '${escapeText(group)}'.`)
    return sendJson(reply, jsonWriter(pretty)({ message: `Group '${group}' created.`, error: 0 }))
  })

  app.post('/agents', { config: { access: 'admin' } }, async (request, reply) => {
    const { pretty = false, wait_for_complete } = queryOf(request, common)
    if (!newAgent.Check(request.body)) throw new ApiRefusal(badRequest('The body must be {"name": "…", "ip": "…"}; ip may be left out'))
    const { ip = 'any', name } = request.body
    const key = Buffer.from(random.bytes(keyBytes)).toString('hex')
    let data: object = {}
    for await (const line of answerLines(api, { kind: 'addAgent', name, ip, key, groups: [], tool: 'agent_control' }, wait_for_complete))
      if (line.kind === 'added') data = { id: agentIdText(line.entry.id), key: Buffer.from(keyLineText(line.entry)).toString('base64') }
    api.log('info', `User '${request.caller?.name}' added the agent '${escapeText(name)}'.`)
    return sendJson(reply, jsonWriter(pretty)({ data, error: 0 }))
  })
}
