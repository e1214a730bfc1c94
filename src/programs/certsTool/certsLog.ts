/** The lines of wazuh-certs-tool, as Wazuh writes them: `DD/MM/YYYY HH:MM:SS INFO: …` on stdout, errors too, and in a file beside the certificates. */
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { visibleLine } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import { ReaderGone, writeText } from '../kit/writeText.js'

export type CertsLogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR'

export interface CertsLogOptions {
  readonly stdout: Writable
  readonly now: () => number
  readonly isVerbose: boolean
}

const fileMode = 0o640
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants
/** Never through a link that somebody put there. */
const appending = O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_WRONLY

const pad = (number: number): string => String(number).padStart(2, '0')

export const lineOf = (ms: number, level: CertsLogLevel, says: string): string => {
  const at = new Date(ms)
  const day = `${pad(at.getDate())}/${pad(at.getMonth() + 1)}/${at.getFullYear()}`
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(pad).join(':')
  return `${day} ${time} ${level}: ${shortened(visibleLine(says), limits.logLineCharsMax)}\n`
}

export class CertsLog {
  readonly #options: CertsLogOptions
  #file: number | undefined
  #isReaderGone = false

  constructor(options: CertsLogOptions) {
    this.#options = options
  }

  /** From now on lines go to this file too; without it only to stdout. */
  async openFile(path: string): Promise<void> {
    try {
      this.#file = openSync(path, appending, fileMode)
    } catch (thrown) {
      await this.write('WARNING', `The log ${path} cannot be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
      return
    }
    // As Wazuh writes it.
    await this.write('INFO', `Verbose logging redirected to ${path}`)
  }

  async write(level: CertsLogLevel, says: string): Promise<void> {
    if (level === 'DEBUG' && !this.#options.isVerbose) return
    const line = lineOf(this.#options.now(), level, says)
    if (this.#file !== undefined) writeSync(this.#file, line)
    if (this.#isReaderGone) return
    try {
      await writeText(this.#options.stdout, [line])
    } catch (thrown) {
      if (!(thrown instanceof ReaderGone)) throw thrown
      // What was asked for is done all the same.
      this.#isReaderGone = true
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}
