/** Which agents a request is about: what of it the node's own filter can do, and what is left to be done here. */
import { type AgentStatus, managerId } from '../agents/agent.js'
import type { AgentQuery } from '../agents/agentQuery.js'
import type { Item } from './listRequest.js'
import { valueAt } from './queryLanguage.js'

export interface AgentRequest {
  readonly agents_list?: readonly number[]
  readonly status?: readonly AgentStatus[]
  /** Milliseconds since the last keep-alive. */
  readonly older_than?: number
  readonly version?: string
  readonly group?: readonly string[]
  readonly node_name?: readonly string[]
  readonly name?: string
  readonly ip?: string
  readonly registerIP?: string
  readonly manager?: string
  readonly group_config_status?: string
  readonly 'os.name'?: string
  readonly 'os.platform'?: string
  readonly 'os.version'?: string
}

/** Of these, what no listing of the node has. */
const detailFilters = ['manager', 'group_config_status', 'os.name', 'os.platform', 'os.version'] as const

/** Whether the agents cannot be chosen without their details. */
export const asksForDetails = (request: AgentRequest): boolean => detailFilters.some((name) => request[name] !== undefined)

/** The question that is asked, and whether its answer needs no more filtering: then it says how many agents there are. */
export const agentFilter = (
  request: AgentRequest,
  tool: 'agent_groups' | undefined,
): { readonly query: AgentQuery; readonly isWhole: boolean } => {
  const { agents_list: ids, group, ip, name, node_name: nodes, older_than: olderThanMs, registerIP, status: statuses, version } = request
  const [onlyGroup, ...otherGroups] = group ?? []
  const isNodeKnown = nodes?.every((node) => node !== 'unknown') ?? true
  return {
    query: {
      kind: 'agents',
      ...(ids && { ids: ids.filter((id) => id !== managerId) }),
      ...(statuses && { statuses }),
      ...(nodes && isNodeKnown && { nodes }),
      ...(onlyGroup !== undefined && otherGroups.length === 0 && { group: onlyGroup }),
      ...(tool && { tool }),
    },
    isWhole:
      !asksForDetails(request) &&
      [ids, ip, name, olderThanMs, registerIP, version].every((given) => given === undefined) &&
      isNodeKnown &&
      otherGroups.length === 0,
  }
}

/** Whether an agent is one of those that are asked for. */
export const isAskedFor = (request: AgentRequest, item: Item, nowMs: number): boolean => {
  const { agents_list: ids, group, ip, name, node_name: nodes, older_than: olderThanMs, registerIP, status, version } = request
  const is = (given: string | undefined, value: unknown): boolean => given === undefined || given === value
  const among = (given: readonly string[] | undefined, value: unknown): boolean => given === undefined || given.some((one) => one === value)
  const groups = Array.isArray(item['group']) ? item['group'] : []
  return (
    (ids === undefined || ids.includes(Number(item['id']))) &&
    (group === undefined || group.some((one) => groups.includes(one))) &&
    among(nodes, item['node_name']) &&
    among(status, item['status']) &&
    is(ip, item['ip']) &&
    is(name, item['name']) &&
    is(registerIP, item['registerIP']) &&
    is(version, item['version']) &&
    detailFilters.every((field) => is(request[field], valueAt(item, field))) &&
    (olderThanMs === undefined || isOlder(item['lastKeepAlive'], nowMs - olderThanMs))
  )
}

const isOlder = (lastKeepAlive: unknown, beforeMs: number): boolean =>
  typeof lastKeepAlive === 'string' && Date.parse(lastKeepAlive) < beforeMs
