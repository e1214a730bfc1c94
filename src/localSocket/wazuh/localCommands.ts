/** The commands of Wazuh's local clients, and what each is answered with at first; what needs longer comes later. */
import { ClusterError, type Result } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { NodeHealth, NodeView } from '../../domain/queries/clusterAnswer.js'
import type { CarriedAnswer } from '../../ports/manager.js'
import { bytesText } from '../../wire/wazuh/bytesText.js'
import { healthJson, parseHealthRequest } from '../../wire/wazuh/healthJson.js'
import { nodesJson, parseNodesRequest } from '../../wire/wazuh/nodesRequest.js'
import { daemonErrorJson, parseSendsync } from '../../wire/wazuh/sendsyncRequest.js'
import type { LocalNode } from './localNode.js'
import type { ReceivedStrings } from './receivedStrings.js'

export interface LocalCall {
  readonly payload: Buffer
  readonly node: LocalNode
  /** Of this client. */
  readonly strings: ReceivedStrings
  /** Aborts when its time is up, or nobody listens any more. */
  readonly signal: AbortSignal
}

export interface LocalReply {
  /** `ok` when left out. */
  readonly command?: 'ok-m'
  readonly payload: string | Uint8Array
  /** An answer of any length that comes after this one, as a string of ours and `dapi_res`. */
  readonly late?: Promise<CarriedAnswer>
  /** One that comes in one frame. */
  readonly lateFrame?: Promise<LocalReply['payload']>
}

export interface LocalCommand {
  /** Of the nodes that know it; both when left out. */
  readonly role?: LocalNode['type']
  /** What its answers may take, the late one too, in milliseconds; limits.localAnswerMsMax when left out. */
  readonly answerMsMax?: number
  readonly carryOut: (call: LocalCall) => LocalReply | Promise<LocalReply>
}

/** A command that is unknown here. Its text is Wazuh's, and not an exception. */
export const unknownCommand = (name: string): string => `unknown command '${bytesText(name)}'`

const noFiles = (): never => {
  throw new ClusterError('argumentsInvalid', { message: 'Files are not sent over the local socket' })
}

const space = 0x20

const accepted = <T>(result: Result<T>): T => {
  if (result.ok) return result.value
  throw result.error
}

/** Questions are small; only what is carried to the manager's own programs may be large. */
const question = ({ payload }: LocalCall): Buffer => {
  if (payload.byteLength > limits.localRequestBytesMax)
    throw new ClusterError('tooLarge', { message: `The question is longer than ${limits.localRequestBytesMax} bytes` })
  return payload
}

const nodes = async (call: LocalCall): Promise<LocalReply> => {
  const request = accepted(parseNodesRequest(question(call)))
  const views: NodeView[] = []
  for await (const line of call.node.query({ kind: 'nodes' }, call.signal)) if (line.kind === 'node') views.push(line.node)
  return { payload: nodesJson(views, request) }
}

const health = async (call: LocalCall): Promise<LocalReply> => {
  const names = accepted(parseHealthRequest(question(call)))
  const rows: NodeHealth[] = []
  for await (const line of call.node.query({ kind: 'health' }, call.signal)) if (line.kind === 'health') rows.push(line.node)
  return { payload: healthJson(rows, names) }
}

/** What is refused at once is refused in the first answer, as Wazuh does it. */
const answeredLater = async (late: Promise<CarriedAnswer>, payload: string): Promise<LocalReply> => {
  const soon = new Promise((resolve) => setImmediate(resolve))
  await Promise.race([late, soon])
  return { payload, late }
}

const forwarded = ({ node, payload, signal }: LocalCall): Promise<LocalReply> => {
  const end = payload.indexOf(space)
  if (end < 0) throw new ClusterError('argumentsInvalid', { message: 'A forwarded request has a node and a request' })
  const name = payload.toString('utf8', 0, end)
  return answeredLater(node.requests.dapiForward(name, payload.subarray(end + 1), signal), 'Request forwarded to worker node')
}

const askDaemon = async ({ node, payload, signal }: LocalCall): Promise<LocalReply['payload']> => {
  const { daemon, message } = accepted(parseSendsync(payload))
  const bytesMax = limits.daemonAnswerBytesMax
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for await (const part of (await node.requests.sendsync(daemon, message, signal)).content) {
      length += part.byteLength
      if (length > bytesMax) throw new ClusterError('tooLarge', { message: `The answer of ${daemon} has more than ${bytesMax} bytes` })
      parts.push(part)
    }
  } catch (thrown) {
    if (thrown instanceof ClusterError && thrown.code === 'tooLarge') return daemonErrorJson(thrown.message)
    throw thrown
  }
  return Buffer.concat(parts)
}

const asksDaemon = { role: 'worker', answerMsMax: limits.daemonAnswerMsMax } as const

export const localCommands: ReadonlyMap<string, LocalCommand> = new Map<string, LocalCommand>([
  ['get_config', { carryOut: ({ node }) => ({ payload: JSON.stringify(node.configuration) }) }],
  ['get_nodes', { carryOut: nodes }],
  ['get_health', { carryOut: health }],
  ['get_hash', { carryOut: async ({ node }) => ({ payload: JSON.stringify(await node.rulesetDigests()) }) }],
  [
    'dapi',
    {
      answerMsMax: limits.carriedMsMax,
      carryOut: ({ node, payload, signal }) => answeredLater(node.requests.dapi(payload, signal), 'Added request to API requests queue'),
    },
  ],
  ['dapi_fwd', { role: 'master', answerMsMax: limits.carriedMsMax, carryOut: forwarded }],
  // Its only answer is that of the daemon: Wazuh's C client takes the first frame for it.
  ['sendsync', { ...asksDaemon, carryOut: async (call) => ({ payload: await askDaemon(call) }) }],
  [
    'sendasync',
    { ...asksDaemon, carryOut: (call) => ({ payload: 'Added request to sendsync requests queue', lateFrame: askDaemon(call) }) },
  ],
  [
    'sendrreload',
    {
      role: 'worker',
      carryOut: ({ node }) => {
        node.requests.reloadRulesetAfterCheck()
        return { payload: '{"success": true}' }
      },
    },
  ],
  ['echo', { carryOut: ({ payload }) => ({ payload }) }],
  ['echo-c', { carryOut: ({ payload }) => ({ command: 'ok-m', payload }) }],
  ['new_str', { carryOut: ({ payload, strings }) => ({ payload: strings.begin(payload) }) }],
  [
    'str_upd',
    {
      carryOut: ({ payload, strings }) => {
        strings.update(payload)
        return { payload: 'String updated' }
      },
    },
  ],
  [
    'err_str',
    {
      carryOut: ({ payload, strings }) => {
        strings.forget(payload)
        return { payload: '' }
      },
    },
  ],
  ['send_file', { carryOut: noFiles }],
  ['new_file', { carryOut: noFiles }],
  ['file_upd', { carryOut: noFiles }],
  ['file_end', { carryOut: noFiles }],
  ['cancel_task', { carryOut: () => ({ payload: 'Request received correctly' }) }],
  ['dapi_err', { carryOut: () => ({ payload: 'Response received' }) }],
])
