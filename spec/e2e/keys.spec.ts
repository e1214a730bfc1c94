/** The cluster key: a wrong one is refused with a sentence, and a new one comes in node by node without a refusal. */
import { randomBytes } from 'node:crypto'
import { connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../examples/demo/nodeHome.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import { master, secondWorker, withCluster, worker } from '../support/daemons.js'

const newKey = (): string => randomBytes(16).toString('hex')

/** Passes connections on to `target`, and notes when each was made, in milliseconds. */
const countingProxy = async (target: number) => {
  const dialledAtMs: number[] = []
  const port = await freePort()
  const server = createServer((near) => {
    dialledAtMs.push(performance.now())
    const far = connect(target, '127.0.0.1')
    for (const socket of [near, far]) socket.on('error', () => undefined)
    near.pipe(far)
    far.pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return { port, dialledAtMs, close: () => void server.close() }
}

describe('the cluster key', () => {
  it('if wrong is logged by the worker, retried more and more rarely, and logged once by the master', () =>
    withCluster([master, worker, secondWorker], async (cluster) => {
      await cluster.start(master).logged('Serving on')
      await cluster.start(worker).logged('Successfully connected to master.')
      const proxy = await countingProxy(cluster.port)
      try {
        cluster.configure(secondWorker, { key: newKey(), port: proxy.port })
        const stranger = cluster.start(secondWorker)
        await stranger.logged(
          'Could not connect to master: The peer closed the connection during the handshake: it has another cluster key,',
        )
        await stranger.logged('most likely it has another cluster key')
        await waitFor('A tenth attempt', () => proxy.dialledAtMs.length >= 10)
        const [ninth = 0, tenth = 0] = proxy.dialledAtMs.slice(-2)
        // connection_retry is 2 s here, cut at random by up to half; a master that is merely away is dialled again after 0.1 s.
        expect(tenth - ninth).toBeGreaterThan(900)
        expect(stranger.lines.filter((line) => line.includes('Could not connect'))).toHaveLength(2)
        expect(cluster.daemon(master).lines.filter((line) => line.includes('was refused'))).toHaveLength(1)
        expect(cluster.daemon(worker).lines.filter((line) => line.includes('Connecting again'))).toEqual([])
        const { out } = await cluster.control(worker, ['-l'])
        expect(out).toContain(worker)
        expect(out).not.toContain(secondWorker)
      } finally {
        proxy.close()
      }
    }))

  it('is changed node by node on a running cluster, the master first, without a refusal in any log', () =>
    withCluster([master, worker, secondWorker], async (cluster) => {
      const nodes = [master, worker, secondWorker]
      await cluster.startAll()
      const logs: string[] = []
      const restart = async (name: string): Promise<void> => {
        const marks = new Map(cluster.daemons.map((daemon) => [daemon, daemon.mark()]))
        logs.push(...cluster.daemon(name).lines)
        await cluster.daemon(name).stop()
        const waiting = name === master ? cluster.workers.map((other) => cluster.daemon(other)) : []
        await cluster.start(name).logged(name === master ? 'Serving on' : 'Successfully connected to master.')
        for (const other of waiting) await other.logged('Successfully connected to master.', marks.get(other))
      }
      const key = newKey()
      const keysUsed = async (): Promise<readonly string[]> => {
        const { out } = await cluster.control(secondWorker, ['-i', 'more'])
        return [...out.matchAll(/^ {8}Cluster key: (.*)$/gm)].map(([, used = '']) => used)
      }
      for (const name of nodes) {
        cluster.configure(name, { key, previousKey: cluster.key })
        await restart(name)
        const changed = nodes.indexOf(name)
        expect(await keysUsed()).toEqual(cluster.workers.map((_, index) => (index < changed ? 'current' : 'previous')))
      }
      for (const name of nodes) {
        cluster.configure(name, { key })
        await restart(name)
      }
      logs.push(...cluster.daemons.flatMap((daemon) => daemon.lines))
      expect(logs.filter((line) => line.includes('It used the previous cluster key.'))).not.toEqual([])
      expect(logs.filter((line) => /was refused|has another cluster key/.test(line))).toEqual([])
      const { out } = await cluster.control(secondWorker, ['-l'])
      for (const name of nodes) expect(out).toContain(name)
    }))
})
