/**
 * What the listener has on the disk: merged files, read whole, and the counters of messages, `queue/rids/ID` and `queue/rids/sender_counter`
 * (`GLOBAL:LOCAL:`, as Wazuh writes them). Counters are in the page cache when a write returns; they need not outlive the machine.
 */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { Disk } from '../../ports/files.js'
import type { ListenerFiles } from '../../ports/listener.js'
import type { MessageCounter } from '../../wire/agents/counters.js'
import { lstatIfThere, makeDirectory } from '../agents/makeDirectory.js'
import { countersPath } from '../agents/messageCounters.js'
import { writeAll } from '../files/content/stageArea.js'
import { diskError, errnoOf, isGone } from '../files/diskFailure.js'
import { isBelow, parentOf } from '../files/relativePath.js'

const counterMode = 0o660
const counterBytesMax = 64

const counterText = ({ global, local }: MessageCounter): string => `${global}:${local}:`

/** Undefined for what is not a counter, as a file that was never written. */
const parseCounter = (text: string): MessageCounter | undefined => {
  const [, global, local] = /^(\d{1,10}):(\d{1,4}):/.exec(text) ?? []
  return global === undefined || local === undefined ? undefined : { global: Number(global), local: Number(local) }
}

export class DiskListenerFiles implements ListenerFiles {
  readonly #disk: Disk
  readonly #home: string
  /** The directory of counters was seen to lie in the home. */
  #isCountersSafe = false

  constructor(disk: Disk, home: string) {
    this.#disk = disk
    this.#home = home
  }

  readMerged(path: string): Uint8Array | undefined {
    try {
      this.#assertWithin(`${this.#home}/${parentOf(path)}`, path)
      return this.#readWhole(`${this.#home}/${path}`, path, limits.mergedBytesMax)
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return undefined
      throw diskError(path, thrown, 'read')
    }
  }

  readCounter(id: number | 'sender'): MessageCounter | undefined {
    const path = counterPath(id)
    try {
      const bytes = this.#readWhole(`${this.#home}/${path}`, path, counterBytesMax)
      return parseCounter(Buffer.from(bytes).toString('latin1'))
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return undefined
      throw diskError(path, thrown, 'read')
    }
  }

  writeCounter(id: number | 'sender', counter: MessageCounter): void {
    const path = counterPath(id)
    try {
      this.#prepareCounters()
      const whole = `${this.#home}/${path}`
      const present = lstatIfThere(this.#disk, whole)
      if (present && present.kind !== 'file') throw notAFile(path)
      const content = Buffer.from(counterText(counter))
      const file = this.#disk.open(whole, present ? 'r+' : 'wx', counterMode)
      try {
        writeAll(this.#disk, file, content, 0)
        if (present && present.size !== content.length) this.#disk.truncate(file, content.length)
      } finally {
        this.#disk.close(file)
      }
    } catch (thrown) {
      throw diskError(path, thrown, 'written')
    }
  }

  #prepareCounters(): void {
    if (this.#isCountersSafe) return
    const directory = `${this.#home}/${countersPath}`
    makeDirectory(this.#disk, directory)
    this.#assertWithin(directory, countersPath)
    this.#isCountersSafe = true
  }

  #assertWithin(directory: string, path: string): void {
    const home = this.#disk.realpath(this.#home)
    const real = this.#disk.realpath(directory)
    if (real !== home && !isBelow(real, home))
      throw new ClusterError('pathRefused', { message: `'${path}' leads out of the home, so it is not used.` })
  }

  #readWhole(whole: string, path: string, bytesMax: number): Uint8Array {
    const file = this.#disk.open(whole, 'r')
    try {
      const { kind, size } = this.#disk.fstat(file)
      if (kind !== 'file') throw notAFile(path)
      if (size > bytesMax) throw new ClusterError('tooLarge', { message: `'${path}' has more than ${bytesMax} bytes.` })
      const bytes = Buffer.allocUnsafeSlow(size)
      let done = 0
      while (done < size) {
        const count = this.#disk.read(file, bytes, done, size - done, done)
        if (count === 0) break
        done += count
      }
      return bytes.subarray(0, done)
    } finally {
      this.#disk.close(file)
    }
  }
}

const counterPath = (id: number | 'sender'): string => `${countersPath}/${id === 'sender' ? 'sender_counter' : agentIdText(id)}`

const notAFile = (path: string): ClusterError => new ClusterError('fileFailed', { message: `'${path}' is not a file.` })
