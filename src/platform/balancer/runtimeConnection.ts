/** One command over HAProxy's runtime socket: a connection each, which HAProxy ends with its answer. */
import { connect, type Socket } from 'node:net'
import type { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { Endpoint } from '../../ports/network.js'
import { bareHost, shownEndpoint } from '../net/tcpSocket.js'
import { askedInVain, reasonOf, stopped } from './balancerFailure.js'

export type RuntimePlace = { readonly path: string } | Endpoint

/** As sentences name it. */
export const shownPlace = (place: RuntimePlace): string => ('path' in place ? place.path : shownEndpoint(place))

const dial = (place: RuntimePlace): Socket =>
  'path' in place ? connect(place.path) : connect({ host: bareHost(place.host), port: place.port, noDelay: true })

const seconds = limits.balancerCallMsMax / 1_000

/** Fails with `balancerFailed`, and with `aborted` when the signal is. */
export const askRuntime = (place: RuntimePlace, command: string, signal: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(stopped())
    const where = shownPlace(place)
    const socket = dial(place)
    const parts: Buffer[] = []
    let byteCount = 0
    const settle = (finish: () => void): void => {
      clearTimeout(deadline)
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      finish()
    }
    const fail = (error: ClusterError): void => settle(() => reject(error))
    const onAbort = (): void => fail(stopped())
    const deadline = setTimeout(() => fail(askedInVain(where, command, `it did not answer within ${seconds} s`)), limits.balancerCallMsMax)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', (cause) => fail(askedInVain(where, command, reasonOf(cause), cause)))
    socket.on('data', (bytes: Buffer) => {
      parts.push(bytes)
      byteCount += bytes.length
      if (byteCount > limits.balancerAnswerBytesMax)
        fail(askedInVain(where, command, `its answer has more than ${limits.balancerAnswerBytesMax} bytes`))
    })
    socket.on('end', () => settle(() => resolve(Buffer.concat(parts).toString())))
    // HAProxy leaves with an empty answer when it takes the command for no command at all.
    socket.on('close', () => fail(askedInVain(where, command, 'it closed the connection')))
    socket.write(`${command}\n`)
  })
