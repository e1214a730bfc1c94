/** A home of its own for each test, with a control server in it when wanted; nothing is left when the test is over. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { limits } from '../../src/base/limits.js'
import type { AnswerLine } from '../../src/domain/queries/answerLine.js'
import type { Answer, ControlLimits } from '../../src/localSocket/controlConnection.js'
import { type ControlServer, startControlServer } from '../../src/localSocket/controlServer.js'
import { controlSocketPath } from '../../src/localSocket/controlSocketPath.js'
import type { Log } from '../../src/ports/machine.js'

export const recordingLog = (lines: string[]): Log => {
  const log: Log = {
    error: (message) => lines.push(`error ${message}`),
    warning: (message) => lines.push(`warning ${message}`),
    info: (message) => lines.push(`info ${message}`),
    debug: (message) => lines.push(`debug ${message}`),
    debug2: (message) => lines.push(`debug2 ${message}`),
    keepsDebug2: true,
    at: () => log,
  }
  return log
}

/** A home with its queue/cluster/, removed after the test. */
export const temporaryHome = (): string => {
  const home = mkdtempSync(join(tmpdir(), 'control-'))
  mkdirSync(dirname(controlSocketPath(home)), { recursive: true })
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return home
}

export interface Served {
  readonly home: string
  readonly socketPath: string
  readonly server: ControlServer
  readonly log: string[]
}

export const serve = async (answer: Answer, changed: Partial<ControlLimits> = {}, home = temporaryHome()): Promise<Served> => {
  const socketPath = controlSocketPath(home)
  const log: string[] = []
  const server = await startControlServer({ socketPath, answer, log: recordingLog(log), limits: { ...limits, ...changed } })
  onTestFinished(() => server.close())
  return { home, socketPath, server, log }
}

/** Answers every query with the same lines. */
export const always = (...lines: readonly AnswerLine[]): Answer =>
  async function* () {
    yield* lines
  }

export const collected = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export interface RawClient {
  readonly socket: Socket
  /** Everything received until the daemon has closed the connection. */
  readonly received: Promise<string>
}

/** A raw client: sends what it is given, keeps what it gets. */
export const rawClient = (socketPath: string): RawClient => {
  const socket = connect(socketPath)
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  // These clients exist to be cut off in the middle of sending.
  socket.on('error', () => {})
  const received = new Promise<string>((resolve) => socket.on('close', () => resolve(text)))
  onTestFinished(() => {
    socket.destroy()
  })
  return { socket, received }
}

/** A promise that the test settles itself. */
export const deferred = <T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } => {
  let resolve: ((value: T) => void) | undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve: (value) => resolve?.(value) }
}
