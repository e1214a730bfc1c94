/** Which agents are asked to reconnect elsewhere. */
import type { AgentView } from '../agents/agent.js'
import { majorMinor } from '../enrolment/agentVersion.js'

/** The first version that understands it. */
const since = { major: 4, minor: 3 }

/** Wazuh's own helper wants both numbers to be as great, and so moves no agent of 5.0 to 5.2. */
export const canReconnect = (version: string): boolean => {
  const { major, minor } = majorMinor(version.replace(/^Wazuh\s+/i, ''))
  return major > since.major || (major === since.major && minor >= since.minor)
}

/** Agents that are connected to this node now and would come back. */
export const isMovable = ({ facts, node, status }: AgentView, from: string): boolean =>
  status === 'active' && node === from && facts !== undefined && canReconnect(facts.version)

/** `count` of them, beginning somewhere else each time: an agent that comes back to the same server is not the next one again. */
export const someOf = <T>(all: readonly T[], count: number, fraction: number): readonly T[] => {
  const start = Math.floor(fraction * all.length)
  return [...all.slice(start), ...all.slice(0, start)].slice(0, count)
}
