/** What monitoring asks of real daemons: cluster_control --check on each node, health and metrics over HTTP, and all of it with a node gone. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort, writeBelow } from '../../examples/demo/nodeHome.js'
import type { ProcessCluster } from '../../examples/demo/processCluster.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import { parsedMetrics } from '../support/api/parsedMetrics.js'
import { master, withCluster, worker } from '../support/daemons.js'

const serveHttp = async (cluster: ProcessCluster, name: string): Promise<string> => {
  const port = await freePort()
  const file = join(cluster.home(name), 'etc/cluster.json')
  const given: object = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, JSON.stringify({ ...given, api: { enabled: true, port } }))
  return `http://127.0.0.1:${port}`
}

const answerOf = async (url: string): Promise<readonly [number, string]> => {
  const response = await fetch(url)
  return [response.status, await response.text()]
}

it('nodes are checked, alive, ready and measured, and say so when one is gone', () =>
  withCluster([master, worker], async (cluster) => {
    const [ofMaster, ofWorker] = [await serveHttp(cluster, master), await serveHttp(cluster, worker)]
    writeBelow(cluster.masterHome, 'etc/rules/local_rules.xml', '<group name="local"/>')
    await cluster.startAll()
    await cluster.allTheSame()
    await cluster.daemon(worker).logged('Sync not required')
    for (const daemon of cluster.daemons) await daemon.logged('[API] Listening on')

    for (const name of [master, worker]) {
      const { code, err, out } = await cluster.control(name, ['--check'])
      expect([name, code, err, out]).toEqual([
        name,
        0,
        '',
        expect.stringMatching(/^MUSTER OK - .*1 of 1 worker connected.* \| .*workers_connected=1/),
      ])
    }
    for (const url of [ofMaster, ofWorker]) {
      expect(await answerOf(`${url}/health/live`)).toEqual([200, '{"status":"ok"}'])
      expect((await answerOf(`${url}/health/ready`))[0]).toBe(200)
    }
    const { sampleValue } = parsedMetrics((await answerOf(`${ofMaster}/metrics`))[1])
    expect(sampleValue('muster_worker_connected', { worker })).toBe(1)
    expect(sampleValue('muster_node_info', { node: master, type: 'master' })).toBe(1)
    expect(sampleValue('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(sampleValue('muster_synced_files', { node: master })).toBe(
      parsedMetrics((await answerOf(`${ofWorker}/metrics`))[1]).sampleValue('muster_synced_files', { node: worker }),
    )

    const mark = cluster.daemon(worker).mark()
    await cluster.daemon(master).kill()
    await cluster.daemon(worker).logged('The connection to the master was lost', mark)
    const lost = await cluster.control(worker, ['--check'])
    expect([lost.code, lost.out]).toEqual([2, expect.stringMatching(/^MUSTER CRITICAL - worker-1: Not connected to the master: /)])
    expect((await cluster.control(master, ['--check'])).out).toBe('MUSTER CRITICAL - wazuh-clusterd does not run on this node\n')
    expect(await answerOf(`${ofWorker}/health/live`)).toEqual([200, '{"status":"ok"}'])
    // An answer counts for a second.
    await waitFor('The worker says that it is not ready', async () => (await answerOf(`${ofWorker}/health/ready`))[0] === 503 || 'it is')
    expect(JSON.parse((await answerOf(`${ofWorker}/health/ready`))[1])).toMatchObject({ status: 'degraded' })
    expect(parsedMetrics((await answerOf(`${ofWorker}/metrics`))[1]).sampleValue('muster_master_connected')).toBe(0)
  }))
