/**
 * The HAProxy helper of a real master over the runtime socket of a real HAProxy (examples/load-balancing): nodes that join get agents at
 * once and without a reload, nodes that leave lose them, and no event is lost that a node has taken.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { HelpedCluster } from '../../../examples/demo/helpedCluster.js'
import type { ProcessCluster } from '../../../examples/demo/processCluster.js'
import { waitFor } from '../../../examples/demo/waitFor.js'
import { createRuntimeSocket } from '../../../src/platform/balancer/runtimeSocket.js'
import type { BalancerServer } from '../../../src/ports/balancer.js'
import { master, repository, secondWorker, withCluster, worker } from '../../support/daemons.js'
import { isMissing } from '../../support/debianProgram.js'

const going = new AbortController().signal
const names = [master, worker, secondWorker] as const
const backend = 'wazuh_reporting'
const agentCount = 12
/** From the moment that a worker is in, and listens, until HAProxy sends it agents. */
const joinMsMax = 3_000

const helper = {
  frequency: '10',
  agent_reconnection_time: '0',
  agent_reconnection_stability_time: '10',
  remove_disconnected_node_after: '0',
}

const withHelper = async (
  cluster: ProcessCluster,
  use: (helped: HelpedCluster, servers: () => Promise<readonly BalancerServer[]>) => Promise<void>,
): Promise<void> => {
  const example = readFileSync(join(repository, 'examples/load-balancing/haproxy-runtime.cfg'), 'utf8')
  const helped = await HelpedCluster.prepare({ cluster, nodes: names, example, connectionsMax: 500, helper })
  const { listener } = cluster.agentPorts(master)
  const balancer = createRuntimeSocket({ socket: { path: helped.haproxy.socket }, backend, agentsPort: listener })
  try {
    await helped.haproxy.start()
    await use(helped, () => balancer.servers(going))
  } finally {
    await helped.haproxy.stop()
  }
}

interface Account {
  readonly events: { readonly received: number; readonly lost: number }
  readonly counts: { readonly connected: number; readonly forcedReconnects: number; readonly movesOfOneMax: number }
}

const sessionsOf = (servers: readonly BalancerServer[]): Readonly<Record<string, number>> =>
  Object.fromEntries(servers.map(({ name, sessions }) => [name, sessions]))

describe.skipIf(isMissing('haproxy', 'haproxy'))('the HAProxy helper', () => {
  it('gives agents to nodes that join, without a reload, takes out those that leave, and loses no event', () =>
    withCluster(
      names,
      (cluster) =>
        withHelper(cluster, async ({ agentFlags, haproxy }, servers) => {
          const { pid } = haproxy
          for (const name of [master, worker]) cluster.start(name)
          await cluster.daemon(master).logged('[HAPHelper] [Main] Starting HAProxy Helper')
          const allUp = (count: number) =>
            waitFor(`${count} servers are up`, async () => {
              const up = (await servers()).filter(({ isUp }) => isUp)
              return up.length === count || JSON.stringify(await servers())
            })
          await allUp(2)
          const enough = new AbortController()
          const run = cluster.agents(
            [
              ...['--agents', String(agentCount), ...agentFlags, '--enrol-delay', '0', '--json'],
              ...['--retry-interval', '0.2', '--notify-time', '1', '--rate', '10'],
              ...['--account', ...names.map((name) => cluster.home(name))],
            ],
            enough.signal,
          )
          const spread = (wanted: Readonly<Record<string, number>>) =>
            waitFor(`Agents are at ${JSON.stringify(wanted)}`, async () => {
              const seen = JSON.stringify(sessionsOf(await servers()))
              return seen === JSON.stringify(wanted) || seen
            })
          await spread({ [master]: 6, [worker]: 6 })

          const mark = cluster.daemon(master).mark()
          const joining = cluster.start(secondWorker)
          await joining.logged('Successfully connected to master')
          await joining.logged(/Listening on port \d+/)
          const tookMs = await allUp(3)
          console.info(`${secondWorker} was up in HAProxy ${Math.round(tookMs)} ms after it had joined and listened.`)
          expect(tookMs).toBeLessThan(joinMsMax)
          await cluster.daemon(master).logged(`Server '${secondWorker}' was added`, mark)
          await cluster.daemon(master).logged('4 agents were asked to reconnect', mark)
          await spread({ [master]: 4, [worker]: 4, [secondWorker]: 4 })

          await cluster.daemon(worker).stop()
          await spread({ [master]: 6, [secondWorker]: 6 })
          expect(haproxy.pid).toBe(pid)
          enough.abort()
          const { code, err, out } = await run
          const { counts, events } = JSON.parse(out) as Account
          expect({ code, err, lost: events.lost }).toMatchObject({ code: 0, lost: 0 })
          expect(counts).toMatchObject({ connected: agentCount })
          expect(events.received).toBeGreaterThan(agentCount * 10)
        }),
      'ownAddresses',
    ))
})
