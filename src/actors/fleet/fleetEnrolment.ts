/** An agent of the fleet asks for a key: with its turn among the others, and with the hash of the key that it has. */
import { createHash } from 'node:crypto'
import { asClusterError } from '../../base/errors.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { Endpoint } from '../../ports/network.js'
import type { AgentLine } from '../../wire/enrolment/requestLine.js'
import { enrolAgent } from './enrolAgent.js'
import type { FleetContext } from './fleetContext.js'
import type { FleetSeal } from './fleetSeal.js'

export interface EnrolledInput {
  readonly fleet: FleetContext
  readonly number: number
  readonly name: string
  /** Gets the key. */
  readonly seal: FleetSeal
  readonly endpoint: Endpoint
  readonly signal: AbortSignal
}

/** Resolves with whether it got a key; never rejects. */
export const enrolled = async ({ endpoint, fleet, name, number, seal, signal }: EnrolledInput): Promise<boolean> => {
  const { enrolments, latencies, observer, options, ports, totals } = fleet
  const { clock, network } = ports
  const line = lineOf(name, seal.entry, options)
  const startedMs = clock.monotonicMs()
  try {
    const entry = await enrolments.run(() => {
      observer.enrolling?.(number)
      return enrolAgent({ network, clock, endpoint, line, signal })
    })
    totals.enrolled += 1
    latencies.enrolment.add(clock.monotonicMs() - startedMs)
    seal.use(entry)
    observer.enrolled?.(number, entry)
    return true
  } catch (thrown) {
    if (signal.aborted) return false
    totals.enrolmentsFailed += 1
    observer.notEnrolled?.(number, asClusterError(thrown))
    return false
  }
}

const lineOf = (name: string, entry: KeyEntry | undefined, { password, settings, version }: FleetContext['options']): AgentLine => {
  const { groups } = settings.enrolment
  return {
    name,
    version,
    ...(password !== undefined && { password }),
    ...(groups.length > 0 && { groups: groups.join(',') }),
    ...(entry && { keyHash: keyHashOf(entry) }),
  }
}

const keyHashOf = ({ id, key, name }: KeyEntry): string =>
  createHash('sha1')
    .update(`${agentIdText(id)}${name}${key}`)
    .digest('hex')
