/**
 * client.keys as text: which agents its lines name, and what changed since the version before. Of several lines with the same
 * ID, or the same name of a live agent, the first counts. A version that only differs in part costs little more than a
 * comparison, as long as no line of the file is unusable.
 */

import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { limits } from '../../base/limits.js'
import type { KeysNonsense } from '../files/treeValues.js'
import type { KeyEntry } from './keyEntry.js'
import { claimedIdOf, type KeyLine, readKeyLine } from './keyLine.js'
import { type ChangedLines, changedLines } from './keys/changedLines.js'

/** What a version says that the one before did not. */
export interface KeysDelta {
  readonly upserts: readonly KeyEntry[]
  /** IDs that are marked as removed by now, whichever agents had them. */
  readonly marked: readonly number[]
  /** Agents that no line names any more. */
  readonly vanished: readonly KeyEntry[]
}

export interface UnusableLine {
  /** Stands for the line's bytes, which may hold a key. */
  readonly digest: string
  /** Without the name of the file: `line 12: its name is not valid`. */
  readonly sentence: string
}

const tab = 9
const newline = 10
const carriageReturn = 13
const noDelta: KeysDelta = { upserts: [], marked: [], vanished: [] }

export class ClientKeys {
  #bytes: Buffer = Buffer.alloc(0)
  #lines = new KeyLines()
  #highestId = 0

  /** The version that was taken last. */
  get bytes(): Buffer {
    return this.#bytes
  }

  get size(): number {
    return this.#lines.entries.size
  }

  /** No line names an agent, live or removed. */
  get isEmpty(): boolean {
    return this.#lines.isEmpty
  }

  /** Of all lines that any version had, usable or not. */
  get highestId(): number {
    return this.#highestId
  }

  /** At most limits.keysProblemsMax of them. */
  get unusableLines(): readonly UnusableLine[] {
    return this.#lines.unusable
  }

  get unusableCount(): number {
    return this.#lines.unusableCount
  }

  get(id: number): KeyEntry | undefined {
    return this.#lines.entries.get(id)
  }

  entries(): IterableIterator<KeyEntry> {
    return this.#lines.entries.values()
  }

  markedIds(): IterableIterator<number> {
    return this.#lines.marked.values()
  }

  idOf(name: string): number | undefined {
    return this.#lines.idsByName.get(name)
  }

  /** The agent with this address or network, which is not `any`. */
  idsOfIp(ip: string): readonly number[] {
    return this.#lines.idsByIp.get(ip) ?? []
  }

  /** A line that is skipped as a duplicate has the name, and will count when the line before it goes. */
  isShadowed(name: string): boolean {
    return this.#lines.shadowedNames.has(name)
  }

  /**
   * Takes the next version, unless it is nonsense; then everything stays as it was.
   * @param isAnyoneKnown a version without any agent, live or removed, is nonsense
   */
  replace(bytes: Buffer, isAnyoneKnown: boolean): KeysDelta | KeysNonsense {
    const runs = changedLines(this.#bytes, bytes)
    if (runs.some(({ after }) => isNoise(after))) return 'noise'
    if (runs.length === 0) return noDelta
    const delta = this.#lines.patch(runs) ?? this.#readAll(bytes, isAnyoneKnown)
    if (typeof delta === 'string') return delta
    this.#bytes = bytes
    this.#highestId = Math.max(this.#highestId, this.#lines.highestId)
    return delta
  }

  #readAll(bytes: Buffer, isAnyoneKnown: boolean): KeysDelta | KeysNonsense {
    const before = this.#lines
    const lines = new KeyLines()
    let number = 0
    for (const line of linesOf(bytes)) lines.add(line, ++number)
    if (isAnyoneKnown && lines.isEmpty) return 'noLine'
    this.#lines = lines
    return deltaOf(before, lines)
  }
}

/** The lines of one version, indexed. */
class KeyLines {
  readonly entries = new Map<number, KeyEntry>()
  readonly idsByName = new Map<string, number>()
  /** Not of `any`. */
  readonly idsByIp = new Map<string, readonly number[]>()
  readonly marked = new Set<number>()
  readonly shadowedNames = new Set<string>()
  /** Of lines that are skipped for their name: the first line with an ID decides about it all the same. */
  readonly #shadowedIds = new Set<number>()
  readonly unusable: UnusableLine[] = []
  unusableCount = 0
  highestId = 0
  /** Two lines mark the same ID: taking one of them away changes nothing. */
  #isMarkedTwice = false

  get isEmpty(): boolean {
    return this.entries.size === 0 && this.marked.size === 0
  }

  add(text: string, number: number): void {
    const line = readLine(text)
    if (line.kind === 'unusable') this.#skip(text, number, line.reason, line.id)
    else if (line.kind !== 'blank') this.#addUsable(text, number, line)
  }

  #addUsable(text: string, number: number, { entry, kind }: UsableLine): void {
    const isLive = kind === 'live'
    const isMarked = this.marked.has(entry.id)
    if (isMarked && !isLive) this.#isMarkedTwice = true
    else if (isMarked || this.entries.has(entry.id) || this.#shadowedIds.has(entry.id))
      this.#skip(text, number, 'a line before it has the same ID', entry.id, entry.name)
    else if (isLive && this.idsByName.has(entry.name)) {
      this.#skip(text, number, 'a line before it has the same name', entry.id, entry.name)
      this.#shadowedIds.add(entry.id)
    } else this.#put(entry, isLive)
  }

  /** Some lines in place of others; undefined, with nothing changed, when only the whole text shows what that means. */
  patch(runs: readonly ChangedLines[]): KeysDelta | undefined {
    if (this.unusableCount > 0 || this.#isMarkedTwice || this.isEmpty) return undefined
    const before = usableById(runs.map((run) => run.before))
    const after = usableById(runs.map((run) => run.after))
    if (!before || !after || !this.#fits(before, after)) return undefined
    const upserts: KeyEntry[] = []
    const marked: number[] = []
    const vanished: KeyEntry[] = []
    for (const [id, line] of before) {
      this.#take(line.entry, line.kind === 'live')
      if (line.kind === 'live' && !after.has(id)) vanished.push(line.entry)
    }
    for (const [id, line] of after) {
      const known = before.get(id)
      this.#put(line.entry, line.kind === 'live')
      if (known?.kind === line.kind && isSameEntry(known.entry, line.entry)) continue
      if (line.kind === 'live') upserts.push(line.entry)
      else if (known?.kind !== 'removed') marked.push(id)
    }
    return { upserts, marked, vanished }
  }

  /** No two lines are about the same, and one at least is left. */
  #fits(before: ReadonlyMap<number, UsableLine>, after: ReadonlyMap<number, UsableLine>): boolean {
    if (this.entries.size + this.marked.size - before.size + after.size === 0) return false
    const names = new Set<string>()
    for (const [id, { entry, kind }] of after) {
      if (!before.has(id) && (this.entries.has(id) || this.marked.has(id))) return false
      if (kind === 'removed') continue
      const namesake = this.idsByName.get(entry.name)
      if (names.has(entry.name) || (namesake !== undefined && !before.has(namesake))) return false
      names.add(entry.name)
    }
    return true
  }

  #put(entry: KeyEntry, isLive: boolean): void {
    this.highestId = Math.max(this.highestId, entry.id)
    if (isLive) {
      this.entries.set(entry.id, entry)
      this.idsByName.set(entry.name, entry.id)
      if (entry.ip !== 'any') this.idsByIp.set(entry.ip, [...(this.idsByIp.get(entry.ip) ?? []), entry.id])
    } else this.marked.add(entry.id)
  }

  #take({ id, ip, name }: KeyEntry, isLive: boolean): void {
    if (isLive) {
      this.entries.delete(id)
      this.idsByName.delete(name)
      const others = this.idsByIp.get(ip)?.filter((other) => other !== id) ?? []
      if (others.length > 0) this.idsByIp.set(ip, others)
      else this.idsByIp.delete(ip)
    } else this.marked.delete(id)
  }

  #skip(text: string, number: number, reason: string, id: number | undefined, name?: string): void {
    this.unusableCount += 1
    this.highestId = Math.max(this.highestId, id ?? 0)
    if (name !== undefined) this.shadowedNames.add(name)
    if (this.unusable.length >= limits.keysProblemsMax) return
    this.unusable.push({ digest: createHash('sha256').update(text, 'latin1').digest('hex'), sentence: `line ${number}: ${reason}` })
  }
}

type UsableLine = Extract<KeyLine, { kind: 'live' | 'removed' }>

/** Undefined when a line cannot be used, or two have the same ID. */
const usableById = (parts: readonly Buffer[]): ReadonlyMap<number, UsableLine> | undefined => {
  const lines = new Map<number, UsableLine>()
  for (const text of parts.flatMap(linesOf)) {
    const line = readLine(text)
    if (line.kind === 'blank') continue
    if (line.kind === 'unusable' || lines.has(line.entry.id)) return undefined
    lines.set(line.entry.id, line)
  }
  return lines
}

/** @param text one character a byte, without its newline */
export const readLine = (text: string): KeyLine => {
  if (text.length <= limits.keysLineBytesMax) return readKeyLine(text)
  const id = claimedIdOf(text.slice(0, limits.keysLineBytesMax))
  const reason = `it is longer than ${limits.keysLineBytesMax} bytes`
  return id === undefined ? { kind: 'unusable', reason } : { kind: 'unusable', reason, id }
}

/** Each line without its newline, one character a byte. */
const linesOf = (bytes: Buffer): readonly string[] => {
  const lines = bytes.toString('latin1').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

const isNoise = (bytes: Buffer): boolean => !isUtf8(bytes) || hasControlCharacter(bytes)

/** No editor leaves them, but a disk or a program that went wrong does. */
export const hasControlCharacter = (bytes: Uint8Array): boolean => {
  if (bytes.length < 8) return hasControlByte(bytes, 0, bytes.length)
  const head = -bytes.byteOffset & 3
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, (bytes.length - head) >>> 2)
  if (hasControlByte(bytes, 0, head) || hasControlByte(bytes, head + 4 * words.length, bytes.length)) return true
  // Four bytes at a time, which is several times as fast: not zero exactly when one of them is below 0x20, as each newline is.
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? 0
    if (((word - 0x20202020) & ~word & 0x80808080) !== 0 && hasControlByte(bytes, head + 4 * at, head + 4 * at + 4)) return true
  }
  return false
}

const hasControlByte = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    if (byte < 0x20 && byte !== newline && byte !== carriageReturn && byte !== tab) return true
  }
  return false
}

const isSameEntry = (a: KeyEntry, b: KeyEntry): boolean => a.key === b.key && a.name === b.name && a.ip === b.ip

const deltaOf = (before: KeyLines, after: KeyLines): KeysDelta => {
  const upserts: KeyEntry[] = []
  for (const entry of after.entries.values()) {
    const known = before.entries.get(entry.id)
    if (!known || !isSameEntry(known, entry)) upserts.push(entry)
  }
  const marked = [...after.marked].filter((id) => !before.marked.has(id))
  const vanished = [...before.entries.values()].filter(({ id }) => !after.entries.has(id) && !after.marked.has(id))
  return { upserts, marked, vanished }
}
