/** Daemons beside managers, asked over Wazuh's local socket on both nodes: nodes, files, the master's daemons, the framework. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { replaceBelow, writeBelow } from '../../examples/demo/nodeHome.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import { wazuhSocketPath } from '../../src/localSocket/controlSocketPath.js'
import { exceptionIn, localClient, takeString } from '../localSocket/wazuh/localWorld.js'
import { master, withCluster, worker } from '../support/daemons.js'
import { isMissing } from '../support/debianProgram.js'
import { FakeManagerDaemons } from '../support/manager/fakeManagerDaemons.js'
import { addFramework, standInRequest } from '../support/manager/frameworkHome.js'

const nodes = [master, worker]
const script = '#!/bin/sh\nVERSION="v4.13.1"\n'
const blake2b = (content: string): string => createHash('blake2b512').update(content).digest('hex')

describe("Wazuh's local socket of real daemons", () => {
  it.skipIf(isMissing('python3', 'python3'))('answers on both nodes as the daemon of the manager does, and is gone with it', () =>
    withCluster(nodes, async (cluster) => {
      for (const name of nodes) writeBelow(cluster.home(name), 'bin/wazuh-control', script, 0o750)
      addFramework(cluster.masterHome)
      addFramework(cluster.home(worker))
      const daemons = new FakeManagerDaemons(cluster.masterHome)
      await daemons.start('authd')
      onTestFinished(() => daemons.stop())
      replaceBelow(cluster.masterHome, 'etc/rules/local_rules.xml', '<group/>')
      await cluster.startAll()
      await cluster.allTheSame()
      const ask = (name: string, command: string, payload = '') => localClient(wazuhSocketPath(cluster.home(name))).ask(command, payload)

      const list = await ask(master, 'get_nodes', '{}')
      expect(JSON.parse(list.text)).toMatchObject({
        items: [{ name: master, type: 'master', version: '4.13.1' }, { name: worker }],
        totalItems: 2,
      })
      expect(await ask(worker, 'get_nodes', '{}')).toEqual(list)
      const health = JSON.parse((await ask(worker, 'get_health', `["${worker}"]`)).text)
      expect(health).toMatchObject({ n_connected_nodes: 1, nodes: { [worker]: { status: { sync_integrity_free: true } } } })

      expect(JSON.parse((await ask(worker, 'get_config')).text)).toMatchObject({ node_type: 'worker', node_name: worker, key: cluster.key })
      const digests = { 'etc/rules/local_rules.xml': blake2b('<group/>') }
      for (const name of nodes) expect(JSON.parse((await ask(name, 'get_hash')).text)).toEqual(digests)

      const added = await ask(
        worker,
        'sendsync',
        '{"daemon_name":"authd","message":{"arguments":{"name":"web","ip":"any"},"function":"add"}}',
      )
      expect([added.command, JSON.parse(added.text)]).toMatchObject(['ok', { error: 0, data: { id: '001', name: 'web' } }])
      expect((await ask(worker, 'sendsync', '{"daemon_name":"wazuh-db","message":"x"}')).command).toBe('err')

      const large = standInRequest('large', { chars: 700_000 }).toString()
      for (const [name, command, request] of [
        [master, 'dapi', large],
        [worker, 'dapi', large],
        [master, 'dapi_fwd', `${worker} ${large}`],
      ] as const) {
        const client = localClient(wazuhSocketPath(cluster.home(name)))
        expect((await client.ask(command, request)).command).toBe('ok')
        const { announced, command: last, content } = await takeString(client)
        expect([name, last, announced, content.length]).toEqual([name, 'dapi_res', 700_002, 700_002])
      }
      expect((await ask(worker, 'sendrreload')).text).toBe('{"success": true}')

      await cluster.daemon(master).stop()
      await cluster.daemon(worker).logged('The master is stopping')
      await waitFor('The worker alone', async () => (await ask(worker, 'get_nodes', '{}')).command === 'err')
      for (const command of ['get_nodes', 'sendrreload', 'dapi']) {
        const { text } = await ask(worker, command, '{}')
        expect([command, exceptionIn(text)[0]]).toEqual([command, 3023])
      }
      expect(statSync(wazuhSocketPath(cluster.home(worker))).mode & 0o777).toBe(0o660)
      await cluster.daemon(worker).stop()
      for (const name of nodes) expect(existsSync(wazuhSocketPath(cluster.home(name)))).toBe(false)
    }),
  )

  it('keeps the daemon from starting where another one answers, and is not there without a manager', () =>
    withCluster([master], async (cluster) => {
      const path = wazuhSocketPath(cluster.masterHome)
      await cluster.startAll()
      expect(existsSync(path)).toBe(false)
      await cluster.daemon(master).stop()
      writeBelow(cluster.masterHome, 'bin/wazuh-control', script, 0o750)
      mkdirSync(dirname(path), { recursive: true })
      const other = createServer((socket) => socket.on('error', () => undefined))
      await new Promise<void>((resolve) => other.listen(path, resolve))
      onTestFinished(() => void other.close())
      const daemon = cluster.start(master)
      expect((await daemon.ended).code).toBe(1)
      expect(daemon.lines.at(-1)).toContain(
        `Another wazuh-clusterd answers at ${path}: stop it first, Wazuh's own with bin/wazuh-control stop`,
      )
      expect(existsSync(path)).toBe(true)
    }))
})
