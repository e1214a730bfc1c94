/** Installing and uninstalling, ended between any two calls to the system: the next attempt, or the undoing, finds what it needs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { carryOutSteps } from '../../../src/programs/muster/carryOutSteps.js'
import { findInstallation } from '../../../src/programs/muster/findInstallation.js'
import { installState, installSteps, uninstallSteps } from '../../../src/programs/muster/installation.js'
import { type ManagerMachine, realMachine } from '../../../src/programs/muster/managerMachine.js'
import { wrapperText } from '../../../src/programs/muster/wrapper.js'
import { isMissing } from '../../support/debianProgram.js'
import { installWazuhs, makeManagerHome, stateOfFiles, wazuhsProgram } from '../../support/manager/managerHome.js'
import { PackagedManager } from '../../support/manager/packagedManager.js'

let root = ''
let home = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'muster-install-'))
  home = join(root, 'home')
  makeManagerHome(home)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const bin = (): string => join(home, 'bin')
const program = (): string => join(bin(), 'wazuh-clusterd')
const daemon = '/opt/muster/dist/cli/wazuh-clusterd.js'
const wanted = () => ({ daemon, wrapper: wrapperText({ home, daemon, nodeDirectory: '/usr/bin', wayBack: 'mv', stayRoot: false }) })

const withoutDpkg: ManagerMachine = { ...realMachine, run: () => undefined }

class Killed extends Error {}

/** Calls that only read leave the disk as the call before them. */
const ofNames = ['linkSync', 'renameSync']
const ofAnything = [...ofNames, 'rmSync', 'writeFileSync', 'fchmodSync', 'fchownSync', 'fsyncSync', 'openSync']

const isChange = (name: unknown, args: readonly unknown[], changes: readonly unknown[]): boolean => {
  if (name === 'openSync') return changes.includes(name) && (Number(args[1]) & realMachine.fs.constants.O_CREAT) !== 0
  if (name === 'run') return JSON.stringify(args).match(/--(add|remove)/) !== null
  return changes.includes(name)
}

/** A machine whose caller dies before its change number `lives`: that one, and all that a dying program would still try, does nothing. */
const mortal = (machine: ManagerMachine, lives: number, changes: readonly unknown[]): ManagerMachine => {
  let left = lives
  const living = (name: unknown, call: (...args: readonly unknown[]) => unknown) => {
    return (...args: readonly unknown[]): unknown => {
      if (isChange(name, args, changes)) left -= 1
      if (left < 0) throw new Killed()
      return call(...args)
    }
  }
  const mortalOf = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (_, name): unknown => {
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? living(name, value as (...args: readonly unknown[]) => unknown) : value
      },
    })
  return mortalOf({ run: machine.run, fs: mortalOf(machine.fs) })
}

type Action = 'install' | 'uninstall'

const act = (action: Action, machine: ManagerMachine): void => {
  const found = findInstallation(machine, home)
  const steps = action === 'install' ? installSteps(found, wanted()) : uninstallSteps(found)
  if (!steps.ok) throw steps.error
  carryOutSteps(machine, steps.value, found)
}

interface Trial {
  readonly machine: ManagerMachine
  /** The calls before which it dies; with dpkg, which is slow, those that change names. */
  readonly changes?: readonly string[]
  readonly prepare: () => void
  /** What happens between the death and the next attempt. */
  readonly meanwhile?: () => void
  readonly versionAfter?: () => string
}

/** Whether it was through before it died. */
const actUntilKilled = (action: Action, { changes = ofAnything, machine }: Trial, lives: number): boolean => {
  try {
    act(action, mortal(machine, lives, changes))
    return true
  } catch (thrown) {
    if (thrown instanceof Killed || (thrown instanceof Error && thrown.cause instanceof Killed)) return false
    // A program that died has not seen this either.
    const cause = thrown instanceof Error ? thrown.cause : undefined
    if (cause instanceof Error && cause.cause instanceof Killed) return false
    throw thrown
  }
}

const finished = (machine: ManagerMachine): void => {
  const found = findInstallation(machine, home)
  expect(installState(found)).toBe('installed')
  expect(installSteps(found, wanted())).toEqual({ ok: true, value: [] })
}

/** Dies at each call of `action` in turn, then goes on with `next`; ends with the files of before. */
const killedEverywhere = (action: Action, next: Action, trial: Trial): number => {
  const { machine, meanwhile, prepare, versionAfter } = trial
  for (let lives = 0; ; lives++) {
    prepare()
    const before = stateOfFiles(bin())
    if (action === 'uninstall') act('install', machine)
    const isThrough = actUntilKilled(action, trial, lives)
    expect(realMachine.fs.existsSync(program())).toBe(true)
    meanwhile?.()
    act(next, machine)
    if (next === 'install') finished(machine)
    act('uninstall', machine)
    if (versionAfter === undefined) expect(stateOfFiles(bin())).toEqual(before)
    else {
      expect(realMachine.fs.readdirSync(bin())).toEqual(['wazuh-clusterd', 'wazuh-control'])
      expect(realMachine.fs.readFileSync(program(), 'utf8')).toBe(wazuhsProgram(versionAfter()))
    }
    if (isThrough) return lives
  }
}

const both = ['install', 'uninstall'] as const
const pairs = both.flatMap((action) => both.map((next) => [action, next] as const))

describe('without dpkg', () => {
  it.each(pairs)('%s that dies anywhere goes on by %s, and leaves no trace of itself', (action, next) => {
    const calls = killedEverywhere(action, next, { machine: withoutDpkg, prepare: () => installWazuhs(home) })
    expect(calls).toBeGreaterThan(3)
  })

  it.each(pairs)('%s that dies anywhere, then a new version by hand: %s keeps the new one', (action, next) => {
    const meanwhile = (): void => {
      rmSync(program())
      installWazuhs(home, '4.14.8')
    }
    const prepare = (): void => installWazuhs(home)
    killedEverywhere(action, next, { machine: withoutDpkg, prepare, meanwhile, versionAfter: () => '4.14.8' })
  })
})

describe.skipIf(isMissing('dpkg-divert', 'dpkg'))('with dpkg', () => {
  it.each(pairs)('%s that dies anywhere goes on by %s, and leaves no trace of itself', (action, next) => {
    const manager = new PackagedManager(root, program())
    manager.install('1')
    killedEverywhere(action, next, { machine: manager.machine, changes: ofNames, prepare: () => undefined })
    expect(manager.diversions()).toBe('')
  })

  it.each(both)('%s that dies anywhere, then an upgrade of the package, keeps the new version', (action) => {
    const manager = new PackagedManager(root, program())
    let version = 1
    manager.install(String(version))
    const upgrade = (): void => {
      version += 1
      manager.install(String(version))
    }
    killedEverywhere(action, action, {
      machine: manager.machine,
      changes: ofNames,
      prepare: () => undefined,
      meanwhile: upgrade,
      versionAfter: () => String(version),
    })
    expect(manager.diversions()).toBe('')
  })
})
