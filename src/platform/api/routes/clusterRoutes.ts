/** `/cluster` of Wazuh's API: what the master knows of the nodes. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { clusterMessages, healthItem, isOfRuleset, isRulesetSynced, nodeFields, nodeItem } from '../../../domain/api/clusterItems.js'
import { type FailedItem, jsonWriter } from '../../../domain/api/envelope.js'
import { type Item, listRequest } from '../../../domain/api/listRequest.js'
import {
  choice,
  common,
  type Given,
  listParameters,
  names,
  type Parameters,
  type RawQuery,
  readParameters,
} from '../../../domain/api/parameters.js'
import { problems } from '../../../domain/api/problem.js'
import type { NodeReport } from '../../../domain/cluster/nodeReport.js'
import type { FilesSummary } from '../../../domain/queries/clusterAnswer.js'
import type { ClusterQuery } from '../../../domain/queries/clusterQuery.js'
import type { ApiContext } from '../apiContext.js'
import { answerLines, linesOf } from './answerLines.js'
import { sendJson, sendList } from './listReply.js'

const ofNodes = { ...common, nodes_list: names } as const

/** `*` is all of them. */
export const nodesOf = (list: readonly string[] | undefined): readonly string[] | undefined => (list?.includes('*') ? undefined : list)

export const queryOf = <P extends Parameters>(request: FastifyRequest, known: P): Given<P> =>
  readParameters(known, request.query as RawQuery)

export const unknownNodes = (nodes: readonly string[]): readonly FailedItem[] => nodes.map((id) => ({ id, problem: problems.nodeMissing }))

/** Sorted by name as text, as Wazuh sorts them. */
const byName = <T extends { readonly name: string }>(items: readonly T[]): readonly T[] =>
  [...items].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))

export class ClusterAnswers {
  readonly #api: ApiContext

  constructor(api: ApiContext) {
    this.#api = api
  }

  /** What is known of these nodes, and which of them do not exist. */
  async nodes(nodes: readonly string[] | undefined, waits?: boolean) {
    return this.#gathered({ kind: 'nodes', ...(nodes && { nodes }) }, 'node', waits)
  }

  async health(nodes: readonly string[] | undefined, waits?: boolean) {
    const { found, unknown } = await this.#gathered({ kind: 'health', ...(nodes && { nodes }) }, 'health', waits)
    return { found: byName(found.map(({ node }) => node)), unknown }
  }

  /** Of each worker, whether it has the master's ruleset. */
  async ruleset(nodes: readonly string[] | undefined, waits?: boolean) {
    const { found, unknown } = await this.nodes(nodes, waits)
    const synced = new Map(found.filter(({ node }) => node.type === 'master').map(({ node }) => [node.name, true]))
    let last: FilesSummary | undefined
    let isWhole = true
    const close = (): void => {
      if (last) synced.set(last.node, isRulesetSynced(last, isWhole))
      isWhole = true
    }
    const query: ClusterQuery = { kind: 'files', all: false, ...(nodes && { nodes: found.map(({ node }) => node.name) }) }
    for await (const line of answerLines(this.#api, query, waits)) {
      if (line.kind === 'file' && isOfRuleset(line.row.file)) isWhole = false
      if (line.kind !== 'filesOf') continue
      close()
      last = line.summary
    }
    close()
    return { items: byName([...synced].map(([name, isSynced]) => ({ name, synced: isSynced }))), unknown }
  }

  async #gathered<K extends 'node' | 'health'>(query: ClusterQuery, kind: K, waits = false) {
    let unknown: readonly string[] = []
    const lines = answerLines(this.#api, query, waits)
    const noted = async function* () {
      for await (const line of lines) {
        if (line.kind === 'cluster') unknown = line.unknownNodes
        yield line
      }
    }
    const found = []
    for await (const line of linesOf(noted(), kind)) found.push(line)
    return { found, unknown }
  }
}

export const clusterRoutes = (app: FastifyInstance, api: ApiContext): void => {
  const answers = new ClusterAnswers(api)
  const { options } = api

  app.get('/cluster/status', (request, reply) => {
    const { pretty = false } = queryOf(request, common)
    return sendJson(reply, jsonWriter(pretty)({ data: { enabled: 'yes', running: 'yes' }, error: 0 }))
  })

  app.get('/cluster/local/info', (request, reply) => {
    const { pretty = false } = queryOf(request, common)
    const items = [{ node: options.node, cluster: options.cluster, type: options.type }]
    return sendList(reply, { items, isPretty: pretty, messages: clusterMessages.selected })
  })

  app.get('/cluster/local/config', (request, reply) => {
    const { pretty = false } = queryOf(request, common)
    return sendList(reply, {
      items: [clusterConfiguration(api.options.cluster, api.options.node, api.options.configuration)],
      isPretty: pretty,
      messages: clusterMessages.selected,
    })
  })

  const nodesParameters = { ...listParameters, nodes_list: names, type: choice('worker', 'master') } as const
  app.get('/cluster/nodes', async (request, reply) => {
    const { nodes_list, pretty = false, type, wait_for_complete, ...given } = queryOf(request, nodesParameters)
    const list = listRequest(given, nodeFields)
    const { found, unknown } = await answers.nodes(nodesOf(nodes_list), wait_for_complete)
    return sendList(reply, {
      ...{ list, isPretty: pretty, messages: clusterMessages.nodes, failures: () => unknownNodes(unknown) },
      items: found.filter(({ node }) => type === undefined || node.type === type).map(({ node }) => nodeItem(node)),
    })
  })

  app.get('/cluster/healthcheck', async (request, reply) => {
    const { nodes_list, pretty = false, wait_for_complete } = queryOf(request, ofNodes)
    const { found, unknown } = await answers.health(nodesOf(nodes_list), wait_for_complete)
    return sendList(reply, {
      items: found.map(healthItem),
      isPretty: pretty,
      messages: clusterMessages.health,
      failures: () => unknownNodes(unknown),
    })
  })

  app.get('/cluster/ruleset/synchronization', async (request, reply) => {
    const { nodes_list, pretty = false, wait_for_complete } = queryOf(request, ofNodes)
    const { items, unknown } = await answers.ruleset(nodesOf(nodes_list), wait_for_complete)
    return sendList(reply, { items, isPretty: pretty, messages: clusterMessages.ruleset, failures: () => unknownNodes(unknown) })
  })
}

/** As `<cluster>` has it, with the key starred for everybody. */
export const clusterConfiguration = (cluster: string, node: string, configuration: NodeReport['configuration']): Item => ({
  name: cluster,
  node_name: node,
  node_type: configuration.type,
  key: '*****',
  port: configuration.port,
  bind_addr: configuration.bindAddress,
  nodes: configuration.nodes,
  hidden: configuration.hidden ? 'yes' : 'no',
  disabled: false,
})
