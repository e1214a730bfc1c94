/**
 * The asking side of opaque requests: one is sent to a peer over a stream, and its answer is handed out as it comes. At no time is an
 * answer held whole, and what was not read in time is given up.
 */

import { bufferOver } from '../../base/bytes.js'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { IncomingStream, Link, OutgoingStream } from '../../ports/link.js'
import type { Clock } from '../../ports/machine.js'
import type { AskedDaemon, CarriedAnswer } from '../../ports/manager.js'
import { carriedHeadBytes, decodeCarriedHead } from '../../wire/muster/carriedHead.js'
import { Places } from '../kit/places.js'
import { TimeLimit } from '../kit/timeLimit.js'

/** A peer with it has a manager, and can be asked. */
export const carryCapability = 'carry'

export type CarriedRequest =
  | { readonly kind: 'dapi'; readonly request: Uint8Array }
  | { readonly kind: 'sendsync'; readonly daemon: AskedDaemon; readonly request: Uint8Array }

/** What each kind may cost, and what it is called. */
export const carriedKinds = {
  dapi: {
    what: "A request of Wazuh's distributed API",
    subtag: 'D API', // as Wazuh writes it
    requestBytesMax: limits.carriedRequestBytesMax,
    answerBytesMax: limits.carriedBytesMax,
    msMax: limits.carriedMsMax,
  },
  sendsync: {
    what: 'A request of a daemon',
    subtag: 'Sendsync',
    requestBytesMax: limits.daemonRequestBytesMax,
    answerBytesMax: limits.daemonAnswerBytesMax,
    msMax: limits.daemonAnswerMsMax,
  },
} as const

/** Fails with `tooLarge`. */
export const assertCarried = (kind: CarriedRequest['kind'], bytes: number): void => {
  const { requestBytesMax, what } = carriedKinds[kind]
  if (bytes > requestBytesMax)
    throw new ClusterError('tooLarge', { message: `${what} has ${bytes} bytes: must be ${requestBytesMax} at most` })
}

export interface CarriedRequestsOptions {
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  /** Until a peer says where it takes the request. */
  readonly requestMsMax: number
}

/** Those that this node sends over one link: a number at once of each kind, the others wait. */
export class CarriedRequests {
  readonly #link: Link
  readonly #options: CarriedRequestsOptions
  readonly #places = {
    dapi: new Places("requests of Wazuh's distributed API", limits.carriedPerLinkMax, limits.carriedWaitingMax),
    sendsync: new Places('requests of daemons', limits.carriedPerLinkMax, limits.carriedWaitingMax),
  }

  constructor(link: Link, options: CarriedRequestsOptions) {
    this.#link = link
    this.#options = options
  }

  /** Fails with what the peer says, with `managerFailed` when it has no manager, with `linkLost` and the like. */
  async carry(carried: CarriedRequest, signal: AbortSignal): Promise<CarriedAnswer> {
    const { peer } = this.#link
    if (!peer.capabilities.includes(carryCapability))
      throw new ClusterError('managerFailed', {
        message: `${peer.node} has no Wazuh manager that could be asked, or is of an earlier build`,
      })
    assertCarried(carried.kind, carried.request.byteLength)
    const { msMax, what } = carriedKinds[carried.kind]
    const time = new TimeLimit(this.#options.clock, msMax, signal, what)
    try {
      const leave = await this.#places[carried.kind].take(time.signal)
      return await new Conversation(this.#link, time, leave).hold(carried, this.#options.requestMsMax)
    } catch (thrown) {
      time.end()
      throw time.reasonOr(thrown)
    }
  }
}

/** One request and its answer. */
class Conversation {
  readonly #link: Link
  readonly #time: TimeLimit
  readonly #leave: () => void
  #answer: IncomingStream | undefined
  #question: OutgoingStream | undefined

  constructor(link: Link, time: TimeLimit, leave: () => void) {
    this.#link = link
    this.#time = time
    this.#leave = leave
    time.signal.addEventListener('abort', () => this.#end(time.signal.reason), { once: true })
  }

  async hold(carried: CarriedRequest, timeoutMs: number): Promise<CarriedAnswer> {
    const { answerBytesMax, msMax } = carriedKinds[carried.kind]
    try {
      this.#answer = this.#link.expectStream('control', msMax)
      const { kind, request } = carried
      const { question } = await this.#link.request(
        'manager.carry',
        { kind, bytes: request.byteLength, answer: this.#answer.id, ...(carried.kind === 'sendsync' && { daemon: carried.daemon }) },
        { signal: this.#time.signal, timeoutMs },
      )
      this.#time.signal.throwIfAborted()
      this.#question = this.#link.openStream(question)
      await writeAll(this.#question, request)
      this.#question.end()
      const chunks = this.#answer[Symbol.asyncIterator]()
      const { head, rest } = await headOf(chunks)
      const decoded = decodeCarriedHead(head, answerBytesMax)
      if (!decoded.ok) throw decoded.error
      const { bytes, isException } = decoded.value
      const content = this.#contentOf(chunks, rest, bytes)
      if (!isException) return { bytes, content }
      throw new ClusterError('managerRefused', { message: (await gathered(content)).toString() })
    } catch (thrown) {
      this.#end(asError(thrown))
      throw thrown
    }
  }

  async *#contentOf(chunks: AsyncIterator<Uint8Array>, first: Uint8Array, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    let left = bytes
    try {
      for (let chunk: Uint8Array | undefined = first; chunk; chunk = await nextOf(chunks)) {
        left -= chunk.byteLength
        if (left < 0) throw new ClusterError('malformed', { message: `A carried answer is longer than the ${bytes} bytes that it has` })
        if (chunk.byteLength > 0) yield chunk
      }
      if (left > 0) throw new ClusterError('transferFailed', { message: `A carried answer ended ${left} bytes early` })
    } catch (thrown) {
      throw this.#time.reasonOr(thrown)
    } finally {
      this.#end()
    }
  }

  #end(error = new ClusterError('aborted', { message: 'The caller no longer waits for the answer' })): void {
    this.#time.end()
    this.#answer?.cancel(error)
    this.#question?.reset(error)
    this.#leave()
  }
}

const asError = (thrown: unknown): ClusterError | undefined => (thrown instanceof ClusterError ? thrown : undefined)

const nextOf = async (chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> => {
  const { done, value } = await chunks.next()
  return done === true ? undefined : value
}

const headOf = async (chunks: AsyncIterator<Uint8Array>): Promise<{ readonly head: Buffer; readonly rest: Uint8Array }> => {
  let bytes: Buffer = Buffer.alloc(0)
  while (bytes.byteLength < carriedHeadBytes) {
    const chunk = await nextOf(chunks)
    if (!chunk) throw new ClusterError('transferFailed', { message: 'A carried answer ended before it began' })
    bytes = bytes.byteLength === 0 ? bufferOver(chunk) : Buffer.concat([bytes, chunk])
  }
  return { head: bytes.subarray(0, carriedHeadBytes), rest: bytes.subarray(carriedHeadBytes) }
}

/** Whole: of what has a small bound. */
const gathered = async (content: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** In chunks that the stream takes, each when there is room for it. */
export const writeAll = async (stream: OutgoingStream, bytes: Uint8Array): Promise<void> => {
  for (let from = 0; from < bytes.byteLength; from += limits.streamChunkBytesMax)
    await stream.write(bytes.subarray(from, from + limits.streamChunkBytesMax))
}
