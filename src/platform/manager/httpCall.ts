/**
 * A call to a daemon of a real manager that speaks HTTP over a Unix socket. Each has a connection of its own: wazuh-db ends them after five
 * requests, and one that ends while it is used would leave open whether the request was carried out.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { ClusterError } from '../../base/errors.js'
import { askingStopped, connectionFailed, type DaemonName, daemonFailed } from './managerFailure.js'
import { managerSocket } from './managerSocket.js'

export interface HttpCall {
  readonly home: string
  readonly name: DaemonName
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
  readonly answerBytesMax: number
  readonly answerMsMax: number
}

export interface HttpAnswer {
  readonly status: number
  readonly text: string
}

/** Fails with `managerFailed` when there is no whole answer, and with `aborted`. */
export const callByHttp = (call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    const { answerMsMax, body, home, method, name, path } = call
    if (signal.aborted) return reject(askingStopped(name))
    const request = httpRequest({
      ...{ socketPath: managerSocket(home, name), method, path, agent: false },
      headers: {
        host: 'localhost',
        accept: 'application/json',
        connection: 'close',
        ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    })
    const settle = (finish: () => void): void => {
      clearTimeout(deadline)
      signal.removeEventListener('abort', onAbort)
      request.destroy()
      finish()
    }
    const fail = (error: ClusterError): void => settle(() => reject(error))
    const onAbort = (): void => fail(askingStopped(name))
    const deadline = setTimeout(() => fail(daemonFailed(name, `did not answer within ${answerMsMax / 1_000} s`)), answerMsMax)
    signal.addEventListener('abort', onAbort, { once: true })
    request.on('error', (thrown) => fail(connectionFailed(name, thrown)))
    request.on('close', () => fail(daemonFailed(name, 'closed the connection')))
    request.on('response', (response) =>
      readText(
        response,
        call.answerBytesMax,
        (text) => settle(() => resolve({ status: response.statusCode ?? 0, text })),
        (reason, cause) => fail(cause === undefined ? daemonFailed(name, reason) : connectionFailed(name, cause)),
      ),
    )
    request.end(body)
  })

const readText = (
  response: IncomingMessage,
  bytesMax: number,
  done: (text: string) => void,
  fail: (reason: string, cause?: unknown) => void,
): void => {
  const parts: Buffer[] = []
  let byteCount = 0
  response.on('data', (bytes: Buffer) => {
    parts.push(bytes)
    byteCount += bytes.length
    if (byteCount > bytesMax) fail(`answered badly: its answer has more than ${bytesMax} bytes`)
  })
  response.on('error', (cause) => fail('closed the connection', cause))
  response.on('end', () => {
    if (response.complete) done(Buffer.concat(parts).toString())
    else fail('closed the connection')
  })
}
