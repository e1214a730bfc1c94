/** Whether Muster can take the place of wazuh-clusterd in a home: what an operator should know before anything is changed. */
import { join } from 'node:path'
import { asClusterError } from '../../base/errors.js'
import { loadSettings } from '../../config/loadSettings.js'
import { managerVersion } from '../../platform/machine/managerVersion.js'
import { pickUser } from '../clusterd/runAsUser.js'
import { daemonsOf, isCode } from '../kit/daemonProcesses.js'
import type { ManagerMachine } from './managerMachine.js'
import { unreachable } from './mayReach.js'

export interface Check {
  readonly check: 'home' | 'version' | 'configuration' | 'user' | 'permission' | 'daemon'
  /** `refused`: nothing is changed. */
  readonly state: 'ok' | 'warning' | 'refused'
  readonly detail: string
}

export interface CheckOptions {
  readonly home: string
  /** Of Muster. */
  readonly daemon: string
  readonly node: string
  readonly stayRoot: boolean
  readonly uid: number
}

const check = (name: Check['check'], state: Check['state'], detail: string): Check => ({ check: name, state, detail })

const versionMin = { major: 4, minor: 9 }
const versionMax = { major: 4, minor: 14 }
const known = `${versionMin.major}.${versionMin.minor} to ${versionMax.major}.${versionMax.minor}`

/** What only a manager of Wazuh 5 has. */
const filesOf5 = ['etc/wazuh-manager.conf', 'bin/wazuh-manager-control']
const homeOf5 = '/var/wazuh-manager'

const of5 = (home: string): Check =>
  check('version', 'refused', `${home} is a manager of Wazuh 5, which has another cluster and other paths: Muster knows ${known}`)

const isThere = ({ fs }: ManagerMachine, path: string): boolean => fs.statSync(path, { throwIfNoEntry: false }) !== undefined

const isDenied = ({ fs }: ManagerMachine, home: string): boolean => {
  try {
    fs.accessSync(join(home, 'bin/.'))
    return false
  } catch (thrown) {
    return isCode(thrown, 'EACCES')
  }
}

const checkHome = (machine: ManagerMachine, home: string): Check => {
  const { fs } = machine
  if (!fs.statSync(home, { throwIfNoEntry: false })?.isDirectory()) {
    const other = isThere(machine, homeOf5) ? ` (${homeOf5} is of Wazuh 5, which Muster does not know)` : ''
    return check('home', 'refused', `${home} is not a directory: name the manager's home with --home DIR or WAZUH_PATH${other}`)
  }
  if (!fs.statSync(join(home, 'bin/wazuh-control'), { throwIfNoEntry: false })?.isFile())
    return check('home', 'refused', `${home} is not the home of a Wazuh manager: there is no bin/wazuh-control in it`)
  return check('home', 'ok', home)
}

const checkVersion = (home: string): Check => {
  const version = managerVersion(home)
  if (version === undefined)
    return check('version', 'refused', `${join(home, 'bin/wazuh-control')} says no version of Wazuh, or cannot be read`)
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major >= 5) return of5(home)
  if (major < versionMin.major || minor < versionMin.minor || minor > versionMax.minor)
    return check('version', 'refused', `Wazuh ${version}: Muster knows ${known}`)
  return check('version', 'ok', version)
}

const checkConfiguration = (home: string): readonly Check[] => {
  const loaded = loadSettings({ home, hasManager: () => true })
  const warnings = loaded.warnings.map((line) => check('configuration', 'warning', line))
  if (!loaded.ok) {
    // With them every restart of the manager would be refused.
    return [...loaded.mistakes.map((line) => check('configuration', 'refused', line)), ...warnings]
  }
  const { disabled, manager, nodeName, nodeType } = loaded.settings
  if (manager === 'none')
    return [
      check(
        'configuration',
        'refused',
        `${join(home, 'etc/cluster.json')}: manager is "none": Muster would write client.keys, groups and merged.mg as the manager's programs do; remove the option`,
      ),
    ]
  if (disabled)
    return [
      check('configuration', 'warning', 'the cluster is disabled: wazuh-control does not start the daemon before it is enabled'),
      ...warnings,
    ]
  return warnings.length > 0 ? warnings : [check('configuration', 'ok', `the ${nodeType} '${nodeName}'`)]
}

const checkUser = (machine: ManagerMachine, { daemon, node, stayRoot, uid }: CheckOptions): Check => {
  if (stayRoot) return check('user', 'warning', 'the daemon keeps running as root (-r), which is for trials')
  const picked = pickUser({ uid, stayRoot, passwd: machine.fs.readFileSync('/etc/passwd', 'utf8') })
  if (!picked.ok) return check('user', 'refused', picked.error.message)
  const user = picked.value
  if (!user) return check('user', 'ok', `the daemon runs as the user with the number ${uid}`)
  for (const path of [daemon, node]) {
    const closed = unreachable(machine, path, user)
    if (closed !== undefined)
      return check(
        'user',
        'refused',
        `the daemon runs as '${user.name}', which may not use ${closed}: install ${path} where every user may read it`,
      )
  }
  return check('user', 'ok', user.name)
}

const checkPermission = ({ fs }: ManagerMachine, home: string): Check => {
  const bin = join(home, 'bin')
  try {
    fs.accessSync(bin, fs.constants.W_OK | fs.constants.X_OK)
    return check('permission', 'ok', bin)
  } catch (thrown) {
    return check('permission', 'refused', `${bin} cannot be written to: call muster as root (${asClusterError(thrown).message})`)
  }
}

const checkDaemon = (home: string): Check => {
  const [running] = daemonsOf(home).toSorted((a, b) => b.kind.localeCompare(a.kind))
  if (!running) return check('daemon', 'ok', 'none runs')
  return running.kind === 'wazuh'
    ? check('daemon', 'warning', `Wazuh's own wazuh-clusterd runs (PID ${running.pid}), until the manager is restarted`)
    : check('daemon', 'ok', `Muster runs (PID ${running.pid})`)
}

/** All of them; only that of the home when it is not a manager's. */
export const checkManager = (machine: ManagerMachine, options: CheckOptions): readonly Check[] => {
  const { home } = options
  if (isDenied(machine, home)) return [check('permission', 'refused', `${join(home, 'bin')} cannot be read: call muster as root`)]
  if (filesOf5.some((file) => isThere(machine, join(home, file)))) return [of5(home)]
  const ofHome = checkHome(machine, home)
  if (ofHome.state === 'refused') return [ofHome]
  const version = checkVersion(home)
  if (version.state === 'refused') return [ofHome, version]
  return [ofHome, version, ...checkConfiguration(home), checkUser(machine, options), checkPermission(machine, home), checkDaemon(home)]
}
