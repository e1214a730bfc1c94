/** Agents at real daemons: they enrol through a worker, report there, get their configuration, move at a drain, a kill and an order, and lose nothing. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeBelow } from '../../../examples/demo/nodeHome.js'
import type { ProcessCluster, Ran } from '../../../examples/demo/processCluster.js'
import { waitFor } from '../../../examples/demo/waitFor.js'
import { master, secondWorker, withCluster, worker } from '../../support/daemons.js'

const agentCount = 20

interface Account {
  readonly events: { readonly sent: number; readonly received: number; readonly lost: number; readonly duplicated: number }
  readonly counts: { readonly enrolled: number; readonly forcedReconnects: number; readonly configurationsTaken: number }
}

interface ShownAgent {
  readonly id: string
  readonly name: string
  readonly node_name?: string
  readonly status: string
}

const agentsShown = async (cluster: ProcessCluster, node: string): Promise<readonly ShownAgent[]> => {
  const { items = [] } = JSON.parse((await cluster.control(node, ['-a', '--json'])).out || '{}') as {
    readonly items?: readonly ShownAgent[]
  }
  return items.filter(({ id }) => id !== '000')
}

const untilAllAt = (cluster: ProcessCluster, asked: string, nodes: readonly string[]): Promise<number> =>
  waitFor(
    `All agents are active at ${nodes.join(' or ')}`,
    async () => {
      const there = (await agentsShown(cluster, asked)).filter(
        ({ node_name: node = '', status }) => status === 'active' && nodes.includes(node),
      )
      return there.length === agentCount || `${there.length} are`
    },
    { everyMs: 200, deadlineMs: 40_000 },
  )

const healthOf = async (cluster: ProcessCluster, node: string): Promise<Record<string, { info: { listener?: Record<string, number> } }>> =>
  (JSON.parse((await cluster.control(node, ['-i', 'more', '--json'])).out) as { nodes: never }).nodes

const segmentsOf = (cluster: ProcessCluster, node: string): string => {
  const directory = join(cluster.home(node), 'queue/events')
  return readdirSync(directory)
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('')
}

/** Agents that know the two workers in this order. */
const startAgents = (cluster: ProcessCluster, signal: AbortSignal): Promise<Ran> => {
  const servers = [worker, secondWorker].map((name) => `127.0.0.1:${cluster.agentPorts(name).listener}`)
  return cluster.agents(
    [
      ...['--agents', String(agentCount), '--servers', servers.join(','), '--enrol'],
      ...['--enrol-port', String(cluster.agentPorts(worker).enrolment), '--enrol-delay', '0', '--retry-interval', '0.2'],
      ...['--max-retries', '2', '--notify-time', '1', '--rate', '20', '--json', '--account'],
      ...[master, worker, secondWorker].map((name) => cluster.home(name)),
    ],
    signal,
  )
}

describe('agents at real daemons', () => {
  it('enrol through a worker, report, are configured, move when they have to, and lose no taken event', () =>
    withCluster(
      [master, worker, secondWorker],
      async (cluster) => {
        writeBelow(cluster.masterHome, 'etc/shared/default/agent.conf', '<agent_config></agent_config>\n')
        await cluster.startAll()
        const enough = new AbortController()
        const run = startAgents(cluster, enough.signal)
        // A key is at the worker a moment after the agent has it, who may have gone on to the next server by then.
        await untilAllAt(cluster, master, [worker, secondWorker])
        const modeOf = (path: string): number => statSync(join(cluster.home(worker), path)).mode & 0o777
        expect([modeOf('queue/events'), modeOf('queue/rids')]).toEqual([0o750, 0o770])

        // An order at one node reaches the agents of another.
        const asked = await cluster.run('agent_control', secondWorker, ['--reconnect', '--all', '-fn', worker, secondWorker, '--json'])
        expect(JSON.parse(asked.out)).toMatchObject({ error: 0, data: { total: agentCount } })
        await waitFor('What the listeners count is shown', async () => {
          const shown = await healthOf(cluster, master)
          const connected = [worker, secondWorker].map((name) => shown[name]?.info.listener?.['connected_agents'] ?? 0)
          return connected.reduce((sum, count) => sum + count, 0) === agentCount || connected.join(' and ')
        })
        expect((await cluster.control(master, ['-i', 'more'])).out).toMatch(
          /Agents report to: [\d.:]+\/TCP,UDP\n {8}Connected agents: \d+\n {8}Events: \d+ taken, 0 dropped\n/,
        )
        expect((await cluster.control(master, ['-i'])).out).not.toContain('Connected agents')

        // A drained node lets its agents go, and nobody in, after a restart too.
        const drained = await cluster.control(secondWorker, ['--drain', worker, '-q'])
        expect(drained.out).toBe(`Node '${worker}' is drained.\n`)
        await untilAllAt(cluster, master, [secondWorker])
        await cluster.daemon(worker).stop()
        const again = cluster.start(worker)
        await again.logged('Successfully connected to master')
        expect((await cluster.control(master, ['-l'])).out).toMatch(/ADDRESS +STATE/)
        expect(again.lines.join('\n')).not.toContain('Listening on port')
        expect((await cluster.control(worker, ['--ready', worker, '-q'])).out).toBe(`Node '${worker}' is ready.\n`)
        await again.logged('Listening on port')

        const { tookMs } = await cluster.daemon(worker).stop()
        expect(tookMs).toBeLessThan(10_000)
        await untilAllAt(cluster, master, [secondWorker])
        await cluster.start(worker).logged('Successfully connected to master')
        await cluster.daemon(secondWorker).kill()
        await untilAllAt(cluster, master, [worker])
        enough.abort()
        const { code, err, out } = await run
        const { counts, events } = JSON.parse(out) as Account
        expect({ code, err, lost: events.lost }).toMatchObject({ code: 0, lost: 0 })
        expect(counts).toMatchObject({ enrolled: agentCount })
        expect(counts.forcedReconnects).toBeGreaterThanOrEqual(agentCount)
        expect(counts.configurationsTaken).toBeGreaterThanOrEqual(agentCount)
        expect(events.received).toBeGreaterThan(agentCount * 20)
        const [line = ''] = segmentsOf(cluster, secondWorker).split('\n')
        expect(JSON.parse(line)).toMatchObject({ manager: {}, cluster: { name: 'wazuh', node: secondWorker } })
      },
      true,
    ))

  it('are accounted for with given keys and an ossec.conf, over UDP and with Blowfish', () =>
    withCluster(
      [master],
      async (cluster) => {
        await cluster.startAll()
        const { enrolment, listener } = cluster.agentPorts(master)
        await cluster.daemon(master).logged(`Listening on port ${listener}/`)
        await cluster.daemon(master).logged(`Accepting connections on port ${enrolment}.`)
        const keys = join(cluster.home(master), 'saved.keys')
        const common = ['--agents', '4', '--rate', '20', '--json', '--account', cluster.home(master)]
        const first = await cluster.agents([
          ...[
            '--servers',
            `127.0.0.1:${listener}`,
            '--enrol',
            '--enrol-port',
            String(enrolment),
            '--enrol-delay',
            '0',
            '--save-keys',
            keys,
          ],
          ...['--retry-interval', '0.2', '--duration', '3', ...common],
        ])
        expect(first).toMatchObject({ code: 0, err: '' })
        expect(JSON.parse(first.out)).toMatchObject({ counts: { enrolled: 4 }, events: { lost: 0, datagramsMissing: 0 } })
        expect(statSync(keys).mode & 0o777).toBe(0o600)

        const conf = join(cluster.home(master), 'agent.conf')
        const server = `<server><address>127.0.0.1</address><port>${listener}</port><protocol>udp</protocol></server>`
        writeFileSync(conf, `<ossec_config><client>${server}<crypto_method>blowfish</crypto_method></client></ossec_config>`)
        const second = await cluster.agents(['--keys', keys, '--ossec-conf', conf, '--duration', '3', ...common])
        expect(second).toMatchObject({ code: 0, err: '' })
        const { counts, events } = JSON.parse(second.out)
        expect(counts).toMatchObject({ connected: 4, enrolled: 0 })
        expect(events).toMatchObject({ lost: 0, inFlight: 0, duplicated: 0, strange: 0 })
        expect(events.received + events.datagramsMissing).toBe(events.sent)
        expect(events.received).toBeGreaterThan(20)
      },
      true,
    ))

  it('find a node that says what is wrong with its blocks, and one whose ports are a real manager’s', () =>
    withCluster(
      [master],
      async (cluster) => {
        const file = join(cluster.home(master), 'etc/ossec.conf')
        const sound = readFileSync(file, 'utf8')
        writeFileSync(file, sound.replace('<protocol>tcp,udp</protocol>', '<protocol>sctp</protocol>'))
        const refused = cluster.start(master)
        await refused.ended
        expect(refused.lines.join('\n')).toContain(`${file}: <remote><protocol> is "sctp": must be tcp, udp, or both with a comma between`)
        writeFileSync(file, sound)
        mkdirSync(join(cluster.home(master), 'bin'))
        writeFileSync(join(cluster.home(master), 'bin/wazuh-control'), '')
        const beside = cluster.start(master)
        await beside.logged('Enrolment (<auth>) and the listener of agents (<remote>) are off: wazuh-authd and wazuh-remoted')
        await beside.logged('Serving on')
        expect(beside.lines.join('\n')).not.toContain('Listening on port')
      },
      true,
    ))
})
