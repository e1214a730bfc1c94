/** What Wazuh's API compares between nodes: the BLAKE2b-512 of every file of the rules, decoders and lists of this one. */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { itemOf } from '../../domain/files/syncedItems.js'
import type { Disk } from '../../ports/files.js'
import { diskError, errnoOf, isGone } from './diskFailure.js'
import type { TreeOptions } from './fileCheck.js'
import { hashFile, readBytes } from './fileHash.js'
import { decodeName } from './relativePath.js'

const directories = ['etc/decoders', 'etc/rules', 'etc/lists']

/** By path. @throws ClusterError `tooLarge` for too many files, `fileFailed` */
export const rulesetDigests = (disk: Disk, { home, synced }: TreeOptions): Readonly<Record<string, string>> => {
  const digests: Record<string, string> = {}
  const buffer = Buffer.allocUnsafe(readBytes)
  let files = 0
  /** What is gone by now is left out. */
  const present = <T>(path: string, act: () => T): T | undefined => {
    try {
      return act()
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return undefined
      throw diskError(path, thrown, 'read')
    }
  }
  const walk = (directory: string, depth: number): void => {
    for (const entry of present(directory, () => disk.readdir(`${home}/${directory}`)) ?? []) {
      const name = decodeName(entry.name)
      if (name === undefined) continue
      const path = `${directory}/${name}`
      if (entry.kind === 'directory' && depth < limits.pathDepthMax) walk(path, depth + 1)
      if (entry.kind !== 'file' || !itemOf(synced, path)) continue
      if (++files > limits.rulesetFilesMax)
        throw new ClusterError('tooLarge', { message: `There are more than ${limits.rulesetFilesMax} rules, decoders and lists` })
      const hashed = present(path, () => hashFile(disk, `${home}/${path}`, buffer, 'blake2b'))
      if (hashed) digests[path] = hashed.digest
    }
  }
  for (const directory of directories) if (synced.items.some(({ dir }) => dir === directory)) walk(directory, 0)
  return digests
}
