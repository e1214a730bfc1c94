/** Reports that wait for the node: the newest of each agent, in the order in which the agents first had one, so that a slow node costs no more than its agents. */
import type { AgentReport } from '../agents/agentReport.js'

/** Of two reports of one agent; facts that were never handed on are kept while the agent is there. */
export const joinedReport = (older: AgentReport, newer: AgentReport): AgentReport => {
  const isThere = newer.kind === 'startup' || newer.kind === 'keepAlive'
  return isThere && newer.facts === undefined && older.facts !== undefined ? { ...newer, facts: older.facts } : newer
}

export class ReportQueue {
  readonly #waiting = new Map<number, AgentReport>()

  get size(): number {
    return this.#waiting.size
  }

  add(report: AgentReport): void {
    const older = this.#waiting.get(report.id)
    this.#waiting.set(report.id, older ? joinedReport(older, report) : report)
  }

  /** Removes and returns the first ones. */
  take(max: number): readonly AgentReport[] {
    const taken: AgentReport[] = []
    for (const [id, report] of this.#waiting) {
      if (taken.length === max) break
      taken.push(report)
      this.#waiting.delete(id)
    }
    return taken
  }

  /** They could not be handed on: what came since is newer. */
  putBack(reports: readonly AgentReport[]): void {
    for (const report of reports) {
      const newer = this.#waiting.get(report.id)
      this.#waiting.set(report.id, newer ? joinedReport(report, newer) : report)
    }
  }

  /** The agent is gone, and nothing is to be said of it. */
  forget(id: number): void {
    this.#waiting.delete(id)
  }

  clear(): void {
    this.#waiting.clear()
  }
}
