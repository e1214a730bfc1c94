/** The HTTP service of real daemons: on a worker that asks its master, with users that muster-api makes, over TLS, and back after its thread has died. */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:https'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../examples/demo/nodeHome.js'
import type { ProcessCluster } from '../../examples/demo/processCluster.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import { selfSignedCertificate } from '../../src/platform/enrolment/selfSignedCertificate.js'
import { master, repository, withCluster, worker } from '../support/daemons.js'

const password = 'correct horse battery'

/** Switches the service of a node on. */
const configureApi = async (cluster: ProcessCluster, node: string, api: object = {}): Promise<string> => {
  const port = await freePort()
  const file = join(cluster.home(node), 'etc/cluster.json')
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), api: { enabled: true, port, ...api } }))
  return `http://127.0.0.1:${port}`
}

const musterApi = (cluster: ProcessCluster, node: string, words: readonly string[], input = '') => {
  const program = join(repository, 'dist/cli/muster-api.js')
  const { status, stderr, stdout } = spawnSync(process.execPath, [program, '--home', cluster.home(node), ...words], {
    input,
    encoding: 'utf8',
  })
  return { code: status, err: stderr, out: stdout }
}

const loggedIn = async (
  url: string,
  name: string,
): Promise<(path: string, method?: string) => Promise<{ status: number; body: unknown }>> => {
  const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
  const login = await fetch(`${url}/security/user/authenticate?raw=true`, { headers: { authorization } })
  const token = await login.text()
  expect(login.status, token).toBe(200)
  return async (path, method = 'GET') => {
    const answer = await fetch(url + path, { method, headers: { authorization: `Bearer ${token}` } })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  }
}

interface Listed {
  readonly data: { readonly affected_items: readonly Record<string, unknown>[] }
  readonly error: number
}

describe('the HTTP service of a real cluster', () => {
  it('answers on a worker what the master knows, to users that muster-api made', () =>
    withCluster([master, worker], async (cluster) => {
      const url = await configureApi(cluster, worker)
      expect(musterApi(cluster, worker, ['user', 'add', 'alice', '--role', 'admin'], `${password}\n`)).toEqual({
        code: 0,
        err: '',
        out: "The user 'alice' (admin) was added.\n",
      })
      expect(musterApi(cluster, worker, ['user', 'add', 'bob'], 'short\n')).toMatchObject({ code: 1, out: '' })
      expect(musterApi(cluster, worker, ['user', 'list']).out).toBe('alice  admin\n')
      expect(statSync(join(cluster.home(worker), 'etc/muster-api-users.json')).mode & 0o777).toBe(0o640)
      await cluster.startAll()
      await cluster.daemon(worker).logged(`[API] Listening on 127.0.0.1:${new URL(url).port}.`)
      expect((await fetch(`${url}/cluster/nodes`)).status).toBe(401)
      const ask = await loggedIn(url, 'alice')
      const nodes = (await ask('/cluster/nodes?sort=-name&select=name,type')).body as Listed
      expect(nodes.data.affected_items).toEqual([
        { name: worker, type: 'worker' },
        { name: master, type: 'master' },
      ])
      await waitFor('The worker has the ruleset of the master', async () => {
        const { body } = await ask('/cluster/ruleset/synchronization')
        return (body as Listed).data.affected_items.every(({ synced }) => synced === true) || JSON.stringify(body)
      })
      expect((await ask('/cluster/local/info')).body).toMatchObject({ data: { affected_items: [{ node: worker, type: 'worker' }] } })
      const validated = (await ask('/cluster/configuration/validation')).body as Listed
      expect(validated.data.affected_items).toEqual([master, worker].sort().map((name) => ({ name, status: 'OK' })))
      const health = (await ask('/cluster/healthcheck')).body as Listed
      expect(health.data.affected_items.map(({ info }) => (info as { name: string }).name)).toEqual([master, worker].sort())
      expect((await ask('/agents')).body).toMatchObject({ data: { affected_items: [{ id: '000' }], total_affected_items: 1 }, error: 0 })

      // A worker that lost its master says so, and still answers of itself.
      await cluster.daemon(master).kill()
      await cluster.daemon(worker).logged('Could not connect to master')
      expect(await ask('/cluster/nodes')).toMatchObject({ status: 500, body: { title: 'Wazuh Cluster Error', error: 3023 } })
      expect((await ask('/cluster/status')).status).toBe(200)
      // A user that is removed is out at once.
      musterApi(cluster, worker, ['user', 'remove', 'alice'])
      expect(await ask('/cluster/status')).toMatchObject({ status: 401, body: { detail: 'Invalid token' } })
    }))

  it('is refused on an address that others reach, in words, unless it has TLS and a user', () =>
    withCluster([master], async (cluster) => {
      await configureApi(cluster, master, { address: '0.0.0.0' })
      const refused = cluster.start(master)
      await refused.ended
      const said = refused.lines.join('\n')
      expect(said).toContain(
        'api.address is "0.0.0.0", which other machines reach: must be a loopback address such as "127.0.0.1" (reach it by ssh -L), or set api.certificate and api.key too',
      )
      expect(said).toContain('muster-api user add NAME')
      const { certificate, key } = await selfSignedCertificate(Date.now(), 'p256')
      const place = (name: string): string => join(cluster.home(master), 'etc', name)
      writeFileSync(place('api.crt'), certificate)
      writeFileSync(place('api.key'), key, { mode: 0o640 })
      const url = await configureApi(cluster, master, { address: '0.0.0.0', certificate: 'etc/api.crt', key: 'etc/api.key' })
      musterApi(cluster, master, ['user', 'add', 'alice'], `${password}\n`)
      cluster.start(master)
      await cluster.daemon(master).logged('[API] Listening on 0.0.0.0:')
      const status = await new Promise((resolve, reject) => {
        const agent = new Agent({ ca: certificate, checkServerIdentity: () => undefined })
        get(url.replace('http:', 'https:').concat('/cluster/status'), { agent }, ({ statusCode }) => resolve(statusCode)).on(
          'error',
          reject,
        )
      })
      expect(status).toBe(401)
    }))
})
