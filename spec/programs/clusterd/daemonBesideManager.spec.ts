/** The daemon's program in the home of a real manager: what wazuh-control expects of it, and what others do to its files. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { main } from '../../../src/programs/clusterd/clusterdMain.js'
import { HomeWatch } from '../../../src/programs/clusterd/homeWatch.js'
import { type HeldHome, holdHome } from '../../../src/programs/clusterd/pidFile.js'
import type { StartDaemon } from '../../../src/programs/clusterd/runUntilStopped.js'
import { recordPath, wrapperBeginning } from '../../../src/programs/kit/installedHome.js'
import { installWazuhs, makeManagerHome, managerConf, wazuhsProgram } from '../../support/manager/managerHome.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ranProgram } from '../ranProgram.js'

let home = ''
let others: ChildProcess[] = []
const held: HeldHome[] = []
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-manager-'))
  makeManagerHome(home)
  mkdirSync(join(home, 'queue/muster'))
})
afterEach(() => {
  for (const child of others) child.kill('SIGKILL')
  for (const one of held.splice(0)) one.release()
  others = []
  rmSync(home, { recursive: true, force: true })
})

const pidFile = (pid: number | undefined, child = ''): string => join(home, 'var/run', `wazuh-clusterd${child}-${pid}.pid`)

/** A process that is to others what Wazuh's own daemon is: its command line, and a PID file. */
const wazuhsDaemon = async (child = ''): Promise<ChildProcess> => {
  const started = spawn('sleep', ['1000'], { argv0: join(home, 'framework/scripts/wazuh_clusterd.py'), stdio: 'ignore' })
  others.push(started)
  await once(started, 'spawn')
  writeFileSync(pidFile(started.pid, child), `${started.pid}\n`)
  return started
}

const startsAndStops: StartDaemon = (_, { log }) => {
  log.debug('detail')
  log.debug2('more detail')
  setImmediate(() => process.emit('SIGTERM'))
  return Promise.resolve({ failed: new Promise(() => undefined), stop: () => Promise.resolve() })
}

const run = (...argv: readonly string[]) =>
  ranProgram(
    (given, { env, stdout, stderr }) => main(given, env, { stdout, stderr, script: '/nowhere', startDaemon: startsAndStops }),
    ['--home', home, ...argv],
  )

const conf = (text: string): void => writeFileSync(join(home, 'etc/ossec.conf'), text, { mode: 0o640 })
const options = (name: string, text: string): void => writeFileSync(join(home, 'etc', name), text)

describe('wazuh-clusterd -t beside a manager', () => {
  it('is silent with exit code 0 when all is well, with -d too, and when the cluster is disabled', async () => {
    const silent = { code: 0, out: '', err: '' }
    expect(await run('-t')).toEqual(silent)
    expect(await run('-t', '-d')).toEqual(silent)
    conf('<ossec_config></ossec_config>')
    expect(await run('-t')).toEqual(silent)
  })

  it('says mistakes on stderr with exit code 1, and only what matters there as a warning', async () => {
    conf(managerConf.replace('1516', '80'))
    expect(await run('-t')).toEqual({ code: 1, out: '', err: expect.stringMatching(/^wazuh-clusterd: .*<port> is 80: must be .*\n$/) })
    conf(managerConf.replace('node01', 'node.01').replace('<disabled>no</disabled>', '<colour>red</colour>'))
    const { code, err, out } = await run('-t')
    expect({ code, out }).toEqual({ code: 0, out: '' })
    for (const says of ['<colour> is not a known option; it is ignored here, but wazuh-analysisd and wazuh-db do not', 'write "node-01"'])
      expect(err).toContain(says)
    expect(err).toContain('write <disabled>no</disabled>')
    expect(err.trim().split('\n')).toHaveLength(3)
  })
})

describe('wazuh_clusterd.debug', () => {
  const logged = async (...argv: readonly string[]): Promise<readonly string[]> => {
    rmSync(join(home, 'logs/cluster.log'), { force: true })
    expect(await run('-f', '-r', ...argv)).toMatchObject({ code: 0, err: '' })
    return readFileSync(join(home, 'logs/cluster.log'), 'utf8').match(/DEBUG2?(?=:)/g) ?? []
  }

  it('sets the level of the log: of the local options before the others, and -d before both', async () => {
    options('internal_options.conf', '# wazuh_clusterd.debug=2\nremoted.debug=2\n wazuh_clusterd.debug = 1 \nwazuh_clusterd.debug=0\n')
    options('local_internal_options.conf', '')
    expect(await logged()).toEqual(['DEBUG'])
    options('local_internal_options.conf', 'wazuh_clusterd.debug=2\n')
    expect(await logged()).toEqual(['DEBUG', 'DEBUG2'])
    expect(await logged('-d')).toEqual(['DEBUG'])
    options('local_internal_options.conf', 'wazuh_clusterd.debug=0\n')
    expect(await logged()).toEqual([])
  })

  it.each(['3', '-1', '', '1.0', 'yes'])('is refused when it is %j, with what is allowed', async (value) => {
    options('local_internal_options.conf', `wazuh_clusterd.debug=${value}\n`)
    const says = `wazuh-clusterd: ${join(home, 'etc/local_internal_options.conf')}: wazuh_clusterd.debug is "${value}": must be 0, 1 or 2\n`
    expect(await run('-t')).toEqual({ code: 1, out: '', err: says })
    expect(await run('-f', '-r')).toEqual({ code: 1, out: '', err: says })
  })
})

describe('the PID file', () => {
  it('has the mode 0640 whatever the umask is, and the PID with a line break', () => {
    const before = process.umask(0o077)
    try {
      held.push(holdHome(home))
    } finally {
      process.umask(before)
    }
    const path = pidFile(process.pid)
    expect([statSync(path).mode & 0o777, readFileSync(path, 'utf8')]).toEqual([0o640, `${process.pid}\n`])
  })

  it.each(['', '_child_1'])(
    "of Wazuh's own daemon%s that runs refuses a start, with what to do; that of a dead one goes",
    async (child) => {
      const running = await wazuhsDaemon(child)
      const { code, err } = await run('-f', '-r')
      expect(code).toBe(1)
      expect(err).toContain(
        `Wazuh's own wazuh-clusterd (PID ${running.pid}) runs on ${home}: stop it with ${home}/bin/wazuh-control stop\n`,
      )
      expect(existsSync(pidFile(running.pid, child))).toBe(true)
      const gone = once(running, 'exit')
      running.kill('SIGKILL')
      await gone
      expect(await run('-f', '-r')).toMatchObject({ code: 0 })
      expect(readdirSync(join(home, 'var/run'))).toEqual([])
    },
  )
})

describe('while the daemon runs', () => {
  it('a PID file that was removed is written again, once said, and not after the end', () => {
    const one = holdHome(home)
    const log = recordingLog()
    const watch = new HomeWatch(home, one, log)
    watch.check()
    expect(log.lines).toEqual([])
    rmSync(pidFile(process.pid))
    watch.check()
    watch.check()
    expect(log.lines).toEqual([expect.stringContaining('warning [-] [-] The PID file of this daemon was removed by another program')])
    expect(readFileSync(pidFile(process.pid), 'utf8')).toBe(`${process.pid}\n`)
    one.release()
    watch.check()
    expect(readdirSync(join(home, 'var/run'))).toEqual([])
  })

  it("Wazuh's own daemon beside it, and its program in place of ours, are said once, with what to do", async () => {
    const one = holdHome(home)
    held.push(one)
    const log = recordingLog()
    const watch = new HomeWatch(home, one, log)
    const running = await wazuhsDaemon()
    watch.check()
    watch.check()
    expect(log.lines).toEqual([expect.stringContaining(`end it with kill ${running.pid}; "muster status" says`)])
    installWazuhs(home)
    watch.check()
    expect(log.lines).toHaveLength(1)
    writeFileSync(join(home, recordPath), '{}')
    watch.check()
    watch.check()
    expect(log.lines.slice(1)).toEqual([expect.stringContaining(`${home}/bin/wazuh-clusterd is not Muster's any more`)])
    writeFileSync(join(home, 'bin/wazuh-clusterd'), `${wrapperBeginning} and more\n`)
    watch.check()
    writeFileSync(join(home, 'bin/wazuh-clusterd'), wazuhsProgram('4.14.8'))
    watch.check()
    expect(log.lines).toHaveLength(3)
  })
})
