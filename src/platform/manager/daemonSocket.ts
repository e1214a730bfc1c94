/** One question to a daemon of a real manager, over a connection of its own, as these daemons have it: a frame each way. */
import { limits } from '../../base/limits.js'
import { FrameConnection } from './frameConnection.js'
import { type DaemonName, requestTooLong } from './managerFailure.js'

export interface DaemonCall {
  readonly home: string
  readonly name: DaemonName
  readonly message: Uint8Array
  readonly answerBytesMax: number
  readonly answerMsMax: number
}

/** Fails with `managerFailed`, `tooLarge` and `aborted`. */
export const askDaemon = async ({ message, ...call }: DaemonCall, signal: AbortSignal): Promise<Buffer> => {
  const bytesMax = limits.daemonRequestBytesMax
  if (message.byteLength > bytesMax) throw requestTooLong(call.name, message.byteLength, bytesMax)
  const connection = new FrameConnection({ ...call, idleMsMax: call.answerMsMax })
  try {
    return await connection.ask(message, signal)
  } finally {
    connection.close()
  }
}
