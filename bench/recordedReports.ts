/** Reports of agents that go straight into a node's table, stamped as the node would: more of them than it takes at a time. */
import type { AgentReport } from '../src/domain/agents/agentReport.js'
import { siftFacts } from '../src/domain/agents/packedFacts.js'
import type { AgentStore } from '../src/ports/agents.js'

const rowsPerCall = 50_000

export const recordReports = async (store: AgentStore, node: string, reports: readonly AgentReport[]): Promise<void> => {
  const nowMs = Date.now()
  for (let start = 0; start < reports.length; start += rowsPerCall) {
    const some = reports.slice(start, start + rowsPerCall)
    const stamped = some.map(({ id }) => ({ id, seenMs: nowMs, epochMs: nowMs, node }))
    const presences = stamped.map((stamp) => ({ ...stamp, status: 'active', disconnectedMs: 0, disconnection: 'none' }) as const)
    const details = stamped.flatMap((stamp, index) => {
      const facts = some[index]?.facts
      return facts ? [{ ...stamp, facts: siftFacts(facts).packed }] : []
    })
    await store.record({ presences, details }, nowMs, true)
  }
}
