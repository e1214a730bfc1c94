/**
 * merged.mg, the one file that an agent gets of its groups: `#<title>\n`, then per file `!<bytes> <name>\n<content>` with nothing
 * between. What is in it and in which order follows Wazuh's public source, so that real agents unpack it: `c_group` and
 * `c_multi_group` (src/remoted/manager.c), `MergeAppendFile` and `UnmergeFiles` (src/shared/file_op.c).
 *
 * - The title is the group's name; of several groups it is the hash that their directory has (c_multi_group calls c_group with it).
 * - A group without files has a merged.mg of the title only (c_group writes it first).
 * - Files in subdirectories are taken too, named relative to the group's directory (MergeAppendFile goes down and writes the
 *   path; UnmergeFiles makes the directories).
 * - etc/shared/ar.conf, when there is one, comes first in every merged.mg (c_group: without it agents know no active responses).
 *   The others follow in the order of their names, where Wazuh takes that of the directory below the first level.
 * - Of several groups a later one's file wins, as c_multi_group copies one over the other. But agent.conf is what all of them
 *   have, one after the other, each after a comment that names its group (copy_directory; from its documented results).
 * - The agent reads a title or a file's line into 2 048 bytes, and a name ends with its line.
 */
import { limits } from '../../base/limits.js'
import { groupsHash } from './groups.js'

/** Of the groups, each a directory; relative to the home. */
export const sharedDirectory = 'etc/shared'
/** Of the lists of groups, each a directory called by its hash. */
export const multigroupsDirectory = 'var/multigroups'
export const mergedName = 'merged.mg'
export const agentConfigName = 'agent.conf'
export const activeResponseName = 'ar.conf'

export interface MergeSource {
  /** Relative to the group's directory. */
  readonly name: string
  readonly bytes: number
}

export interface GroupSources<Source> {
  readonly group: string
  readonly files: readonly Source[]
}

/** One file of a merged.mg: what it is made of. */
export interface MergedEntry<Source> {
  readonly name: string
  readonly parts: readonly { readonly before: string; readonly source: Source }[]
}

/** The whole content but for what its sources have, and where that belongs. */
export interface MergedLayout<Source> {
  readonly content: Uint8Array
  readonly places: readonly { readonly source: Source; readonly into: Uint8Array }[]
}

/** The merged.mg of an agent with these groups, relative to the home. */
export const mergedPathOf = (groups: readonly string[]): string => {
  const [only] = groups
  const directory = groups.length === 1 ? `${sharedDirectory}/${only}` : `${multigroupsDirectory}/${groupsHash(groups)}`
  return `${directory}/${mergedName}`
}

/** Whether a change of the file at this path can ask for another merged.mg. */
export const concernsMerged = (path: string): boolean =>
  path.startsWith(`${sharedDirectory}/`) || path.startsWith(`${multigroupsDirectory}/`)

export const isMergeableName = (name: string): boolean => !name.includes('\n') && Buffer.byteLength(name) <= limits.mergedNameBytesMax

/** The files of a merged.mg in their order, made of those of one or several groups and of etc/shared/ar.conf. */
export const combineFiles = <Source extends MergeSource>(
  groups: readonly GroupSources<Source>[],
  activeResponse?: Source,
): MergedEntry<Source>[] => {
  const chosen = new Map<string, Chosen<Source>>()
  for (const [rank, { files, group }] of groups.entries())
    for (const source of files) choose(chosen, source, rank, groups.length > 1, group)
  if (activeResponse) choose(chosen, activeResponse, groups.length, false, '')
  dropRivals(chosen)
  return [...chosen.values()].sort((a, b) => orderOf(a.name, b.name)).map(({ name, parts }) => ({ name, parts }))
}

/** How long the merged.mg will be. */
export const mergedBytes = (title: string, entries: readonly MergedEntry<MergeSource>[]): number =>
  entries.reduce((sum, entry) => sum + Buffer.byteLength(lineOf(entry)) + bytesOf(entry), Buffer.byteLength(titleLine(title)))

export const layOutMerged = <Source extends MergeSource>(title: string, entries: readonly MergedEntry<Source>[]): MergedLayout<Source> => {
  const content = Buffer.alloc(mergedBytes(title, entries))
  const places: { source: Source; into: Uint8Array }[] = []
  let end = content.write(titleLine(title))
  for (const entry of entries) {
    end += content.write(lineOf(entry), end)
    for (const { before, source } of entry.parts) {
      end += content.write(before, end)
      places.push({ source, into: content.subarray(end, end + source.bytes) })
      end += source.bytes
    }
  }
  return { content, places }
}

interface Chosen<Source> extends MergedEntry<Source> {
  /** Of the last group that has it. */
  readonly rank: number
}

const choose = <Source extends MergeSource>(
  chosen: Map<string, Chosen<Source>>,
  source: Source,
  rank: number,
  isOneOfSeveral: boolean,
  group: string,
): void => {
  const { name } = source
  const isJoined = isOneOfSeveral && name === agentConfigName
  const part = { before: isJoined ? `<!-- Source file: ${group}/${agentConfigName} -->\n` : '', source }
  const parts = isJoined ? [...(chosen.get(name)?.parts ?? []), part] : [part]
  chosen.set(name, { name, parts, rank })
}

/** A name cannot be a file's and a directory's: the later group wins here as well. */
const dropRivals = (chosen: Map<string, Chosen<unknown>>): void => {
  for (const [name, { rank }] of chosen)
    for (let slash = name.lastIndexOf('/'); slash > 0; slash = name.lastIndexOf('/', slash - 1)) {
      const above = chosen.get(name.slice(0, slash))
      if (above) chosen.delete(above.rank > rank ? name : above.name)
    }
}

const orderOf = (a: string, b: string): number => {
  if (a === activeResponseName || b === activeResponseName) return a === activeResponseName ? -1 : 1
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

const titleLine = (title: string): string => `#${title}\n`
const lineOf = (entry: MergedEntry<MergeSource>): string => `!${bytesOf(entry)} ${entry.name}\n`
const bytesOf = (entry: MergedEntry<MergeSource>): number =>
  entry.parts.reduce((sum, { before, source }) => sum + Buffer.byteLength(before) + source.bytes, 0)
