/**
 * `npm run account -- --agents 1000 --minutes 10`: three real daemons and agents that enrol through each of them; every minute a worker
 * is killed (-9) and brought back, and in every other minute the other one is drained (SIGTERM) and brought back. Prints what became of
 * every event. Ends with exit code 1 when one was lost that a node had taken, or when an agent is not active at the end.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { ProcessCluster } from '../examples/demo/processCluster.js'
import { waitFor } from '../examples/demo/waitFor.js'
import { toolOptions } from '../src/programs/kit/toolOptions.js'
import { type AgentsReport, reportText } from '../src/programs/musterAgents/agentsReport.js'
import { builtProgram } from './builtProgram.js'
import { runTrial, say } from './clusterTrial.js'
import { type AccountOptions, accountCommand } from './toolCommands.js'

const flags = toolOptions<AccountOptions>(accountCommand())
const names = ['master', 'worker-1', 'worker-2'] as const
const [, firstWorker, secondWorker] = names
/** How long a worker is gone. */
const downMs = Math.min(10_000, flags.period * 250)
const enrolmentMsMax = 120_000
const activeMsMax = 60_000

const cluster = new ProcessCluster({
  programs: builtProgram('src/cli'),
  nodes: names,
  clusterJson: { intervals: { worker: { connection_retry: 2, keep_alive: 5 } } },
  hasAgents: true,
})

/** Agents that go from one of these nodes to the next, and the run of muster-agents that has them. */
interface Group {
  readonly name: string
  readonly agents: number
  readonly nodes: readonly string[]
}

/** Most agents have both workers in their lists, so that every kill and every drain is of a node that has agents. */
const groups: readonly Group[] = [
  { name: 'worker', agents: flags.agents - Math.ceil(flags.agents / 10), nodes: [firstWorker, secondWorker] },
  { name: 'master', agents: Math.ceil(flags.agents / 10), nodes: names },
]

const programFlags = ({ agents, name, nodes }: Group, seconds: number): readonly string[] => [
  ...['--agents', String(agents), '--servers', nodes.map((node) => `127.0.0.1:${cluster.agentPorts(node).listener}`).join(',')],
  ...['--enrol-port', nodes.map((node) => cluster.agentPorts(node).enrolment).join(','), '--name', `at-${name}`],
  ...(name === 'worker' ? ['--rotate'] : []),
  ...['--enrol', '--enrol-delay', '0', '--rate', String(flags.rate), '--size', String(flags.size), '--notify-time', '10'],
  ...['--retry-interval', '1', '--max-retries', '2', '--duration', String(seconds), '--json'],
  ...['--account', ...names.map((node) => cluster.home(node))],
]

class AgentsRun {
  readonly report: Promise<AgentsReport>
  readonly group: Group
  /** Agents at each listener's port. */
  places: ReadonlyMap<string, number> = new Map()
  readonly #child: ChildProcess

  constructor(group: Group, seconds: number) {
    this.group = group
    const child = spawn(process.execPath, [builtProgram('src/cli/muster-agents.js'), ...programFlags(group, seconds)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    createInterface({ input: child.stderr }).on('line', (line) => {
      const places = [...line.matchAll(/(\d+) at 127\.0\.0\.1:(\d+)/g)]
      if (places.length > 0) this.places = new Map(places.map(([, count, port]) => [port ?? '', Number(count)]))
      say(`  agents at-${group.name} ${line}`)
    })
    this.report = Promise.all([text(child.stdout), once(child, 'close')]).then(([out]) => JSON.parse(out) as AgentsReport)
  }

  get connected(): number {
    return [...this.places.values()].reduce((sum, count) => sum + count, 0)
  }

  at(node: string): number {
    return this.places.get(String(cluster.agentPorts(node).listener)) ?? 0
  }

  stop(): void {
    this.#child.kill('SIGTERM')
  }
}

const disturbances = { killed: 0, drained: 0, drainsTookMs: [] as number[] }

const kill = async (worker: string): Promise<void> => {
  say(`${worker} is killed (-9)`)
  await cluster.daemon(worker).kill()
  disturbances.killed += 1
  await pause(downMs)
  const daemon = cluster.start(worker)
  await daemon.logged('Successfully connected to master', 0, enrolmentMsMax)
  say(`${worker} is back`)
}

const drain = async (worker: string): Promise<void> => {
  say(`${worker} is drained (SIGTERM)`)
  const { code, tookMs } = await cluster.daemon(worker).stop()
  disturbances.drained += 1
  disturbances.drainsTookMs.push(Math.round(tookMs))
  say(`${worker} has ended with ${code} after ${Math.round(tookMs)} ms`)
  await pause(downMs)
  await cluster.start(worker).logged('Successfully connected to master', 0, enrolmentMsMax)
  say(`${worker} is back`)
}

/** The worker that has more agents. */
const busiest = (runs: readonly AgentsRun[]): string => {
  const at = (node: string): number => runs.reduce((sum, run) => sum + run.at(node), 0)
  return at(secondWorker) > at(firstWorker) ? secondWorker : firstWorker
}

const disturb = async (runs: readonly AgentsRun[], untilMs: number): Promise<void> => {
  for (let minute = 0; performance.now() < untilMs - flags.period * 500; minute++) {
    const nextMs = performance.now() + flags.period * 1_000
    await pause(flags.period * 200)
    await kill(busiest(runs))
    await pause(flags.period * 200)
    if (minute % 2 === 1) await drain(busiest(runs))
    await pause(Math.max(0, Math.min(nextMs, untilMs) - performance.now()))
  }
}

/** Agents whose status is active, as an operator sees it. */
const activeAgents = async (): Promise<number> => {
  const { out } = await cluster.control('master', ['-a', '--filter-agent-status', 'active', '--json'])
  const { items = [] } = JSON.parse(out || '{}') as { readonly items?: readonly { readonly id: string }[] }
  return items.filter(({ id }) => id !== '000').length
}

const allActive = async (): Promise<boolean> => {
  try {
    await waitFor('All agents active', async () => (await activeAgents()) === flags.agents || `${await activeAgents()} are`, {
      deadlineMs: activeMsMax,
      everyMs: 500,
    })
    return true
  } catch (thrown) {
    say(String(thrown))
    return false
  }
}

const print = (reports: readonly AgentsReport[], areAllActive: boolean): void => {
  const sum = (name: 'sent' | 'received' | 'duplicated' | 'lost' | 'inFlight'): number =>
    reports.reduce((total, { events }) => total + (events?.[name] ?? 0), 0)
  const totals = {
    sent: sum('sent'),
    received: sum('received'),
    duplicated: sum('duplicated'),
    lost: sum('lost'),
    inFlight: sum('inFlight'),
  }
  const whole = { agents: flags.agents, minutes: flags.minutes, ...totals, ...disturbances, areAllActive }
  if (flags.json) {
    console.log(JSON.stringify({ ...whole, reports }))
    return
  }
  for (const [index, report] of reports.entries()) console.log(`Agents of ${groups[index]?.nodes.join(', ')}\n${reportText(report)}`)
  console.log(`${flags.agents} agents over three nodes, ${flags.minutes} min:`)
  for (const [name, value] of Object.entries(whole)) console.log(`  ${name.padEnd(28)} ${String(value)}`)
}

const run = async (): Promise<boolean> => {
  await cluster.prepare()
  await cluster.startAll()
  for (const name of names) await cluster.daemon(name).logged(/Accepting connections on port \d+/, 0, enrolmentMsMax)
  say(`three daemons run in ${cluster.root}`)
  const seconds = flags.minutes * 60
  const runs = groups.map((group) => new AgentsRun(group, seconds + (enrolmentMsMax + activeMsMax) / 1_000))
  const connected = (): number => runs.reduce((sum, agents) => sum + agents.connected, 0)
  await waitFor('All agents connected', () => connected() === flags.agents || `${connected()} are`, {
    deadlineMs: enrolmentMsMax,
    everyMs: 100,
  })
  say('all agents are enrolled and connected')
  await disturb(runs, performance.now() + seconds * 1_000)
  const areAllActive = await allActive()
  for (const agents of runs) agents.stop()
  const reports = await Promise.all(runs.map(({ report }) => report))
  print(reports, areAllActive)
  return areAllActive && reports.every(({ events }) => events?.lost === 0)
}

await runTrial(cluster, run)
