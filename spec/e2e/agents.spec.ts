/** Agents on real daemons: enrolled, reported, grouped and removed through the programs; tables that are locked, broken or killed. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { describe, expect, it } from 'vitest'
import { replaceBelow } from '../../examples/demo/nodeHome.js'
import type { ProcessCluster } from '../../examples/demo/processCluster.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import type { AgentReport } from '../../src/domain/agents/agentReport.js'
import type { AgentRow } from '../../src/domain/queries/agentAnswer.js'
import { ask } from '../../src/localSocket/controlClient.js'
import { controlSocketPath } from '../../src/localSocket/controlSocketPath.js'
import { agentTablePath } from '../../src/platform/agents/agentTablePath.js'
import { master, secondWorker, withCluster, worker } from '../support/daemons.js'

const table = agentTablePath
const { signal } = new AbortController()

/** Reports agents to a node, as the listener beside it would. */
const report = async (cluster: ProcessCluster, node: string, reports: readonly AgentReport[]): Promise<void> => {
  const lines: unknown[] = []
  for await (const line of ask({ socketPath: controlSocketPath(cluster.home(node)), request: { kind: 'report', reports }, signal }))
    lines.push(line)
  expect(lines).toMatchObject([{ kind: 'reported', unknown: 0, refused: 0 }])
}

/** The agents that a node lists, except the manager itself. */
const listed = async (cluster: ProcessCluster, node: string): Promise<readonly AgentRow[]> => {
  const rows: AgentRow[] = []
  for await (const line of ask({ socketPath: controlSocketPath(cluster.home(node)), request: { kind: 'agents' }, signal }))
    if (line.kind === 'agents') rows.push(...line.rows)
  return rows.filter(([id]) => id !== 0)
}

const placesOf = (rows: readonly AgentRow[]): readonly string[] => rows.map(([id, , , status, , node]) => `${id} ${status} ${node}`)

const untilListed = (cluster: ProcessCluster, wanted: readonly string[]): Promise<unknown> =>
  waitFor(`The agents ${wanted.join(', ')}`, async () => {
    const places = placesOf(await listed(cluster, master).catch(() => []))
    return places.join(', ') === wanted.join(', ') || places.join(', ')
  })

const enrol = async (cluster: ProcessCluster, name: string): Promise<void> => {
  const { code, err } = await cluster.run('agent_control', master, ['--add', name])
  expect({ code, err }).toEqual({ code: 0, err: '' })
}

const keysOf = (cluster: ProcessCluster, node: string): string => readFileSync(join(cluster.home(node), 'etc/client.keys'), 'utf8')

/** The rows of a node's table of agents, as any program can read them. */
const tableOf = (cluster: ProcessCluster, node: string): readonly unknown[] => {
  const database = new Database(join(cluster.home(node), table), { readonly: true })
  try {
    return database.prepare('SELECT id, name, ip, key, groups, group_hash FROM agent ORDER BY id').all()
  } finally {
    database.close()
  }
}

const allTablesTheSame = (cluster: ProcessCluster): Promise<unknown> =>
  waitFor('The same agents in every table', () => {
    if (!cluster.workers.every((name) => existsSync(join(cluster.home(name), table)))) return false
    const wanted = JSON.stringify(tableOf(cluster, master))
    return cluster.workers.every((name) => JSON.stringify(tableOf(cluster, name)) === wanted)
  })

describe('agents', () => {
  it('are enrolled, reported, moved, grouped and removed, and every node knows', () =>
    withCluster([master, worker, secondWorker], async (cluster) => {
      await cluster.startAll()
      for (const name of ['web', 'db']) await enrol(cluster, name)
      await allTablesTheSame(cluster)
      await report(cluster, worker, [{ id: 1, kind: 'startup' }])
      await report(cluster, worker, [{ id: 1, kind: 'keepAlive', facts: { version: 'Wazuh v4.14.7', ip: '10.0.0.1' } }])
      await untilListed(cluster, [`1 active ${worker}`, '2 never_connected '])
      await report(cluster, secondWorker, [{ id: 1, kind: 'startup' }])
      await report(cluster, worker, [{ id: 1, kind: 'lost' }])
      await untilListed(cluster, [`1 pending ${secondWorker}`, '2 never_connected '])
      expect((await cluster.control(secondWorker, ['-a'])).out).toContain('001  web ')

      await cluster.run('agent_groups', master, ['-q', '-a', '-g', 'linux'])
      await cluster.run('agent_groups', master, ['-q', '-a', '-i', '001', '-g', 'linux'])
      const merged = join(cluster.home(worker), 'var/multigroups')
      await waitFor('The merged file of both groups on a worker', () => existsSync(merged) && readdirSync(merged).length === 1)
      await allTablesTheSame(cluster)
      expect((await cluster.run('agent_groups', master, ['-s', '-i', '1'])).out).toContain('default, linux')

      const counters = join(cluster.home(worker), 'queue/rids')
      mkdirSync(counters, { recursive: true })
      writeFileSync(join(counters, '001'), '1:1:')
      expect((await cluster.run('agent_control', master, ['-q', '--remove', '1'])).code).toBe(0)
      await waitFor('The counters of the removed agent gone', () => !existsSync(join(counters, '001')))
      await allTablesTheSame(cluster)
      for (const name of [master, worker, secondWorker]) expect(keysOf(cluster, name)).toMatch(/^001 !web any /)
      await enrol(cluster, 'mail')
      await untilListed(cluster, ['2 never_connected ', '3 never_connected '])
      const said = readFileSync(join(cluster.masterHome, 'logs/cluster.log'), 'utf8')
      for (const sentence of [
        "Agent 'web' was enrolled as 001.",
        "Group 'linux' was created.",
        'The groups of agent 001 were changed.',
        'Agent 001 was removed.',
      ])
        expect(said).toContain(` INFO: [Master] [Local agents] ${sentence}\n`)
    }))

  it('have their groups changed from a worker too, which says where agent_control works', () =>
    withCluster([master, worker], async (cluster) => {
      await cluster.startAll()
      const sentence = 'agent_control is not available in worker nodes. Please, try again in the master node: 127.0.0.1.'
      const refused = await cluster.run('agent_control', worker, ['-l'])
      expect(refused).toEqual({ code: 1, out: '', err: `ERROR: Wazuh is running in cluster mode: ${sentence}\n` })
      const created = await cluster.run('agent_groups', worker, ['-q', '-a', '-g', 'linux'])
      expect(created).toEqual({ code: 0, out: "Group 'linux' created.\n", err: '' })
      expect((await cluster.run('agent_groups', master, ['-l'])).out).toContain('  linux (0)\n')
      const log = readFileSync(join(cluster.home(master), 'logs/cluster.log'), 'utf8')
      expect(log).toContain(` INFO: [Worker ${worker}] [Local agents] Group 'linux' was created.\n`)
    }))
})

describe("a node's table of agents", () => {
  it('delays no file and no keep-alive while something else holds it locked', () =>
    withCluster([master, worker], async (cluster) => {
      await cluster.startAll()
      await enrol(cluster, 'web')
      await allTablesTheSame(cluster)
      const locks = [master, worker].map((name) => {
        const database = new Database(join(cluster.home(name), table))
        database.exec('BEGIN EXCLUSIVE')
        return database
      })
      const reporting = report(cluster, worker, [{ id: 1, kind: 'startup' }])
      let isReported = false
      void reporting.then(() => {
        isReported = true
      })
      const [before] = await beats(cluster)
      replaceBelow(cluster.masterHome, 'etc/lists/edited', 'edited')
      const copy = join(cluster.home(worker), 'etc/lists/edited')
      await waitFor('The edit on the worker', () => existsSync(copy))
      // The daemons of this suite send keep-alives every second.
      await waitFor('Another keep-alive', async () => (await beats(cluster))[0] !== before)
      expect(isReported).toBe(false)
      for (const database of locks) {
        database.exec('ROLLBACK')
        database.close()
      }
      await reporting
      await untilListed(cluster, [`1 pending ${worker}`])
    }))

  it("is set aside when damaged, and filled again by client.keys and the workers' reports and groups", () =>
    withCluster([master, worker], async (cluster) => {
      await cluster.startAll()
      for (const name of ['web', 'db']) await enrol(cluster, name)
      await cluster.run('agent_groups', master, ['-q', '-a', '-g', 'linux'])
      await cluster.run('agent_groups', master, ['-q', '-a', '-i', '001', '-g', 'linux'])
      await report(cluster, worker, [{ id: 2, kind: 'keepAlive', facts: { version: 'Wazuh v4.14.7' } }])
      const listed = ['1 never_connected ', `2 active ${worker}`]
      await untilListed(cluster, listed)
      await allTablesTheSame(cluster)
      const path = join(cluster.masterHome, table)
      await cluster.daemon(master).kill()
      writeFileSync(path, 'this is no database'.repeat(1_000))
      await cluster.startAll()
      await untilListed(cluster, listed)
      const groupsOf = async (id: string) => (await cluster.run('agent_groups', master, ['-s', '-i', id])).out
      await waitFor('The groups of agent 001', async () => (await groupsOf('1')).includes('linux'))
      expect(await groupsOf('2')).toContain('default')
      expect(readdirSync(join(path, '..')).filter((name) => name.includes('corrupt'))).not.toEqual([])
      expect(cluster.daemon(master).lines.join('\n')).toContain('ERROR: [Master] [Local agents]')
      await allTablesTheSame(cluster)
    }))
})

/** When the master last received a keep-alive from each worker. */
const beats = async (cluster: ProcessCluster): Promise<readonly (number | undefined)[]> => {
  const times: (number | undefined)[] = []
  for await (const line of ask({ socketPath: controlSocketPath(cluster.masterHome), request: { kind: 'health' }, signal }))
    if (line.kind === 'health' && line.node.type === 'worker') times.push(line.node.worker?.lastKeepAliveMs)
  return times
}
