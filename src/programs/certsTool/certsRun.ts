/** What one run of wazuh-certs-tool works with. */
import { resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { CertsLog } from './certsLog.js'

export interface CertsRun {
  readonly nowMs: number
  readonly stdin: Readable
  readonly stdout: Writable
  readonly log: CertsLog
  /** Of a path as it was given, from the directory that the program was called in. */
  path(given: string): string
}

export const pathsFrom =
  (directory: string) =>
  (given: string): string =>
    resolve(directory, given)
