/** What the API refuses with: `application/problem+json`, with the titles, sentences and numbers of Wazuh's. */
import { ClusterError, type ErrorCode, errorTable } from '../../base/errors.js'
import { hashNames } from '../files/hashNames.js'

export interface Problem {
  /** Of HTTP. */
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly remediation?: string
  /** Wazuh's number, where the mistake has one. */
  readonly number?: number
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Permission Denied',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Wazuh Internal Error',
}

const known = (number: number, status: number, detail: string, remediation?: string, title = titles[status] ?? ''): Problem => ({
  ...{ status, title, detail, number },
  ...(remediation !== undefined && { remediation }),
})

const nodeRemediation =
  'Make sure the name is correct and that the node is up. You can check it using ' +
  '[`cluster_control -l`](https://documentation.wazuh.com/current/user-manual/reference/tools/cluster-control.html#get-connected-nodes)'

/** By the names that the code uses. */
export const problems = {
  internal: known(1000, 500, 'Wazuh Internal Error', 'Please, check `WAZUH_HOME/logs/cluster.log` to get more information about the error'),
  fieldMissing: known(1103, 400, 'Invalid field in section'),
  invalidOffset: known(1400, 400, 'Invalid offset'),
  invalidLimit: known(1401, 400, 'Invalid limit'),
  notSortField: known(1403, 400, 'Not a valid sort field'),
  limitTooLarge: known(1405, 400, 'Specified limit exceeds maximum allowed', 'Please select a limit between 1 and 100000'),
  zeroLimit: known(1406, 400, '0 is not a valid limit', 'Please select a limit between 1 and 100000'),
  malformedQuery: known(1407, 400, 'Query does not match expected format', 'Make sure that the query has the form FIELD OPERATOR VALUE'),
  unknownField: known(1408, 400, 'Field does not exist.', 'Please, use only allowed fields'),
  distinctFields: known(1410, 400, 'Selecting more than one field in distinct mode'),
  agentMissing: known(1701, 404, 'Agent does not exist', 'Please, use `GET /agents` to find all available agents', 'Resource Not Found'),
  notForManager: known(1703, 400, 'Action not available for Manager (agent 000)', 'Please, use a different agent'),
  groupMissing: known(
    1710,
    404,
    'The group does not exist',
    'Please, use `GET /groups` to find all available groups',
    'Resource Not Found',
  ),
  hashUnavailable: known(1723, 400, 'Hash algorithm not available', `Please, use one of: ${hashNames.join(', ')}`),
  notSelectField: known(1724, 400, 'Not a valid select field'),
  invalidNodeType: known(1728, 400, 'Invalid node type', 'Valid types are `worker` and `master`. Please, choose one of them'),
  nodeMissing: known(1730, 404, 'Node does not exist', nodeRemediation, 'Resource Not Found'),
  configurationInvalid: known(1908, 400, 'Error validating configuration'),
  ownNodeOnly: known(3019, 400, 'This is known at the node itself only', 'Please, ask the API of that node'),
  permissionDenied: known(
    4000,
    403,
    'Permission denied: the role of this user does not allow it',
    'Please, use a user with the role admin',
  ),
  addressBlocked: known(
    6000,
    403,
    'Limit of login attempts reached. The current IP has been blocked due to a high number of login attempts',
  ),
  tooManyRequests: known(6001, 429, 'Maximum number of requests per minute reached', 'This limit is per address; wait a minute'),
} as const satisfies Record<string, Problem>

/** One that has no number. */
export const plainProblem = (status: number, detail: string, title = titles[status] ?? 'Error'): Problem => ({ status, title, detail })

export const badRequest = (detail: string): Problem => plainProblem(400, detail)

/** Thrown where a request is answered. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal'
  readonly problem: Problem

  constructor(problem: Problem, detail: string = problem.detail) {
    super(detail)
    this.problem = { ...problem, detail }
  }
}

/** Nothing to be fixed in the request, but found missing. */
const missing: ReadonlySet<ErrorCode> = new Set(['agentMissing', 'unknownAgent', 'groupMissing'])
/** Something of the request that is not allowed. */
const mistaken: ReadonlySet<ErrorCode> = new Set([
  ...(['notForManager', 'groupExists', 'groupKept', 'groupNameInvalid', 'notInGroup', 'tooManyGroups', 'onlyDefaultGroup'] as const),
  ...(['inGroupAlready', 'notOnWorker', 'leftToManager', 'argumentsInvalid', 'agentNameInvalid', 'agentIpInvalid', 'malformed'] as const),
  ...([
    'duplicateAgentIp',
    'duplicateAgentName',
    'agentKeyInvalid',
    'agentIdInvalid',
    'tooManyAgents',
    'groupInvalid',
    'tooLarge',
  ] as const),
])

/** What a question to the node failed with. */
export const problemOf = (error: ClusterError): Problem => {
  const { code, message, number } = error
  if (code === 'unknownAgent') return problems.agentMissing
  if (code === 'internal') return problems.internal
  const status = missing.has(code) ? 404 : mistaken.has(code) ? 400 : 500
  const title = status === 404 ? 'Resource Not Found' : status === 500 ? 'Wazuh Cluster Error' : titles[status]
  return { status, title: title ?? '', detail: message, number }
}

/** As Wazuh says it when a node did not answer in time. */
export const requestTimedOut = (seconds: number): ClusterError =>
  new ClusterError('requestTimeout', {
    message: `${errorTable.requestTimeout.says}: no answer within ${seconds} s (wait_for_complete waits longer)`,
  })

/** In the order in which Wazuh has its members. */
export const problemBody = ({ detail, number, remediation, title }: Problem): object => ({
  title,
  detail,
  ...(remediation !== undefined && { remediation }),
  ...(number !== undefined && { error: number }),
})
