/** The programs as a manager's wazuh-control finds them: links in the home's own bin/, called without the home's name. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { waitFor } from '../../examples/demo/waitFor.js'
import { master, repository, withCluster } from '../support/daemons.js'

describe('a link in the bin/ of a home', () => {
  it('tests, starts and asks the daemon of that home, from any directory', () =>
    withCluster([master], async (cluster) => {
      const home = cluster.masterHome
      const run = join(home, 'var/run')
      const pidFiles = (): readonly string[] => readdirSync(run).filter((name) => /^wazuh-clusterd-\d+\.pid$/.test(name))
      mkdirSync(join(home, 'bin'))
      const called = (program: string, ...args: readonly string[]) => {
        const { WAZUH_PATH: _, ...env } = process.env
        const { status, stdout, stderr } = spawnSync(join(home, 'bin', program), args, { cwd: '/', env, encoding: 'utf8' })
        return { status, stdout, stderr }
      }
      for (const program of ['wazuh-clusterd', 'cluster_control'])
        symlinkSync(join(repository, 'dist/cli', `${program}.js`), join(home, 'bin', program))

      expect(called('wazuh-clusterd', '-t')).toMatchObject({ status: 0, stderr: '' })
      expect(called('wazuh-clusterd', '-r')).toMatchObject({ status: 0, stderr: '' })
      const [pidFile = ''] = pidFiles()
      const pid = Number(readFileSync(join(run, pidFile), 'utf8'))
      try {
        expect(pidFile).toBe(`wazuh-clusterd-${pid}.pid`)
        expect(called('cluster_control', '-l')).toMatchObject({ status: 0, stderr: '' })
      } finally {
        process.kill(pid, 'SIGTERM')
      }
      await waitFor('The PID file gone', () => pidFiles().length === 0 || pidFile, { everyMs: 25 })
    }))
})
