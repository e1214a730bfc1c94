/** Muster installed into managers' homes: their wazuh-control drives it, a package of dpkg is upgraded under it, and it is undone. */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeBelow } from '../../../examples/demo/nodeHome.js'
import type { ProcessCluster } from '../../../examples/demo/processCluster.js'
import { waitFor } from '../../../examples/demo/waitFor.js'
import { master, repository, withCluster, worker } from '../../support/daemons.js'
import { isMissing } from '../../support/debianProgram.js'
import { installWazuhs, stateOfFiles, wazuhsProgram } from '../../support/manager/managerHome.js'
import { PackagedManager } from '../../support/manager/packagedManager.js'

const nodes = [master, worker]
const controlScript = readFileSync(new URL('../../support/manager/wazuhControl.sh', import.meta.url), 'utf8')

/** A daemon that only has a PID file. */
const otherDaemon = `#!/bin/sh
[ "$1" != -t ] || exit 0
sleep 1000 >/dev/null 2>&1 &
echo $! >"$(dirname "$0")/../var/run/wazuh-db-$!.pid"
`

/** The home of a node with a manager in it. */
class Manager {
  readonly home: string
  readonly #env: NodeJS.ProcessEnv

  constructor(home: string, env: NodeJS.ProcessEnv) {
    const { WAZUH_PATH: _, ...others } = env
    this.home = home
    this.#env = others
    writeBelow(home, 'bin/wazuh-control', controlScript, 0o750)
    writeBelow(home, 'bin/wazuh-db', otherDaemon, 0o750)
    mkdirSync(join(home, 'var/run'), { recursive: true })
  }

  control(word: string) {
    return this.#ran(join(this.home, 'bin/wazuh-control'), [word])
  }

  muster(action: string, ...options: readonly string[]) {
    return this.#ran(join(repository, 'dist/cli/muster.js'), [action, '--home', this.home, ...options])
  }

  /** Machines of developers have no user wazuh. */
  install() {
    return this.muster('install-into-manager', '--yes', '--root')
  }

  pids(daemon: string): readonly number[] {
    const files = readdirSync(join(this.home, 'var/run')).filter((name) => name.startsWith(`${daemon}-`) && name.endsWith('.pid'))
    return files.map((name) => Number(readFileSync(join(this.home, 'var/run', name), 'utf8')))
  }

  #ran(program: string, args: readonly string[]) {
    const { status, stderr, stdout } = spawnSync(program, args, { cwd: '/', env: this.#env, encoding: 'utf8' })
    return { code: status, out: stdout, err: stderr }
  }
}

const withManagers = (
  use: (managers: readonly [Manager, Manager], cluster: ProcessCluster) => Promise<void>,
  env = process.env,
): Promise<void> =>
  withCluster(nodes, async (cluster) => {
    const of = (name: string): Manager => new Manager(cluster.home(name), env)
    const managers = [of(master), of(worker)] as const
    try {
      await use(managers, cluster)
    } finally {
      for (const manager of managers) manager.control('stop')
    }
  })

const all = (...lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
const running = all('wazuh-clusterd is running...', 'wazuh-db is running...')

describe('wazuh-control of managers into which Muster was installed', () => {
  it('starts, shows, restarts and stops it, and does not restart with a broken configuration', () =>
    withManagers(async (managers, cluster) => {
      for (const manager of managers) {
        installWazuhs(manager.home)
        expect(manager.install()).toMatchObject({ code: 0, err: '' })
        expect(manager.control('start')).toEqual({
          code: 0,
          err: '',
          out: all('Started wazuh-db...', 'Started wazuh-clusterd...', 'Completed.'),
        })
        expect(manager.control('status').out).toBe(running)
        expect(manager.muster('status')).toMatchObject({ code: 0, out: expect.stringMatching(/installed +rename +muster/) })
      }
      const [ofMaster] = managers
      await waitFor('Both nodes', async () => (await cluster.control(worker, ['-l'])).out.includes(worker))
      const conf = join(ofMaster.home, 'etc/ossec.conf')
      const good = readFileSync(conf, 'utf8')
      const pids = () => managers.map((manager) => ['wazuh-clusterd', 'wazuh-db'].map((daemon) => manager.pids(daemon)))
      const before = pids()
      writeFileSync(conf, good.replace(/<port>\d+/, '<port>80'))
      expect(ofMaster.control('restart')).toEqual({
        code: 1,
        out: all('wazuh-clusterd: Configuration error. Exiting'),
        err: expect.stringMatching(/^wazuh-clusterd: .*<port> is 80: must be an integer, .*\n$/),
      })
      expect(pids()).toEqual(before)
      writeFileSync(conf, good)
      const [pid] = ofMaster.pids('wazuh-clusterd')
      expect(ofMaster.control('restart')).toMatchObject({ code: 0, err: '' })
      expect(ofMaster.pids('wazuh-clusterd')).not.toContain(pid)
      rmSync(join(ofMaster.home, 'var/run', `wazuh-clusterd-${ofMaster.pids('wazuh-clusterd')[0]}.pid`))
      await waitFor('The PID file again', () => ofMaster.pids('wazuh-clusterd').length === 1)
      for (const manager of managers) {
        expect(manager.control('stop').out).toBe(all('Stopped wazuh-clusterd...', 'Stopped wazuh-db...'))
        expect(readdirSync(join(manager.home, 'var/run'))).toEqual([])
        expect(readFileSync(join(manager.home, 'logs/cluster.log'), 'utf8')).toContain('[Main] Exiting.')
      }
    }))
})

describe.skipIf(isMissing('dpkg-divert', 'dpkg'))('a package of dpkg that has bin/wazuh-clusterd', () => {
  const withPackage = (use: (manager: Manager, packaged: PackagedManager) => void): Promise<void> =>
    withCluster([master], (cluster) => {
      const program = join(cluster.masterHome, 'bin/wazuh-clusterd')
      const packaged = new PackagedManager(cluster.root, program)
      packaged.install('4.14.7')
      use(new Manager(cluster.masterHome, packaged.env), packaged)
      return Promise.resolve()
    })
  const identity = (path: string) => {
    const { gid, ino, mode, mtimeNs, nlink, uid } = lstatSync(path, { bigint: true })
    return { gid, ino, mode, mtimeNs, nlink, uid }
  }

  it('is diverted, and after uninstall as it was: content, mode, owner, time, and what dpkg knows', () =>
    withPackage((manager, packaged) => {
      const bin = join(manager.home, 'bin')
      const before = stateOfFiles(bin)
      expect(manager.install()).toMatchObject({
        code: 0,
        err: '',
        out: expect.stringContaining('dpkg-divert --local --no-rename --divert'),
      })
      expect(packaged.diversions()).toContain(`local diversion of ${bin}/wazuh-clusterd to ${bin}/wazuh-clusterd.wazuh`)
      expect(manager.muster('status')).toMatchObject({ code: 0, out: expect.stringMatching(/installed +dpkg-divert +nothing/) })
      expect(manager.muster('uninstall', '--yes')).toMatchObject({ code: 0, err: '' })
      expect(stateOfFiles(bin)).toEqual(before)
      expect(packaged.diversions()).toBe('')
    }))

  it('is upgraded beside the script, which starts Muster as before; uninstall leaves the new version', () =>
    withPackage((manager, packaged) => {
      const program = join(manager.home, 'bin/wazuh-clusterd')
      manager.install()
      const script = readFileSync(program, 'utf8')
      packaged.install('4.14.8')
      expect(readFileSync(program, 'utf8')).toBe(script)
      expect(readFileSync(`${program}.wazuh`, 'utf8')).toBe(wazuhsProgram('4.14.8'))
      expect(manager.muster('status').code).toBe(0)
      expect(manager.control('start')).toMatchObject({ code: 0, err: '' })
      expect(manager.muster('status').out).toMatch(/installed +dpkg-divert +muster/)
      manager.control('stop')
      const upgraded = identity(`${program}.wazuh`)
      expect(manager.muster('uninstall', '--yes').code).toBe(0)
      expect(identity(program)).toEqual(upgraded)
      expect(manager.control('start').out).toContain("Wazuh's own \n")
      manager.control('stop')
      packaged.install('4.14.9')
      expect(readFileSync(program, 'utf8')).toBe(wazuhsProgram('4.14.9'))
    }))

  it('is removed while Muster is installed: nothing of it is left after uninstall', () =>
    withPackage((manager, packaged) => {
      const program = join(manager.home, 'bin/wazuh-clusterd')
      manager.install()
      packaged.remove()
      expect([existsSync(program), existsSync(`${program}.wazuh`)]).toEqual([true, false])
      expect(manager.muster('status').code).toBe(1)
      expect(manager.muster('uninstall', '--yes')).toMatchObject({ code: 0, err: '' })
      expect(readdirSync(join(manager.home, 'bin'))).toEqual(['wazuh-control', 'wazuh-db'])
      expect(packaged.diversions()).toBe('')
    }))
})
