/**
 * The journal `queue/muster/taken.journal`: what wazuh-db said once and our table does not have yet. Each entry is its length, the
 * beginning of its SHA-256 and its text; what a crash left of the last one is cut off.
 */
import { createHash } from 'node:crypto'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { Disk } from '../../ports/files.js'
import type { TakenJournal } from '../../ports/manager.js'
import { lstatIfThere, makeDirectory, syncDirectory } from '../agents/makeDirectory.js'
import { writeAll } from '../files/content/stageArea.js'
import { diskError, errnoOf } from '../files/diskFailure.js'

const directoryPath = 'queue/muster'
export const takenJournalPath = `${directoryPath}/taken.journal`
const fileMode = 0o640

const [lengthBytes, digestBytes] = [4, 8]
const headBytes = lengthBytes + digestBytes

const digestOf = (text: Uint8Array): Buffer => createHash('sha256').update(text).digest().subarray(0, digestBytes)

const entryOf = (text: string): Buffer => {
  const content = Buffer.from(text)
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32LE(content.length)
  return Buffer.concat([length, digestOf(content), content])
}

/** The whole entries at the beginning, and how many bytes they have. */
const entriesIn = (bytes: Buffer): { readonly texts: readonly string[]; readonly byteCount: number } => {
  const texts: string[] = []
  let at = 0
  while (at + headBytes <= bytes.length) {
    const end = at + headBytes + bytes.readUInt32LE(at)
    if (end > bytes.length) break
    const content = bytes.subarray(at + headBytes, end)
    if (!digestOf(content).equals(bytes.subarray(at + lengthBytes, at + headBytes))) break
    texts.push(content.toString())
    at = end
  }
  return { texts, byteCount: at }
}

export class TakenJournalFile implements TakenJournal {
  readonly #disk: Disk
  readonly #directory: string
  readonly #path: string
  readonly #warn: (sentence: string) => void
  /** Of whole entries; undefined before they were read. */
  #byteCount: number | undefined

  /** @param warn takes a sentence for the log */
  constructor(disk: Disk, home: string, warn: (sentence: string) => void) {
    this.#disk = disk
    this.#directory = `${home}/${directoryPath}`
    this.#path = `${home}/${takenJournalPath}`
    this.#warn = warn
  }

  entries(): readonly string[] {
    return this.#failing('read', () => {
      const bytes = this.#read()
      const { byteCount, texts } = entriesIn(bytes)
      this.#byteCount = byteCount
      if (byteCount < bytes.length) {
        this.#warn(
          `'${takenJournalPath}' ends with ${bytes.length - byteCount} bytes that are no whole entry, as a crash leaves it: they are dropped, and the states of agents in them are read from wazuh-db again.`,
        )
        this.#cut(byteCount)
      }
      return texts
    })
  }

  append(text: string): void {
    if (this.#byteCount === undefined) this.entries()
    this.#failing('written', () => {
      const entry = entryOf(text)
      const file = this.#openOrMake()
      try {
        // It may have been cut meanwhile: nothing is written behind a hole.
        const position = Math.min(this.#byteCount ?? 0, this.#disk.fstat(file).size)
        if (position + entry.length > limits.takenJournalBytesMax)
          throw new ClusterError('tooLarge', {
            message: `'${takenJournalPath}' would have more than ${limits.takenJournalBytesMax} bytes.`,
          })
        writeAll(this.#disk, file, entry, position)
        this.#disk.sync(file)
        this.#byteCount = position + entry.length
      } finally {
        this.#disk.close(file)
      }
    })
  }

  clear(): void {
    if (this.#byteCount === 0) return
    this.#failing('written', () => this.#cut(0))
  }

  #cut(byteCount: number): void {
    if (!lstatIfThere(this.#disk, this.#path)) return
    const file = this.#open()
    try {
      this.#disk.truncate(file, byteCount)
      this.#disk.sync(file)
      this.#byteCount = byteCount
    } finally {
      this.#disk.close(file)
    }
  }

  #read(): Buffer {
    if (!lstatIfThere(this.#disk, this.#path)) return Buffer.alloc(0)
    const file = this.#open()
    try {
      const bytes = Buffer.alloc(Math.min(this.#disk.fstat(file).size, limits.takenJournalBytesMax))
      let length = 0
      while (length < bytes.length) {
        const count = this.#disk.read(file, bytes, length, bytes.length - length, length)
        if (count === 0) break
        length += count
      }
      return bytes.subarray(0, length)
    } finally {
      this.#disk.close(file)
    }
  }

  #openOrMake(): number {
    if (lstatIfThere(this.#disk, this.#path)) return this.#open()
    makeDirectory(this.#disk, this.#directory)
    const file = this.#disk.open(this.#path, 'wx', fileMode)
    syncDirectory(this.#disk, this.#directory)
    return file
  }

  #open(): number {
    const file = this.#disk.open(this.#path, 'r+')
    if (this.#disk.fstat(file).kind === 'file') return file
    this.#disk.close(file)
    throw new ClusterError('fileFailed', { message: `'${takenJournalPath}' is not a file.` })
  }

  #failing<T>(doing: string, act: () => T): T {
    try {
      return act()
    } catch (thrown) {
      // A link to anywhere.
      if (errnoOf(thrown) === 'ELOOP')
        throw new ClusterError('fileFailed', { message: `'${takenJournalPath}' is a link, not a file.`, cause: thrown })
      throw diskError(takenJournalPath, thrown, doing)
    }
  }
}
