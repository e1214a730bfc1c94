/** In what the synced items of two nodes differ, in sentences for operators; and the items as a message carries them. */
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import { sameDigest } from './manifest.js'
import { itemsDigest, itemsText, type SyncedItem, type SyncedItems } from './syncedItems.js'

/** How the two nodes are called: `on w1`, `on the master`. */
export interface NodePhrases {
  readonly ours: string
  readonly theirs: string
}

/** Each difference, in the terms of cluster.json; none exactly when both sync the same files with the same rules. */
export const itemsDifferences = (ours: SyncedItems, theirs: SyncedItems, on: NodePhrases): readonly string[] => {
  const differences: string[] = []
  const [our, their] = [byDirectory(ours), byDirectory(theirs)]
  for (const dir of [...new Set([...our.keys(), ...their.keys()])].sort()) {
    const [one, other] = [our.get(dir), their.get(dir)]
    if (one && other) differences.push(...itemDifferences(one, other, on).map((says) => `'${dir}/': ${says}`))
    else differences.push(`'${dir}/' is only ${one ? on.ours : on.theirs}`)
  }
  differences.push(...listDifferences('excluded_files', ours.excludedNames, theirs.excludedNames, on))
  differences.push(...listDifferences('excluded_extensions', ours.excludedEndings, theirs.excludedEndings, on))
  const isSame = differences.length > 0 || sameDigest(itemsDigest(ours), itemsDigest(theirs))
  return isSame ? differences : ['a directory or a name stands more than once in one of them']
}

const byDirectory = ({ items }: SyncedItems): ReadonlyMap<string, SyncedItem> => new Map(items.map((item) => [item.dir, item]))

const itemDifferences = (our: SyncedItem, their: SyncedItem, on: NodePhrases): readonly string[] => {
  const differences: string[] = []
  const compare = (option: string, one: string, other: string): void => {
    if (one !== other) differences.push(`${option} ${one} ${on.ours}, ${other} ${on.theirs}`)
  }
  compare('permissions', octal(our.mode), octal(their.mode))
  compare('recursive', `${our.recursive}`, `${their.recursive}`)
  compare('remove_subdirs_if_empty', `${our.removeEmptyDirectories}`, `${their.removeEmptyDirectories}`)
  if (our.files === 'all' || their.files === 'all') compare('files', filesText(our.files), filesText(their.files))
  else differences.push(...listDifferences('files', our.files, their.files, on))
  return differences
}

const octal = (mode: number): string => `0o${mode.toString(8)}`

const filesText = (files: SyncedItem['files']): string => (files === 'all' ? 'all' : files.map((name) => `'${name}'`).join(', '))

const listDifferences = (option: string, ours: readonly string[], theirs: readonly string[], on: NodePhrases): readonly string[] => {
  const [our, their] = [new Set(ours), new Set(theirs)]
  return [...new Set([...ours, ...theirs])]
    .filter((name) => our.has(name) !== their.has(name))
    .sort()
    .map((name) => `${option}: '${name}' is only ${our.has(name) ? on.ours : on.theirs}`)
}

/**
 * What operators read about a node whose items are not the master's.
 *
 * @param node `this node`, `w1`
 * @param differences what is known of them
 */
export const itemsDifferSentence = (node: string, differences: readonly string[]): string => {
  const shown = differences.slice(0, limits.itemsDifferencesShownMax).map((says) => shortened(says, limits.itemsDifferenceCharsMax))
  const more = differences.length - shown.length
  const what = [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
  return `The synced items of ${node} differ from those of the master (etc/cluster.json), so nothing is synced${what && `: ${what}`}.`
}

/** What is said in place of differences when one node has more items than a message holds. */
export const tooManyItems = (node: string): string => `${node} has too many items to be compared here`

/** Empty when they are too many for a message. */
export const encodeItems = (synced: SyncedItems): Uint8Array => {
  const bytes = Buffer.from(itemsText(synced))
  return bytes.length <= limits.itemsBytesMax ? bytes : new Uint8Array()
}

/** Refuses with `malformed` what is not the items of a node. What is only of local use, such as `reload`, is not carried. */
export const decodeItems = (bytes: Uint8Array): Result<SyncedItems> => {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString())
  } catch (cause) {
    return refuse('malformed', { message: 'The synced items of the peer cannot be read', cause })
  }
  const synced = itemsIn(value)
  return synced ? ok(synced) : refuse('malformed', { message: 'The synced items of the peer have a wrong shape' })
}

const itemsIn = (value: unknown): SyncedItems | undefined => {
  if (!Array.isArray(value) || value.length !== 3) return undefined
  const [list, excludedNames, excludedEndings]: readonly unknown[] = value
  if (!Array.isArray(list) || !isTexts(excludedNames) || !isTexts(excludedEndings)) return undefined
  const items: SyncedItem[] = []
  for (const row of list) {
    const item = itemIn(row)
    if (!item) return undefined
    items.push(item)
  }
  return { items, excludedNames, excludedEndings }
}

const itemIn = (row: unknown): SyncedItem | undefined => {
  if (!Array.isArray(row) || row.length !== 5) return undefined
  const [dir, files, mode, recursive, removeEmptyDirectories]: readonly unknown[] = row
  const isRight =
    typeof dir === 'string' &&
    typeof mode === 'number' &&
    Number.isInteger(mode) &&
    mode >= 0 &&
    mode <= 0o777 &&
    (files === 'all' || isTexts(files))
  if (!isRight || typeof recursive !== 'boolean' || typeof removeEmptyDirectories !== 'boolean') return undefined
  return { dir, files, mode, recursive, removeEmptyDirectories, reload: false }
}

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((text) => typeof text === 'string')
