/**
 * `npm run balancing -- --agents 1000`: agents over three real nodes behind a real HAProxy, which the master drives by its runtime socket
 * (the HAProxy helper); then a fourth node joins. Prints how long it took until it had its first agent and until all nodes had as many,
 * how often agents were moved, and what became of every event. Ends with exit code 1 when the first agent took over 3 s, when one pass was
 * not enough, when an agent moved twice, when an event was lost that a node had taken, or when HAProxy was reloaded.
 */
import { readFileSync } from 'node:fs'
import { HelpedCluster } from '../examples/demo/helpedCluster.js'
import { ProcessCluster } from '../examples/demo/processCluster.js'
import { waitFor } from '../examples/demo/waitFor.js'
import { createRuntimeSocket } from '../src/platform/balancer/runtimeSocket.js'
import type { BalancerServer } from '../src/ports/balancer.js'
import { toolOptions } from '../src/programs/kit/toolOptions.js'
import type { AgentsReport } from '../src/programs/musterAgents/agentsReport.js'
import { builtProgram } from './builtProgram.js'
import { runTrial, say } from './clusterTrial.js'
import { type BalancingOptions, balancingCommand } from './toolCommands.js'

const flags = toolOptions<BalancingOptions>(balancingCommand())
const names = ['master', 'worker-1', 'worker-2', 'worker-3'] as const
const master = names[0]
const joining = names[3]
const stabilitySeconds = 10
/** Until a second pass would have begun, had it been needed. */
const quietMs = (stabilitySeconds + 15) * 1_000
const firstAgentMsMax = 3_000
const startMsMax = 120_000
const balancedMsMax = 120_000
const passPattern = /Servers are not balanced .* Moving (\d+) of/

const going = new AbortController().signal

const cluster = new ProcessCluster({
  programs: builtProgram('src/cli'),
  nodes: names,
  clusterJson: { intervals: { worker: { connection_retry: 2, keep_alive: 5 } } },
  hasAgents: 'ownAddresses',
})

const sessionsOf = (servers: readonly BalancerServer[]): readonly number[] => servers.map(({ sessions }) => sessions)
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)
const shown = (servers: readonly BalancerServer[]): string => servers.map(({ name, sessions }) => `${name} ${sessions}`).join(', ')

const figuresOf = (report: AgentsReport, passes: readonly string[]) => ({
  agents: flags.agents,
  passes: passes.length,
  moved: sum(passes.map((line) => Number(passPattern.exec(line)?.[1]))),
  movesOfOneMax: report.counts.movesOfOneMax,
  sent: report.events?.sent ?? 0,
  received: report.events?.received ?? 0,
  lost: report.events?.lost ?? -1,
  duplicated: report.events?.duplicated ?? -1,
})

const run = async (): Promise<boolean> => {
  await cluster.prepare()
  const example = readFileSync('examples/load-balancing/haproxy-runtime.cfg', 'utf8')
  const helper = { frequency: '10', agent_reconnection_stability_time: String(stabilitySeconds) }
  const helped = await HelpedCluster.prepare({ cluster, nodes: names, example, connectionsMax: 3 * flags.agents + 500, helper })
  const { haproxy } = helped
  const balancer = createRuntimeSocket({
    socket: { path: haproxy.socket },
    backend: 'wazuh_reporting',
    agentsPort: cluster.agentPorts(master).listener,
  })
  const servers = () => balancer.servers(going)
  const up = (count: number, deadlineMs: number) =>
    waitFor(`${count} servers are up`, async () => (await servers()).filter(({ isUp }) => isUp).length === count, {
      everyMs: 20,
      deadlineMs,
    })
  try {
    await haproxy.start()
    const { pid } = haproxy
    for (const name of names.slice(0, 3)) await cluster.start(name).logged(/Accepting connections on port \d+/, 0, startMsMax)
    await up(3, startMsMax)
    say(`three nodes are in HAProxy; ${cluster.root}`)
    const enough = new AbortController()
    const ran = cluster.agents(
      [
        ...['--agents', String(flags.agents), ...helped.agentFlags, '--enrol-delay', '0', '--rate', String(flags.rate), '--json'],
        ...['--size', String(flags.size), '--notify-time', '10', '--retry-interval', '1'],
        ...['--account', ...names.map((name) => cluster.home(name))],
      ],
      enough.signal,
    )
    const all = async (): Promise<true | string> => sum(sessionsOf(await servers())) === flags.agents || shown(await servers())
    await waitFor('All agents are connected', all, { everyMs: 200, deadlineMs: startMsMax })
    await waitFor('All agents are active', async () => (await activeAgents()) === flags.agents, { everyMs: 500, deadlineMs: startMsMax })
    say(`all agents report: ${shown(await servers())}`)

    const mark = cluster.daemon(master).mark()
    await cluster.start(joining).logged('Successfully connected to master', 0, startMsMax)
    const joinedMs = performance.now()
    const upMs = await up(4, startMsMax)
    say(`${joining} was up in HAProxy ${upMs.toFixed(0)} ms after it had joined`)
    const hasAgent = async (): Promise<boolean> => (await servers()).some(({ name, sessions }) => name === joining && sessions > 0)
    await waitFor('It has its first agent', hasAgent, { everyMs: 20, deadlineMs: balancedMsMax })
    const firstAgentMs = performance.now() - joinedMs
    say(`its first agent came ${firstAgentMs.toFixed(0)} ms after it had joined`)
    const isEven = async (): Promise<true | string> => {
      const now = await servers()
      const counts = sessionsOf(now)
      return (sum(counts) === flags.agents && Math.max(...counts) - Math.min(...counts) <= 1) || shown(now)
    }
    await waitFor('All nodes have as many agents', isEven, { everyMs: 20, deadlineMs: balancedMsMax })
    const balancedMs = performance.now() - joinedMs
    say(`balanced after ${balancedMs.toFixed(0)} ms: ${shown(await servers())}`)
    await new Promise((resolve) => setTimeout(resolve, quietMs))
    say(`at the end: ${shown(await servers())}`)
    for (const line of cluster.daemon(master).lines.slice(mark)) if (line.includes('[HAPHelper]')) say(`  ${line}`)
    const isReloaded = haproxy.pid !== pid
    enough.abort()
    const report = JSON.parse((await ran).out) as AgentsReport
    const passes = cluster
      .daemon(master)
      .lines.slice(mark)
      .filter((line) => passPattern.test(line))
    const times = { upMs: Math.round(upMs), firstAgentMs: Math.round(firstAgentMs), balancedMs: Math.round(balancedMs) }
    const figures = { ...figuresOf(report, passes), ...times, isReloaded }
    print(figures)
    return firstAgentMs <= firstAgentMsMax && figures.passes === 1 && figures.movesOfOneMax <= 1 && figures.lost === 0 && !isReloaded
  } finally {
    await balancer.close()
    await haproxy.stop()
  }
}

/** Agents whose status is active, as an operator sees it. */
const activeAgents = async (): Promise<number> => {
  const { out } = await cluster.control(master, ['-a', '--filter-agent-status', 'active', '--json'])
  const { items = [] } = JSON.parse(out || '{}') as { readonly items?: readonly { readonly id: string }[] }
  return items.filter(({ id }) => id !== '000').length
}

const print = (figures: Readonly<Record<string, unknown>>): void => {
  if (flags.json) console.log(JSON.stringify(figures))
  else for (const [name, value] of Object.entries(figures)) console.log(`  ${name.padEnd(28)} ${String(value)}`)
}

await runTrial(cluster, run)
