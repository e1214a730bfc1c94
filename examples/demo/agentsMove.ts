/** The demo's act in which 200 agents report to two workers: one is drained, the other is killed, and every event is accounted for. */
import type { ProcessCluster } from './processCluster.js'
import { type Act, inMs, type Stage } from './stage.js'
import { waitFor } from './waitFor.js'

const agentCount = 200
const namePrefix = 'agent-of-demo'
const eventsPerSecond = 2
const rowsShown = 4

/** Of muster-agents' account, as far as it is shown. */
interface Account {
  readonly events: { readonly sent: number; readonly received: number; readonly lost: number; readonly inFlight: number }
}

const flagsOf = (cluster: ProcessCluster): readonly string[] => {
  const ports = cluster.workers.map((name) => cluster.agentPorts(name))
  return [
    ...['--agents', String(agentCount), '--name', namePrefix, '--rotate', '--enrol', '--enrol-delay', '0'],
    ...['--servers', ports.map(({ listener }) => `127.0.0.1:${listener}`).join(',')],
    ...['--enrol-port', ports.map(({ enrolment }) => enrolment).join(',')],
    ...['--rate', String(eventsPerSecond), '--notify-time', '2', '--retry-interval', '0.5', '--max-retries', '1', '--json'],
    ...['--account', ...['master', ...cluster.workers].map((name) => cluster.home(name))],
  ]
}

/** The table of `cluster_control -a`, its rows that are ours, and how many of them are active at each node. */
const listed = async (cluster: ProcessCluster): Promise<{ readonly table: string; readonly at: ReadonlyMap<string, number> }> => {
  const { out } = await cluster.control('master', ['-a', '--filter-agent-status', 'active'])
  const [heading = '', ...lines] = out.trimEnd().split('\n')
  const rows = lines.filter((line) => line.includes(namePrefix))
  const at = new Map<string, number>()
  for (const row of rows) {
    const node = row.trimEnd().split(/\s+/).at(-1) ?? ''
    at.set(node, (at.get(node) ?? 0) + 1)
  }
  const more = rows.length > rowsShown ? [`… and ${rows.length - rowsShown} more`] : []
  return { table: [heading, ...rows.slice(0, rowsShown), ...more].join('\n'), at }
}

/** Resolves with the milliseconds until all agents are active at these nodes. */
const allActiveAt = ({ cluster, signal }: Stage, nodes: readonly string[]): Promise<number> =>
  waitFor(
    `All agents active at ${nodes.join(' and ')}`,
    async () => {
      const { at } = await listed(cluster)
      return nodes.reduce((sum, node) => sum + (at.get(node) ?? 0), 0) === agentCount || JSON.stringify(Object.fromEntries(at))
    },
    { everyMs: 100, signal },
  )

export const agentsMove: Act = {
  title: `${agentCount} agents report to two workers; one is drained, the other is killed`,
  play: async (stage) => {
    const { cluster, proved, say, show, signal } = stage
    const [first = '', second = ''] = cluster.workers
    const enough = new AbortController()
    const abort = (): void => enough.abort()
    signal.addEventListener('abort', abort, { once: true })
    const startMs = performance.now()
    const run = cluster.agents(flagsOf(cluster), enough.signal)
    try {
      await allActiveAt(stage, cluster.workers)
      say(`${agentCount} agents enrolled at ${first} and ${second} and are active ${inMs(performance.now() - startMs)} after their start`)
      say(`${first} is stopped: it asks its agents to go elsewhere first`)
      const { tookMs } = await cluster.daemon(first).stop()
      const movedMs = await allActiveAt(stage, [second])
      proved(`a worker was drained in ${inMs(tookMs)}, and all agents were active at the other one ${inMs(movedMs)} later`)
      await cluster.start(first).logged('Successfully connected to master')
      say(`${first} is up again, and ${second} is killed -9`)
      await cluster.daemon(second).kill()
      const failedOverMs = await allActiveAt(stage, [first])
      proved(`after a kill -9 of their node all agents were active at the other one ${inMs(failedOverMs)} later`)
      show('master$ cluster_control -a --filter-agent-status active', (await listed(cluster)).table)
      cluster.start(second)
    } finally {
      enough.abort()
      signal.removeEventListener('abort', abort)
    }
    const { code, err, out } = await run
    if (code !== 0) throw new Error(`muster-agents ended with ${code}: ${out} ${err}`)
    const { events } = JSON.parse(out) as Account
    proved(`${events.sent} events sent, ${events.lost} lost after a node took them, ${events.inFlight} in flight at the kill`)
  },
}
