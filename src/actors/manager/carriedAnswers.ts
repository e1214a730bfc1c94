/**
 * The answering side of opaque requests: what a peer sends is gathered as it comes and carried out, and the answer goes back as fast as
 * the peer takes it. What a peer says of lengths costs nothing before it is there, and its disappearance ends the work.
 */
import { asClusterError, ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { logSeconds } from '../../base/logText.js'
import type { IncomingStream, Link, OutgoingStream } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import { type AskedDaemon, askedDaemons, type CarriedAnswer } from '../../ports/manager.js'
import { encodeCarriedHead } from '../../wire/muster/carriedHead.js'
import type { RequestBody } from '../../wire/muster/messages.js'
import { RunningAnswers } from '../kit/runningAnswers.js'
import type { ServingEnd, ServingInput } from '../kit/servingThread.js'
import { TimeLimit } from '../kit/timeLimit.js'
import { assertCarried, carriedKinds, writeAll } from './carriedRequest.js'

/** What carries requests out on this node. */
export interface CarriedWork {
  /** Of a master only. */
  readonly sendsync: ((daemon: AskedDaemon, message: Uint8Array, signal: AbortSignal) => Promise<CarriedAnswer>) | undefined
  readonly dapi: (request: Uint8Array, signal: AbortSignal) => Promise<CarriedAnswer>
}

export interface CarriedAnswersOptions {
  readonly link: Link
  readonly work: CarriedWork
  readonly load: CarriedLoad
  readonly clock: Clock
  /** Tagged with the peer. */
  readonly log: Log
}

/** Bytes of requests that are held at the same time: of one peer, and of all. */
class HeldBytes {
  readonly #bytesMax: number
  readonly #whose: string
  readonly #ofAll: HeldBytes | undefined
  #bytes = 0

  constructor(bytesMax: number, whose: string, ofAll?: HeldBytes) {
    this.#bytesMax = bytesMax
    this.#whose = whose
    this.#ofAll = ofAll
  }

  /** Fails with `overloaded`. */
  hold(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax)
      throw new ClusterError('overloaded', {
        message: `At most ${this.#bytesMax} bytes of requests of ${this.#whose} are held at the same time`,
      })
    this.#ofAll?.hold(bytes)
    this.#bytes += bytes
  }

  free(bytes: number): void {
    this.#ofAll?.free(bytes)
    this.#bytes -= bytes
  }

  get isEmpty(): boolean {
    return this.#bytes === 0
  }
}

/** What all peers together have a node carry out. */
export class CarriedLoad {
  #running = 0
  readonly #held = new HeldBytes(limits.carriedHeldBytesMax, 'all nodes')

  /** Counts one until the returned function is called. Fails with `overloaded`. */
  begin(): () => void {
    if (this.#running >= limits.carriedMax)
      throw new ClusterError('overloaded', {
        message: `At most ${limits.carriedMax} requests of all nodes are carried out at the same time`,
      })
    this.#running += 1
    return () => {
      this.#running -= 1
    }
  }

  /** What one peer may have held of it. */
  ofPeer(): HeldBytes {
    return new HeldBytes(limits.carriedRequestBytesMax, 'one node', this.#held)
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#held.isEmpty
  }
}

export const carriedAnswersInput = (options: CarriedAnswersOptions): ServingInput => {
  const { link, load } = options
  const running = {
    dapi: new RunningAnswers("requests of Wazuh's distributed API", limits.carriedPerLinkMax),
    sendsync: new RunningAnswers('requests to daemons', limits.carriedPerLinkMax),
  }
  const held = load.ofPeer()
  return {
    link,
    answers: (thread) => ({
      'manager.carry': (body) => {
        const work = workOf(options.work, body)
        assertCarried(body.kind, body.bytes)
        const question = link.expectStream()
        try {
          begin({ ...options, body, held, question, running: running[body.kind], thread, work })
        } catch (thrown) {
          question.cancel(asClusterError(thrown))
          throw thrown
        }
        return { question: question.id }
      },
    }),
  }
}

type Work = (request: Uint8Array, signal: AbortSignal) => Promise<CarriedAnswer>

/** Fails with `argumentsInvalid` and `notOnWorker`. */
const workOf = ({ dapi, sendsync }: CarriedWork, { daemon, kind }: RequestBody<'manager.carry'>): Work => {
  if (kind === 'dapi') return dapi
  if (!sendsync) throw new ClusterError('notOnWorker', { message: 'Daemons are asked on the master only' })
  const asked = askedDaemon(daemon)
  return (message, signal) => sendsync(asked, message, signal)
}

/** Fails with `argumentsInvalid`. */
export const askedDaemon = (name: string | undefined): AskedDaemon => {
  const daemon = askedDaemons.find((known) => known === name)
  if (daemon) return daemon
  throw new ClusterError('argumentsInvalid', {
    message: `'${name ?? ''}' is not a daemon that can be asked: must be one of ${askedDaemons.join(', ')}`,
  })
}

interface Begun extends Omit<CarriedAnswersOptions, 'work'> {
  readonly body: RequestBody<'manager.carry'>
  readonly held: HeldBytes
  readonly question: IncomingStream
  readonly running: RunningAnswers
  readonly thread: ServingEnd
  readonly work: Work
}

const begin = (begun: Begun): void => {
  const { body, link, load, running, thread } = begun
  const end = load.begin()
  try {
    running.begin({
      ...{ link, thread, stream: body.answer, otherwise: 'managerFailed', kind: 'control', idleMsMax: carriedKinds[body.kind].msMax },
      send: (out) => sendAnswer(begun, out).finally(end),
    })
  } catch (thrown) {
    end()
    throw thrown
  }
}

const sendAnswer = async (begun: Begun, out: OutgoingStream): Promise<void> => {
  const { body, clock, question } = begun
  const { msMax, subtag, what } = carriedKinds[body.kind]
  const log = begun.log.at({ subtag })
  const startMs = clock.monotonicMs()
  const after = (): string => logSeconds(clock.monotonicMs() - startMs)
  const time = new TimeLimit(clock, msMax, out.signal, what)
  const giveUp = (): void => {
    question.cancel(time.signal.reason)
    out.reset(time.signal.reason)
  }
  time.signal.addEventListener('abort', giveUp, { once: true })
  try {
    const sent = await sendAll(begun, out, time.signal)
    log.debug(`${shownRequest(body)}: ${sent} bytes after ${after()}.`)
  } catch (thrown) {
    const reason = asClusterError(time.reasonOr(thrown), 'managerFailed')
    question.cancel(reason)
    if (reason.code !== 'aborted') log.warning(`${shownRequest(body)}: failed after ${after()}: ${reason.message}`)
    throw time.reasonOr(thrown)
  } finally {
    time.end()
  }
}

/** The bytes of the answer. */
const sendAll = async ({ body, held, question, work }: Begun, out: OutgoingStream, signal: AbortSignal): Promise<number> => {
  const request = await gatheredRequest(question, body.bytes, held)
  try {
    const answer = await work(request.bytes, signal)
    await out.write(encodeCarriedHead({ bytes: answer.bytes, isException: false }))
    for await (const chunk of answer.content) await writeAll(out, chunk)
    out.end()
    return answer.bytes
  } catch (thrown) {
    if (!(thrown instanceof ClusterError) || thrown.code !== 'managerRefused') throw thrown
    const exception = Buffer.from(thrown.message)
    await out.write(encodeCarriedHead({ bytes: exception.byteLength, isException: true }))
    await writeAll(out, exception)
    out.end()
    return exception.byteLength
  } finally {
    request.free()
  }
}

/** As it comes: a length that is only said takes no memory. */
const gatheredRequest = async (question: IncomingStream, bytes: number, held: HeldBytes) => {
  const chunks: Uint8Array[] = []
  let heldBytes = 0
  const free = (): void => held.free(heldBytes)
  try {
    for await (const chunk of question) {
      if (heldBytes + chunk.byteLength > bytes)
        throw new ClusterError('malformed', { message: `A carried request is longer than the ${bytes} bytes that it has` })
      held.hold(chunk.byteLength)
      heldBytes += chunk.byteLength
      chunks.push(chunk)
    }
    if (heldBytes < bytes) throw new ClusterError('transferFailed', { message: `A carried request ended ${bytes - heldBytes} bytes early` })
    return { bytes: Buffer.concat(chunks), free }
  } catch (thrown) {
    free()
    throw thrown
  }
}

/** Never its content: there may be keys in it. */
const shownRequest = ({ bytes, daemon, kind }: Pick<RequestBody<'manager.carry'>, 'bytes' | 'daemon' | 'kind'>): string =>
  `${kind === 'dapi' ? 'A request of the distributed API' : `A request to ${daemon}`} (${bytes} bytes)`
