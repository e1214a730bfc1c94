/** What asking the daemons of a real manager fails with: one sentence that names the daemon, its socket, and what came of it. */
import { ClusterError, type ErrorCode } from '../../base/errors.js'
import { visibleLine } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'

/** A daemon, as sentences name it. */
export interface DaemonName {
  /** `wazuh-db` */
  readonly daemon: string
  /** Of its socket, below the home. */
  readonly path: string
}

const shown = (text: string): string => shortened(visibleLine(text.trim().replaceAll(/\s*\n\s*/g, ' ')), limits.managerAnswerCharsMax)

/** It cannot be reached, does not answer, or answers what is no answer: `managerFailed`. */
export const daemonFailed = ({ daemon, path }: DaemonName, reason: string, cause?: unknown): ClusterError =>
  new ClusterError('managerFailed', { message: `${daemon} (${path}) ${shown(reason)}`, cause })

/** It says no: `managerRefused`. */
export const daemonRefused = ({ daemon, path }: DaemonName, asked: string, answer: string): ClusterError =>
  new ClusterError('managerRefused', { message: `${daemon} (${path}) refused "${shown(asked)}": ${shown(answer) || 'it gave no reason'}` })

export const askingStopped = ({ daemon }: DaemonName): ClusterError =>
  new ClusterError('aborted', { message: `Asking ${daemon} was stopped` })

export const requestTooLong = ({ daemon, path }: DaemonName, bytes: number, bytesMax: number): ClusterError =>
  new ClusterError('tooLarge', { message: `A request to ${daemon} (${path}) has ${bytes} bytes: at most ${bytesMax} are sent` })

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'is not running: its socket does not exist',
  ECONNREFUSED: 'is not running: nothing answers at its socket',
  EACCES: 'cannot be asked: this process may not use its socket',
  EPIPE: 'closed the connection',
  ECONNRESET: 'closed the connection',
}

const codeOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '')

/** Any failure of a connection to it. */
export const connectionFailed = (name: DaemonName, thrown: unknown): ClusterError =>
  daemonFailed(name, reasons[codeOf(thrown)] ?? `cannot be asked: ${thrown instanceof Error ? thrown.message : String(thrown)}`, thrown)

/** Of a failure of a connection: nothing was sent. */
export const isNobodyThere = (error: unknown): boolean => error instanceof ClusterError && codeOf(error.cause) === 'ECONNREFUSED'

/** As a failure of this daemon, with the code that it had. */
export const asDaemonFailure = (name: DaemonName, error: ClusterError, kept: readonly ErrorCode[] = []): ClusterError =>
  kept.includes(error.code) ? error : daemonFailed(name, `answered badly: ${error.message}`, error)
