/** Agents that enrol at a node, by its one door: as many at a time as are wanted, for as long as is wanted. */
import { randomBytes } from 'node:crypto'
import type { AgentOperations } from '../src/actors/agents/agentOperations.js'
import { systemMs } from './systemClock.js'

export interface Enrolling {
  /** What their names begin with. */
  readonly prefix: string
  readonly inFlight: number
  readonly seconds: number
}

export interface Enrolled {
  readonly count: number
  /** Of each, in milliseconds. */
  readonly took: readonly number[]
  /** From the first request to the last answer, and when that was. */
  readonly seconds: number
  readonly atMs: number
}

const { signal } = new AbortController()

export const enrolMany = async (agents: AgentOperations, { inFlight, prefix, seconds }: Enrolling): Promise<Enrolled> => {
  const startMs = systemMs()
  const took: number[] = []
  let next = 0
  const one = async (): Promise<void> => {
    while (systemMs() - startMs < seconds * 1_000) {
      const name = `${prefix}-${next++}`
      const askedMs = systemMs()
      await agents.enrol({ name, ip: 'any', groups: [], key: randomBytes(32).toString('hex'), source: '127.0.0.1' }, signal)
      took.push(systemMs() - askedMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one))
  const atMs = systemMs()
  return { count: took.length, took, seconds: (atMs - startMs) / 1_000, atMs }
}
