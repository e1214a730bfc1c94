/**
 * logs/cluster.log: one line a message, `YYYY/MM/DD HH:MM:SS LEVEL: [tag] [subtag] message` in local time. Written in the
 * background; a disk that refuses costs lines (counted, and reported once it takes them again), never the daemon.
 */
import { closeSync, constants, fchmodSync, openSync, writeSync } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { pino, symbols } from 'pino'
import { counted } from '../../base/counted.js'
import { visibleLine } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import type { Log, LogLevel } from '../../ports/machine.js'

export interface LogFileOptions {
  readonly file: string
  /** The least important level that is written. */
  readonly level: LogLevel
  /** Gets every line too, and a line when the file cannot be written. */
  readonly alsoTo?: NodeJS.WritableStream
}

export interface LogFile extends Log {
  /** Resolves when all that was logged is written, or given up. */
  flush(): Promise<void>
  /** Writes what is pending on the spot, as the last act of a process. */
  flushNow(): void
  /** Reopens the file at the next line, for a logrotate that sends SIGHUP. A file moved away is noticed without it. */
  reopen(): void
  close(): Promise<void>
}

/** pino's numbers for our names; `debug2` is `-dd`. */
const levels = { error: 50, warning: 40, info: 30, debug: 20, debug2: 10 } as const satisfies Record<LogLevel, number>
const levelNames: ReadonlyMap<number, string> = new Map(Object.entries(levels).map(([name, number]) => [number, name.toUpperCase()]))

const fileMode = 0o640
/** Never through a link that took the file's place: what it leads to is somebody else's. */
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW
const rotationCheckMs = 1_000

const pad = (number: number): string => String(number).padStart(2, '0')

const timestamp = (at: Date): string =>
  `${at.getFullYear()}/${pad(at.getMonth() + 1)}/${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`

/** Nothing that a peer or a file name contains can begin a line of its own or steer a terminal. */
const oneLine = (text: string): string => shortened(visibleLine(text), limits.logLineCharsMax)

const formatLine = (level: string, tag: string, subtag: string, message: string): string =>
  `${timestamp(new Date())} ${level}: [${oneLine(tag)}] [${oneLine(subtag)}] ${oneLine(message)}\n`

const reasonOf = (error: unknown): string => {
  if (error instanceof Error && 'code' in error && error.code === 'ELOOP') return 'it is a link, which is not followed'
  return error instanceof Error ? error.message : String(error)
}

/** Appends lines to a file in the background, in order, with a bound on what waits. */
class LineAppender {
  readonly #path: string
  readonly #onTrouble: (says: string) => void
  #waiting: string[] = []
  #waitingChars = 0
  #lost = 0
  #inTrouble = false
  #handle: FileHandle | undefined
  #inode = -1
  #checkedAtMs = 0
  #writing: Promise<void> | undefined

  constructor(path: string, onTrouble: (says: string) => void) {
    this.#path = path
    this.#onTrouble = onTrouble
  }

  append(line: string): void {
    if (this.#waitingChars + line.length > limits.logPendingBytesMax) {
      this.#lost++
      return
    }
    this.#waiting.push(line)
    this.#waitingChars += line.length
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined
    })
  }

  async settled(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  reopen(): void {
    this.#inode = -1
    this.#checkedAtMs = 0
  }

  async close(): Promise<void> {
    await this.settled()
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  appendNow(): void {
    const lines = this.#take()
    if (lines.length === 0) return
    let file: number | undefined
    try {
      file = openSync(this.#path, appending, fileMode)
      fchmodSync(file, fileMode)
      writeSync(file, lines.join(''))
    } catch (error) {
      this.#giveUp(lines, error)
    } finally {
      if (file !== undefined) closeSync(file)
    }
  }

  #take(): string[] {
    const lines = this.#waiting
    this.#waiting = []
    this.#waitingChars = 0
    return lines
  }

  async #drain(): Promise<void> {
    // All that one turn logs goes out in one write.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const lines = this.#take()
      try {
        const handle = await this.#current()
        await handle.appendFile(lines.join(''))
        this.#recover()
      } catch (error) {
        this.#giveUp(lines, error)
        await this.#drop()
      }
    }
  }

  /** The open file, or a new one when the path leads to another file than the open one. */
  async #current(): Promise<FileHandle> {
    const nowMs = performance.now()
    if (this.#handle && nowMs - this.#checkedAtMs < rotationCheckMs && this.#inode !== -1) return this.#handle
    this.#checkedAtMs = nowMs
    const inode = await lstat(this.#path).then(
      (found) => found.ino,
      () => undefined,
    )
    if (this.#handle && inode === this.#inode) return this.#handle
    await this.#drop()
    const handle = await open(this.#path, appending, fileMode)
    this.#handle = handle
    const opened = await handle.stat()
    this.#inode = opened.ino
    if ((opened.mode & 0o777) !== fileMode)
      await handle.chmod(fileMode).catch(() => this.#onTrouble(`The mode of ${this.#path} cannot be set to 0640`))
    return handle
  }

  async #drop(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    // A file that cannot be closed cannot be used either; the next line reopens it.
    await handle?.close().catch(() => undefined)
  }

  #giveUp(lines: readonly string[], error: unknown): void {
    this.#lost += lines.length
    if (this.#inTrouble) return
    this.#inTrouble = true
    this.#onTrouble(`The log ${this.#path} cannot be written, its lines are lost until it can: ${reasonOf(error)}`)
  }

  #recover(): void {
    this.#inTrouble = false
    if (this.#lost === 0) return
    const lost = this.#lost
    this.#lost = 0
    this.append(formatLine('WARNING', 'Cluster', 'Main', `${counted(lost, 'line')} of this log could not be written`))
  }
}

interface Place {
  readonly tag: string
  readonly subtag: string
}

type Writer = (level: LogLevel, place: Place, message: string) => void

const logAt = (write: Writer, keepsDebug2: boolean, place: Place): Log => ({
  error: (message) => write('error', place, message),
  warning: (message) => write('warning', place, message),
  info: (message) => write('info', place, message),
  debug: (message) => write('debug', place, message),
  debug2: (message) => write('debug2', place, message),
  keepsDebug2,
  at: (further) => logAt(write, keepsDebug2, { ...place, ...further }),
})

const textAt = (record: object, name: 'tag' | 'subtag'): string => {
  const value: unknown = Reflect.get(record, name)
  return typeof value === 'string' ? value : ''
}

/** A line to the console never waits: a reader that does not read loses lines, not the daemon its memory. */
const copyTo = (stream: NodeJS.WritableStream | undefined): ((line: string) => void) => {
  if (!stream) return () => undefined
  let broken = false
  stream.on('error', () => {
    broken = true
  })
  return (line) => {
    const waitingBytes = 'writableLength' in stream ? Number(stream.writableLength) : 0
    if (!broken && waitingBytes < limits.logPendingBytesMax) stream.write(line)
  }
}

/** The operators' log on a file. Never throws; a file that cannot be written is reported on `alsoTo`. */
export const createLog = (options: LogFileOptions): LogFile => {
  const copy = copyTo(options.alsoTo)
  const appender = new LineAppender(options.file, (says) => copy(formatLine('ERROR', 'Cluster', 'Main', says)))
  const destination = {
    [symbols.needsMetadataGsym]: true as const,
    lastLevel: 0,
    lastTime: '',
    lastMsg: '',
    lastObj: {},
    // pino fills these before each write; its JSON line is not used.
    lastLogger: pino({ enabled: false }, { write: () => undefined }),
    write(): void {
      const line = formatLine(
        levelNames.get(this.lastLevel) ?? 'INFO',
        textAt(this.lastObj, 'tag'),
        textAt(this.lastObj, 'subtag'),
        this.lastMsg,
      )
      appender.append(line)
      copy(line)
    },
  }
  const logger = pino({ customLevels: levels, useOnlyCustomLevels: true, level: options.level, base: null, timestamp: false }, destination)
  const write: Writer = (level, place, message) => logger[level](place, message)
  const log = logAt(write, options.level === 'debug2', { tag: 'Cluster', subtag: 'Main' })
  return {
    ...log,
    flush: () => appender.settled(),
    flushNow: () => appender.appendNow(),
    reopen: () => appender.reopen(),
    close: () => appender.close(),
  }
}
