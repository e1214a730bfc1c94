/** What Wazuh's API counts of agents: summaries, groupings, and the digest for a dashboard. */
import type { FastifyInstance } from 'fastify'
import { ClusterError } from '../../../base/errors.js'
import { agentIdText, managerId } from '../../../domain/agents/agent.js'
import { AgentGroupings } from '../../../domain/api/agentGroupings.js'
import { agentFields, agentMessages, configurationSummary, connectionSummary, groupItem, isDetail } from '../../../domain/api/agentItems.js'
import { jsonWriter } from '../../../domain/api/envelope.js'
import { dependsOn, type Item, isWanted, listRequest } from '../../../domain/api/listRequest.js'
import { common, listParameters, names } from '../../../domain/api/parameters.js'
import { ApiRefusal, badRequest } from '../../../domain/api/problem.js'
import { isLowerVersion } from '../../../domain/cluster/wazuhVersion.js'
import type { GroupView } from '../../../domain/queries/agentAnswer.js'
import type { ApiContext } from '../apiContext.js'
import { AgentAnswers } from './agentAnswers.js'
import { answerLines, linesOf } from './answerLines.js'
import { queryOf } from './clusterRoutes.js'
import { sendJson, sendList } from './listReply.js'

const isManager = ({ id }: Item): boolean => id === agentIdText(managerId)

export const agentSummaryRoutes = (app: FastifyInstance, api: ApiContext): void => {
  const agents = new AgentAnswers(api)

  app.get('/agents/summary/status', async (request, reply) => {
    const { pretty = false, wait_for_complete: waits } = queryOf(request, common)
    const { configuration, connection } = await summary(api, waits)
    return sendJson(reply, jsonWriter(pretty)({ data: { connection, configuration }, error: 0 }))
  })

  app.get('/agents/summary', async (request, reply) => {
    const { pretty = false, wait_for_complete: waits } = queryOf(request, common)
    const { connection: status, platforms: os } = await summary(api, waits)
    const counted = (await groupsOf(api, waits)).filter(({ agents: count }) => count > 0)
    const groups = Object.fromEntries(counted.map(({ agents: count, name }) => [name, count]))
    return sendJson(reply, jsonWriter(pretty)({ data: { status, os, groups }, error: 0 }))
  })

  app.get('/agents/outdated', (request, reply) => {
    // Every list has the manager first.
    let managerVersion = ''
    return agents.send(reply, queryOf(request, listParameters), (item) => {
      const version = String(item['version'] ?? '')
      if (isManager(item)) managerVersion = version
      return isLowerVersion(version, managerVersion)
    })
  })

  const groupingParameters = { ...listParameters, fields: names } as const
  app.get('/agents/stats/distinct', (request, reply) => {
    const given = queryOf(request, groupingParameters)
    const { fields, limit, offset, pretty: isPretty = false, q, search, sort, wait_for_complete: waits = false } = given
    if (!fields) throw new ApiRefusal(badRequest("Missing query parameter 'fields'"))
    const wanted = listRequest({ select: fields, ...(q !== undefined && { q }), ...(search !== undefined && { search }) }, agentFields)
    const page = { ...(limit !== undefined && { limit }), ...(offset !== undefined && { offset }), ...(sort !== undefined && { sort }) }
    const list = listRequest(page, [...fields, 'count'])
    const needsDetails = fields.some(isDetail) || dependsOn(wanted, isDetail)
    const items = async function* (): AsyncGenerator<Item> {
      const groupings = new AgentGroupings(fields)
      for await (const item of agents.listed({}, { needsDetails, waits }).items) if (isWanted(wanted, item)) groupings.add(item)
      yield* groupings.items()
    }
    return sendList(reply, { items: items(), list, isPretty, messages: agentMessages.agents })
  })

  app.get('/overview/agents', async (request, reply) => {
    const { pretty = false, wait_for_complete: waits = false } = queryOf(request, common)
    const nodes = new AgentGroupings(['node_name'])
    const systems = new AgentGroupings(['os.name', 'os.platform', 'os.version'])
    const versions = new AgentGroupings(['version'])
    let last: Item | undefined
    for await (const item of agents.listed({}, { needsDetails: true, waits }).items) {
      if (isManager(item)) continue
      for (const groupings of [nodes, systems, versions]) groupings.add(item)
      if (last === undefined || String(item['dateAdd'] ?? '') >= String(last['dateAdd'] ?? '')) last = item
    }
    const { configuration, connection } = await summary(api, waits)
    const data = {
      nodes: [...nodes.items()],
      groups: (await groupsOf(api, waits)).map(groupItem),
      agent_os: [...systems.items()],
      agent_status: { connection, configuration },
      agent_version: [...versions.items()],
      last_registered_agent: last ? [last] : [],
    }
    return sendJson(reply, jsonWriter(pretty)({ data, error: 0 }))
  })
}

/** Of all agents but the manager. */
const summary = async (api: ApiContext, waits = false) => {
  let counted: { readonly connection: Item; readonly configuration: Item } | undefined
  const platforms: (readonly [string, number])[] = []
  for await (const line of answerLines(api, { kind: 'agentSummary', detailed: true }, waits)) {
    if (line.kind === 'agentPlatforms') for (const { agents, name } of line.platforms) platforms.push([name, agents])
    if (line.kind !== 'agentSummary') continue
    const { configuration = { synced: 0, notSynced: 0 }, counts } = line
    counted = { connection: connectionSummary(counts), configuration: configurationSummary(configuration) }
  }
  if (!counted) throw new ClusterError('requestFailed')
  return { ...counted, platforms: Object.fromEntries(platforms) }
}

const groupsOf = async (api: ApiContext, waits = false): Promise<readonly GroupView[]> => {
  const found: GroupView[] = []
  const lines = answerLines(api, { kind: 'groups', sums: 'md5', tool: 'agent_groups' }, waits)
  for await (const { groups } of linesOf(lines, 'groups')) found.push(...groups)
  return found
}
