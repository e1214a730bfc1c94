/**
 * What was said of the agents of a simulation, and what the master's table may have of it at the end: the newest report, and
 * nothing else decides. Knows the true time of every report, but not in which order, by which way or whether it arrived.
 */
import type { AgentReport } from '../../domain/agents/agentReport.js'

export interface AgentReportStamp {
  /** True time of the sign of life that it rests on. */
  readonly seenMs: number
  readonly node: string
  /** What the table shows: a status, or what an agent says of itself. */
  readonly says: string
  /** The reporter got the answer that it is durable. */
  isCertain: boolean
  /** By this much its stamp may be wrong. */
  readonly errorMs: number
  /** The stamp is put right by the node's own clock later. */
  readonly isUnmeasured: boolean
  /** No clock was set that its stamp rests on. */
  isTimed: boolean
}

type Stamp = Pick<AgentReportStamp, 'seenMs' | 'errorMs' | 'isUnmeasured' | 'isTimed'>

interface Said {
  readonly reports: AgentReportStamp[]
  /** Beaten by a certain report, unless a clock was set since. */
  readonly untimed: Set<string>
  /** Beaten by a certain report, unless it was lost with the table of its node. */
  readonly beaten: Set<string>
}

const shown = ({ node, says }: Pick<AgentReportStamp, 'node' | 'says'>): string => `${says} at ${node}`
const newestMs = (reports: readonly AgentReportStamp[]): number =>
  reports.reduce(
    (most, { errorMs, isCertain, isTimed, seenMs }) => (isCertain && isTimed ? Math.max(most, seenMs - errorMs) : most),
    Number.NEGATIVE_INFINITY,
  )
const isPossible = ({ errorMs, isTimed, seenMs }: AgentReportStamp, fromMs: number): boolean => isTimed && seenMs + errorMs >= fromMs

/** Words that no clock puts in order with the others any more. */
const untimedMax = 200

export class ReportedAgents {
  readonly #said = new Map<number, Said>()
  /** True times of the last signs of life, by connection. */
  readonly #connected = new Map<string, Stamp>()

  /** The entry that a report makes, if it makes any: an agent that was never connected cannot be lost. */
  report({ id, kind }: AgentReport, node: string, now: Stamp): AgentReportStamp | undefined {
    const connection = `${node} ${id}`
    const before = this.#connected.get(connection)
    if (kind === 'lost' && before === undefined) return undefined
    const stamp = kind === 'lost' && before ? before : now
    if (kind === 'lost' || kind === 'shutdown') this.#connected.delete(connection)
    else this.#connected.set(connection, now)
    const says = kind === 'startup' ? 'pending' : kind === 'keepAlive' ? 'active' : 'disconnected'
    return this.say(id, { ...stamp, node, says, isCertain: false })
  }

  /** A process that is gone has forgotten who was connected to it. */
  forget(node: string): void {
    for (const connection of this.#connected.keys()) if (connection.startsWith(`${node} `)) this.#connected.delete(connection)
  }

  /** The master's clock was set: earlier reports are not in order with later ones. A node's own: neither are those that wait for its time. */
  clockSet(node: string): void {
    for (const { reports } of this.#said.values())
      for (const report of reports) if (node === 'master' || (report.isUnmeasured && report.node === node)) report.isTimed = false
    for (const [connection, stamp] of this.#connected)
      if (node === 'master' || (stamp.isUnmeasured && connection.startsWith(`${node} `)))
        this.#connected.set(connection, { ...stamp, isTimed: false })
  }

  /** What only the node's table had is lost: nobody knows what that is. */
  tableDamaged(node: string): void {
    for (const { beaten, untimed, reports } of this.#said.values()) {
      for (const report of reports) if (report.node === node) report.isCertain = false
      for (const shownBefore of beaten) untimed.add(shownBefore)
    }
  }

  /** What was reported to the node since then may be lost. */
  mayBeLost(node: string, sinceMs: number): void {
    for (const { reports } of this.#said.values())
      for (const report of reports) if (report.node === node && report.seenMs >= sinceMs) report.isCertain = false
  }

  /** What the master's table may have; `certain`: it must have something. */
  allowed(id: number): { readonly says: ReadonlySet<string>; readonly timed: readonly AgentReportStamp[]; readonly isCertain: boolean } {
    const { untimed, reports } = this.#said.get(id) ?? { untimed: new Set<string>(), reports: [] }
    const fromMs = newestMs(reports)
    const possible = reports.filter((report) => !report.isTimed || isPossible(report, fromMs))
    return {
      says: new Set([...untimed, ...possible.map(shown)]),
      timed: untimed.size > 0 || possible.some((report) => !report.isTimed) ? [] : possible,
      isCertain: reports.some((report) => report.isCertain),
    }
  }

  say(id: number, report: AgentReportStamp): AgentReportStamp {
    const said = this.#said.get(id) ?? { reports: [], untimed: new Set(), beaten: new Set() }
    this.#said.set(id, said)
    said.reports.push(report)
    if (said.reports.length >= untimedMax) prune(said)
    return report
  }
}

/** Lets go of what is beaten for good, and of the times of what has none. */
const prune = ({ beaten, untimed, reports }: Said): void => {
  const fromMs = newestMs(reports)
  const kept = reports.filter((report) => isPossible(report, fromMs))
  for (const report of reports) (report.isTimed ? beaten : untimed).add(shown(report))
  reports.splice(0, reports.length, ...kept)
}
