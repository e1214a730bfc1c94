import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultListenerService, noAgentServices } from '../../../src/config/agentServiceOptions.js'
import { defaultInternalSettings, type NodeSettings } from '../../../src/config/settings.js'
import { checkWorkDirectories, sharedWithOthers } from '../../../src/programs/clusterd/workDirectories.js'

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-home-'))
  for (const directory of ['logs', 'var/run', 'queue/cluster', 'queue/muster', 'etc/rules', 'etc/shared'])
    mkdirSync(join(home, directory), { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const settingsOf = (nodeType: 'master' | 'worker', manager: NodeSettings['manager'] = 'auto'): NodeSettings => ({
  ...defaultInternalSettings,
  ...noAgentServices,
  manager,
  home,
  name: 'wazuh',
  nodeName: 'n',
  nodeType,
  key: 'c98b62a9b6169ac5f67dae55ae4a9088',
  port: 1516,
  bindAddress: '127.0.0.1',
  masterAddress: '127.0.0.1',
  hidden: false,
  disabled: false,
})

/** What a user may not write to. */
const refusing =
  (...directories: readonly string[]) =>
  (path: string): void => {
    if (directories.some((directory) => path === join(home, directory)))
      throw Object.assign(new Error(`EACCES: permission denied, access '${path}'`), { code: 'EACCES' })
  }

const saysOf = (settings: NodeSettings | undefined, ...directories: readonly string[]): string => {
  try {
    checkWorkDirectories(home, settings, refusing(...directories))
    return ''
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}

describe('directories that the daemon must write to', () => {
  it('are named all at once, with the user and the line that gives them to it', () => {
    const { username } = userInfo()
    expect(saysOf(settingsOf('worker'), 'logs', 'etc/rules')).toBe(
      `The daemon runs as '${username}', which may not write to ${home}/logs, ${home}/etc/rules: chown ${username} ${home}/logs ${home}/etc/rules`,
    )
  })

  it.each([
    ['a worker: those of its items', 'worker', 'auto', 'etc/shared', true],
    ['a worker: one above a directory that is still to be made', 'worker', 'auto', 'etc', true],
    ['a master: etc, for client.keys', 'master', 'auto', 'etc', true],
    ['a master: not those of its items', 'master', 'auto', 'etc/rules', false],
    ['a master beside a real manager: not etc', 'master', 'wazuh', 'etc', false],
    ['any: those of the log, the PID file, the socket and the table', 'master', 'wazuh', 'queue/muster', true],
  ] as const)('are, of %s', (_, type, manager, directory, isRefused) => {
    expect(saysOf(settingsOf(type, manager), directory) !== '').toBe(isRefused)
    expect(saysOf(settingsOf(type, manager))).toBe('')
  })

  it('include those of events and counters for a listener of agents, but not beside a real manager', () => {
    mkdirSync(join(home, 'queue/events'))
    const withListener = (manager: NodeSettings['manager']): NodeSettings => ({
      ...settingsOf('master', manager),
      listener: defaultListenerService,
    })
    expect(saysOf(withListener('none'), 'queue/events')).toContain(`${home}/queue/events`)
    expect(saysOf(withListener('wazuh'), 'queue/events')).toBe('')
    expect(saysOf(settingsOf('master'), 'queue/events')).toBe('')
  })

  it('are not those of the tree for a process that only writes its log', () => {
    expect(saysOf(undefined, 'etc', 'etc/rules')).toBe('')
    expect(saysOf(undefined, 'var/run')).toContain(`chown ${userInfo().username} ${home}/var/run`)
  })

  it('do not include etc when a real manager is in the home', () => {
    mkdirSync(join(home, 'bin'))
    writeFileSync(join(home, 'bin/wazuh-control'), '')
    expect(saysOf(settingsOf('master'), 'etc')).toBe('')
  })
})

describe('synced directories of a daemon that stays root', () => {
  const saysOf = (present: Readonly<Record<string, { uid: number; gid: number; mode: number }>>): string | undefined =>
    sharedWithOthers('/h', settingsOf('worker'), (path) => present[path])

  it('are warned about when others can write there', () => {
    const roots = { uid: 0, gid: 0, mode: 0o40775 }
    expect(saysOf({ '/h/etc': roots, '/h/etc/shared': { uid: 0, gid: 999, mode: 0o40750 } })).toBeUndefined()
    expect(saysOf({ '/h/etc': roots, '/h/etc/shared': { uid: 0, gid: 999, mode: 0o40770 } })).toBe(
      'The daemon stays root (-r), but users other than root can write to /h/etc/shared and so control what root reads and writes there; start it without -r, or chown -R root and chmod -R go-w them.',
    )
    expect(saysOf({ '/h/etc': { ...roots, uid: 999 }, '/h/etc/rules': { ...roots, mode: 0o40777 } })).toContain(
      'can write to /h/etc, /h/etc/rules and so',
    )
  })
})
