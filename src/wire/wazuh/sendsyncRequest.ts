/** `sendsync` of a worker's daemons in C: a question to a daemon of the master, and answers that they take. */
import { Type } from 'typebox'
import { ok, type Result, refuse } from '../../base/errors.js'
import { isJsonWithin } from '../../base/json/jsonWithin.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { limits } from '../../base/limits.js'
import { shapeOf } from '../../base/shapeOf.js'

const shape = shapeOf(Type.Object({ daemon_name: Type.String(), message: Type.Unknown() }), 64)

/** Of wazuh-authd: its internal error. Other daemons have only to see that it is not 0. */
const daemonFailed = 9001

export interface SendsyncRequest {
  readonly daemon: string
  /** JSON, as Wazuh's master would hand it on. */
  readonly message: Buffer
}

/** Refuses with `malformed` and `tooLarge`. */
export const parseSendsync = (json: Buffer): Result<SendsyncRequest> => {
  if (json.byteLength > limits.localRequestBytesMax)
    return refuse('tooLarge', { message: `A question to a daemon is longer than ${limits.localRequestBytesMax} bytes` })
  if (!isJsonWithin(json.toString('latin1'), { depthMax: limits.localDepthMax, valuesMax: limits.localRequestBytesMax }))
    return refuse('malformed', { message: `A question to a daemon is nested over ${limits.localDepthMax} deep` })
  const parsed = parsedJson(json, shape, 'A question to a daemon')
  if (!parsed.ok) return parsed
  const { daemon_name: daemon, message } = parsed.value
  return ok({ daemon, message: Buffer.from(JSON.stringify(message)) })
}

/**
 * In the shape of what the daemons answer themselves. The C client repeats a request whose answer is `err`, or is longer than it takes:
 * what was carried out must not be answered so.
 */
export const daemonErrorJson = (message: string): string => JSON.stringify({ error: daemonFailed, message })
