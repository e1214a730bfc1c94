/** Lists of agents: rows as a node lists them, and of those that are shown, or that cannot be chosen otherwise, all that is known. */
import type { FastifyReply } from 'fastify'
import { limits } from '../../../base/limits.js'
import { agentIdText, agentStatuses } from '../../../domain/agents/agent.js'
import { agentDetails, agentFields, agentItem, agentMessages, isDetail } from '../../../domain/api/agentItems.js'
import { type AgentRequest, agentFilter, asksForDetails, isAskedFor } from '../../../domain/api/agentRequest.js'
import type { FailedItem } from '../../../domain/api/envelope.js'
import { dependsOn, type Item, listRequest } from '../../../domain/api/listRequest.js'
import { agentIds, anyTextParameter, choice, type Given, listOf, listParameters, names, timeSpan } from '../../../domain/api/parameters.js'
import { problems } from '../../../domain/api/problem.js'
import type { ApiContext } from '../apiContext.js'
import { answerLines, linesOf } from './answerLines.js'
import { batchesOf, type ListAnswer, sendList } from './listReply.js'

export const agentsParameters = {
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
  manager: anyTextParameter,
  group_config_status: choice('synced', 'not synced'),
  'os.name': anyTextParameter,
  'os.platform': anyTextParameter,
  'os.version': anyTextParameter,
} as const

export interface ListedAgents extends Pick<ListAnswer, 'totalKnown'> {
  readonly items: AsyncGenerator<Item>
  /** Complete after the last item. */
  readonly failures: readonly FailedItem[]
}

export class AgentAnswers {
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
    const defined = Object.fromEntries(
      Object.entries({ distinct, limit, offset, q, search, select, sort }).filter(([, value]) => value !== undefined),
    )
    const list = listRequest(defined, agentFields)
    const needsDetails = asksForDetails(filter) || dependsOn(list, isDetail)
    const { failures, items, totalKnown } = this.listed(filter, { needsDetails, waits, ...(tool && { tool }) })
    const nowMs = this.#api.clock.now()
    const shown = async function* (): AsyncGenerator<Item> {
      for await (const item of items) if (isAskedFor(filter, item, nowMs) && isShown(item)) yield item
    }
    const showsDetails = !needsDetails && (select?.some(isDetail) ?? true)
    return sendList(reply, {
      ...{ list, isPretty, messages: agentMessages.agents, items: shown(), failures: () => failures },
      ...(totalKnown && { totalKnown }),
      ...(showsDetails && { complete: (batch) => this.#completed(batch, waits) }),
    })
  }

  /** The agents that the node's own filter lets through. */
  listed(
    filter: AgentRequest,
    { needsDetails, tool, waits }: { readonly needsDetails: boolean; readonly waits: boolean; readonly tool?: 'agent_groups' },
  ): ListedAgents {
    const { agents_list: ids } = filter
    if (ids && ids.length <= limits.apiAgentDetailsMax) return this.details(ids, waits)
    const rows = this.#rows(filter, waits, tool)
    return needsDetails ? { ...rows, items: this.#withDetails(rows.items, waits) } : rows
  }

  /** These agents with all that is known of them; at most limits.apiAgentDetailsMax. */
  details(ids: readonly number[], waits: boolean): ListedAgents {
    const api = this.#api
    const failures: FailedItem[] = []
    const items = async function* (): AsyncGenerator<Item> {
      const missing = new Set(ids)
      for await (const line of linesOf(answerLines(api, { kind: 'agentDetails', ids: [...missing] }, waits), 'agentDetails')) {
        missing.delete(line.agent.id)
        yield agentDetails(line)
      }
      failures.push(...missingAgents(missing))
    }
    return { items: items(), failures }
  }

  /** Agents that were removed since they were listed stay as they are. */
  async #completed(batch: readonly Item[], waits: boolean): Promise<readonly Item[]> {
    const known = new Map<unknown, Item>()
    for await (const item of this.details(
      batch.map(({ id }) => Number(id)),
      waits,
    ).items)
      known.set(item['id'], item)
    return batch.map((item) => known.get(item['id']) ?? item)
  }

  async *#withDetails(items: AsyncIterable<Item>, waits: boolean): AsyncGenerator<Item> {
    for await (const batch of batchesOf(items)) yield* await this.#completed(batch, waits)
  }

  /** Agents as a listing has them. */
  #rows(filter: AgentRequest, waits: boolean, tool: 'agent_groups' | undefined): ListedAgents {
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
      failures.push(...missingAgents(missing))
    }
    return { items: items(), failures, ...(isWhole && { totalKnown: () => count }) }
  }
}

const missingAgents = (ids: Iterable<number>): readonly FailedItem[] =>
  [...ids].map((id) => ({ id: agentIdText(id), problem: problems.agentMissing }))
