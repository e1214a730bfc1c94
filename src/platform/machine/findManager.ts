/** Finds a real Wazuh manager in a home. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Manager } from '../../domain/agents/leftToManager.js'

/** The path that shows it: its control program, or the socket of its database. */
export const findManager = (home: string): string | undefined => {
  const program = join(home, 'bin/wazuh-control')
  if (statOf(program)?.isFile()) return program
  const socket = join(home, 'queue/db/wdb')
  return statOf(socket)?.isSocket() ? socket : undefined
}

/** Looked up for `auto`. */
export const managerBeside = (home: string, manager: 'auto' | Manager = 'auto'): Manager => {
  if (manager !== 'auto') return manager
  return findManager(home) === undefined ? 'none' : 'wazuh'
}

/** What cannot be read counts as missing: we do not run beside a manager whose directories we may not read. */
const statOf = (path: string) => {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
