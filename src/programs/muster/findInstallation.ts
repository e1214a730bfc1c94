/** Reads what is there of an installation in a manager's home. */
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { isCode, startTicks } from '../kit/daemonProcesses.js'
import { isWrapper, programPath, recordPath } from '../kit/installedHome.js'
import { diversionOf, owningPackage } from './diversion.js'
import type { FoundProgram, Installation, InstallPaths, InstallRecord } from './installation.js'
import type { ManagerMachine } from './managerMachine.js'

const recordSchema = Type.Object({
  way: Type.Union([Type.Literal('dpkg-divert'), Type.Literal('rename')]),
  kept: Type.String({ pattern: '^/' }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  daemon: Type.String(),
})

/** Followed by the PID. */
const draftPrefix = '.wazuh-clusterd.muster.'
/** Of the file that a link made by hand leads to. */
const daemonNames = ['wazuh-clusterd.js', 'wazuh-clusterd']

const failed = (what: string, thrown: unknown): ClusterError => {
  const why = isCode(thrown, 'EACCES')
    ? 'permission denied; call muster as root'
    : thrown instanceof Error
      ? thrown.message
      : String(thrown)
  return new ClusterError('fileFailed', { message: `${what}: ${why}`, cause: thrown })
}

/** No more than a program of this kind has; what is larger is cut, and so is its digest. */
const contentOf = ({ fs }: ManagerMachine, path: string, size: number): Buffer => {
  const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)
  try {
    const bytes = Buffer.alloc(Math.min(size, limits.configFileBytesMax))
    return bytes.subarray(0, fs.readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    fs.closeSync(file)
  }
}

/** A link whose end is missing may still be one to Muster. */
const isLinkToMuster = ({ fs }: ManagerMachine, path: string): boolean => {
  const end = fs.statSync(path, { throwIfNoEntry: false }) ? fs.realpathSync(path) : fs.readlinkSync(path)
  return daemonNames.includes(basename(end))
}

const found = (machine: ManagerMachine, path: string): FoundProgram | undefined => {
  try {
    const stat = machine.fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
    if (!stat) return undefined
    const mode = Number(stat.mode) & 0o7777
    const identity = { inode: `${stat.dev}:${stat.ino}`, mode, uid: Number(stat.uid), gid: Number(stat.gid), sha256: '' }
    if (stat.isSymbolicLink()) return { ...identity, kind: isLinkToMuster(machine, path) ? 'link' : 'other' }
    if (!stat.isFile()) return { ...identity, kind: 'other' }
    const content = contentOf(machine, path, Number(stat.size))
    const file = { ...identity, sha256: createHash('sha256').update(content).digest('hex') }
    const text = content.toString('utf8')
    return isWrapper(text) ? { ...file, kind: 'wrapper', text } : { ...file, kind: 'file' }
  } catch (thrown) {
    throw failed(`${path} cannot be read`, thrown)
  }
}

const recordAt = (machine: ManagerMachine, path: string): InstallRecord | undefined => {
  let text: string
  try {
    const stat = machine.fs.lstatSync(path, { throwIfNoEntry: false })
    if (!stat) return undefined
    text = contentOf(machine, path, stat.size).toString('utf8')
  } catch (thrown) {
    throw failed(`${path} cannot be read`, thrown)
  }
  try {
    const record: unknown = JSON.parse(text)
    if (Check(recordSchema, record)) return record
  } catch {
    // The sentence below.
  }
  throw new ClusterError('fileFailed', { message: `${path} is not a record of an installation: move it out of the way` })
}

/** Each process has one of its own, so that two at once do not mix up their files. */
const draftsIn = ({ fs }: ManagerMachine, bin: string): readonly string[] => {
  if (!fs.existsSync(bin)) return []
  return fs
    .readdirSync(bin)
    .filter((name) => {
      const pid = Number(name.startsWith(draftPrefix) ? name.slice(draftPrefix.length) : Number.NaN)
      return Number.isInteger(pid) && (pid === process.pid || startTicks(pid) === undefined)
    })
    .map((name) => join(bin, name))
}

export const findInstallation = (machine: ManagerMachine, home: string): Installation => {
  const program = join(home, programPath)
  const record = recordAt(machine, join(home, recordPath))
  const diversion = diversionOf(machine, program)
  if (diversion && !diversion.isLocal)
    throw new ClusterError('argumentsInvalid', { message: `The package ${diversion.by} diverts ${program} to ${diversion.to} already` })
  const paths: InstallPaths = {
    home,
    program,
    kept: diversion?.to ?? record?.kept ?? `${program}.wazuh`,
    record: join(home, recordPath),
    draft: join(home, 'bin', `${draftPrefix}${process.pid}`),
  }
  return {
    paths,
    program: found(machine, program),
    kept: found(machine, paths.kept),
    isDiverted: diversion !== undefined,
    isPackaged: owningPackage(machine, program) !== undefined,
    record,
    drafts: draftsIn(machine, join(home, 'bin')),
  }
}
