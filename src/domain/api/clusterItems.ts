/** What the API says of nodes, in Wazuh's shapes. */
import { momentText } from '../../base/momentText.js'
import type { LastLine } from '../cluster/monitoring/lastLines.js'
import type { NodeReport } from '../cluster/nodeReport.js'
import type { FilesSummary, NodeHealth, NodeView, SpanView } from '../queries/clusterAnswer.js'
import type { Messages } from './envelope.js'
import type { Item } from './listRequest.js'

export const nodeFields = ['name', 'type', 'version', 'ip'] as const

export const nodeItem = ({ address, name, type, version }: NodeView): Item => ({
  name,
  type,
  version: version.replace(/^v/, ''),
  ip: address,
})

type WorkerHealth = NonNullable<NodeHealth['worker']>
type Chunked = WorkerHealth['agentGroups']

const onMaster = (span: SpanView | undefined) => ({
  date_start_master: momentText(span?.startMs),
  date_end_master: momentText(span?.endMs),
})

const groupsSpan = (span: Chunked) => ({
  date_start: momentText(span?.startMs),
  date_end: momentText(span?.endMs),
  n_synced_chunks: span?.chunks ?? 0,
})

const statusOf = (worker: WorkerHealth): Item => {
  const { extra, missing, shared } = worker.integritySync ?? { extra: 0, missing: 0, shared: 0 }
  return {
    sync_integrity_free: worker.integrityFree,
    last_check_integrity: onMaster(worker.integrityCheck),
    last_sync_integrity: {
      ...onMaster(worker.integritySync),
      total_extra_valid: 0,
      total_files: { missing, shared, extra, extra_valid: 0 },
    },
    sync_agent_info_free: worker.agentInfoFree ?? true,
    last_sync_agentinfo: { ...onMaster(worker.agentInfo), n_synced_chunks: worker.agentInfo?.chunks ?? 0 },
    last_sync_agentgroup: groupsSpan(worker.agentGroups),
    last_sync_full_agentgroup: groupsSpan(worker.agentGroupsFull),
    last_keep_alive: momentText(worker.lastKeepAliveMs),
  }
}

export const healthItem = (node: NodeHealth): Item => {
  const info = { ...nodeItem(node), n_active_agents: node.activeAgents }
  return node.type === 'master' ? { info } : { info, status: statusOf(node.worker ?? { integrityFree: true }) }
}

export const logFields = ['timestamp', 'tag', 'level', 'description'] as const

/** Whole seconds, as Wazuh writes a line of the log. The tag is the program's. */
export const logItem = ({ atMs, level, text }: LastLine): Item => ({
  timestamp: momentText(atMs).replace(/\.\d+Z$/, 'Z'),
  ...{ tag: 'wazuh-clusterd', level, description: text },
})

const logLevels = ['info', 'critical', 'debug', 'error', 'warning'] as const

/** How many lines there are of each level, in Wazuh's shape: an item a program. */
export const logSummary = (lines: readonly LastLine[]): readonly Item[] => {
  if (lines.length === 0) return []
  const counts = logLevels.map((level) => [level, lines.filter((line) => line.level === level).length])
  return [{ 'wazuh-clusterd': { all: lines.length, ...Object.fromEntries(counts) } }]
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const

/** A time as ossec.conf has it, by the greatest unit that it is a whole number of. */
export const timeText = (ms: number): string => {
  const [unit, unitMs] = units.find(([, each]) => ms % each === 0) ?? (['s', 1_000] as const)
  return `${ms / unitMs}${unit}`
}

/** A `<remote>` block, as Wazuh's API has one. */
export const remoteItem = ({ ipv6, localIp, port, transports }: NonNullable<NodeReport['listening']>[number]): Item => ({
  ...{ connection: 'secure', port: String(port), protocol: transports, ipv6: ipv6 ? 'yes' : 'no' },
  ...(localIp !== '' && { local_ip: localIp }),
})

/** The items whose sum Wazuh compares. */
const rulesetDirectories = ['etc/rules/', 'etc/decoders/', 'etc/lists/']

export const isOfRuleset = (file: string): boolean => rulesetDirectories.some((directory) => file.startsWith(directory))

/**
 * Whether a worker has the master's ruleset.
 * @param isRulesetWhole no file of it is among those that the worker does not have
 */
export const isRulesetSynced = ({ code, failed, failuresLeftOut, inSync, pending }: FilesSummary, isRulesetWhole: boolean): boolean =>
  inSync || (isRulesetWhole && code === undefined && failuresLeftOut === 0 && pending + failed > 0)

const messages = (all: string, some: string, none: string): Messages => ({ all, some, none })

/** As Wazuh writes them. */
export const clusterMessages = {
  selected: messages('All selected information was returned', 'Some information was not returned', 'No information was returned'),
  nodes: messages('All selected nodes information was returned', 'Some nodes information was not returned', 'No information was returned'),
  health: messages(
    'All selected nodes healthcheck information was returned',
    'Some nodes healthcheck information was not returned',
    'No healthcheck information was returned',
  ),
  ruleset: messages(
    'Nodes ruleset synchronization status was successfully read',
    'Could not read ruleset synchronization status in some nodes',
    'Could not read ruleset synchronization status',
  ),
  validation: messages(
    'Validation was successfully checked in all nodes',
    'Could not check validation in some nodes',
    'Could not check validation in any node',
  ),
  apiConfiguration: messages(
    'API configuration was successfully read in all specified nodes',
    'Not all API configurations could be read',
    'Could not read API configuration in any node',
  ),
  processes: messages('Processes status was successfully read in specified node', '', 'Could not read processes status in specified node'),
  logs: messages('Logs were successfully read in specified node', '', 'Could not read logs in specified node'),
  logSummary: messages('Log was successfully summarized in specified node', '', 'Could not summarize the log in specified node'),
  information: messages(
    'Basic information was successfully read in specified node',
    '',
    'Could not read basic information in specified node',
  ),
  configuration: messages('Configuration was successfully read in specified node', '', 'Could not read configuration in specified node'),
  files: messages('All selected files were returned', 'Files of some nodes were not returned', 'No files were returned'),
  events: messages('All selected events were returned', 'Some events were not returned', 'No events were returned'),
  overview: messages('All nodes were returned', 'Some nodes were not returned', 'No nodes were returned'),
} as const
