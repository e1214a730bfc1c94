/** Asks the daemon of this machine one question over its local socket. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { ClusterError, isErrorCode } from '../base/errors.js'
import { limits } from '../base/limits.js'
import { splitLines } from '../base/splitLines.js'
import type { AnswerLine } from '../domain/queries/answerLine.js'
import { parseAnswerLine } from '../domain/queries/answerLine.js'
import type { ControlRequest } from '../domain/queries/controlRequest.js'
import { homeOfSocket, socketPathBytesMax } from './controlSocketPath.js'

export interface Question {
  readonly socketPath: string
  readonly request: ControlRequest
  readonly signal: AbortSignal
  /** Milliseconds without any part of the answer; only counted while it is waited for. */
  readonly answerMsMax?: number
}

/**
 * The lines of the answer but for the last, `end`; read no faster than they are taken. Fails with `notRunning` when no
 * daemon listens, with the daemon's own error when it sends one, with `linkLost` when the answer breaks off,
 * with `aborted` when the signal says so.
 */
export async function* ask(question: Question): AsyncGenerator<AnswerLine, void, undefined> {
  const request = `${JSON.stringify(question.request)}\n`
  if (Buffer.byteLength(request) > limits.controlRequestBytesMax)
    throw new ClusterError('tooLarge', { message: 'The query is too long: ask about less at once' })
  const socket = connect(socketPathOf(question))
  const onAbort = (): void => void socket.destroy(new ClusterError('aborted', { cause: question.signal.reason }))
  if (question.signal.aborted) onAbort()
  question.signal.addEventListener('abort', onAbort)
  let isAnswered = false
  try {
    await connected(socket, question)
    socket.write(request)
    for await (const text of splitLines(chunksOf(socket, question.answerMsMax ?? limits.controlAnswerMsMax), limits.controlLineBytesMax)) {
      isAnswered = true
      const line = parseAnswerLine(text)
      if (!line.ok) throw line.error
      if (line.value.kind === 'end') return
      if (line.value.kind === 'error') throw asAnswered(line.value)
      yield line.value
    }
  } catch (error) {
    throw error instanceof ClusterError ? error : brokenOff(isAnswered, error)
  } finally {
    question.signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
  throw brokenOff(isAnswered)
}

/** The system would truncate a longer path; no daemon can listen there either. */
const socketPathOf = ({ socketPath }: Question): string => {
  if (Buffer.byteLength(socketPath) > socketPathBytesMax) throw notRunning(socketPath)
  return socketPath
}

const connected = async (socket: Socket, { socketPath }: Question): Promise<void> => {
  try {
    await once(socket, 'connect')
  } catch (error) {
    throw error instanceof ClusterError ? error : notConnected(error, socketPath)
  }
}

/** Wazuh's sentence, and the home that was asked. */
const notRunning = (socketPath: string, cause?: unknown): ClusterError =>
  new ClusterError('notRunning', { message: `Cluster is not running. No daemon answers on the home ${homeOfSocket(socketPath)}.`, cause })

/** The error of connecting to the local socket, as a sentence for an operator. */
export const notConnected = (error: unknown, socketPath: string): ClusterError => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') return notRunning(socketPath, error)
  if (code === 'EACCES' || code === 'EPERM')
    return new ClusterError('requestFailed', { message: `This user may not use ${socketPath}: run this command as root.`, cause: error })
  if (code === 'EAGAIN') return new ClusterError('overloaded', { message: 'Too many local clients are waiting; try again', cause: error })
  return new ClusterError('requestFailed', { message: `The daemon cannot be asked at ${socketPath}: ${String(error)}`, cause: error })
}

/** A daemon with far too many clients has no time for an answer to each. */
const brokenOff = (isAnswered: boolean, cause?: unknown): ClusterError =>
  new ClusterError('linkLost', {
    message: isAnswered
      ? 'The daemon ended the connection before its answer was complete'
      : 'The daemon ended the connection without an answer: it has too many local clients, or it is stopping; try again',
    cause,
  })

/** A code that only a newer daemon knows still has its sentence. */
const asAnswered = ({ code, message }: { readonly code: string; readonly message: string }): ClusterError =>
  new ClusterError(isErrorCode(code) ? code : 'requestFailed', { message })

async function* chunksOf(socket: Socket, silenceMsMax: number): AsyncGenerator<Uint8Array, void, undefined> {
  socket.on('timeout', () =>
    socket.destroy(new ClusterError('requestTimeout', { message: `The daemon did not answer within ${silenceMsMax / 1_000} s` })),
  )
  socket.setTimeout(silenceMsMax)
  for await (const chunk of socket) {
    // While our own reader takes its time, the daemon's silence is no fault.
    socket.setTimeout(0)
    if (chunk instanceof Uint8Array) yield chunk
    socket.setTimeout(silenceMsMax)
  }
}
