/** Agent-info: the updates of a worker's table on their way to the master's table. */
import type { AgentMember } from './agentCluster.js'

export const reportingAgents = 50_000

export interface AgentInfoRound {
  /** From the moment that the worker's thread began its round until the master's table had the last batch. */
  readonly seconds: number
  /** Processor time of both processes, all threads. On a busy machine it says more than `seconds`. */
  readonly cpuSeconds: number
  /** Both ways. */
  readonly wireMB: number
}

/** So long that no round begins by itself while another is measured. Updates other than keep-alives begin one at once. */
export const onlyForUpdates = { syncAgentInfoMs: 600_000 }

/** Resolves when the worker's first round, which waits for the master's time, is over. */
export const firstRoundOver = async ({ child }: AgentMember): Promise<void> => {
  await child.call('happened', { type: 'updatesSent', count: 1 })
}

/**
 * One round of agent-info: the worker receives reports of all its agents at one moment, and its thread sends them.
 *
 * @param facts with the facts of this round; without, keep-alives only
 */
export const agentInfoRound = async (
  master: AgentMember,
  worker: AgentMember,
  facts?: string,
  count = reportingAgents,
): Promise<AgentInfoRound> => {
  await master.child.call('forget', undefined)
  await worker.child.call('forget', undefined)
  const bytesNow = async (): Promise<number> => {
    const { bytesReceived, bytesSent } = await worker.child.call('counters', worker.node)
    return bytesReceived + bytesSent
  }
  const cpuMsNow = async (member: AgentMember): Promise<number> => (await member.child.call('usage', { collect: false })).cpuMs
  const before = await bytesNow()
  await worker.child.call('report', { node: worker.node, first: 1, count, ...(facts !== undefined && { facts }) })
  const masterCpuMs = await cpuMsNow(master)
  const rows = facts === undefined ? count : 2 * count
  const merges = await master.child.call('covered', { type: 'merged', node: master.node, files: rows })
  const last = merges.at(-1)
  const cpuMs = (await cpuMsNow(worker)) + (last?.cpuMs ?? 0) - masterCpuMs
  const bytes = (await bytesNow()) - before
  if (merges.some(({ failures }) => failures > 0)) throw new Error('Rows of agent-info were not taken')
  const [first] = merges
  const starts = await worker.child.call('covered', { type: 'sendingUpdates', node: worker.node, files: 0 })
  // There may have been an empty round before.
  const start = starts.findLast(({ atMs }) => atMs < (first?.atMs ?? 0))
  if (!start || !last) throw new Error('No round of agent-info was seen')
  return { seconds: (last.atMs - start.atMs) / 1000, cpuSeconds: (cpuMs - start.cpuMs) / 1000, wireMB: bytes / 1e6 }
}
