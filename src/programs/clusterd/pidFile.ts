/**
 * One daemon per home: `var/run/wazuh-clusterd-PID.pid` for programs that look up the daemon, and in `queue/muster` a lock that decides
 * between two that start at once. What a dead daemon left behind is cleaned up.
 */
import { closeSync, fchmodSync, linkSync, lstatSync, openSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { daemonKind, isCode, pidFilesIn, readIfThere, startTicks } from '../kit/daemonProcesses.js'

const programName = 'wazuh-clusterd'
const attemptsMax = 10
const fileMode = 0o640

export interface HeldHome {
  /** Writes the PID file again; true when another program had removed it. */
  restorePidFile(): boolean
  /** Removes the PID file and the lock; may be called in an exit handler, and more than once. */
  release(): void
}

const removeIfThere = (path: string): void => {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
}

/** What a link leads to is not ours. */
const refuseLink = (path: string): void => {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new ClusterError('fileFailed', { message: `${path} cannot be written: it is a link; remove it` })
}

/** Writes a file in place of one that a dead process with the same PID left behind. */
const writeNew = (path: string, text: string): void => {
  refuseLink(path)
  removeIfThere(path)
  const file = openSync(path, 'wx', fileMode)
  try {
    // The umask has no say in it.
    fchmodSync(file, fileMode)
    writeFileSync(file, text)
  } finally {
    closeSync(file)
  }
}

const refusal = (home: string, pid: number): ClusterError =>
  new ClusterError('alreadyRunning', {
    message:
      daemonKind(pid) === 'wazuh'
        ? `Wazuh's own wazuh-clusterd (PID ${pid}) runs on ${home}: stop it with ${join(home, 'bin/wazuh-control')} stop`
        : `Another wazuh-clusterd (PID ${pid}) runs on ${home}`,
    context: { pid },
  })

interface Owner {
  readonly pid: number
  readonly ticks: string
}

const ownerIn = (text: string): Owner | undefined => {
  const found = /^(\d{1,10}) (\d+)\n$/.exec(text)
  return found?.[1] && found[2] ? { pid: Number(found[1]), ticks: found[2] } : undefined
}

const isAlive = (owner: Owner): boolean => startTicks(owner.pid) === owner.ticks

/** Takes the lock, whole with its content at once. Returns the PID of the dead owner that it was taken from, if there was one. */
const takeLock = (home: string, lock: string, mine: string): number | undefined => {
  const draft = `${lock}.${process.pid}`
  let deadPid: number | undefined
  refuseLink(lock)
  writeNew(draft, mine)
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      try {
        linkSync(draft, lock)
        return deadPid
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error
      }
      const found = readIfThere(lock)
      if (found === undefined) continue
      const owner = ownerIn(found)
      if (owner && isAlive(owner)) throw refusal(home, owner.pid)
      deadPid = owner?.pid
      setAside(lock, found)
    }
  } finally {
    removeIfThere(draft)
  }
  throw new ClusterError('alreadyRunning', { message: `The lock ${lock} could not be taken: other daemons are starting on ${home}` })
}

/** Removes a lock that holds `dead`; puts it back when another start has taken it meanwhile. */
const setAside = (lock: string, dead: string): void => {
  const aside = `${lock}.${process.pid}.dead`
  try {
    renameSync(lock, aside)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return
    throw error
  }
  if (readIfThere(aside) !== dead) {
    try {
      linkSync(aside, lock)
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
  }
  removeIfThere(aside)
}

/** Cleans up PID files of the dead; throws at one of the living. */
const clearPidFiles = (home: string, directory: string, deadPid: number | undefined): void => {
  for (const { name, pid } of pidFilesIn(directory)) {
    if (pid === process.pid) continue
    // The lock's dead owner left this one: a process with this PID now is another one.
    if (pid !== deadPid && daemonKind(pid) !== undefined) throw refusal(home, pid)
    removeIfThere(join(directory, name))
  }
}

/**
 * Claims the home for this process and writes its PID file.
 * Throws `alreadyRunning` when a living daemon has it, `fileFailed` when one of the two cannot be written.
 */
export const holdHome = (home: string): HeldHome => {
  const directory = join(home, 'var/run')
  const lock = join(home, 'queue/muster', `${programName}.lock`)
  const pidFile = join(directory, `${programName}-${process.pid}.pid`)
  const mine = `${process.pid} ${startTicks(process.pid) ?? '0'}\n`
  let isReleased = false
  const release = (): void => {
    isReleased = true
    if (readIfThere(lock) !== mine) return
    removeIfThere(pidFile)
    removeIfThere(lock)
  }
  try {
    const deadPid = takeLock(home, lock, mine)
    try {
      clearPidFiles(home, directory, deadPid)
      writeNew(pidFile, `${process.pid}\n`)
    } catch (error) {
      release()
      throw error
    }
  } catch (error) {
    if (error instanceof ClusterError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new ClusterError('fileFailed', {
      message: `The PID file in ${directory} or the lock ${lock} cannot be written: ${why}`,
      cause: error,
    })
  }
  const restorePidFile = (): boolean => {
    if (isReleased || readIfThere(pidFile) !== undefined) return false
    writeNew(pidFile, `${process.pid}\n`)
    return true
  }
  return { release, restorePidFile }
}
