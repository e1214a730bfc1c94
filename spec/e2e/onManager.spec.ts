/** Daemons in the homes of pretended managers, whose wazuh-db, authd, remoted and analysisd answer as recorded: the whole of a drop-in. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { replaceBelow, writeBelow } from '../../examples/demo/nodeHome.js'
import type { ProcessCluster } from '../../examples/demo/processCluster.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import { master, secondWorker, withCluster, worker } from '../support/daemons.js'
import { FakeManagerDaemons } from '../support/manager/fakeManagerDaemons.js'
import { askDaemon } from '../support/manager/wazuhClient.js'
import { FakeWazuhDb } from '../support/manager/wazuhDb/fakeWazuhDb.js'

const nodes = [master, worker, secondWorker]

class Managers {
  readonly #cluster: ProcessCluster
  readonly #dbs = new Map<string, FakeWazuhDb>()
  readonly #daemons = new Map<string, FakeManagerDaemons>()

  constructor(cluster: ProcessCluster) {
    this.#cluster = cluster
  }

  async start(): Promise<void> {
    for (const name of nodes) {
      const home = this.#cluster.home(name)
      const role = name === master ? 'master' : 'worker'
      writeBelow(home, 'bin/wazuh-control', '#!/bin/sh\n', 0o750)
      const daemons = new FakeManagerDaemons(home, role)
      const db = new FakeWazuhDb({ home, role, nodeName: name })
      this.#daemons.set(name, daemons)
      this.#dbs.set(name, db)
      await db.start()
      await daemons.start('authd', 'remoted', 'analysis')
    }
  }

  db(name: string): FakeWazuhDb {
    const db = this.#dbs.get(name)
    if (!db) throw new Error(`There is no wazuh-db of ${name}`)
    return db
  }

  daemons(name: string): FakeManagerDaemons {
    const daemons = this.#daemons.get(name)
    if (!daemons) throw new Error(`There are no daemons of ${name}`)
    return daemons
  }

  /** As authd does on the master, and modulesd after it there. */
  register(ids: readonly number[]): void {
    const nameOf = (id: number): string => `web-${id}`
    const lines = ids.map((id) => `${String(id).padStart(3, '0')} ${nameOf(id)} any ${String(id).repeat(64).slice(0, 64)}\n`)
    for (const id of ids) this.db(master).insertAgent(id, nameOf(id))
    replaceBelow(this.#cluster.masterHome, 'etc/client.keys', lines.join(''))
  }

  async close(): Promise<void> {
    for (const db of this.#dbs.values()) await db.close()
    for (const daemons of this.#daemons.values()) await daemons.stop()
  }
}

const withManagers = (use: (cluster: ProcessCluster, managers: Managers) => Promise<void>): Promise<void> =>
  withCluster(nodes, async (cluster) => {
    const managers = new Managers(cluster)
    try {
      await managers.start()
      await use(cluster, managers)
    } finally {
      await managers.close()
    }
  })

const stateOf = (db: FakeWazuhDb, id: number): unknown =>
  db.sql(`SELECT node_name, connection_status, version, os_name FROM agent WHERE id = ${id}`)[0]

const shown = (value: unknown): string => JSON.stringify(value)

const becomes = async (what: string, read: () => unknown, wanted: unknown): Promise<void> => {
  await waitFor(what, () => shown(read()) === shown(wanted) || shown(read()), { everyMs: 50 })
}

describe('beside real managers', () => {
  it('states, groups, files and enrolments go where they belong, and nothing else of a manager is touched', () =>
    withManagers(async (cluster, managers) => {
      const ids = [1, 2, 3]
      managers.register(ids)
      for (const group of ['default', 'web']) {
        writeBelow(cluster.masterHome, `etc/shared/${group}/agent.conf`, '<agent_config/>')
        // On the master modulesd has entered it; on workers it does when the directory is there.
        managers.db(master).insertGroup(group)
      }
      await cluster.startAll()
      await cluster.allTheSame()
      const listed = JSON.parse((await askDaemon(cluster.home(worker), 'get_nodes', '{}')).payload) as { items: { name: string }[] }
      expect(listed.items.map(({ name }) => name)).toEqual(nodes)

      // An agent reports at a worker, another one at the other, and goes on to the first.
      const facts = { version: 'Wazuh v4.14.7', os_name: 'Debian GNU/Linux', ip: '10.0.0.1' }
      const [first, second] = [managers.db(worker), managers.db(secondWorker)]
      for (const db of [first, second]) for (const id of ids) db.insertAgent(id, `web-${id}`)
      first.agentStarts(1)
      first.agentSendsKeepAlive(1, facts)
      second.agentStarts(2)
      second.agentSendsKeepAlive(2, facts)
      const state = (node: string, status: string) => ({
        node_name: node,
        connection_status: status,
        version: facts.version,
        os_name: facts.os_name,
      })
      await becomes("The first agent in the master's wazuh-db", () => stateOf(managers.db(master), 1), state(worker, 'active'))
      await becomes("The second agent in the master's wazuh-db", () => stateOf(managers.db(master), 2), state(secondWorker, 'active'))
      first.agentStarts(2)
      first.agentSendsKeepAlive(2, facts)
      await becomes('The agent at its other node', () => stateOf(managers.db(master), 2), state(worker, 'active'))
      first.agentStops(1)
      await becomes('The agent that has ended', () => stateOf(managers.db(master), 1), state(worker, 'disconnected'))

      // Groups of the master's wazuh-db, when a worker's modulesd has entered them.
      managers.db(master).assignGroups(3, ['default', 'web'])
      for (const db of [first, second]) for (const group of ['default', 'web']) db.insertGroup(group)
      for (const db of [first, second]) await becomes("Groups in a worker's wazuh-db", () => db.groupsOf(3), ['default', 'web'])
      managers.db(master).assignGroups(3, ['web'])
      for (const db of [first, second]) await becomes('Groups without one of them', () => db.groupsOf(3), ['web'])
      expect(first.groupsHash()).toBe(managers.db(master).groupsHash())

      // An agent enrols at a worker's authd, which asks the master's.
      const enrolment = '{"daemon_name":"authd","message":{"arguments":{"name":"db-1","ip":"any"},"function":"add"}}'
      const { command, payload } = await askDaemon(cluster.home(secondWorker), 'sendsync', enrolment)
      expect([command, JSON.parse(payload)]).toEqual(['ok', { error: 0, data: expect.objectContaining({ name: 'db-1', ip: 'any' }) }])

      // Rules that changed are loaded on workers.
      managers.daemons(worker).answers.analysis = () => '{"error":0,"message":"ok","data":["WARNING: (7617): no such group"]}'
      replaceBelow(cluster.masterHome, 'etc/rules/local_rules.xml', '<group name="local"/>')
      const isReloaded = (): boolean =>
        managers.daemons(worker).asked.some(({ daemon, message }) => daemon === 'analysis' && message.includes('reload-ruleset'))
      await waitFor("A reload of the worker's rules", isReloaded)
      await cluster.daemon(worker).logged('WARNING: (7617): no such group')
      await waitFor(
        'The warning of the reload in the list of files',
        async () => (await cluster.control(master, ['-f'])).out.includes('(7617)'),
        { everyMs: 200 },
      )

      for (const name of nodes) {
        expect([name, readdirSync(join(cluster.home(name), 'queue/db'))]).toEqual([name, ['wdb']])
        expect([name, readdirSync(join(cluster.home(name), 'etc/shared/web'))]).toEqual([name, ['agent.conf']])
      }
      expect(readFileSync(join(cluster.masterHome, 'etc/client.keys'), 'utf8').split('\n')).toHaveLength(ids.length + 1)
    }))

  it('nothing is lost when wazuh-db is killed, and daemons with it', () =>
    withManagers(async (cluster, managers) => {
      managers.register([1, 2])
      await cluster.startAll()
      await cluster.allTheSame()
      const [own, first] = [managers.db(master), managers.db(worker)]
      for (const id of [1, 2]) first.insertAgent(id, `web-${id}`)
      first.commit()
      own.commit()
      first.agentStarts(1)
      first.agentSendsKeepAlive(1, { version: 'Wazuh v4.14.7' })
      await becomes('The agent on the master', () => own.sql('SELECT connection_status FROM agent WHERE id = 1')[0], {
        connection_status: 'active',
      })
      // What it had answered and not committed is gone with it.
      await own.kill()
      first.agentStarts(2)
      first.agentSendsKeepAlive(2, { version: 'Wazuh v4.14.7' })
      await cluster.daemon(worker).kill()
      await cluster.startAll()
      await own.start()
      const active = [{ connection_status: 'active' }, { connection_status: 'active' }]
      await becomes('Both agents on the master', () => own.sql('SELECT connection_status FROM agent WHERE id > 0 ORDER BY id'), active)
    }))
})
