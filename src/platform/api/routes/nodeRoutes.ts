/** `/cluster/{node_id}/…` of Wazuh's API, and what each node says of itself: what is known without asking the manager's other programs. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { limits } from '../../../base/limits.js'
import { shown } from '../../../base/shown.js'
import { clusterMessages, logFields, logItem, logSummary, remoteItem, timeText } from '../../../domain/api/clusterItems.js'
import type { FailedItem, Messages } from '../../../domain/api/envelope.js'
import { type Item, listRequest } from '../../../domain/api/listRequest.js'
import { anyTextParameter, choice, common, listParameters, names } from '../../../domain/api/parameters.js'
import { ApiRefusal, badRequest, type Problem, plainProblem, problems } from '../../../domain/api/problem.js'
import type { NodeReport } from '../../../domain/cluster/nodeReport.js'
import type { AnswerLine } from '../../../domain/queries/answerLine.js'
import type { NodeView } from '../../../domain/queries/clusterAnswer.js'
import type { ApiContext } from '../apiContext.js'
import { answerLines } from './answerLines.js'
import { ClusterAnswers, clusterConfiguration, nodesOf, queryOf, unknownNodes } from './clusterRoutes.js'
import { sendList } from './listReply.js'

/** That Wazuh knows. */
const logLevels = ['critical', 'debug', 'debug2', 'error', 'info', 'warning'] as const

interface OfNode {
  readonly Params: { readonly node_id: string }
}

type ReportLine = Extract<AnswerLine, { readonly kind: 'nodeReport' }>

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
    const { found, unknown } = await answers.nodes([nodeOf(id)])
    return sendList(reply, { items: found.map(({ node }) => itemOf(node)), isPretty, messages, failures: () => unknownNodes(unknown) })
  }

  /** What each of these nodes says of itself, and why others do not. */
  const reports = async (nodes: readonly string[] | undefined, waits?: boolean, whole = false) => {
    const failures: FailedItem[] = []
    const found: (Omit<ReportLine, 'report'> & { readonly report: NodeReport })[] = []
    for await (const line of answerLines(api, { kind: 'nodeReports', ...(nodes && { nodes }), ...(whole && { whole }) }, waits)) {
      if (line.kind === 'cluster') failures.push(...unknownNodes(line.unknownNodes))
      if (line.kind !== 'nodeReport') continue
      const { failure, node, report } = line
      if (report) found.push({ ...line, report })
      else failures.push({ id: node, problem: failure ? failedNode(failure) : problems.ownNodeOnly })
    }
    return { found: [...found].sort((a, b) => (a.node < b.node ? -1 : 1)), failures }
  }

  app.get<OfNode>('/cluster/:node_id/status', async (request, reply) => {
    const { pretty: isPretty = false, wait_for_complete } = queryOf(request, common)
    const { failures, found } = await reports([nodeOf(request.params.node_id)], wait_for_complete)
    const items = found.map(({ report: { running, stopped } }) => {
      const states = [...running.map((name) => [name, 'running']), ...stopped.map((name) => [name, 'stopped'])]
      return Object.fromEntries(states.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))) as Item
    })
    return sendList(reply, { items, isPretty, messages: clusterMessages.processes, failures: () => failures })
  })

  app.get<OfNode>('/cluster/:node_id/info', async (request, reply) => {
    const { pretty = false, wait_for_complete } = queryOf(request, common)
    const id = nodeOf(request.params.node_id)
    const [own] = (await reports([id], wait_for_complete)).found
    return sendNode(reply, id, pretty, clusterMessages.information, ({ muster, version }) => ({
      ...(own && { path: own.report.home }),
      version: `v${version.replace(/^v/, '')}`,
      type: 'server',
      max_agents: 'unlimited',
      openssl_support: true,
      ...(own && { tz_offset: own.report.utcOffsetMinutes / 60, tz_name: own.report.timeZone }),
      uuid: null,
      ...(muster !== undefined && { muster_version: muster }),
    }))
  })

  const configurationParameters = { ...common, section: choice('cluster', 'global', 'remote'), field: anyTextParameter } as const
  app.get<OfNode>('/cluster/:node_id/configuration', async (request, reply) => {
    const { field, pretty: isPretty = false, section, wait_for_complete } = queryOf(request, configurationParameters)
    if (field !== undefined && section === undefined) throw new ApiRefusal(badRequest("Query parameter 'field' needs 'section'"))
    const id = nodeOf(request.params.node_id)
    // A worker knows its own without its master.
    const isOwn = id === options.node
    const { failures, found } = isOwn ? { failures: [], found: [] } : await reports([id], wait_for_complete, true)
    const known = isOwn ? [{ node: id, report: options }] : found
    const items = known.map(({ node, report: { agentsDisconnectionMs, configuration, listening } }): Item => {
      const cluster = clusterConfiguration(options.cluster, node, configuration)
      const sections: Readonly<Record<'cluster' | 'global', Item | undefined> & { remote: readonly Item[] | undefined }> = {
        cluster: { ...cluster, disabled: cluster['disabled'] === true ? 'yes' : 'no' },
        global: agentsDisconnectionMs === undefined ? undefined : { agents_disconnection_time: timeText(agentsDisconnectionMs) },
        remote: listening && listening.length > 0 ? listening.map(remoteItem) : undefined,
      }
      return section === undefined ? sections : { [section]: pickedField(sections[section], field) }
    })
    return sendList(reply, { items, isPretty, messages: clusterMessages.configuration, failures: () => failures })
  })

  const logParameters = { ...listParameters, tag: anyTextParameter, level: choice(...logLevels) } as const
  /** The last warnings and errors of the node, from its memory: no file is read. */
  app.get<OfNode>('/cluster/:node_id/logs', async (request, reply) => {
    const { level, pretty: isPretty = false, tag, wait_for_complete, ...given } = queryOf(request, logParameters)
    const list = listRequest(given, logFields, limits.apiLogLinesMax)
    const { failures, found } = await reports([nodeOf(request.params.node_id)], wait_for_complete, true)
    const all = found.flatMap(({ report }) => (report.lines ?? []).map(logItem))
    const items = all.filter((item) => (level === undefined || item['level'] === level) && (tag === undefined || item['tag'] === tag))
    return sendList(reply, { items, list, isPretty, messages: clusterMessages.logs, failures: () => failures })
  })

  app.get<OfNode>('/cluster/:node_id/logs/summary', async (request, reply) => {
    const { pretty: isPretty = false, wait_for_complete } = queryOf(request, common)
    const { failures, found } = await reports([nodeOf(request.params.node_id)], wait_for_complete, true)
    const items = found.flatMap(({ report }) => logSummary(report.lines ?? []))
    return sendList(reply, { items, isPretty, messages: clusterMessages.logSummary, failures: () => failures })
  })

  const ofNodes = { ...common, nodes_list: names } as const

  app.get('/cluster/configuration/validation', async (request, reply) => {
    const { nodes_list: list, pretty: isPretty = false, wait_for_complete } = queryOf(request, ofNodes)
    const { failures, found } = await reports(nodesOf(list), wait_for_complete)
    const items: Item[] = []
    for (const { node, report } of found) {
      if (report.mistakes.length === 0) items.push({ name: node, status: 'OK' })
      else failures.push({ id: node, problem: invalidConfiguration(report.mistakes) })
    }
    return sendList(reply, { items, isPretty, messages: clusterMessages.validation, failures: () => failures })
  })

  /** Nodes without an HTTP service have nothing to show. */
  app.get('/cluster/api/config', async (request, reply) => {
    const { nodes_list: list, pretty: isPretty = false, wait_for_complete } = queryOf(request, ofNodes)
    const { failures, found } = await reports(nodesOf(list), wait_for_complete)
    const items = found.flatMap(({ node, report: { api: service } }): Item[] => {
      if (!service) return []
      const https = { enabled: service.isSecure, use_ca: service.asksForCertificates }
      return [{ node_name: node, node_api_config: { host: [service.address], port: service.port, https, hosts: service.hosts } }]
    })
    return sendList(reply, { items, isPretty, messages: clusterMessages.apiConfiguration, failures: () => failures })
  })
}

const nodeOf = (id: string): string => {
  if (/^[\w\-.%]+$/.test(id)) return id
  throw new ApiRefusal(badRequest(`Invalid path parameter 'node_id': must be a node's name`))
}

const isItems = (section: Item | readonly Item[]): section is readonly Item[] => Array.isArray(section)

/** @throws ApiRefusal 1103 */
const pickedField = (section: Item | readonly Item[] | undefined, field: string | undefined): Item | readonly Item[] | undefined => {
  if (section === undefined || field === undefined) return section
  if (isItems(section) || !Object.hasOwn(section, field))
    throw new ApiRefusal(problems.fieldMissing, `${problems.fieldMissing.detail}: ${shown(field)}`)
  return { [field]: section[field] }
}

const invalidConfiguration = (mistakes: readonly string[]): Problem => ({
  ...problems.configurationInvalid,
  detail: `${problems.configurationInvalid.detail}: ${mistakes.join('; ')}`,
})

/** A node that could not be asked. */
const failedNode = ({ message, number }: NonNullable<ReportLine['failure']>): Problem => ({ ...plainProblem(500, message), number })
