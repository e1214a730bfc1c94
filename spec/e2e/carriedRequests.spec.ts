/** Two daemons beside two managers: what the programs of one ask at its local socket is done by the daemons and the framework of the other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeBelow } from '../../examples/demo/nodeHome.js'
import type { ProcessCluster } from '../../examples/demo/processCluster.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import { askedDaemons } from '../../src/ports/manager.js'
import { clusterJson, isAlive, master, withCluster, worker } from '../support/daemons.js'
import { isMissing } from '../support/debianProgram.js'
import { FakeManagerDaemons } from '../support/manager/fakeManagerDaemons.js'
import { addFramework, setCase, standInRequest } from '../support/manager/frameworkHome.js'
import { askAsC, askAsPython } from '../support/manager/wazuhLocalClient.js'

const isNoPython = isMissing('python3', 'python3')
const nodes = [master, worker]

const withManagers = (use: (cluster: ProcessCluster, daemons: FakeManagerDaemons) => Promise<void>): Promise<void> =>
  withCluster(nodes, async (cluster) => {
    for (const name of nodes) {
      writeBelow(cluster.home(name), 'bin/wazuh-control', '#!/bin/sh\nVERSION="v4.14.7"\n', 0o750)
      writeBelow(cluster.home(name), 'etc/client.keys', `001 web any ${'a'.repeat(64)}\n`, 0o640)
    }
    const daemons = new FakeManagerDaemons(cluster.masterHome)
    const workersOwn = new FakeManagerDaemons(cluster.home(worker), 'worker')
    try {
      await daemons.start(...askedDaemons)
      await workersOwn.start('authd')
      await use(cluster, daemons)
      expect(workersOwn.asked).toEqual([])
    } finally {
      await Promise.all([daemons.stop(), workersOwn.stop()])
    }
  })

const sendsync = (home: string, daemon_name: string, message: object) => askAsC(home, 'sendsync', JSON.stringify({ daemon_name, message }))
const add = (name: string) => ({ arguments: { name, ip: 'any' }, function: 'add' })

describe("a worker's daemons", () => {
  it('are answered by those of the master, and by no others: enrolment, removal, groups, upgrades', () =>
    withManagers(async (cluster, daemons) => {
      await cluster.startAll()
      const home = cluster.home(worker)
      const enrolled = await sendsync(home, 'authd', add('web'))
      expect([enrolled.command, JSON.parse(enrolled.text)]).toMatchObject(['ok', { error: 0, data: { id: '001', name: 'web', ip: 'any' } }])
      expect(JSON.parse((await sendsync(home, 'authd', add('web'))).text)).toMatchObject({ error: 9008 })
      const removal = { arguments: { id: '001', purge: 1 }, function: 'remove' }
      expect(JSON.parse((await sendsync(home, 'authd', removal)).text)).toEqual({ error: 0, data: 'Agent deleted successfully.' })
      const group = { command: 'assigngroup', parameters: { agent: '001', md5: 'x' } }
      expect(JSON.parse((await sendsync(home, 'remoted', group)).text)).toMatchObject({ error: 0, data: { group: 'default' } })
      const upgrade = { origin: { module: 'upgrade_module' }, command: 'upgrade', parameters: { agents: [1] } }
      expect(JSON.parse((await sendsync(home, 'task-manager', upgrade)).text)).toMatchObject({ error: 0 })
      expect(daemons.asked.map(({ daemon, message }) => [daemon, JSON.parse(message)])).toEqual([
        ['authd', add('web')],
        ['authd', add('web')],
        ['authd', removal],
        ['remoted', group],
        ['task-manager', upgrade],
      ])
      expect((await sendsync(home, 'wazuh-db', {})).text).toContain('authd, remoted, task-manager')
      expect(daemons.asked).toHaveLength(5)

      // Many agents at once.
      const many = await Promise.all(Array.from({ length: 60 }, (_, index) => sendsync(home, 'authd', add(`a${index}`))))
      expect(many.map(({ text }) => JSON.parse(text).error)).toEqual(many.map(() => 0))

      await daemons.stop('authd')
      expect((await sendsync(home, 'authd', add('late'))).text).toContain('wazuh-authd (queue/sockets/auth) is not running')
      await daemons.start('authd')
      expect(JSON.parse((await sendsync(home, 'authd', add('late'))).text)).toMatchObject({ error: 0 })
      const log = cluster.daemon(master).lines.join('\n')
      expect(log).toContain(`[Worker ${worker}] [Sendsync] A request to authd`)
      expect(log).not.toContain(daemons.authd.agents.get('001')?.key)

      await cluster.daemon(master).kill()
      await waitFor('The worker without a master', async () => (await sendsync(home, 'authd', add('x'))).text.includes('3023'))
      expect((await sendsync(home, 'authd', add('x'))).command).toBe('err')
    }))
})

describe.skipIf(isNoPython)("Wazuh's distributed API", () => {
  it('is carried out by the framework of the node that it is for, which ends with its daemon', () =>
    withManagers(async (cluster) => {
      for (const name of nodes) addFramework(cluster.home(name))
      await cluster.startAll()
      const [masterHome, workerHome] = [cluster.masterHome, cluster.home(worker)]
      const forward = (request: Buffer): Buffer => Buffer.concat([Buffer.from(`${worker} `), request])
      const where = async (home: string, command: string, request: Buffer): Promise<{ pid: number; cwd: string }> =>
        JSON.parse((await askAsPython(home, command, request)).text)

      const [onMaster, fromWorker, onWorker] = [
        await where(masterHome, 'dapi', standInRequest('process')),
        await where(workerHome, 'dapi', standInRequest('process')),
        await where(masterHome, 'dapi_fwd', forward(standInRequest('process'))),
      ]
      expect([onMaster.cwd, fromWorker.cwd, onWorker.cwd]).toEqual([masterHome, masterHome, workerHome])
      expect(fromWorker.pid).toBe(onMaster.pid)

      // A recorded request, as cluster_control on a worker sends it.
      const recorded = readFileSync(new URL('../vectors/wazuh/dapi.jsonl', import.meta.url), 'utf8')
        .split('\n')
        .slice(1, -1)
        .map((line) => JSON.parse(line))
        .find((row) => row.case === 'cluster_control -a on a worker' && row.command === 'dapi')
      setCase(masterHome, 'm1', recorded.case)
      const { text } = await askAsPython(workerHome, 'dapi', recorded.request)
      expect(JSON.parse(text)).toEqual(JSON.parse(recorded.answer))

      const large = await askAsPython(workerHome, 'dapi', standInRequest('large', { chars: 12_000_000 }))
      expect(large.text).toHaveLength(12_000_002)
      const failed = await askAsPython(masterHome, 'dapi_fwd', forward(standInRequest('fail', { code: 1701 })))
      expect([failed.command, JSON.parse(failed.text)]).toMatchObject(['dapi_err', { __wazuh_exception__: { __object__: { code: 1701 } } }])
      const unknown = await askAsPython(masterHome, 'dapi_fwd', 'nobody {}')
      expect([unknown.command, JSON.parse(unknown.text)]).toMatchObject(['err', { __wazuh_exception__: { __object__: { code: 3022 } } }])

      process.kill(onMaster.pid, 'SIGKILL')
      await cluster.daemon(master).logged('was ended by SIGKILL')
      const again = await where(workerHome, 'dapi', standInRequest('process'))
      expect(again.pid).not.toBe(onMaster.pid)
      // kill -9 of the daemon, and an end in order.
      await cluster.daemon(master).kill()
      await waitFor('The end of its framework', () => !isAlive(again.pid))
      expect((await cluster.daemon(worker).stop()).code).toBe(0)
      expect(isAlive(onWorker.pid)).toBe(false)
    }))

  it('is answered with a clean error where the bridge is off, and where the manager has no Python', () =>
    withManagers(async (cluster) => {
      addFramework(cluster.home(worker))
      cluster.configure(worker, { clusterJson: { ...clusterJson, api_bridge: 'off' } })
      await cluster.startAll()
      for (const [command, payload, says] of [
        ['dapi', '{}', join(cluster.masterHome, 'framework/python/bin/python3')],
        ['dapi_fwd', `${worker} {}`, 'api_bridge'],
      ] as const) {
        const { command: answered, text } = await askAsPython(cluster.masterHome, command, payload)
        const { code, extra_message } = JSON.parse(text).__wazuh_exception__.__object__
        expect([answered, code, extra_message]).toEqual([expect.stringMatching(/err$/), 1000, expect.stringContaining(says)])
      }
    }))
})
