/** What the API says of agents and groups, in Wazuh's shapes: what is not known is left out. */
import { momentText } from '../../base/momentText.js'
import { type AgentStatus, agentIdText, agentStatuses, managerId } from '../agents/agent.js'
import type { AgentAnswer, AgentRow, GroupFileView, GroupView } from '../queries/agentAnswer.js'
import type { Messages } from './envelope.js'
import type { Item } from './listRequest.js'

/** Of an agent, that no listing of the node has: they are asked for by its ID. */
const detailFields = [
  ...['manager', 'dateAdd', 'configSum', 'mergedSum', 'group_config_status', 'status_code'],
  ...['os.arch', 'os.build', 'os.codename', 'os.major', 'os.minor', 'os.name', 'os.platform', 'os.uname', 'os.version'],
]

/** That can be selected, sorted by and asked for. */
export const agentFields = [
  ...['id', 'name', 'ip', 'registerIP', 'status', 'version', 'node_name', 'group'],
  ...['lastKeepAlive', 'disconnection_time'],
  ...detailFields,
]
export const groupFields = ['name', 'count', 'mergedSum', 'configSum'] as const

/** `os` is, because a part of it is. */
export const isDetail = (field: string): boolean => detailFields.some((detail) => detail === field || detail.startsWith(`${field}.`))
export const groupFileFields = ['filename', 'hash'] as const

/** What Wazuh has for an agent that never said where it is. */
const unknownNode = 'unknown'

/** The manager lives as long as it answers. */
const forEver = '9999-12-31T23:59:59+00:00'

/** Of agents, Wazuh writes whole seconds, and the zone as a number. */
const agentMoment = (ms: number | undefined): string | undefined => (ms ? momentText(ms).replace(/\.\d+Z$/, '+00:00') : undefined)

const lastSeen = (id: number, seenMs: number | undefined): string | undefined => (id === managerId ? forEver : agentMoment(seenMs))

/** Without members that are undefined: what is not there must not be found by a query either. */
const known = (item: Item): Item => Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined))

export const agentItem = (row: AgentRow): Item => {
  const [id, name, ip, status, version, node, registeredIp, groups, seenMs, disconnectedMs] = row
  return known({
    id: agentIdText(id),
    name,
    ip,
    registerIP: registeredIp,
    status,
    version: version || undefined,
    node_name: node || unknownNode,
    group: groups === '' ? undefined : groups.split(','),
    lastKeepAlive: lastSeen(id, seenMs),
    disconnection_time: agentMoment(disconnectedMs),
  })
}

type AgentDetailsLine = Extract<AgentAnswer, { readonly kind: 'agentDetails' }>

/** One agent with all that is known of it. */
export const agentDetails = ({ agent, isSynchronized, manager, registeredMs }: AgentDetailsLine): Item => {
  const { facts } = agent
  const [, major, minor] = /^(\d+)(?:\.(\d+))?/.exec(facts?.osVersion ?? '') ?? []
  const os = known({
    arch: facts?.osArch || undefined,
    build: facts?.osBuild,
    codename: facts?.osCodename,
    major: facts?.osMajor ?? major,
    minor: facts?.osMinor ?? minor,
    name: facts?.osName || undefined,
    platform: facts?.osPlatform || undefined,
    uname: facts?.osUname || undefined,
    version: facts?.osVersion || undefined,
  })
  return known({
    id: agentIdText(agent.id),
    name: agent.name,
    ip: facts?.ip || agent.registeredIp,
    registerIP: agent.registeredIp,
    status: agent.status,
    version: facts?.version || undefined,
    manager: facts?.managerHost ?? manager,
    node_name: agent.node ?? unknownNode,
    group: agent.groups.length > 0 ? agent.groups : undefined,
    dateAdd: agentMoment(registeredMs),
    lastKeepAlive: lastSeen(agent.id, agent.seenMs),
    disconnection_time: agentMoment(agent.disconnectedMs),
    configSum: facts?.configSum || undefined,
    mergedSum: facts?.mergedSum || undefined,
    group_config_status: agent.id === managerId ? undefined : isSynchronized ? 'synced' : 'not synced',
    status_code: facts?.statusCode === undefined ? undefined : Number(facts.statusCode),
    os: Object.keys(os).length > 0 ? os : undefined,
  })
}

export const groupItem = ({ agents, configSum, mergedSum, name }: GroupView): Item => known({ name, count: agents, mergedSum, configSum })
export const groupFileItem = ({ digest, name }: GroupFileView): Item => ({ filename: name, hash: digest })

/** Of `GET /agents/summary/status`: agent 000 is none of them. */
export const connectionSummary = (counts: { readonly [K in AgentStatus]?: number }): Item => {
  const byStatus = Object.fromEntries(agentStatuses.map((status) => [status, counts[status] ?? 0]))
  return { ...byStatus, total: Object.values(byStatus).reduce((total, one) => total + one, 0) }
}

/** Likewise; agents that have no configuration of a group yet are not in sync with it. */
export const configurationSummary = ({ notSynced, synced }: { readonly notSynced: number; readonly synced: number }): Item => ({
  ...{ synced, not_synced: notSynced },
  total: synced + notSynced,
})

const messages = (all: string, some: string, none: string): Messages => ({ all, some, none })

/** As Wazuh writes them. */
export const agentMessages = {
  agents: messages(
    'All selected agents information was returned',
    'Some agents information was not returned',
    'No agents information was returned',
  ),
  sync: messages(
    'Sync info was returned for all selected agents',
    'Sync info was not returned for some selected agents',
    'No sync info was returned',
  ),
  groups: messages(
    'All selected groups information was returned',
    'Some groups information was not returned',
    'No group information was returned',
  ),
  groupFiles: messages('All selected groups files were returned', 'Some groups files were not returned', 'No groups files were returned'),
} as const
