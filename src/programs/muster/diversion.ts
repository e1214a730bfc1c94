/** What dpkg knows of a file: whether a package of it owns the file, and whether it is diverted. */
import { ClusterError } from '../../base/errors.js'
import type { ManagerMachine } from './managerMachine.js'
import { shellWord } from './shellWord.js'

export interface Diversion {
  /** By an operator; else by a package. */
  readonly isLocal: boolean
  readonly by: string
  readonly to: string
}

/** A path is a pattern to dpkg-query. */
const escaped = (path: string): string => path.replaceAll(/[[\]*?\\]/g, '\\$&')

/** The package of Wazuh that the file came with, as dpkg has it; undefined too where there is no dpkg. */
export const owningPackage = (machine: ManagerMachine, path: string): string | undefined => {
  const ran = machine.run('dpkg-query', ['--search', escaped(path)])
  if (ran?.code !== 0) return undefined
  const line = ran.out.split('\n').find((found) => found.endsWith(`: ${path}`) && !/^(local diversion|diversion by) /.test(found))
  return line?.slice(0, -`: ${path}`.length)
}

export const diversionOf = (machine: ManagerMachine, path: string): Diversion | undefined => {
  const to = machine.run('dpkg-divert', ['--truename', path])
  if (to?.code !== 0 || to.out.trim() === path) return undefined
  const by = machine.run('dpkg-divert', ['--listpackage', path])?.out.trim() ?? ''
  return { isLocal: by === 'LOCAL', by, to: to.out.trim() }
}

/** Only the database of dpkg changes: the files are renamed by us, so that there is a program at every moment. */
const change = (path: string, to: string, action: '--add' | '--remove'): readonly string[] => [
  '--local',
  '--no-rename',
  '--divert',
  to,
  action,
  path,
]

export const diversionCommand = (path: string, to: string, action: '--add' | '--remove'): string =>
  ['dpkg-divert', ...change(path, to, action).map(shellWord)].join(' ')

export const changeDiversion = (machine: ManagerMachine, path: string, to: string, action: '--add' | '--remove'): void => {
  const ran = machine.run('dpkg-divert', change(path, to, action))
  if (ran?.code !== 0)
    throw new ClusterError('fileFailed', {
      message: `${diversionCommand(path, to, action)} failed: ${ran?.err ?? 'there is no dpkg-divert'}`,
    })
}
