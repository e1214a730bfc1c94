/**
 * A link that says at debug2 what is sent and received over it, by kind: requests with what became of them and after how long,
 * notices, and streams with their bytes. Never the content of a message: there may be keys in it.
 */

import { asClusterError } from '../../base/errors.js'
import { logSeconds } from '../../base/logText.js'
import type { Handlers, IncomingStream, Link, NoticeHandlers, OutgoingStream } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'

type AnyHandler = (body: never) => unknown

/** The link itself where such lines are not kept. @param peerLog tagged with the peer */
export const loggedLink = (link: Link, peerLog: Log, clock: Clock): Link => {
  if (!peerLog.keepsDebug2) return link
  const log = peerLog.at({ subtag: 'Messages' })

  const logOutcome = (what: string, answer: Promise<unknown>): void => {
    const startMs = clock.monotonicMs()
    const after = (): string => logSeconds(clock.monotonicMs() - startMs)
    answer.then(
      () => log.debug2(`${what}: answered after ${after()}.`),
      (thrown: unknown) => log.debug2(`${what}: failed after ${after()}: ${asClusterError(thrown).message}`),
    )
  }

  /** Logs once how a stream has ended. */
  const streamLog = (what: string) => {
    const startMs = clock.monotonicMs()
    let bytes = 0
    let hasEnded = false
    const end = (how: string): void => {
      if (!hasEnded) log.debug2(`${what}: ${bytes} bytes in ${logSeconds(clock.monotonicMs() - startMs)}, ${how}.`)
      hasEnded = true
    }
    return {
      add: (chunk: Uint8Array): void => {
        bytes += chunk.byteLength
      },
      ended: () => end('ended'),
      failed: (thrown: unknown) => end(`given up (${asClusterError(thrown).message})`),
      cancelled: () => end('not wanted any more'),
    }
  }

  const answering =
    (type: string, handle: AnyHandler): AnyHandler =>
    (body) => {
      const what = `Received ${type}`
      try {
        const answer = handle(body)
        logOutcome(what, Promise.resolve(answer))
        return answer
      } catch (thrown) {
        logOutcome(what, Promise.reject(asClusterError(thrown)))
        throw thrown
      }
    }

  const logged =
    (type: string, handler: AnyHandler): AnyHandler =>
    (body) => {
      log.debug2(`Received ${type}.`)
      return handler(body)
    }

  return {
    get peer() {
      return link.peer
    },
    get counters() {
      return link.counters
    },
    request: (type, body, options) => {
      const answer = link.request(type, body, options)
      logOutcome(`Sent ${type}`, answer)
      return answer
    },
    notify: (type, body) => {
      log.debug2(`Sent ${type}.`)
      link.notify(type, body)
    },
    serve: (handlers, options) => link.serve(wrapped<Handlers>(handlers, answering), options),
    subscribe: (handlers) => link.subscribe(wrapped<NoticeHandlers>(handlers, logged)),
    expectStream: (kind, idleMsMax) => incoming(link.expectStream(kind, idleMsMax), streamLog),
    openStream: (id, kind, idleMsMax) => outgoing(link.openStream(id, kind, idleMsMax), streamLog(`Sent stream ${id}`)),
    close: (reason, error) => link.close(reason, error),
    onClosed: (closed) => link.onClosed(closed),
  }
}

type StreamLog = { add(chunk: Uint8Array): void; ended(): void; failed(thrown: unknown): void; cancelled(): void }

const incoming = (stream: IncomingStream, logOf: (what: string) => StreamLog): IncomingStream => {
  const log = logOf(`Received stream ${stream.id}`)
  return {
    id: stream.id,
    cancel: (error) => {
      log.cancelled()
      stream.cancel(error)
    },
    async *[Symbol.asyncIterator]() {
      try {
        for await (const chunk of stream) {
          log.add(chunk)
          yield chunk
        }
        log.ended()
      } catch (thrown) {
        log.failed(thrown)
        throw thrown
      }
    },
  }
}

const outgoing = (stream: OutgoingStream, log: StreamLog): OutgoingStream => ({
  get signal() {
    return stream.signal
  },
  write: (chunk) => {
    log.add(chunk)
    return stream.write(chunk)
  },
  end: () => {
    log.ended()
    stream.end()
  },
  reset: (error) => {
    log.failed(error)
    stream.reset(error)
  },
})

/** Each handler within another that takes and returns the same, which the compiler cannot follow name by name. */
const wrapped = <H extends Handlers | NoticeHandlers>(handlers: H, wrap: (type: string, handle: AnyHandler) => AnyHandler): H =>
  Object.fromEntries(Object.entries(handlers).map(([type, handle]) => [type, wrap(type, handle as AnyHandler)])) as H
