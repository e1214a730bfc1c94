/** `/cluster/{node_id}/…` of Wazuh's API, and what each node says of itself: what is known without asking the manager's other programs. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { clusterMessages } from '../../../domain/api/clusterItems.js'
import type { FailedItem, Messages } from '../../../domain/api/envelope.js'
import type { Item } from '../../../domain/api/listRequest.js'
import { choice, common, names } from '../../../domain/api/parameters.js'
import { ApiRefusal, badRequest, type Problem, plainProblem, problems } from '../../../domain/api/problem.js'
import type { NodeView } from '../../../domain/queries/clusterAnswer.js'
import type { ApiContext } from '../apiContext.js'
import { ClusterAnswers, clusterConfiguration, nodesOf, queryOf, unknownNodes } from './clusterRoutes.js'
import { sendList } from './listReply.js'

interface OfNode {
  readonly Params: { readonly node_id: string }
}

interface OwnAnswer {
  readonly list: readonly string[] | undefined
  readonly isPretty: boolean
  readonly messages: Messages
  /** The items, or none and why. */
  own(fail: (problem: Problem) => void): Promise<readonly Item[]>
}

/** Of Wazuh's processes, those whose work Muster does or that this answer proves to run. */
const processes = ['wazuh-clusterd', 'wazuh-apid'] as const

/** Of this machine. */
const timeZone = (nowMs: number) => ({
  tz_offset: -new Date(nowMs).getTimezoneOffset() / 60,
  tz_name: Intl.DateTimeFormat().resolvedOptions().timeZone,
})

export const nodeRoutes = (app: FastifyInstance, api: ApiContext): void => {
  const answers = new ClusterAnswers(api)
  const { options } = api

  /** One item about a node; 1730 for one that does not exist. */
  const sendNode = async (
    reply: FastifyReply,
    id: string,
    isPretty: boolean,
    messages: Messages,
    itemOf: (node: NodeView) => Item,
  ): Promise<FastifyReply> => {
    if (!/^[\w\-.%]+$/.test(id)) throw new ApiRefusal(badRequest(`Invalid path parameter 'node_id': must be a node's name`))
    const { found, unknown } = await answers.nodes([id])
    return sendList(reply, { items: found.map(({ node }) => itemOf(node)), isPretty, messages, failures: () => unknownNodes(unknown) })
  }

  app.get<OfNode>('/cluster/:node_id/status', (request, reply) => {
    const { pretty = false } = queryOf(request, common)
    return sendNode(reply, request.params.node_id, pretty, clusterMessages.processes, () =>
      Object.fromEntries(processes.map((name) => [name, 'running'])),
    )
  })

  app.get<OfNode>('/cluster/:node_id/info', (request, reply) => {
    const { pretty = false } = queryOf(request, common)
    return sendNode(reply, request.params.node_id, pretty, clusterMessages.information, ({ muster, name, version }) => ({
      ...(name === options.node && { path: options.home, ...timeZone(api.clock.now()) }),
      version: `v${version.replace(/^v/, '')}`,
      type: 'server',
      max_agents: 'unlimited',
      openssl_support: true,
      ...(muster !== undefined && { muster_version: muster }),
    }))
  })

  const configurationParameters = { ...common, section: choice('cluster') } as const
  app.get<OfNode>('/cluster/:node_id/configuration', (request, reply) => {
    const { pretty = false } = queryOf(request, configurationParameters)
    const { node_id: id } = request.params
    // Another node's ossec.conf is on its own machine.
    if (id !== options.node)
      return sendNode(reply, id, pretty, clusterMessages.configuration, () => {
        throw new ApiRefusal(plainProblem(400, `The configuration of a node is read at the node itself: ask the API of '${id}'`))
      })
    const { disabled, hidden, key, name, node_name, node_type, ...rest } = clusterConfiguration(api)
    return sendList(reply, {
      items: [{ cluster: { name, node_name, node_type, key, ...rest, hidden, disabled: disabled ? 'yes' : 'no' } }],
      isPretty: pretty,
      messages: clusterMessages.configuration,
    })
  })

  const ofNodes = { ...common, nodes_list: names } as const

  /** What a node knows of itself only: the asked one says it, and others that are named are refused. */
  const sendOwn = async (reply: FastifyReply, { isPretty, list, messages, own }: OwnAnswer): Promise<FastifyReply> => {
    const nodes = nodesOf(list) ?? [options.node]
    const others = nodes.filter((name) => name !== options.node)
    const { found, unknown } = others.length > 0 ? await answers.nodes(others) : { found: [], unknown: [] }
    const failures = [...unknownNodes(unknown), ...found.map(({ node }): FailedItem => ({ id: node.name, problem: problems.ownNodeOnly }))]
    const items = nodes.includes(options.node) ? await own((problem) => failures.push({ id: options.node, problem })) : []
    return sendList(reply, { items, isPretty, messages, failures: () => failures })
  }

  app.get('/cluster/configuration/validation', (request, reply) => {
    const { nodes_list: list, pretty: isPretty = false } = queryOf(request, ofNodes)
    const own: OwnAnswer['own'] = async (fail) => {
      const mistakes = await api.desk.configurationMistakes()
      if (mistakes.length === 0) return [{ name: options.node, status: 'OK' }]
      fail({ ...problems.configurationInvalid, detail: `${problems.configurationInvalid.detail}: ${mistakes.join('; ')}` })
      return []
    }
    return sendOwn(reply, { list, isPretty, messages: clusterMessages.validation, own })
  })

  app.get('/cluster/api/config', (request, reply) => {
    const { nodes_list: list, pretty: isPretty = false } = queryOf(request, ofNodes)
    const https = { enabled: api.isSecure, use_ca: options.clientCaPath !== undefined }
    const configuration = { host: [options.address], port: options.port, https, hosts: options.hosts }
    const own = async (): Promise<readonly Item[]> => [{ node_name: options.node, node_api_config: configuration }]
    return sendOwn(reply, { list, isPretty, messages: clusterMessages.apiConfiguration, own })
  })
}
