/** Health and metrics over HTTP: who is answered what, and that nobody can make the node work by asking. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../../src/base/limits.js'
import type { NodeFigures } from '../../../../src/domain/cluster/nodeFigures.js'
import { ApiWorld, basic, rightPassword } from '../../../support/api/apiWorld.js'
import { parsedMetrics } from '../../../support/api/parsedMetrics.js'
import { wellMaster, wellWorker, wellWorkerNode } from '../../../support/figuresArbitraries.js'

const worldOf = (figures: NodeFigures) => new ApiWorld({ figures: async () => figures })
const elsewhere = { remoteAddress: '10.0.0.9' }
const unready: NodeFigures = { ...wellWorkerNode, master: { isConnected: false, sinceMs: 0, error: 'Connection refused' } }

const answer = async (world: ApiWorld, url: string, more: object = {}) => {
  const { body, statusCode } = await world.ask({ url, ...more })
  return [statusCode, JSON.parse(body)]
}

describe('liveness', () => {
  it('does not depend on the cluster, on the disk or on anything but that the node answers', async () => {
    const world = worldOf({ ...unready, diskFull: true, hasScanned: false })
    expect(await answer(world, '/health/live', elsewhere)).toEqual([200, { status: 'ok' }])
  })

  it('ends when the node fails to answer, or does not in time', async () => {
    expect(await answer(new ApiWorld(), '/health/live')).toEqual([503, { status: 'unresponsive' }])
    const world = new ApiWorld({ figures: () => new Promise(() => undefined) })
    const asked = answer(world, '/health/live')
    await world.clock.runUntil(() => world.clock.pending > 0, 1_000)
    await world.clock.advance(limits.apiHealthMsMax)
    expect(await asked).toEqual([503, { status: 'unresponsive' }])
  })
})

describe('readiness', () => {
  it('is a status for everybody, and its reasons for this machine and for users', async () => {
    const world = worldOf(unready)
    expect(await answer(world, '/health/ready', elsewhere)).toEqual([503, { status: 'degraded' }])
    const reasons = [
      503,
      expect.objectContaining({
        status: 'degraded',
        checks: expect.objectContaining({ master: 'Not connected to the master: Connection refused' }),
      }),
    ]
    expect(await answer(world, '/health/ready')).toEqual(reasons)
    const { data } = (await world.login('bob')).json<{ data: { token: string } }>()
    expect(await answer(world, '/health/ready', { ...elsewhere, headers: { authorization: `Bearer ${data.token}` } })).toEqual(reasons)
    expect(await answer(worldOf(wellMaster()), '/health/ready', elsewhere)).toEqual([200, { status: 'ok' }])
  })

  it('costs the node one answer a second, however many ask', async () => {
    let asked = 0
    const world = new ApiWorld({
      figures: async () => {
        asked += 1
        return wellWorkerNode
      },
    })
    for (let at = 0; at < 20; at++) await world.ask({ url: at % 2 ? '/health/ready' : '/health/live' })
    expect(asked).toBe(1)
    await world.clock.advance(limits.apiHealthMs)
    await world.ask({ url: '/health/ready' })
    expect(asked).toBe(2)
  })
})

describe('metrics', () => {
  it('are for this machine, and for users of others, by a token or a password', async () => {
    const world = worldOf(wellMaster(wellWorker('w1')))
    const local = await world.ask({ url: '/metrics' })
    expect([local.statusCode, local.headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect((await world.ask({ url: '/metrics', ...elsewhere })).statusCode).toBe(401)
    const headers = { authorization: basic('bob', rightPassword) }
    expect((await world.ask({ url: '/metrics', ...elsewhere, headers })).body).toContain('muster_worker_connected{worker="w1"} 1')
  })

  it('count requests by the pattern of their route, whatever was asked for', async () => {
    const world = worldOf(wellMaster())
    for (const node of ['a', 'b', 'c']) await world.ask({ url: `/cluster/${node}/info`, ...elsewhere })
    for (const path of ['/x1', '/x2']) await world.ask({ url: path })
    const { samples } = parsedMetrics((await world.ask({ url: '/metrics' })).body)
    const requests = samples.filter(({ name }) => name === 'muster_http_requests_total')
    expect(requests.find(({ labels }) => labels['path'] === '/cluster/:node_id/info')).toMatchObject({ labels: { code: '401' }, value: 3 })
    expect(requests.every(({ labels }) => !/x1|x2|\/a\//.test(labels['path'] ?? ''))).toBe(true)
    expect(requests.length).toBeLessThanOrEqual(2)
  })
})
