/** `/agents` and `/groups` of Wazuh's API: reading. */
import type { FastifyInstance } from 'fastify'
import { shown } from '../../../base/shown.js'
import { agentIdText, managerId } from '../../../domain/agents/agent.js'
import type { AgentQuery } from '../../../domain/agents/agentQuery.js'
import { agentMessages, groupFields, groupFileFields, groupFileItem, groupItem } from '../../../domain/api/agentItems.js'
import type { FailedItem } from '../../../domain/api/envelope.js'
import { type Item, listRequest } from '../../../domain/api/listRequest.js'
import { agentIds, anyTextParameter, common, listParameters, names } from '../../../domain/api/parameters.js'
import { ApiRefusal, badRequest, problems } from '../../../domain/api/problem.js'
import { type HashName, hashNames } from '../../../domain/files/hashNames.js'
import type { ApiContext } from '../apiContext.js'
import { AgentAnswers, agentsParameters } from './agentAnswers.js'
import { answerLines, linesOf } from './answerLines.js'
import { queryOf } from './clusterRoutes.js'
import { sendList } from './listReply.js'

const filesParameters = { ...listParameters, hash: anyTextParameter } as const
const groupsParameters = { ...filesParameters, groups_list: names } as const

interface OfAgent {
  readonly Params: { readonly agent_id: string }
}
interface OfGroup {
  readonly Params: { readonly group_id: string }
}

const idOf = (text: string): number => {
  const [id] = agentIds.read(text) ?? []
  if (id === undefined || text.includes(','))
    throw new ApiRefusal(badRequest(`Invalid path parameter 'agent_id': must be ${agentIds.allowed}`))
  return id
}

/** Wazuh's sums are MD5 unless one asks for others. */
const hashOf = (text = 'md5'): HashName => {
  const known = hashNames.find((name) => name === text)
  if (known === undefined) throw new ApiRefusal(problems.hashUnavailable, `${problems.hashUnavailable.detail}: ${shown(text)}`)
  return known
}

export const agentRoutes = (app: FastifyInstance, api: ApiContext): void => {
  const agents = new AgentAnswers(api)

  app.get('/agents', (request, reply) => agents.send(reply, queryOf(request, agentsParameters)))
  app.get('/agents/no_group', (request, reply) =>
    agents.send(reply, queryOf(request, listParameters), ({ group, id }) => group === undefined && id !== agentIdText(managerId)),
  )

  app.get<OfAgent>('/agents/:agent_id/group/is_sync', (request, reply) => {
    const { pretty = false, wait_for_complete = false } = queryOf(request, common)
    const id = idOf(request.params.agent_id)
    if (id === managerId) throw new ApiRefusal(problems.notForManager)
    const { failures, items } = agents.details([id], wait_for_complete)
    const states = async function* (): AsyncGenerator<Item> {
      for await (const item of items) yield { id: item['id'], synced: item['group_config_status'] === 'synced' }
    }
    return sendList(reply, { items: states(), failures: () => failures, isPretty: pretty, messages: agentMessages.sync })
  })

  app.get('/groups', (request, reply) => {
    const { groups_list: wanted, hash, pretty = false, wait_for_complete, ...given } = queryOf(request, groupsParameters)
    const sums = hashOf(hash)
    const found = new Set<string>()
    const items = async function* (): AsyncGenerator<Item> {
      for await (const { groups } of linesOf(answerLines(api, { kind: 'groups', sums, tool: 'agent_groups' }, wait_for_complete), 'groups'))
        for (const group of groups)
          if (!wanted || wanted.includes(group.name)) {
            found.add(group.name)
            yield groupItem(group)
          }
    }
    const failures = (): readonly FailedItem[] =>
      (wanted ?? []).filter((id) => !found.has(id)).map((id) => ({ id, problem: problems.groupMissing }))
    return sendList(reply, {
      items: items(),
      list: listRequest(given, groupFields),
      isPretty: pretty,
      messages: agentMessages.groups,
      failures,
    })
  })

  app.get<OfGroup>('/groups/:group_id/agents', (request, reply) =>
    agents.send(reply, { ...queryOf(request, agentsParameters), group: [request.params.group_id] }, undefined, 'agent_groups'),
  )

  app.get<OfGroup>('/groups/:group_id/files', (request, reply) => {
    const { hash, pretty = false, wait_for_complete, ...given } = queryOf(request, filesParameters)
    const query: AgentQuery = { kind: 'groupFiles', group: request.params.group_id, tool: 'agent_groups', hash: hashOf(hash) }
    const items = async function* (): AsyncGenerator<Item> {
      for await (const { files } of linesOf(answerLines(api, query, wait_for_complete), 'groupFiles')) yield* files.map(groupFileItem)
    }
    return sendList(reply, {
      items: items(),
      list: listRequest(given, groupFileFields),
      isPretty: pretty,
      messages: agentMessages.groupFiles,
    })
  })
}
