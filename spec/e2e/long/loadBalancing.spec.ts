/** The configurations of examples/load-balancing in front of a real cluster: agents enrol, report, and go elsewhere when their node is gone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../../examples/demo/nodeHome.js'
import type { ProcessCluster, Ran } from '../../../examples/demo/processCluster.js'
import { waitFor } from '../../../examples/demo/waitFor.js'
import { master, repository, secondWorker, withCluster, worker } from '../../support/daemons.js'
import { isMissing, nginxStreamModule } from '../../support/debianProgram.js'

interface Balancer {
  readonly program: string
  readonly packages: string
  /** Files that it loads, which are not in its own package. */
  readonly files: readonly string[]
  readonly configuration: string
  /** What else it needs in its configuration to run for a test, as any user. */
  adapt(configuration: string, directory: string): string
  flags(file: string): readonly string[]
}

const haproxy: Balancer = {
  program: 'haproxy',
  packages: 'haproxy',
  files: [],
  configuration: 'haproxy.cfg',
  adapt: (configuration) => configuration.replaceAll('*:', '127.0.0.1:').replace('maxconn 20000', 'maxconn 500'),
  flags: (file) => ['-db', '-f', file],
}

const nginx: Balancer = {
  program: 'nginx',
  packages: 'nginx libnginx-mod-stream',
  files: [nginxStreamModule],
  configuration: 'nginx.conf',
  adapt: (configuration, directory) =>
    `daemon off;\npid ${directory}/nginx.pid;\nerror_log ${directory}/error.log;\n${configuration}`
      .replace('worker_rlimit_nofile 40000;', '')
      .replace('worker_processes auto', 'worker_processes 1')
      .replace('worker_connections 20000', 'worker_connections 500')
      .replaceAll('listen ', 'listen 127.0.0.1:'),
  flags: (file) => ['-c', file],
}

interface Front {
  readonly reporting: number
  readonly register: number
}

const hosts = [
  ['10.0.0.1', master],
  ['10.0.0.2', worker],
  ['10.0.0.3', secondWorker],
] as const

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

const withBalancer = async (
  { adapt, configuration, flags, program }: Balancer,
  cluster: ProcessCluster,
  use: (front: Front) => Promise<void>,
): Promise<void> => {
  const directory = join(cluster.root, 'balancer')
  mkdirSync(directory)
  const front = { reporting: await freePort(), register: await freePort() }
  let text = adapt(readFileSync(join(repository, 'examples/load-balancing', configuration), 'utf8'), directory)
  for (const [host, name] of hosts) {
    const { enrolment, listener } = cluster.agentPorts(name)
    text = text.replaceAll(`${host}:1514`, `127.0.0.1:${listener}`).replaceAll(`${host}:1515`, `127.0.0.1:${enrolment}`)
  }
  const file = join(directory, configuration)
  writeFileSync(
    file,
    text.replaceAll('127.0.0.1:1514', `127.0.0.1:${front.reporting}`).replaceAll('127.0.0.1:1515', `127.0.0.1:${front.register}`),
  )
  const child: ChildProcess = spawn(program, [...flags(file)], { stdio: ['ignore', 'ignore', 'inherit'] })
  try {
    await waitFor(`${program} listens`, async () => (await answers(front.reporting)) && (await answers(front.register)))
    await use(front)
  } finally {
    const ended = once(child, 'close')
    child.kill('SIGTERM')
    await ended
  }
}

const agentCount = 12

interface Account {
  readonly events: { readonly sent: number; readonly received: number; readonly lost: number }
  readonly counts: { readonly enrolled: number; readonly connected: number }
}

interface Listed {
  readonly id: string
  readonly node_name?: string
  readonly status: string
  readonly lastKeepAlive?: string
}

/** The node of each agent that was seen there after `sinceMs`; the manager itself is 000 in the list. */
const seenAt = ({ out }: Ran, sinceMs: number): readonly string[] => {
  const { items = [] } = JSON.parse(out || '{}') as { readonly items?: readonly Listed[] }
  const isSeen = ({ id, lastKeepAlive = '', status }: Listed): boolean =>
    id !== '000' && status === 'active' && Date.parse(lastKeepAlive) > sinceMs
  return items.filter(isSeen).flatMap(({ node_name: node }) => (node ? [node] : []))
}

const busiest = (places: readonly string[]): string => {
  const count = (node: string): number => places.filter((place) => place === node).length
  return places.toSorted((a, b) => count(b) - count(a))[0] ?? master
}

describe.each([haproxy, nginx])('behind $program', (balancer) => {
  it.skipIf(isMissing(balancer.program, balancer.packages, balancer.files))(
    'agents enrol and report, and no taken event is lost when a node goes',
    () =>
      withCluster(
        [master, worker, secondWorker],
        async (cluster) => {
          await cluster.startAll()
          await withBalancer(balancer, cluster, async ({ register, reporting }) => {
            const names: readonly string[] = hosts.map(([, name]) => name)
            const enough = new AbortController()
            const run = cluster.agents(
              [
                ...['--agents', String(agentCount), '--servers', `127.0.0.1:${reporting}`, '--enrol', '--enrol-port', String(register)],
                ...['--enrol-delay', '0', '--retry-interval', '0.2', '--notify-time', '1', '--rate', '10', '--json'],
                ...['--account', ...names.map((name) => cluster.home(name))],
              ],
              enough.signal,
            )
            let places: readonly string[] = []
            const allAreSeen = (sinceMs: number): Promise<number> =>
              waitFor(
                'All agents are seen at nodes that are up',
                async () => {
                  const up = names.filter((name) => cluster.daemon(name).isRunning)
                  places = seenAt(await cluster.control(up[0] ?? master, ['-a', '--json']), sinceMs).filter((node) => up.includes(node))
                  return places.length === agentCount || `${places.length} are`
                },
                { everyMs: 200, deadlineMs: 40_000 },
              )
            await allAreSeen(0)
            await cluster.daemon(busiest(places)).kill()
            // What the table says of agents of the killed node is from before.
            const killedMs = Date.now()
            await cluster.startAll()
            await allAreSeen(killedMs)
            enough.abort()
            const { code, err, out } = await run
            const { counts, events } = JSON.parse(out) as Account
            expect({ code, err, lost: events.lost }).toMatchObject({ code: 0, lost: 0 })
            expect(counts).toMatchObject({ enrolled: agentCount, connected: agentCount })
            expect(events.received).toBeGreaterThan(agentCount * 10)
          })
        },
        true,
      ),
  )
})
