/**
 * The agents' table of an earlier build, which lay where wazuh-db has its own database. It moves to its place of today so that a
 * crash at any instruction leaves all of it in one of the two places. What is not ours is only read.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import type { OpenedStore } from '../../ports/agents.js'
import { AgentDatabase } from './agentDatabase.js'
import { inspectTableFile, sidecars } from './agentTableFile.js'
import { applicationId } from './agentTableSchema.js'

export type EarlierTable = NonNullable<OpenedStore['earlier']>

/** What the move does to files, one step each: a spec has it stop after any of them. */
export interface FileSteps {
  copy(from: string, to: string): void
  write(path: string, text: string): void
  /** Makes a file, or the names in a directory, durable. */
  sync(path: string): void
  rename(from: string, to: string): void
  remove(path: string): void
}

export const fileSteps: FileSteps = {
  copy: (from, to) => copyFileSync(from, to, constants.COPYFILE_EXCL),
  write: (path, text) => writeFileSync(path, text),
  sync: (path) => {
    const file = openSync(path, 'r')
    try {
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  },
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
}

export interface TableMove {
  readonly from: string
  readonly to: string
  readonly steps: FileSteps
}

/** The main file last, so that no log of ours is ever left for a database that somebody else makes here. */
const allOf = (path: string): readonly string[] => [...sidecars, ''].map((suffix) => path + suffix)

/** Names beside the new place: the table with its log as they were, the table as one whole file, and which files became that. */
const namesBeside = (to: string) => ({ copy: `${to}.copy`, whole: `${to}.whole`, record: `${to}.moved` })

/**
 * Moves the table when there is one of ours. Nothing may be at its new place. Returns nothing when there is nothing to report.
 * Fails as SQLite does when the table is damaged.
 */
export const moveEarlierTable = (move: TableMove): EarlierTable | undefined => {
  const { from, steps, to } = move
  const { copy, record, whole } = namesBeside(to)
  const found = inspectEarlier(from)
  if (found !== 'ours') return found
  for (const path of [...allOf(copy), ...allOf(whole)]) steps.remove(path)
  const stamps = stampsOf(from)
  for (const suffix of ['', '-wal', '-journal']) if (existsSync(from + suffix)) steps.copy(from + suffix, copy + suffix)
  if (!isSame(from, stamps))
    throw new ClusterError('tableFailed', { message: `${from} cannot be moved while another program writes to it` })
  try {
    if (!makeWhole(copy, whole)) return undefined
  } finally {
    for (const path of allOf(copy)) steps.remove(path)
  }
  steps.write(record, JSON.stringify(stamps))
  steps.sync(record)
  steps.sync(whole)
  steps.rename(whole, to)
  steps.sync(dirname(to))
  return removeEarlier(move)
}

/** Once there is a table in the new place: ends a move that was interrupted. */
export const clearEarlierTable = (move: TableMove): EarlierTable | undefined => {
  const { from, steps, to } = move
  const { record } = namesBeside(to)
  const stamps = stampsIn(record)
  if (stamps && isSame(from, stamps)) return removeEarlier(move)
  if (stamps) steps.remove(record)
  const found = inspectEarlier(from)
  if (found !== 'ours') return found
  return {
    level: 'warning',
    says: `${from} is another agents' table of an earlier build and is left as it is: ${to} is used. Delete the one that is not wanted.`,
  }
}

/** The copy is opened, not the file in the old place: that one is not known to be ours before. False when it is not. */
const makeWhole = (copy: string, whole: string): boolean => {
  const database = new AgentDatabase(copy)
  try {
    if (database.number('PRAGMA application_id') !== applicationId) return false
    database.assertSound()
    // A file of its own: SQLite may hold the copy, and what it knows of its log, for as long as this process lives.
    database.run('VACUUM INTO ?', whole)
    return true
  } finally {
    database.abandon()
  }
}

/** Nothing when there is nothing of ours, as far as one can see. */
const inspectEarlier = (from: string): 'ours' | EarlierTable | undefined => {
  try {
    return inspectTableFile(from) === 'ours' ? 'ours' : undefined
  } catch (thrown) {
    if (!isSystemError(thrown)) throw thrown
    const says = `${from} is left as it is, although it may be the agents' table of an earlier build: it cannot be read (${thrown.message}).`
    return { level: 'warning', says }
  }
}

const removeEarlier = ({ from, steps, to }: TableMove): EarlierTable => {
  const moved = `The agents' table of an earlier build was moved from ${from} to ${to}`
  try {
    for (const path of allOf(from)) steps.remove(path)
    steps.sync(dirname(from))
    steps.remove(namesBeside(to).record)
    return { level: 'info', says: `${moved}.` }
  } catch (thrown) {
    if (!isSystemError(thrown)) throw thrown
    return { level: 'warning', says: `${moved}, but the old file could not be deleted: ${fullStop(thrown.message)} Delete it.` }
  }
}

/** By the ends of their names, which file is there and when it was written to last. */
type Stamps = Readonly<Record<string, string>>

const stampsOf = (path: string): Stamps =>
  Object.fromEntries(
    ['', '-wal', '-journal'].flatMap((suffix) => {
      const stat = statSync(path + suffix, { bigint: true, throwIfNoEntry: false })
      return stat ? [[suffix, `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs}`]] : []
    }),
  )

/** Whether all that is there still is what it was then. */
const isSame = (path: string, before: Stamps): boolean => {
  const now = Object.entries(stampsOf(path))
  return now.length > 0 && now.every(([suffix, stamp]) => Object.hasOwn(before, suffix) && before[suffix] === stamp)
}

const stampsIn = (record: string): Stamps | undefined => {
  if (!existsSync(record)) return undefined
  try {
    const stamps: unknown = JSON.parse(readFileSync(record, 'utf8'))
    return typeof stamps === 'object' && stamps !== null ? Object.fromEntries(Object.entries(stamps)) : {}
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return {}
    throw thrown
  }
}

const isSystemError = (thrown: unknown): thrown is Error => thrown instanceof Error && 'syscall' in thrown
