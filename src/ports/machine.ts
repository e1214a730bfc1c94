/**
 * The machine, as the actors need it: time, randomness, the log. The daemon plugs in `platform/` and `transport/`, the simulation its own; one suite (spec/compliance) holds both to the same behaviour.
 * Every port fails with a ClusterError.
 */

import type { ProcessFigures } from '../domain/cluster/nodeFigures.js'

/** Wall clock and timers; has the shape of XState's clock, so that machines run on it too. */
export interface Clock {
  /** Milliseconds since 1970; fractions allowed. May jump when an operator sets the time. */
  now(): number
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number
  setTimeout(fire: () => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
}

export interface Random {
  bytes(count: number): Uint8Array
  /** Uniform in [0, 1). */
  fraction(): number
}

export type LogLevel = 'error' | 'warning' | 'info' | 'debug' | 'debug2'

/** What metrics say of the process. */
export interface ProcessMeter {
  read(): Promise<ProcessFigures>
}

/** Operators' log. `tag` and `subtag` are Wazuh's: `[Worker w1] [Integrity sync]`. */
export interface Log {
  error(message: string): void
  warning(message: string): void
  info(message: string): void
  debug(message: string): void
  debug2(message: string): void
  /** Whether lines of `debug2` are kept: what only they need is not done otherwise. */
  readonly keepsDebug2: boolean
  at(place: { readonly tag?: string; readonly subtag?: string }): Log
}
