/** What the programs of managers ask of each other, in a whole cluster: where it is carried out, and what becomes of it when nodes and wires fail. */
import { describe, expect, it } from 'vitest'
import { asClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import type { CarriedAnswer } from '../../../src/ports/manager.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'

const { signal } = new AbortController()

const whole = async ({ content }: CarriedAnswer): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const started = async () => {
  const cluster = new SimulatedCluster({ seed: 3, nodes: 3, manager: 'wazuh' })
  cluster.startAll()
  await cluster.clock.advance(30_000)
  for (const { manager, name } of cluster.nodes) if (manager) manager.bridge.answer = (request) => ({ answer: `${name}: ${request}` })
  const of = (name: string) => {
    const { manager, running } = cluster.node(name)
    if (!manager || !running) throw new Error(`${name} does not run`)
    return { ...running.managerRequests, manager }
  }
  /** What came of it: the answer, or the code of the failure. */
  const outcome = (call: Promise<CarriedAnswer>): Promise<string> =>
    call.then(whole).catch((thrown: unknown) => asClusterError(thrown).code)
  const soon = async <T>(promise: Promise<T>): Promise<T> => {
    await cluster.clock.advance(1_000)
    return promise
  }
  const finish = async (): Promise<void> => {
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  }
  return { cluster, finish, of, outcome, soon }
}

describe("requests of managers' programs in a cluster", () => {
  it('are carried out by the master for all, and by the worker that they are for', async () => {
    const { finish, of, outcome, soon } = await started()
    const request = Buffer.from('x')
    expect(await soon(outcome(of('w1').dapi(request, signal)))).toBe('master: x')
    expect(await soon(outcome(of('master').dapi(request, signal)))).toBe('master: x')
    for (const name of ['w1', 'w2', 'master'])
      expect(await soon(outcome(of('master').dapiForward(name, request, signal)))).toBe(`${name}: x`)
    expect(await soon(outcome(of('master').dapiForward('nobody', request, signal)))).toBe('unknownNode')
    expect(await soon(outcome(of('w1').dapiForward('w2', request, signal)))).toBe('notOnWorker')
    const { daemons } = of('master').manager
    daemons.answer = (daemon, message) => `${daemon} ${message}`
    expect(await soon(outcome(of('w2').sendsync('remoted', Buffer.from('{}'), signal)))).toBe('remoted {}')
    expect(await soon(outcome(of('w2').sendsync('wazuh-db', request, signal)))).toBe('argumentsInvalid')
    daemons.isDown = true
    expect(await soon(outcome(of('w2').sendsync('authd', request, signal)))).toBe('managerFailed')
    daemons.isDown = false
    of('w1').manager.bridge.isOff = true
    expect(await soon(outcome(of('master').dapiForward('w1', request, signal)))).toBe('apiBridgeOff')
    await finish()
  })

  it('fail with the node that carries them out, and end where nobody waits any more', async () => {
    const { cluster, finish, of, outcome } = await started()
    const { bridge } = of('master').manager
    bridge.delayMs = 100_000
    const abort = new AbortController()
    const asking = ['w1', 'w2'].map((name) => outcome(of(name).dapi(Buffer.from('x'), name === 'w1' ? abort.signal : signal)))
    const own = outcome(of('master').dapi(Buffer.from('y'), abort.signal))
    await cluster.clock.advance(1_000)
    expect(bridge.running).toBe(3)
    abort.abort()
    await cluster.clock.advance(1_000)
    expect([bridge.running, await asking[0], await own]).toEqual([1, 'aborted', 'aborted'])
    cluster.crash('master', 'process')
    await cluster.clock.advance(20_000)
    expect(await asking[1]).toMatch(/linkLost|peerSilent/)
    expect(await outcome(of('w2').dapi(Buffer.from('x'), signal))).toBe('notConnected')
    cluster.start('master')
    await cluster.clock.advance(60_000)
    bridge.delayMs = 5
    const again = outcome(of('w2').dapi(Buffer.from('x'), signal))
    await cluster.clock.advance(1_000)
    expect(await again).toBe('master: x')
    await finish()
  })

  it('end in time when the framework of a worker never answers', async () => {
    const { cluster, finish, of, outcome } = await started()
    const { bridge } = of('w1').manager
    bridge.delayMs = 3_600_000
    const asking = outcome(of('master').dapiForward('w1', Buffer.from('x'), signal))
    await cluster.clock.advance(limits.carriedMsMax + 2_000)
    expect([await asking, bridge.running]).toEqual(['requestTimeout', 0])
    await finish()
  })
})
