/** muster as an operator meets it: what it checks, says, asks and does, on a pretended manager's home. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ManagerMachine, realMachine } from '../../../src/programs/muster/managerMachine.js'
import { unreachable } from '../../../src/programs/muster/mayReach.js'
import { runMuster } from '../../../src/programs/muster/musterCommand.js'
import { daemonOf } from '../../../src/programs/muster/wrapper.js'
import { installWazuhs, makeManagerHome, managerConf, stateOfFiles, wazuhsProgram } from '../../support/manager/managerHome.js'
import { noInput, ranProgram } from '../ranProgram.js'

let root = ''
let home = ''
let own = { daemon: '', node: process.execPath }
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'muster-command-'))
  chmodSync(root, 0o755)
  home = join(root, 'home')
  own = { ...own, daemon: join(root, "where it's/wazuh-clusterd.js") }
  mkdirSync(join(own.daemon, '..'))
  writeFileSync(own.daemon, '#!/bin/sh\nprintf "%s|" muster "$@"\n', { mode: 0o755 })
  makeManagerHome(home)
  installWazuhs(home)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const withoutDpkg: ManagerMachine = { ...realMachine, run: () => undefined }
const program = (): string => join(home, 'bin/wazuh-clusterd')
const kept = (): string => `${program()}.wazuh`

const runWith = (stdin: Readable, argv: readonly string[]) =>
  ranProgram(
    (given, world) => runMuster(given, world, { machine: withoutDpkg, own }),
    // As root the daemon would want the user wazuh, which machines of developers do not have.
    [...argv, '--home', home, ...(argv[0]?.startsWith('install') ? ['-r'] : [])],
    {},
    stdin,
  )
const run = (...argv: readonly string[]) => runWith(noInput(), argv)
const install = () => run('install-into-manager', '--yes')

const calledWrapper = (...argv: readonly string[]) => {
  const { status, stderr, stdout } = spawnSync(program(), argv, { cwd: '/', encoding: 'utf8' })
  return { status, stderr, stdout }
}

const inItsPlace = (make: () => void): void => {
  rmSync(program())
  make()
}

const terminal = (text: string): Readable => Object.assign(Readable.from([text]), { isTTY: true })

describe('muster install-into-manager', () => {
  it('shows its checks and steps, and with --dry-run does nothing', async () => {
    const before = stateOfFiles(join(home, 'bin'))
    const { code, err, out } = await run('install-into-manager', '--dry-run')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^CHECK +STATE +DETAIL\nhome +ok +.*\nversion +ok +4\.14\.7\nconfiguration +ok +the master 'node01'\n/)
    expect(out).toContain(
      `1. Write down what is done in ${home}/bin/.muster-install.json\n2. Keep Wazuh's program as ${kept()}\n3. Put a script`,
    )
    expect(out.endsWith('Nothing was changed (--dry-run).\n')).toBe(true)
    expect(stateOfFiles(join(home, 'bin'))).toEqual(before)
  })

  it('puts a script in place of the program, with its mode and owner, that starts Muster with every flag', async () => {
    const original = statSync(program())
    expect(await install()).toMatchObject({ code: 0, err: '' })
    const { gid, mode, uid } = statSync(program())
    expect({ gid, mode, uid }).toEqual({ gid: original.gid, mode: original.mode, uid: original.uid })
    expect(daemonOf(readFileSync(program(), 'utf8'))).toBe(own.daemon)
    expect(calledWrapper('-t', '-d', 'a b')).toEqual({ status: 0, stderr: '', stdout: `muster|-r|--home|${home}|-t|-d|a b|` })
    expect(await run('status')).toMatchObject({ code: 0, out: expect.stringMatching(/installed +rename +nothing/) })
  })

  it('is undone to the mode, owner, time and content, and both can be called again', async () => {
    const before = stateOfFiles(join(home, 'bin'))
    await install()
    const installed = stateOfFiles(join(home, 'bin'))
    const again = await install()
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('Muster is installed') })
    expect(again.out).not.toContain('1. ')
    expect(stateOfFiles(join(home, 'bin'))).toEqual(installed)
    for (let time = 0; time < 2; time++) {
      expect(await run('uninstall', '--yes')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Muster is not installed') })
      expect(stateOfFiles(join(home, 'bin'))).toEqual(before)
    }
    expect(await run('status')).toMatchObject({ code: 1, out: expect.stringMatching(/not installed +- +nothing/) })
  })

  it('asks at a terminal, and where nobody can be asked does nothing without --yes', async () => {
    const before = stateOfFiles(join(home, 'bin'))
    expect(await run('install-into-manager')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is nobody to ask: --yes does it'),
    })
    const refused = await runWith(terminal('n\n'), ['install-into-manager'])
    expect(refused).toMatchObject({ code: 1, out: expect.stringMatching(/Do this\? \[y\/N\]: Nothing was changed\.\n$/) })
    expect(stateOfFiles(join(home, 'bin'))).toEqual(before)
    expect(await runWith(terminal('y\n'), ['install-into-manager'])).toMatchObject({ code: 0 })
    expect(existsSync(kept())).toBe(true)
  })

  it('prints one object with --json, refusals too', async () => {
    const good = await run('install-into-manager', '--json', '--dry-run')
    expect(JSON.parse(good.out)).toMatchObject({
      error: 0,
      home,
      done: false,
      steps: [{ step: 'record' }, { step: 'keep' }, { step: 'wrap' }],
    })
    makeManagerHome(home, { version: '5.0.0' })
    const bad = await run('install-into-manager', '--json', '--yes')
    expect(bad).toMatchObject({ code: 1, err: '' })
    expect(JSON.parse(bad.out)).toMatchObject({ error: 3160, done: false, steps: [], checks: [{}, { check: 'version', state: 'refused' }] })
    expect(JSON.parse((await run('status', '--json')).out)).toEqual({
      error: 1,
      message: '',
      home,
      state: 'not installed',
      way: '',
      runs: 'nothing',
    })
  })

  it('says what is wrong with a home, and changes nothing', async () => {
    const refusals: readonly (readonly [() => void, string])[] = [
      [() => makeManagerHome(home, { version: '4.8.2' }), 'Wazuh 4.8.2: Muster knows 4.9 to 4.14'],
      [() => makeManagerHome(home, { version: '4.15.0' }), 'Wazuh 4.15.0: Muster knows 4.9 to 4.14'],
      [() => makeManagerHome(home, { version: '5.0.0' }), `${home} is a manager of Wazuh 5`],
      [() => makeManagerHome(home, { version: 'x' }), 'says no version of Wazuh'],
      [() => makeManagerHome(home, { conf: managerConf.replace('1516', '1') }), '<cluster><port> is 1: must be'],
      [() => rmSync(join(home, 'etc/ossec.conf')), 'etc/ossec.conf: cannot be read: it does not exist'],
      [() => writeFileSync(join(home, 'etc/cluster.json'), '{"manager": "none"}'), 'manager is "none": Muster would write client.keys'],
      [() => rmSync(program()), "Wazuh's own program is neither"],
      [() => inItsPlace(() => mkdirSync(program())), `${program()} is not a file`],
      [() => inItsPlace(() => symlinkSync('/bin/true', program())), `${program()} is not a file`],
      [() => writeFileSync(kept(), 'of somebody'), `${kept()} is there already, and not from Muster`],
      [() => writeFileSync(join(home, 'bin/.muster-install.json'), '{"way": "?"}'), 'is not a record of an installation'],
      [() => rmSync(join(home, 'bin/wazuh-control')), 'is not the home of a Wazuh manager'],
      [() => writeFileSync(join(home, 'bin/wazuh-manager-control'), ''), `${home} is a manager of Wazuh 5`],
      [() => rmSync(home, { recursive: true }), `${home} is not a directory: name the manager's home`],
    ]
    for (const [spoil, says] of refusals) {
      rmSync(home, { recursive: true, force: true })
      makeManagerHome(home)
      installWazuhs(home)
      spoil()
      const before = existsSync(home) ? stateOfNames() : []
      expect([says, await run('install-into-manager', '--yes')]).toEqual([
        says,
        { code: 1, out: expect.anything(), err: expect.stringContaining(says) },
      ])
      expect(existsSync(home) ? stateOfNames() : []).toEqual(before)
    }
  })

  it('names root where it may not read the home', async () => {
    const denied = (): never => {
      throw Object.assign(new Error('denied'), { code: 'EACCES' })
    }
    const ofUser: ManagerMachine = { ...withoutDpkg, fs: { ...realMachine.fs, accessSync: denied, lstatSync: denied as never } }
    for (const [action, says] of [
      ['install-into-manager', `${home}/bin cannot be read: call muster as root`],
      ['uninstall', 'permission denied; call muster as root'],
      ['status', 'permission denied; call muster as root'],
    ] as const) {
      const ran = await ranProgram((argv, world) => runMuster(argv, world, { machine: ofUser, own }), [action, '--home', home, '--yes'])
      expect(ran).toMatchObject({ code: 1, err: expect.stringContaining(says) })
    }
  })

  it('warns of a cluster that is disabled', async () => {
    makeManagerHome(home, { conf: managerConf.replace('<disabled>no', '<disabled>yes') })
    expect((await install()).out).toMatch(/configuration +warning +the cluster is disabled: wazuh-control does not start/)
  })

  it('takes over a link that was made by hand, and undoes it', async () => {
    const before = stateOfFiles(join(home, 'bin'))
    renameSync(program(), kept())
    symlinkSync(own.daemon, program())
    expect(await run('status')).toMatchObject({ code: 0 })
    expect((await install()).code).toBe(0)
    expect(calledWrapper('-V').stdout).toContain('muster|')
    expect((await run('uninstall', '--yes')).code).toBe(0)
    expect(stateOfFiles(join(home, 'bin'))).toEqual(before)
  })
})

/** Names and kinds only: what was spoilt may be a directory. */
const stateOfNames = (): readonly string[] => readdirSync(join(home, 'bin')).sort()

describe('after an upgrade of Wazuh without dpkg', () => {
  it('the status says so with exit code 1; installing again keeps the new program, undoing leaves it', async () => {
    await install()
    const upgrade = (): void => {
      rmSync(program())
      installWazuhs(home, '4.14.8')
    }
    upgrade()
    const status = await run('status')
    expect(status).toMatchObject({
      code: 1,
      out: expect.stringMatching(/replaced +rename +nothing +\n.* is Wazuh's own again, most likely by an upgrade/),
    })
    expect((await install()).code).toBe(0)
    expect(readFileSync(kept(), 'utf8')).toBe(wazuhsProgram('4.14.8'))
    rmSync(program())
    installWazuhs(home, '4.14.9')
    expect((await run('uninstall', '--yes')).code).toBe(0)
    expect([stateOfNames(), readFileSync(program(), 'utf8')]).toEqual([['wazuh-clusterd', 'wazuh-control'], wazuhsProgram('4.14.9')])
  })
})

describe('muster status', () => {
  it("says that an installation is not finished, and that Wazuh's own daemon still runs", async () => {
    await install()
    const running = spawn('sleep', ['1000'], { argv0: join(home, 'framework/scripts/wazuh_clusterd.py'), stdio: 'ignore' })
    try {
      await once(running, 'spawn')
      writeFileSync(join(home, 'var/run', `wazuh-clusterd-${running.pid}.pid`), `${running.pid}\n`)
      const says = `Wazuh's own wazuh-clusterd runs (PID ${running.pid}): ${home}/bin/wazuh-control restart starts what is installed.\n`
      expect(await run('status')).toMatchObject({ code: 1, out: expect.stringMatching(/installed +rename +wazuh/) })
      expect((await run('status')).out.endsWith(says)).toBe(true)
    } finally {
      running.kill('SIGKILL')
    }
    renameSync(kept(), program())
    expect(await run('status')).toMatchObject({ code: 1, out: expect.stringMatching(/unfinished .*\nThe installation is not finished: /) })
  })
})

describe('muster uninstall', () => {
  it('puts back a kept program that was changed meanwhile, and says so', async () => {
    await install()
    writeFileSync(kept(), 'changed')
    expect(await run('uninstall', '--yes')).toMatchObject({ code: 0, out: expect.stringContaining(`${kept()} is not as it was kept`) })
    expect(readFileSync(program(), 'utf8')).toBe('changed')
  })

  it('names what is left that only Muster reads', async () => {
    await install()
    mkdirSync(join(home, 'queue/muster'))
    expect((await run('uninstall', '--yes')).out).toContain(`Only Muster reads ${home}/queue/muster: remove what you do not need`)
  })

  it('takes away what a process that died was writing, and leaves that of one that runs', async () => {
    const drafts = [2 ** 22 + 1, process.ppid].map((pid) => join(home, `bin/.wazuh-clusterd.muster.${pid}`))
    for (const draft of drafts) writeFileSync(draft, 'half')
    expect((await run('uninstall', '--yes')).code).toBe(0)
    expect(drafts.map((draft) => existsSync(draft))).toEqual([false, true])
  })
})

describe('the script in place of wazuh-clusterd', () => {
  it('says with exit code 1 that Muster is gone, and the command that puts the program of Wazuh back', async () => {
    const before = stateOfFiles(join(home, 'bin'))
    await install()
    rmSync(own.daemon)
    const { status, stderr } = calledWrapper('-t')
    expect(status).toBe(1)
    expect(stderr).toContain(`wazuh-clusterd: Muster is gone: there is no program ${own.daemon}. Install Muster again, or put`)
    expect(await run('status')).toMatchObject({ code: 1, out: expect.stringContaining(`starts ${own.daemon}, which is not there`) })
    const [, wayBack = ''] = /back: (.*)\n$/.exec(stderr) ?? []
    expect(spawnSync('sh', ['-c', wayBack]).status).toBe(0)
    rmSync(join(home, 'bin/.muster-install.json'))
    expect(stateOfFiles(join(home, 'bin'))).toEqual(before)
  })

  it('works where the PATH has no node, and says it where there is none at all', async () => {
    writeFileSync(own.daemon, '#!/usr/bin/env -S node\nconsole.log(process.argv.length)\n')
    await install()
    expect(spawnSync(program(), ['-t'], { env: { PATH: '/usr/bin:/bin' }, encoding: 'utf8' }).stdout).toBe('6\n')
    writeFileSync(program(), readFileSync(program(), 'utf8').replace(/^PATH=.*$/m, 'PATH=/nowhere'))
    expect(calledWrapper('-t')).toMatchObject({ status: 1, stderr: expect.stringContaining('there is no node (Node.js) in the PATH') })
  })
})

describe('muster', () => {
  it('shows its help, and refuses what it does not know', async () => {
    const help = await ranProgram((argv, world) => runMuster(argv, world, { machine: withoutDpkg, own }), [])
    expect(help).toMatchObject({ code: 0, out: expect.stringContaining('muster install-into-manager --dry-run') })
    for (const [argv, says] of [
      [['install'], "'install' is not one of install-into-manager, uninstall, status."],
      [['status', 'now'], "status takes options only, not 'now'."],
      [['status', '--force'], "unknown option '--force'"],
    ] as const)
      expect(await run(...argv)).toMatchObject({ code: 1, err: expect.stringContaining(says) })
  })
})

describe('whether a user may use a file', () => {
  it('is what the modes of it and its directories say to owner, group and others', () => {
    const file = join(root, 'one/two/file')
    mkdirSync(join(root, 'one/two'), { recursive: true })
    writeFileSync(file, '')
    const { gid, uid } = statSync(file)
    const users = {
      owner: { name: 'a', uid, gid: gid + 1 },
      group: { name: 'b', uid: uid + 1, gid },
      other: { name: 'c', uid: uid + 1, gid: gid + 1 },
    }
    const closedTo = (fileMode: number, directoryMode: number) => {
      chmodSync(file, fileMode)
      chmodSync(join(root, 'one'), directoryMode)
      return Object.fromEntries(Object.entries(users).map(([name, user]) => [name, unreachable(realMachine, file, user)]))
    }
    expect(closedTo(0o755, 0o755)).toEqual({ owner: undefined, group: undefined, other: undefined })
    expect(closedTo(0o750, 0o755)).toEqual({ owner: undefined, group: undefined, other: file })
    expect(closedTo(0o705, 0o755)).toEqual({ owner: undefined, group: file, other: undefined })
    expect(closedTo(0o755, 0o710)).toEqual({ owner: undefined, group: undefined, other: join(root, 'one') })
    expect(unreachable(realMachine, join(root, 'one/none'), users.owner)).toBe(join(root, 'one/none'))
  })
})
