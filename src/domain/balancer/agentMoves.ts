/** How many agents leave which server, so that all have as many: decides, never waits. */

/** By server: its agents. */
export type AgentLoads = ReadonlyMap<string, number>

export interface AgentMoves {
  /** By server: how many leave it. */
  readonly leaving: AgentLoads
  /** Servers with fewer than they should have: these alone take agents meanwhile. */
  readonly receivers: ReadonlySet<string>
}

/** Max and min are within the mean and this share of it, or differ by one at most. */
export const isBalanced = (loads: AgentLoads, tolerance: number): boolean => {
  const counts = [...loads.values()]
  if (counts.length === 0) return true
  const most = counts.reduce((a, b) => Math.max(a, b))
  const least = counts.reduce((a, b) => Math.min(a, b))
  const mean = counts.reduce((a, b) => a + b) / counts.length
  return most - least <= 1 || (most <= mean * (1 + tolerance) && least >= mean * (1 - tolerance))
}

/**
 * The fewest moves after which no two servers differ by more than one: to the edge of the tolerance would be fewer, but the next agent
 * would tip it over. None where it is balanced. The balancer must give each agent to the receiver that has the fewest.
 */
export const agentMoves = (loads: AgentLoads, tolerance: number): AgentMoves => {
  if (isBalanced(loads, tolerance)) return { leaving: new Map(), receivers: new Set() }
  const total = [...loads.values()].reduce((a, b) => a + b, 0)
  const share = Math.floor(total / loads.size)
  const withOneMore = total % loads.size
  const leaving = new Map<string, number>()
  const receivers = new Set<string>()
  // Those with the most keep one more: any others would have to be given it.
  const byLoad = [...loads].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  for (const [index, [name, load]] of byLoad.entries()) {
    const target = share + (index < withOneMore ? 1 : 0)
    if (load > target) leaving.set(name, load - target)
    if (load < target) receivers.add(name)
  }
  return { leaving, receivers }
}
