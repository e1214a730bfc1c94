/** How daemons start, stop and reconnect. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeBelow } from '../../examples/demo/nodeHome.js'
import { isAlive, master, withCluster, worker } from '../support/daemons.js'

describe('a daemon', () => {
  it('stops at SIGTERM within 5 s with exit code 0, no PID file and no socket; its worker reconnects', () =>
    withCluster([master, worker], async (cluster) => {
      writeBelow(cluster.masterHome, 'etc/rules/local.xml', 'first')
      await cluster.startAll()
      await cluster.allTheSame()
      const run = join(cluster.masterHome, 'var/run')
      expect(readdirSync(run)).toContain(`wazuh-clusterd-${cluster.daemon(master).pid}.pid`)
      expect(existsSync(join(cluster.masterHome, 'queue/cluster/muster.sock'))).toBe(true)

      const before = cluster.daemon(worker).mark()
      const { code, tookMs } = await cluster.daemon(master).stop()
      expect(code).toBe(0)
      expect(tookMs).toBeLessThan(5_000)
      expect(readdirSync(run)).toEqual([])
      expect(existsSync(join(cluster.masterHome, 'queue/cluster/muster.sock'))).toBe(false)
      await cluster.daemon(worker).logged('The master is stopping.', before)
      expect(await cluster.control(worker, ['-l'])).toMatchObject({ code: 1, out: '' })

      writeBelow(cluster.masterHome, 'etc/rules/local.xml', 'second')
      await cluster.start(master).logged('Serving on')
      await cluster.daemon(worker).logged('Successfully connected to master.', before)
      await cluster.allTheSame()

      const stopped = await cluster.daemon(worker).stop()
      expect(stopped.code).toBe(0)
      expect(stopped.tookMs).toBeLessThan(5_000)
      await cluster.daemon(master).logged("Worker 'worker-1' disconnected: it is stopping.")
    }))

  it('opens no debugger at SIGUSR1, and goes on at SIGUSR2', () =>
    withCluster([master], async (cluster) => {
      const daemon = cluster.start(master)
      await daemon.logged('Serving on')
      for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.kill(daemon.pid, signal)
      // It is asked once its signal handlers exist; Node announces a debugger on stderr.
      expect(await cluster.control(master, ['-l'])).toMatchObject({ code: 0 })
      expect(await daemon.stop()).toMatchObject({ code: 0 })
      expect(daemon.lines.filter((line) => line.includes('Debugger'))).toEqual([])
    }))

  it('is not started twice on one home, and the first one goes on', () =>
    withCluster([master, worker], async (cluster) => {
      await cluster.startAll()
      const first = cluster.daemon(master)
      const second = cluster.start(master)
      try {
        expect((await second.ended).code).toBe(1)
        expect(second.lines.join('\n')).toContain(`Another wazuh-clusterd (PID ${first.pid}) runs on ${cluster.masterHome}`)
        expect(first.isRunning).toBe(true)
        expect(await cluster.control(worker, ['-l'])).toMatchObject({ code: 0 })
      } finally {
        await first.stop()
      }
      expect(isAlive(first.pid)).toBe(false)
    }))
})
