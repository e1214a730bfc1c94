/** Does the steps of an installation. Each is one change that another program sees whole or not at all, on the disk when it returns. */
import { dirname } from 'node:path'
import { asClusterError, ClusterError } from '../../base/errors.js'
import { safeJson } from '../../base/escapeText.js'
import { changeDiversion, diversionCommand } from './diversion.js'
import type { Installation, InstallPaths, InstallStep } from './installation.js'
import type { ManagerMachine } from './managerMachine.js'

const recordMode = 0o640

interface OwnedMode {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

class InstallFiles {
  readonly #fs: ManagerMachine['fs']
  readonly #paths: InstallPaths

  constructor({ fs }: ManagerMachine, paths: InstallPaths) {
    this.#fs = fs
    this.#paths = paths
  }

  removeDraft(): void {
    this.#fs.rmSync(this.#paths.draft, { force: true })
  }

  put(path: string, text: string, { gid, mode, uid }: OwnedMode): void {
    this.removeDraft()
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = this.#fs.constants
    const file = this.#fs.openSync(this.#paths.draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    try {
      this.#fs.writeFileSync(file, text)
      const made = this.#fs.fstatSync(file)
      if (made.uid !== uid || made.gid !== gid) this.#fs.fchownSync(file, uid, gid)
      // After the owner, whose change takes bits of the mode away.
      this.#fs.fchmodSync(file, mode)
      this.#fs.fsyncSync(file)
    } finally {
      this.#fs.closeSync(file)
    }
    this.rename(this.#paths.draft, path)
  }

  /** A second name for the program that was found there, in place of what had the name. */
  keep(inode: string): void {
    const { draft, kept, program } = this.#paths
    this.removeDraft()
    this.#fs.linkSync(program, draft)
    const { dev, ino } = this.#fs.lstatSync(draft, { bigint: true })
    if (`${dev}:${ino}` !== inode) {
      this.removeDraft()
      throw new ClusterError('fileFailed', { message: `${program} has just been replaced by another program: try again` })
    }
    this.rename(draft, kept)
    // Two names of one file are left as they are by a rename.
    this.removeDraft()
  }

  rename(from: string, to: string): void {
    this.#fs.renameSync(from, to)
    this.#sync()
  }

  remove(path: string): void {
    this.#fs.rmSync(path, { force: true })
    this.#sync()
  }

  #sync(): void {
    const directory = this.#fs.openSync(dirname(this.#paths.draft), this.#fs.constants.O_RDONLY)
    try {
      this.#fs.fsyncSync(directory)
    } finally {
      this.#fs.closeSync(directory)
    }
  }
}

/** What a step does, for an operator. */
export const stepText = (step: InstallStep, { kept, program, record }: InstallPaths): string => {
  switch (step.kind) {
    case 'record':
      return `Write down what is done in ${record}`
    case 'keep':
      return `Keep Wazuh's program as ${kept}`
    case 'divert':
      return `Let packages of Wazuh install it there from now on: ${diversionCommand(program, kept, '--add')}`
    case 'wrap':
      return `Put a script in place of ${program} that starts Muster`
    case 'restore':
      return `Put ${kept} back as ${program}`
    case 'unwrap':
      return `Remove ${program}, which starts Muster; there is no program of Wazuh to put back`
    case 'drop':
      return `Remove ${kept}: Wazuh's own program is in its place already`
    case 'undivert':
      return `Let packages of Wazuh install it in its own place again: ${diversionCommand(program, kept, '--remove')}`
    case 'forget':
      return `Remove ${record}`
  }
}

const carryOut = (step: InstallStep, files: InstallFiles, machine: ManagerMachine, paths: InstallPaths): void => {
  switch (step.kind) {
    case 'record': {
      // For the daemon to read, which runs as wazuh.
      const { gid, uid } = machine.fs.statSync(dirname(paths.record))
      files.put(paths.record, `${safeJson(step.record, 2)}\n`, { mode: recordMode, uid, gid })
      break
    }
    case 'keep':
      files.keep(step.inode)
      break
    case 'wrap':
      files.put(paths.program, step.text, step.like)
      break
    case 'divert':
      changeDiversion(machine, paths.program, paths.kept, '--add')
      break
    case 'restore':
      files.rename(paths.kept, paths.program)
      break
    case 'unwrap':
      files.remove(paths.program)
      break
    case 'drop':
      files.remove(paths.kept)
      break
    case 'undivert':
      changeDiversion(machine, paths.program, paths.kept, '--remove')
      break
    case 'forget':
      files.remove(paths.record)
  }
}

/** Throws a ClusterError that names the step; what was done before it stays, and the next attempt goes on from there. */
export const carryOutSteps = (machine: ManagerMachine, steps: readonly InstallStep[], { drafts, paths }: Installation): void => {
  const files = new InstallFiles(machine, paths)
  for (const draft of drafts) machine.fs.rmSync(draft, { force: true })
  for (const step of steps) {
    try {
      carryOut(step, files, machine, paths)
    } catch (thrown) {
      const { message } = asClusterError(thrown, 'fileFailed')
      throw new ClusterError('fileFailed', { message: `${stepText(step, paths)}: ${message}`, cause: thrown })
    }
  }
}
