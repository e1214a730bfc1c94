/** A master and workers that have the same client.keys, and their agents' tables filled from it. */
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Timings } from '../../src/domain/cluster/timings.js'
import { makeHomeOfAgents } from '../agents.js'
import type { Child } from '../child.js'
import type { NodeCalls } from '../children/node.js'
import type { Workshop } from '../workshop.js'

export interface AgentMember {
  readonly node: string
  readonly home: string
  readonly child: Child<NodeCalls>
}

export interface AgentCluster {
  readonly master: AgentMember
  readonly workers: readonly AgentMember[]
}

export interface AgentClusterOptions {
  readonly agents: number
  readonly workers: number
  /** Workers in each process other than the master's. */
  readonly workersPerProcess?: number
  /** Workers dial only after their gate is opened. */
  readonly gated?: boolean
  /** In addition to `default`. */
  readonly groups?: readonly string[]
  /** Does something to the master's home, and to those of its workers, before the nodes start. */
  readonly prepare?: (home: string, workers: readonly string[]) => Promise<void>
  readonly timings?: Partial<Timings>
  /** Agents may enrol at every node, and report to it. */
  readonly hasServices?: boolean
}

const known = async ({ child, node }: AgentMember, agents: number): Promise<void> => {
  await child.call('covered', { type: 'keysTaken', node, files: agents })
}

/** Tables are filled, and ungated workers are connected, when this resolves. */
export const startAgentCluster = async (
  workshop: Workshop,
  {
    agents,
    gated = false,
    groups = [],
    hasServices = false,
    prepare,
    timings = {},
    workers: count,
    workersPerProcess = 1,
  }: AgentClusterOptions,
): Promise<AgentCluster> => {
  const home = makeHomeOfAgents(workshop.place('agents-master'), agents)
  for (const group of ['default', ...groups]) mkdirSync(join(home, 'etc/shared', group))
  const homes = Array.from({ length: count }, (_, index) => {
    const copy = workshop.place(`agents-worker${index}`)
    cpSync(home, copy, { recursive: true })
    return copy
  })
  await prepare?.(home, homes)
  const master: AgentMember = { node: 'master', home, child: workshop.child<NodeCalls>('node') }
  const port = await master.child.call('start', { node: 'master', type: 'master', home, port: 0, timings, hasServices })
  await known(master, agents)
  const workers: AgentMember[] = []
  let child = workshop.child<NodeCalls>('node')
  for (const [index, worker] of homes.entries()) {
    if (index > 0 && index % workersPerProcess === 0) child = workshop.child<NodeCalls>('node')
    const node = `w${index + 1}`
    await child.call('start', { node, type: 'worker', home: worker, port, timings, gated, hasServices })
    workers.push({ node, home: worker, child })
  }
  for (const worker of workers) await known(worker, agents)
  if (!gated) await master.child.call('happened', { type: 'workerJoined', count })
  return { master, workers }
}
