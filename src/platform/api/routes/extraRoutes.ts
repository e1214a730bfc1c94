/** What Wazuh's API does not have: files that are not synced, the events of the cluster, a row for each node. */
import type { FastifyInstance } from 'fastify'
import { clusterMessages } from '../../../domain/api/clusterItems.js'
import { type Item, listRequest } from '../../../domain/api/listRequest.js'
import { flag, listParameters, names, wholeNumber } from '../../../domain/api/parameters.js'
import type { FileRow, FilesSummary } from '../../../domain/queries/clusterAnswer.js'
import type { ApiContext } from '../apiContext.js'
import { answerLines, linesOf } from './answerLines.js'
import { nodesOf, queryOf, unknownNodes } from './clusterRoutes.js'
import { sendList } from './listReply.js'

const fileFields = ['node', 'file', 'state', 'code', 'error'] as const
const eventFields = ['id', 'atMs', 'level', 'node', 'message'] as const
const overviewFields = ['name', 'type', 'version', 'address', 'state', 'isConnected', 'inSync'] as const

const filesParameters = { ...listParameters, nodes_list: names, all: flag } as const
const eventsParameters = { ...listParameters, after: wholeNumber } as const

export const extraRoutes = (app: FastifyInstance, api: ApiContext): void => {
  app.get('/cluster/files', (request, reply) => {
    const { all = false, nodes_list, pretty = false, wait_for_complete, ...given } = queryOf(request, filesParameters)
    const nodes = nodesOf(nodes_list)
    const summaries: FilesSummary[] = []
    let unknown: readonly string[] = []
    const items = async function* (): AsyncGenerator<Item> {
      for await (const line of answerLines(api, { kind: 'files', all, ...(nodes && { nodes }) }, wait_for_complete)) {
        if (line.kind === 'cluster') unknown = line.unknownNodes
        if (line.kind === 'filesOf') summaries.push(line.summary)
        if (line.kind === 'file') yield fileItem(line.row)
      }
    }
    return sendList(reply, {
      ...{ items: items(), list: listRequest(given, fileFields), isPretty: pretty, messages: clusterMessages.files },
      failures: () => unknownNodes(unknown),
      extra: () => ({ summaries }),
    })
  })

  app.get('/cluster/events', (request, reply) => {
    const { after = 0, pretty = false, wait_for_complete, ...given } = queryOf(request, eventsParameters)
    const items = async function* (): AsyncGenerator<Item> {
      for await (const { event } of linesOf(answerLines(api, { kind: 'events', after }, wait_for_complete), 'event')) yield { ...event }
    }
    return sendList(reply, { items: items(), list: listRequest(given, eventFields), isPretty: pretty, messages: clusterMessages.events })
  })

  app.get('/cluster/overview', (request, reply) => {
    const { pretty = false, wait_for_complete, ...given } = queryOf(request, listParameters)
    const items = async function* (): AsyncGenerator<Item> {
      for await (const { node } of linesOf(answerLines(api, { kind: 'overview' }, wait_for_complete), 'overview')) yield { ...node }
    }
    return sendList(reply, {
      items: items(),
      list: listRequest(given, overviewFields),
      isPretty: pretty,
      messages: clusterMessages.overview,
    })
  })
}

const fileItem = ({ code, error, file, node, state }: FileRow): Item => ({
  ...{ node, file, state },
  ...(code !== undefined && { code }),
  ...(error !== undefined && { error }),
})
