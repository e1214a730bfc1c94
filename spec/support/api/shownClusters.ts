/** Clusters that the page shows in its test: a healthy one, and what goes wrong. */
import type { Overview } from '../../../src/domain/api/overview/streamMessage.js'
import type { FileRow, NodeOverview } from '../../../src/domain/queries/clusterAnswer.js'

export const nowMs = Date.UTC(2026, 10, 26, 3, 12, 45)
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

const node = (name: string, change: Partial<NodeOverview>): NodeOverview => ({
  name,
  type: 'worker',
  version: '4.14.7',
  muster: '0.1.0',
  address: '10.0.3.11',
  isConnected: true,
  state: 'ready',
  sinceMs: nowMs - 12 * dayMs,
  inSync: true,
  files: 1_284,
  pending: 0,
  failed: 0,
  activeAgents: 412,
  agents: { active: 412, disconnected: 9 },
  bytesSent: 0,
  bytesReceived: 0,
  certificateEndsMs: nowMs + 301 * dayMs,
  ...change,
})

/** What is said of a worker's link is missing. */
const ofLink = { lastKeepAliveMs: nowMs - 3_000, clockSkewMs: 4, roundTripMs: 0.8, bytesSent: 48_000_000, bytesReceived: 9_100_000 }

export const master = node('master-node', {
  type: 'master',
  address: '10.0.3.10',
  activeAgents: 38,
  agents: { active: 38, never_connected: 6, pending: 1 },
})
export const first = node('worker-1', ofLink)
export const second = node('worker-2', {
  ...ofLink,
  address: '10.0.3.12',
  roundTripMs: 1.3,
  activeAgents: 398,
  agents: { active: 398, disconnected: 2 },
})
export const third = node('worker-3', {
  ...ofLink,
  address: '10.0.4.13',
  roundTripMs: 11.2,
  activeAgents: 405,
  agents: { active: 405, disconnected: 31 },
})

export const overviewOf = (...nodes: readonly NodeOverview[]): Overview => ({
  cluster: 'wazuh',
  node: 'master-node',
  type: 'master',
  nowMs,
  nodes,
})

export const healthy = overviewOf(master, first, second, third)

export const failingFiles: readonly FileRow[] = [
  {
    node: 'worker-2',
    file: 'etc/shared/default/agent.conf',
    state: 'failed',
    code: 'diskFailed',
    error: 'EACCES: permission denied, open etc/shared/default',
  },
  { node: 'worker-2', file: 'etc/rules/local_rules.xml', state: 'pending' },
]

export const failing = overviewOf(master, first, { ...second, inSync: false, failed: 1, pending: 1 }, third)

export const lost = overviewOf(master, first, second, {
  ...third,
  isConnected: false,
  inSync: false,
  sinceMs: nowMs - 4 * minuteMs,
  error: 'The peer did not answer for 120 s',
})
