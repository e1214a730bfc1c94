/** The options of one synced item in cluster.json (`files`), and the rule for its directory. */
import { Type } from 'typebox'
import { limits } from '../base/limits.js'
import { shown } from '../base/shown.js'
import { defaultSyncedItems, type SyncedItem, type SyncedItems } from '../domain/files/syncedItems.js'
import { option } from './option.js'

const fileName = (charsMax: number) => Type.String({ minLength: 1, maxLength: charsMax, pattern: '^[^/\\u0000]+$' })
const names = () => Type.Array(fileName(limits.nameBytesMax), { minItems: 1, maxItems: 1_000 })

export const itemOptions = {
  permissions: option({
    name: 'permissions',
    schema: Type.String({ pattern: '^(0o|0)?[4-7][0-7]{2}$' }),
    fallback: '0o660',
    allowed: 'a text with the octal mode, "0o400" to "0o777"',
    description: 'The mode that every node gives the files.',
  }),
  source: option({
    name: 'source',
    schema: Type.Literal('master'),
    fallback: 'master',
    allowed: '"master"',
    description: 'Which node decides; always the master.',
  }),
  files: option({
    name: 'files',
    schema: names(),
    fallback: ['all'],
    allowed: 'a list of file names without "/", or ["all"]',
    description: 'The names of the files that are synced.',
  }),
  recursive: option({
    name: 'recursive',
    schema: Type.Boolean(),
    fallback: true,
    allowed: 'true or false',
    description: 'Whether directories below are synced too.',
  }),
  restart: option({
    name: 'restart',
    schema: Type.Boolean(),
    fallback: false,
    allowed: 'true or false',
    description: 'Whether a change runs the `reload_command`.',
  }),
  removeEmptyDirectories: option({
    name: 'remove_subdirs_if_empty',
    schema: Type.Boolean(),
    fallback: false,
    allowed: 'true or false',
    description: 'Whether directories that a deletion left empty are removed.',
  }),
  extraValid: option({
    name: 'extra_valid',
    schema: Type.Literal(false),
    fallback: false,
    allowed: 'false: files that only a worker has are always deleted',
    description: 'Whether files that only a worker has stay; always false.',
  }),
  description: option({
    name: 'description',
    schema: Type.String(),
    fallback: '',
    allowed: 'a text',
    description: 'For people; has no effect.',
  }),
} as const

/** Names that are never synced, whatever is configured: each node's own identity, and active response. */
export const alwaysExcluded = ['ar.conf', 'ossec.conf'] as const

/** These items without the files that no item may hold. */
export const withAlwaysExcluded = (synced: SyncedItems): SyncedItems => ({
  ...synced,
  excludedNames: [...new Set([...alwaysExcluded, ...synced.excludedNames])],
})

export const excludedFilesOption = option({
  name: 'excluded_files',
  schema: Type.Array(fileName(limits.nameBytesMax), { maxItems: 1_000 }),
  fallback: [...defaultSyncedItems.excludedNames],
  allowed: 'a list of file names without "/"',
  description: `File names that are never touched. ${alwaysExcluded.map((name) => `\`${name}\``).join(' and ')} are always among them.`,
})

export const excludedExtensionsOption = option({
  name: 'excluded_extensions',
  schema: Type.Array(fileName(limits.nameBytesMax), { maxItems: 1_000 }),
  fallback: [...defaultSyncedItems.excludedEndings],
  allowed: 'a list of endings of file names',
  description: 'Files whose names end in one of these are never touched.',
})

/** Directories that each manager writes to by itself: syncing them would replace a table in use, or never come to rest. */
const ownDirectories = ['queue/cluster', 'queue/db', 'queue/muster', 'queue/rids', 'var/run', 'logs']

export const directoryAllowed = `a normalized directory inside the home that holds none of ${ownDirectories.join(', ')}`

const overlaps = (one: string, other: string): boolean => one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`)

/** The directory as the domain names it, without a slash at the end; undefined when it is not allowed. */
export const itemDirectory = (written: string): string | undefined => {
  const dir = written.endsWith('/') ? written.slice(0, -1) : written
  if (dir === '' || dir.includes('\0') || /\p{Surrogate}/u.test(dir) || Buffer.byteLength(dir) > limits.pathBytesMax) return undefined
  const parts = dir.split('/')
  if (parts.length > limits.pathDepthMax || parts.some((name) => name === '' || name === '.' || name === '..')) return undefined
  return ownDirectories.some((own) => overlaps(dir, own)) ? undefined : dir
}

/** What is wrong with items that lie inside a recursive one, a line for each of these: a file could belong to two items. */
export const nestedItems = (items: readonly SyncedItem[], placeOf: (item: SyncedItem) => string): string[] =>
  items.flatMap((item) => {
    const inside = item.recursive ? items.filter(({ dir }) => dir.startsWith(`${item.dir}/`)) : []
    if (inside.length === 0) return []
    const held = inside.map(({ dir }) => shown(dir)).join(', ')
    return [
      `${placeOf(item)} is recursive and holds the item${inside.length > 1 ? 's' : ''} ${held}: must be not recursive, or hold no other item`,
    ]
  })
