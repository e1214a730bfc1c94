/** The content of the synced directories of a home, read without any of the daemon's code. */
import { createHash } from 'node:crypto'
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

const syncedDirectories = ['etc/rules', 'etc/decoders', 'etc/lists', 'etc/sca', 'etc/shared', 'var/multigroups']
const notSynced = /^(ar\.conf|ossec\.conf)$|(~|\.tmp|\.lock|\.sw[pox])$/

/** Path to `mode sha256`; what is neither a file nor a directory says what it is. */
export type Tree = ReadonlyMap<string, string>

const entriesOf = (directory: string): Dirent[] => {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

const described = (path: string, entry: Dirent): string => {
  if (entry.isSymbolicLink()) return `link to ${readlinkSync(path)}`
  if (!entry.isFile()) return 'neither file nor directory'
  const mode = (lstatSync(path).mode & 0o777).toString(8)
  return `${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
}

export const treeOf = (home: string): Tree => {
  const tree = new Map<string, string>()
  const visit = (directory: string): void => {
    for (const entry of entriesOf(join(home, directory))) {
      const path = `${directory}/${entry.name}`
      if (entry.isDirectory()) visit(path)
      else if (!notSynced.test(entry.name)) tree.set(path, described(join(home, path), entry))
    }
  }
  for (const directory of syncedDirectories) visit(directory)
  const keys = entriesOf(join(home, 'etc')).find((entry) => entry.name === 'client.keys')
  if (keys) tree.set('etc/client.keys', described(join(home, 'etc/client.keys'), keys))
  return tree
}

/** What workers must end up with: the master's files, each with the mode that its item gives it. */
export const wantedTree = (masterHome: string): Tree =>
  new Map([...treeOf(masterHome)].map(([path, what]) => [path, what.replace(/^[0-7]+ /, path === 'etc/client.keys' ? '640 ' : '660 ')]))

/** True when both hold the same files with the same content and the modes that are wanted; otherwise the first differences. */
export const sameTree = (wanted: Tree, found: Tree): true | string => {
  const missing = [...wanted].filter(([path, what]) => found.get(path) !== what).map(([path]) => path)
  const extra = [...found.keys()].filter((path) => !wanted.has(path))
  if (missing.length === 0 && extra.length === 0) return true
  return `${missing.length} missing or different: ${missing.slice(0, 3).join(', ')}; ${extra.length} extra: ${extra.slice(0, 3).join(', ')}`
}
