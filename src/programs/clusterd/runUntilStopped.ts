/** A started daemon until a signal, its own failure or a bug ends it: stops it in time and returns how it went. */

import { asClusterError, ClusterError, ok, type Result } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { NodeSettings } from '../../config/settings.js'
import type { LogFile } from '../../platform/machine/logFile.js'
import type { Log } from '../../ports/machine.js'
import { sourceStack } from '../kit/sourceStack.js'

export interface RunningDaemon {
  stop(): Promise<void>
  /** Resolves when the daemon cannot go on. */
  readonly failed: Promise<ClusterError>
}

export type StartDaemon = (settings: NodeSettings, options: { readonly log: Log; readonly foreground: boolean }) => Promise<RunningDaemon>

interface Run {
  readonly start: () => Promise<RunningDaemon>
  readonly log: LogFile
  /** How long its agents may take to go, before the rest of it stops; 0 when left out. */
  readonly drainMsMax?: number
  /** Called once the daemon works. */
  readonly onReady: () => Promise<void>
}

type Ending = { readonly kind: 'signal'; readonly signal: string } | { readonly kind: 'error'; readonly error: ClusterError }

/** Of the time for stopping, what is left to closing the log. */
const closingMs = 500

/** The first signal, or the first error that nobody caught. */
const listenForEnding = (log: LogFile) => {
  const { promise, resolve } = withResolver<Ending>()
  const onSignal = (signal: string): void => resolve({ kind: 'signal', signal })
  const onHangup = (): void => log.reopen()
  const onUncaught = (thrown: unknown): void => {
    if (thrown instanceof Error && thrown.stack) log.debug2(sourceStack(thrown.stack))
    resolve({ kind: 'error', error: asClusterError(thrown) })
  }
  const listeners = [
    ['SIGTERM', onSignal],
    ['SIGINT', onSignal],
    ['SIGHUP', onHangup],
    ['uncaughtException', onUncaught],
    ['unhandledRejection', onUncaught],
  ] as const
  for (const [event, listener] of listeners) process.on(event, listener)
  return {
    ending: promise,
    stopListening: (): void => {
      for (const [event, listener] of listeners) process.off(event, listener)
    },
  }
}

const withResolver = <T>() => {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Resolves with what went wrong while stopping, if anything did. */
const stopInTime = async (stopping: Promise<void>, msMax: number): Promise<ClusterError | undefined> => {
  const { promise, resolve } = withResolver<ClusterError>()
  const timer = setTimeout(
    () => resolve(new ClusterError('internal', { message: `The daemon did not stop within ${msMax / 1000} s and is ended` })),
    msMax - closingMs,
  )
  try {
    return await Promise.race([stopping.then(() => undefined, asClusterError), promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Ok when a signal ended it and it stopped in time; else what went wrong, after an attempt to stop. */
export const runUntilStopped = async ({ drainMsMax = 0, start, log, onReady }: Run): Promise<Result<undefined>> => {
  const { ending, stopListening } = listenForEnding(log)
  try {
    const starting = start()
    const failing = starting.then(
      async (daemon): Promise<Ending> => {
        await onReady()
        return { kind: 'error', error: await daemon.failed }
      },
      (thrown): Ending => ({ kind: 'error', error: asClusterError(thrown) }),
    )
    const end = await Promise.race([ending, failing])
    if (end.kind === 'signal') log.info(`Stopping: received ${end.signal}.`)
    // A daemon that never started has nothing to stop, and its reason is in `end` already.
    const stopping = starting.then(
      (daemon) => daemon.stop(),
      () => undefined,
    )
    const trouble = await stopInTime(stopping, limits.stopMsMax + drainMsMax)
    if (end.kind === 'error') return { ok: false, error: end.error }
    if (trouble) return { ok: false, error: trouble }
    log.info('Exiting.')
    return ok(undefined)
  } finally {
    stopListening()
  }
}
