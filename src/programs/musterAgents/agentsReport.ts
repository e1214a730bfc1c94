/** What muster-agents prints: a line while it runs, and the account at its end. */

import type { FleetCounts, FleetLatencies } from '../../actors/fleet/fleet.js'
import { counted } from '../../base/counted.js'
import type { EventAccount } from '../../domain/fleet/eventAccount.js'
import type { LatencySummary } from '../../domain/fleet/latencies.js'

export interface AgentsReport {
  readonly agents: number
  readonly seconds: number
  /** Undefined when no segments were read. */
  readonly events: (EventAccount & { readonly segmentsMissed: number }) | undefined
  readonly counts: FleetCounts
  readonly latencies: FleetLatencies & { readonly event?: LatencySummary }
  /** Keys that were given out at each server. */
  readonly enrolledThrough: Readonly<Record<string, number>>
  /** Agents at each server when the run was over. */
  readonly connectedTo: Readonly<Record<string, number>>
}

export interface LiveState {
  readonly agents: number
  readonly seconds: number
  readonly counts: FleetCounts
  readonly received: number | undefined
  readonly latencies: FleetLatencies
  readonly connectedTo: ReadonlyMap<string, number>
}

const serversShownMax = 4
const ms = (value: number): string =>
  value < 10 ? `${value.toFixed(1)} ms` : value < 10_000 ? `${value.toFixed(0)} ms` : `${(value / 1_000).toFixed(1)} s`

export const liveLine = ({ agents, connectedTo, counts, latencies, received, seconds }: LiveState): string => {
  const places = [...connectedTo].slice(0, serversShownMax).map(([server, count]) => `${count} at ${server}`)
  const { enrolled, reconnects, sent } = counts
  return (
    `${seconds.toFixed(0)} s: ${counts.connected} of ${counted(agents, 'agent')} connected (${places.join(', ')}), ${enrolled} enrolled, ` +
    `${sent} sent${received === undefined ? '' : `, ${received} received`}, ${counted(reconnects, 'reconnect')}, ` +
    `ack p95 ${ms(latencies.keepAlive.p95Ms)}, start-up p95 ${ms(latencies.startUp.p95Ms)}`
  )
}

const latencyText = (name: string, { count, maxMs, p50Ms, p95Ms, p99Ms }: LatencySummary): string =>
  count === 0 ? '' : `  ${name.padEnd(28)} ${ms(p50Ms)} / ${ms(p95Ms)} / ${ms(p99Ms)} / ${ms(maxMs)} (${count})\n`

const eventsText = ({ counts, events }: AgentsReport): string => {
  if (!events) return `  sent                         ${counts.sent} (not read back: --account was not given)\n`
  const { duplicated, inFlight, lost, received, sent } = events
  const rows: (readonly [string, number])[] = [
    ['sent', sent],
    ['received', received],
    ['duplicated', duplicated],
    ['lost after being taken', lost],
    ['in flight at a kill', inFlight],
  ]
  if (events.datagramsMissing > 0) rows.push(['datagrams that did not arrive', events.datagramsMissing])
  if (events.strange > 0) rows.push(['received, but never sent', events.strange])
  if (events.segmentsMissed > 0) rows.push(['segments deleted before read', events.segmentsMissed])
  const lostText = events.lostRanges.map(({ agent, from, to, end }) => `    agent ${agent}: ${from} to ${to - 1} (${end})\n`).join('')
  return rows.map(([name, value]) => `  ${name.padEnd(28)} ${value}\n`).join('') + lostText
}

const placesText = (places: Readonly<Record<string, number>>): string => {
  const shown = Object.entries(places)
    .filter(([, count]) => count > 0)
    .map(([server, count]) => `${count} at ${server}`)
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`
}

export const reportText = (report: AgentsReport): string => {
  const { counts, latencies } = report
  return (
    `Account of ${counted(report.agents, 'agent')} after ${report.seconds.toFixed(1)} s:\n` +
    eventsText(report) +
    `  dropped by full buffers      ${counts.dropped}\n` +
    `  enrolled / refused           ${counts.enrolled} / ${counts.enrolmentsFailed}${placesText(report.enrolledThrough)}\n` +
    `  reconnects (asked for)       ${counts.reconnects} (${counts.forcedReconnects}), at most ${counts.movesOfOneMax} of one agent\n` +
    `  attempts that failed         ${counts.attemptsFailed}\n` +
    `  configurations taken         ${counts.configurationsTaken}${counts.configurationsBroken > 0 ? `, ${counts.configurationsBroken} broken` : ''}\n` +
    `  connected at the end         ${counts.connected}${placesText(report.connectedTo)}\n` +
    '  latencies                    p50 / p95 / p99 / max (count)\n' +
    latencyText('  enrolment', latencies.enrolment) +
    latencyText('  start-up acknowledged', latencies.startUp) +
    latencyText('  keep-alive acknowledged', latencies.keepAlive) +
    latencyText('  elsewhere after a loss', latencies.failover) +
    (latencies.event ? latencyText('  event in a segment', latencies.event) : '')
  )
}
