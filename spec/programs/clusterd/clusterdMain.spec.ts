import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { main } from '../../../src/programs/clusterd/clusterdMain.js'
import { pickUser } from '../../../src/programs/clusterd/runAsUser.js'
import type { StartDaemon } from '../../../src/programs/clusterd/runUntilStopped.js'

const key = 'c98b62a9b6169ac5f67dae55ae4a9088'
const block = (inside: string): string => `<ossec_config><cluster>${inside}<disabled>no</disabled></cluster></ossec_config>`
const valid = block(`<key>${key}</key><nodes><node>m</node></nodes>`)

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-home-'))
  mkdirSync(join(home, 'etc'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const configure = (conf: string): void => writeFileSync(join(home, 'etc/ossec.conf'), conf, { mode: 0o640 })
const logText = (): string => readFileSync(join(home, 'logs/cluster.log'), 'utf8')

const sink = () => {
  let text = ''
  const stream = new Writable({
    write: (chunk, _, done) => {
      text += String(chunk)
      done()
    },
  })
  return { stream, text: () => text }
}

const neverStarts: StartDaemon = () => Promise.reject(new ClusterError('listenFailed', { message: 'The port is taken' }))

const run = async (argv: readonly string[], env: NodeJS.ProcessEnv = {}, startDaemon = neverStarts) => {
  const out = sink()
  const err = sink()
  const code = await main(argv, env, { stdout: out.stream, stderr: err.stream, script: '/nowhere', startDaemon })
  return { code, out: out.text(), err: err.text() }
}
const lines = (text: string): string[] => text.split('\n').slice(0, -1)

describe('wazuh-clusterd', () => {
  it('tests a configuration without a trace: exit 0 when valid, 1 with a line per mistake when not', async () => {
    configure(valid)
    const good = await run(['--home', home, '-t'])
    expect(good).toEqual({ code: 0, out: `${join(home, 'etc/ossec.conf')}: the cluster configuration is valid\n`, err: '' })
    configure(block('<key>x</key><port>1</port><nodes><node>NODE_IP</node></nodes>'))
    const bad = await run(['-t'], { WAZUH_PATH: home })
    expect(bad.code).toBe(1)
    expect(lines(bad.err)).toHaveLength(3)
    expect(readdirSync(home)).toEqual(['etc'])
  })

  it('marks what is only a warning', async () => {
    configure(valid.replace('<key>', '<interval>2m</interval><key>'))
    const { code, err } = await run(['--home', home, '-t'])
    expect(code).toBe(0)
    expect(lines(err)).toEqual([expect.stringMatching(/^wazuh-clusterd: WARNING: .*interval/)])
  })

  it('reports every mistake on stderr and in the log when it is started', async () => {
    configure(block('<key>x</key><port>1</port><nodes><node>m</node></nodes>'))
    const { code, err } = await run(['--home', home, '-r'])
    expect(code).toBe(1)
    const logged = lines(logText())
    expect(logged).toHaveLength(2)
    for (const line of lines(err))
      expect(logged.some((found) => found.includes(`ERROR: [Cluster] [Main] ${line.slice('wazuh-clusterd: '.length)}`))).toBe(true)
    expect(statSync(join(home, 'logs')).mode & 0o777).toBe(0o770)
  })

  it('says that the cluster is disabled and exits 0', async () => {
    configure('<ossec_config></ossec_config>')
    const { code, out } = await run(['--home', home, '-r'])
    expect(code).toBe(0)
    expect(out).toContain('the cluster is disabled')
    expect(logText()).toContain('the cluster is disabled')
  })

  it('reads another configuration file with -c', async () => {
    const file = join(home, 'other.conf')
    writeFileSync(file, valid, { mode: 0o640 })
    expect((await run(['--home', home, '-c', file, '-t'])).code).toBe(0)
    expect((await run(['--home', home, '-t'])).err).toContain('etc/ossec.conf: cannot be read: it does not exist')
  })

  it('shows control and bidirectional characters as visible text, on stderr and in the log', async () => {
    configure(block(`<key>${key}</key><nodes><node>m</node></nodes><node_name>a\u202eb\u001b[2J\u0085</node_name>`))
    const { err } = await run(['--home', home, '-r'])
    for (const text of [err, logText()]) {
      expect(text).toContain('<node_name> is "a\\u202eb\\u001b[2J\\u0085": must be')
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    }
  })

  it('names a home that does not exist', async () => {
    const { code, err } = await run(['--home', join(home, 'no'), '-f'])
    expect(code).toBe(1)
    expect(lines(err)).toEqual([
      `wazuh-clusterd: The home ${join(home, 'no')} is not a directory: name the manager's home with --home DIR or WAZUH_PATH`,
    ])
  })

  it('prints its version and its help with an example, and refuses what it does not know', async () => {
    expect(await run(['-V'])).toMatchObject({ code: 0, out: expect.stringMatching(/^wazuh-clusterd \d+\.\d+\.\d+ \(Muster\)\n$/) })
    const help = await run(['-h'])
    expect(help.code).toBe(0)
    for (const text of ['Examples:', '--home', '-c, --config', '-t, --test', '-f, --foreground', '-d, --debug', '-r, --root'])
      expect(help.out).toContain(text)
    for (const [argv, says] of [
      [['--nope'], "unknown option '--nope' (Did you mean --home?)."],
      [['extra'], 'too many arguments. Expected 0 arguments but got 1.'],
      [['-c'], "option '-c, --config <file>' argument missing."],
      [['-c', '-t'], "--config takes a value, and '-t' looks like an option (if it is meant: --config=-t)."],
      [['--home', '', '-t'], '--home takes a value that is not empty.'],
    ] as const)
      expect(await run(argv)).toEqual({ code: 1, out: '', err: `wazuh-clusterd: Wrong arguments: ${says}\n` })
  })

  it('ends with 1 and one sentence when the daemon cannot start, and releases the home', async () => {
    configure(valid)
    const { code, out, err } = await run(['--home', home, '-f', '-r'])
    expect(code).toBe(1)
    expect(lines(err)).toEqual(['wazuh-clusterd: Error 3111 - The port is taken'])
    expect(out).toContain('ERROR: [Cluster] [Main] Error 3111 - The port is taken')
    expect(out).toMatch(/ Starting version [^ ]+ as the master 'node01' of the cluster 'wazuh' \(PID \d+\)\.\n/)
    expect(out).not.toContain('    at ')
    expect(readdirSync(join(home, 'var/run'))).toEqual([])
  })

  it.each([
    'logs/cluster.log',
    'queue/muster/wazuh-clusterd.lock',
    `queue/muster/wazuh-clusterd.lock.${process.pid}`,
    `var/run/wazuh-clusterd-${process.pid}.pid`,
  ])('refuses a link at %s, and writes nothing through it', async (path) => {
    configure(valid)
    const outside = join(home, 'outside')
    writeFileSync(outside, 'of somebody else', { mode: 0o600 })
    mkdirSync(join(home, path, '..'), { recursive: true })
    symlinkSync(outside, join(home, path))
    const { code, err } = await run(['--home', home, '-f', '-r'])
    expect(code).toBe(1)
    expect(err).toContain(`${join(home, path)} cannot be written: it is a link`)
    expect(readFileSync(outside, 'utf8')).toBe('of somebody else')
    expect(statSync(outside).mode & 0o777).toBe(0o600)
  })

  it('stops the daemon and ends with 1 when it fails later', async () => {
    configure(valid)
    let stops = 0
    const failsLater: StartDaemon = () =>
      Promise.resolve({
        failed: Promise.resolve(new ClusterError('threadCrashed')),
        stop: () => {
          stops++
          return Promise.resolve()
        },
      })
    const { code } = await run(['--home', home, '-f', '-r'], {}, failsLater)
    expect({ code, stops }).toEqual({ code: 1, stops: 1 })
  })

  it('stops at a signal and ends with 0, its PID file there while it runs and gone afterwards', async () => {
    configure(valid)
    const pidFile = join(home, 'var/run', `wazuh-clusterd-${process.pid}.pid`)
    const seen: unknown[] = []
    const stopped: StartDaemon = (settings, { log, foreground }) => {
      seen.push(readFileSync(pidFile, 'utf8'), settings.masterAddress, foreground)
      log.at({ tag: 'Master', subtag: 'Main' }).debug2('detail')
      setImmediate(() => process.emit('SIGTERM'))
      return Promise.resolve({ failed: new Promise(() => undefined), stop: () => Promise.resolve() })
    }
    const { code, out, err } = await run(['--home', home, '-f', '-dd', '-r'], {}, stopped)
    expect({ code, err, seen }).toEqual({ code: 0, err: '', seen: [`${process.pid}\n`, 'm', true] })
    expect(out).toContain('DEBUG2: [Master] [Main] detail\n')
    expect(out).toBe(logText())
    expect(existsSync(pidFile)).toBe(false)
    expect(process.listenerCount('SIGTERM')).toBe(0)
  })
})

describe('the user of the daemon', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/bash\nwazuh:x:999:998::/var/ossec:/sbin/nologin\n'
  it('is wazuh for root, unless an option keeps root; any other user is kept', () => {
    expect(pickUser({ uid: 0, stayRoot: false, passwd })).toEqual({ ok: true, value: { name: 'wazuh', uid: 999, gid: 998 } })
    expect(pickUser({ uid: 0, stayRoot: true, passwd })).toEqual({ ok: true, value: undefined })
    expect(pickUser({ uid: 1000, stayRoot: false, passwd })).toEqual({ ok: true, value: undefined })
  })
  it('is an error with a remedy when root finds no wazuh', () => {
    const picked = pickUser({ uid: 0, stayRoot: false, passwd: 'wazuh2:x:1:1::\nwazuh:x:a:1::\n' })
    expect(picked.ok ? '' : picked.error.message).toContain('run as root with -r')
  })
})
