/** The cluster daemons of a home, by their PID files: those of Muster and those of Wazuh's own wazuh-clusterd. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

export const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code

export const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    // ESRCH: a process that ends while its file in /proc is read.
    if (isCode(error, 'ENOENT') || isCode(error, 'ESRCH')) return undefined
    throw error
  }
}

/** When the process started, in ticks since boot: with the PID it names one process for good. Undefined when it is gone. */
export const startTicks = (pid: number): string | undefined => {
  const stat = readIfThere(`/proc/${pid}/stat`)
  const [state, ...rest] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
  return state === undefined || state === 'Z' || state === 'X' ? undefined : rest[18]
}

export type DaemonKind = 'muster' | 'wazuh'

/** What Python runs. */
const wazuhsScript = 'wazuh_clusterd.py'

/** Undefined: the process is gone, or is another program. */
export const daemonKind = (pid: number): DaemonKind | undefined => {
  if (startTicks(pid) === undefined) return undefined
  const commandLine = readIfThere(`/proc/${pid}/cmdline`) ?? ''
  if (commandLine.split('\0').some((word) => basename(word) === wazuhsScript)) return 'wazuh'
  return commandLine.includes('wazuh-clusterd') ? 'muster' : undefined
}

/** Wazuh's own daemon has children with PID files of their own. */
const pidFilePattern = /^wazuh-clusterd(?:_child_\d{1,10})?-(\d{1,10})\.pid$/

export const pidFilesIn = (directory: string): readonly { readonly name: string; readonly pid: number }[] =>
  readdirSync(directory).flatMap((name) => {
    const [, pid] = pidFilePattern.exec(name) ?? []
    return pid === undefined ? [] : [{ name, pid: Number(pid) }]
  })

export interface DaemonProcess {
  readonly pid: number
  readonly kind: DaemonKind
}

/** Those that run. */
export const daemonsOf = (home: string): readonly DaemonProcess[] => {
  try {
    return pidFilesIn(join(home, 'var/run')).flatMap(({ pid }) => {
      const kind = daemonKind(pid)
      return kind === undefined ? [] : [{ pid, kind }]
    })
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return []
    throw error
  }
}
