/** `/agents` and `/groups` of Wazuh's API: reading. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { ClusterError } from '../../../base/errors.js'
import { limits } from '../../../base/limits.js'
import { agentIdText, agentStatuses, managerId } from '../../../domain/agents/agent.js'
import type { AgentQuery } from '../../../domain/agents/agentQuery.js'
import {
  agentDetailFields,
  agentDetails,
  agentFields,
  agentItem,
  agentMessages,
  connectionSummary,
  groupFields,
  groupFileFields,
  groupFileItem,
  groupItem,
} from '../../../domain/api/agentItems.js'
import { type AgentRequest, agentFilter, isAskedFor } from '../../../domain/api/agentRequest.js'
import { type FailedItem, jsonWriter } from '../../../domain/api/envelope.js'
import { type Item, listRequest } from '../../../domain/api/listRequest.js'
import { agentIds, anyTextParameter, common, type Given, listOf, listParameters, names, timeSpan } from '../../../domain/api/parameters.js'
import { ApiRefusal, badRequest, problems } from '../../../domain/api/problem.js'
import type { ApiContext } from '../apiContext.js'
import { answerLines, linesOf } from './answerLines.js'
import { queryOf } from './clusterRoutes.js'
import { type ListAnswer, sendJson, sendList } from './listReply.js'

const groupsParameters = { ...listParameters, groups_list: names } as const

const agentsParameters = {
  ...listParameters,
  agents_list: agentIds,
  status: listOf(...agentStatuses),
  older_than: timeSpan,
  version: anyTextParameter,
  group: names,
  node_name: names,
  name: anyTextParameter,
  ip: anyTextParameter,
  registerIP: anyTextParameter,
} as const

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

export const agentRoutes = (app: FastifyInstance, api: ApiContext): void => {
  const agents = new AgentAnswers(api)

  app.get('/agents', (request, reply) => agents.send(reply, queryOf(request, agentsParameters)))
  app.get('/agents/no_group', (request, reply) =>
    agents.send(reply, queryOf(request, listParameters), ({ group, id }) => group === undefined && id !== agentIdText(managerId)),
  )

  app.get('/agents/summary/status', async (request, reply) => {
    const { pretty = false, wait_for_complete } = queryOf(request, common)
    for await (const { counts } of linesOf(answerLines(api, { kind: 'agentSummary' }, wait_for_complete), 'agentSummary'))
      return sendJson(reply, jsonWriter(pretty)({ data: { connection: connectionSummary(counts) }, error: 0 }))
    throw new ClusterError('requestFailed')
  })

  app.get<OfAgent>('/agents/:agent_id/group/is_sync', (request, reply) => {
    const { pretty = false, wait_for_complete = false } = queryOf(request, common)
    const id = idOf(request.params.agent_id)
    if (id === managerId) throw new ApiRefusal(problems.notForManager)
    const { failures, items } = agents.details([id], wait_for_complete, (item) => ({
      id: item['id'],
      synced: item['group_config_status'] === 'synced',
    }))
    return sendList(reply, { items, failures: () => failures, isPretty: pretty, messages: agentMessages.sync })
  })

  app.get('/groups', (request, reply) => {
    const { groups_list: wanted, pretty = false, wait_for_complete, ...given } = queryOf(request, groupsParameters)
    const found = new Set<string>()
    const items = async function* (): AsyncGenerator<Item> {
      for await (const { groups } of linesOf(answerLines(api, { kind: 'groups', tool: 'agent_groups' }, wait_for_complete), 'groups'))
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
    const { pretty = false, wait_for_complete, ...given } = queryOf(request, listParameters)
    const query: AgentQuery = { kind: 'groupFiles', group: request.params.group_id, tool: 'agent_groups' }
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

class AgentAnswers {
  readonly #api: ApiContext

  constructor(api: ApiContext) {
    this.#api = api
  }

  send(
    reply: FastifyReply,
    given: Given<typeof agentsParameters>,
    isShown: (item: Item) => boolean = () => true,
    tool?: 'agent_groups',
  ): Promise<FastifyReply> {
    const {
      distinct,
      limit,
      offset,
      pretty: isPretty = false,
      q,
      search,
      select,
      sort,
      wait_for_complete: waits = false,
      ...filter
    } = given
    const { agents_list: ids } = filter
    const isDetailed = ids !== undefined && ids.length <= limits.apiAgentDetailsMax
    const fields = isDetailed ? agentDetailFields : agentFields
    const defined = Object.fromEntries(
      Object.entries({ distinct, limit, offset, q, search, select, sort }).filter(([, value]) => value !== undefined),
    )
    const answer = { list: listRequest(defined, fields), isPretty, messages: agentMessages.agents }
    const { failures, items, totalKnown } = isDetailed ? this.details(ids, waits) : this.#rows(filter, waits, tool)
    const nowMs = this.#api.clock.now()
    const shown = async function* (): AsyncGenerator<Item> {
      for await (const item of items) if (isAskedFor(filter, item, nowMs) && isShown(item)) yield item
    }
    return sendList(reply, { ...answer, items: shown(), failures: () => failures, ...(totalKnown && { totalKnown }) })
  }

  /** These agents with all that is known of them. */
  details(ids: readonly number[], waits: boolean, shownAs: (item: Item) => Item = (item) => item) {
    const api = this.#api
    const failures: FailedItem[] = []
    const items = async function* (): AsyncGenerator<Item> {
      for (const id of ids)
        try {
          const lines = answerLines(api, { kind: 'agent', id, tool: 'agent_groups' }, waits)
          for await (const { agent, isSynchronized } of linesOf(lines, 'agent')) yield shownAs(agentDetails(agent, isSynchronized))
        } catch (thrown) {
          if (!(thrown instanceof ClusterError) || thrown.code !== 'agentMissing') throw thrown
          failures.push({ id: agentIdText(id), problem: problems.agentMissing })
        }
    }
    return { items: items(), failures, totalKnown: undefined }
  }

  /** Agents as a listing has them. */
  #rows(
    filter: AgentRequest,
    waits: boolean,
    tool: 'agent_groups' | undefined,
  ): Pick<ListAnswer, 'totalKnown'> & { items: AsyncGenerator<Item>; failures: FailedItem[] } {
    const api = this.#api
    const failures: FailedItem[] = []
    const missing = new Set(filter.agents_list)
    const { isWhole, query } = agentFilter(filter, tool)
    let count: number | undefined
    const items = async function* (): AsyncGenerator<Item> {
      for await (const line of answerLines(api, query, waits)) {
        if (line.kind === 'agentsShape') count = line.shape.count
        if (line.kind !== 'agents') continue
        for (const row of line.rows) {
          missing.delete(row[0])
          yield agentItem(row)
        }
      }
      failures.push(...[...missing].map((id) => ({ id: agentIdText(id), problem: problems.agentMissing })))
    }
    return { items: items(), failures, ...(isWhole && { totalKnown: () => count }) }
  }
}
