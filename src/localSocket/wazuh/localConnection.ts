/**
 * One of Wazuh's local clients: what it asks is answered under the counter of its request, and long answers go to it by requests of ours,
 * which it answers. What it may cost is bounded; what it does not read holds up no other client.
 */
import type { Socket } from 'node:net'
import { asClusterError, ClusterError, isCrash } from '../../base/errors.js'
import type { limits } from '../../base/limits.js'
import type { Log } from '../../ports/machine.js'
import type { CarriedAnswer } from '../../ports/manager.js'
import { ClusterFrameReader, type ClusterMessage, clusterFrameBytesMax, clusterFrames } from '../../wire/wazuh/clusterFrame.js'
import { exceptionJson, isExceptionJson } from '../../wire/wazuh/exceptionJson.js'
import { BoundedCall } from './boundedCall.js'
import { localCommands, unknownCommand } from './localCommands.js'
import type { LocalNode } from './localNode.js'
import { ReceivedStrings } from './receivedStrings.js'

export type LocalLimits = {
  readonly [K in
    | 'carriedBytesMax'
    | 'localConnectionsMax'
    | 'localRequestsMax'
    | 'localHeldBytesMax'
    | 'localDividedMax'
    | 'localPartMsMax'
    | 'localIdleMsMax'
    | 'localStallMsMax'
    | 'localAnswerMsMax'
    | 'localCheckMs']: (typeof limits)[K] | number
}

export interface LocalConnectionOptions {
  readonly node: LocalNode
  readonly log: Log
  readonly limits: LocalLimits
  /** Every request is refused: there are too many clients. */
  readonly isRefused: boolean
  /** The bytes that wait for this client, or because of it, have changed by this many. */
  readonly onHeld: (change: number) => void
  readonly onClose: () => void
}

/** Half of all counters lie between a client's requests and ours: neither takes one for the other. */
const counterDistance = 2 ** 31
/** For the last answers to be read, when the daemon stops. */
const stopLingerMs = 300
/** Of a payload that is written together with its header. */
const joinedBytesMax = 64 * 1024
/** Of the client's name for a string of ours. */
const stringIdCharsMax = 32

const isAnswer = (command: string): boolean => command === 'ok' || command === 'err' || command.startsWith('ok-')

/** What the framework raised is an exception already. */
const textOf = (error: ClusterError): string => (isExceptionJson(error.message) ? error.message : exceptionJson(error))

export class LocalConnection {
  readonly #socket: Socket
  readonly #options: LocalConnectionOptions
  readonly #reader: ClusterFrameReader
  readonly #strings = new ReceivedStrings()
  readonly #calls = new Set<BoundedCall>()
  /** The requests that wait for the client's answer, by our counter. */
  readonly #asked = new Map<number, (answer: ClusterMessage) => void>()
  #nextCounter: number | undefined
  #payloadBytes = 0
  #held = 0
  #receivedMs = performance.now()
  #withinSinceMs: number | undefined
  #stalledSinceMs: number | undefined

  constructor(socket: Socket, options: LocalConnectionOptions) {
    const { carriedBytesMax: messageBytesMax, localDividedMax: dividedMax } = options.limits
    this.#socket = socket
    this.#options = options
    this.#reader = new ClusterFrameReader({ messageBytesMax, dividedMax })
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('drain', () => this.#onDrain())
    // 'close' follows and is what counts; a client that goes away in the middle is not the daemon's fault.
    socket.on('error', (error) => options.log.debug(`A local client was lost: ${error.message}`))
    socket.once('close', () => this.#onClose())
  }

  /** Parts of its requests, requests that are being answered, and answers that it has not read. */
  get held(): number {
    return this.#held
  }

  /** Since when it has nothing under way; undefined while it has. */
  get idleSinceMs(): number | undefined {
    return this.#calls.size === 0 && !this.#reader.isWithin && this.#socket.writableLength === 0 ? this.#receivedMs : undefined
  }

  /** Cuts a client that takes too long. */
  check(nowMs: number): void {
    const { localIdleMsMax, localPartMsMax, localStallMsMax } = this.#options.limits
    const isOver = (sinceMs: number | undefined, msMax: number): boolean => sinceMs !== undefined && nowMs - sinceMs > msMax
    if (isOver(this.#stalledSinceMs, localStallMsMax)) this.cut('it reads nothing')
    else if (isOver(this.#withinSinceMs, localPartMsMax)) this.cut('the rest of a request did not come')
    else if (isOver(this.idleSinceMs, localIdleMsMax)) this.cut('it was idle')
  }

  cut(why: string): void {
    this.#options.log.debug(`A local client was let go: ${why}.`)
    this.#socket.destroy()
    this.#countAs(0)
  }

  /** What is being answered is refused; the last answers have a moment to be read. */
  async stop(): Promise<void> {
    for (const call of this.#calls) call.stop(new ClusterError('peerStopping', { message: 'wazuh-clusterd is stopping' }))
    // Those who wait for the calls answer first.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#socket.destroyed) return
    const timer = setTimeout(() => this.#socket.destroy(), stopLingerMs)
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#socket.end()
    await closed
    clearTimeout(timer)
  }

  #onData(chunk: Buffer): void {
    this.#receivedMs = performance.now()
    this.#reader.append(chunk)
    this.#takeAll()
  }

  #onDrain(): void {
    if (this.#stalledSinceMs === undefined) return
    this.#stalledSinceMs = undefined
    this.#takeAll()
    if (this.#stalledSinceMs === undefined) this.#socket.resume()
  }

  #onClose(): void {
    for (const call of this.#calls) call.stop(new ClusterError('linkClosed', { message: 'The local client went away' }))
    this.#countAs(0)
    this.#options.onClose()
  }

  /** Until there is no whole message, or the client is behind with reading. */
  #takeAll(): void {
    while (this.#stalledSinceMs === undefined && !this.#socket.destroyed) {
      const next = this.#reader.next()
      if (!next.ok) this.cut(next.error.message)
      else if (next.value) this.#take(next.value)
      else break
    }
    if (!this.#reader.isWithin) this.#withinSinceMs = undefined
    else this.#withinSinceMs ??= this.#receivedMs
    this.#count()
  }

  #take(message: ClusterMessage): void {
    const { command, counter } = message
    if (isAnswer(command)) {
      // One that nobody waits for any more, or that was never asked for, is dropped: it must not be answered again.
      this.#asked.get(counter)?.(message)
      return
    }
    this.#nextCounter ??= (counter + counterDistance) >>> 0
    const { isRefused, limits } = this.#options
    if (isRefused || this.#calls.size >= limits.localRequestsMax)
      this.#send('err', counter, exceptionJson(new ClusterError('overloaded', { message: 'Too many local requests are being answered' })))
    else void this.#answer(message)
  }

  async #answer({ command: name, counter, payload }: ClusterMessage): Promise<void> {
    const { limits, log, node } = this.#options
    const command = localCommands.get(name)
    if (!command || (command.role ?? node.type) !== node.type) {
      this.#send('err', counter, unknownCommand(name))
      return
    }
    const call = new BoundedCall(command.answerMsMax ?? limits.localAnswerMsMax)
    this.#calls.add(call)
    this.#payloadBytes += payload.byteLength
    try {
      const reply = await call.settled(command.carryOut({ node, payload, signal: call.signal, strings: this.#strings }))
      this.#send(reply.command ?? 'ok', counter, reply.payload)
      if (reply.late) await this.#answerLate(reply.late, call)
      if (reply.lateFrame) await this.#answerInFrame(reply.lateFrame, call)
    } catch (thrown) {
      const error = asClusterError(thrown)
      if (isCrash(error)) log.error(`A local request '${name}' failed: ${error.message}`)
      else log.debug(`A local request '${name}' was refused: ${error.message}`)
      this.#send('err', counter, textOf(error))
    } finally {
      call.end()
      this.#calls.delete(call)
      this.#payloadBytes -= payload.byteLength
      this.#count()
    }
  }

  async #answerLate(late: Promise<CarriedAnswer>, call: BoundedCall): Promise<void> {
    try {
      const id = await this.#sendString(await call.settled(late), call)
      await this.#ask('dapi_res', id, call)
    } catch (thrown) {
      this.#sayFailed('dapi_err', thrown)
    }
  }

  async #answerInFrame(late: Promise<string | Uint8Array>, call: BoundedCall): Promise<void> {
    try {
      await this.#ask('ok', await call.settled(late), call)
    } catch (thrown) {
      this.#sayFailed('err', thrown)
    }
  }

  /** Its answer is not used. */
  #sayFailed(command: 'dapi_err' | 'err', thrown: unknown): void {
    const error = asClusterError(thrown)
    this.#options.log.debug(`A late answer to a local client failed: ${error.message}`)
    this.#send(command, this.#ownCounter(), textOf(error))
  }

  /** In pieces as they come, each when the client has the one before; returns the client's name for the string. */
  async #sendString({ bytes, content }: CarriedAnswer, call: BoundedCall): Promise<string> {
    const id = (await this.#ask('new_str', String(bytes), call)).toString('latin1')
    if (!/^\w+$/.test(id) || id.length > stringIdCharsMax)
      throw new ClusterError('malformed', { message: 'The local client gave no name for the answer' })
    const prefix = Buffer.from(`${id} `)
    const pieceBytesMax = clusterFrameBytesMax - prefix.byteLength
    let left = bytes
    const pieces = content[Symbol.asyncIterator]()
    try {
      for (let next = await call.settled(pieces.next()); !next.done; next = await call.settled(pieces.next()))
        for (let from = 0; from < next.value.byteLength; from += pieceBytesMax) {
          const piece = next.value.subarray(from, from + pieceBytesMax)
          left -= piece.byteLength
          if (left < 0) throw new ClusterError('malformed', { message: 'The answer is longer than was announced' })
          await this.#ask('str_upd', Buffer.concat([prefix, piece]), call)
        }
    } finally {
      // Not awaited: what still runs in there may not listen to its signal.
      pieces.return?.().catch(() => undefined)
    }
    if (left > 0) throw new ClusterError('transferFailed', { message: 'The answer broke off' })
    return id
  }

  /** A request of ours, and the payload of the client's answer. */
  async #ask(command: string, payload: string | Uint8Array, call: BoundedCall): Promise<Buffer> {
    const counter = this.#ownCounter()
    const answered = new Promise<ClusterMessage>((resolve) => this.#asked.set(counter, resolve))
    this.#send(command, counter, payload)
    try {
      const answer = await call.settled(answered, this.#options.limits.localAnswerMsMax)
      if (answer.command === 'err') throw new ClusterError('requestFailed', { message: `The local client refused '${command}'` })
      return answer.payload
    } finally {
      this.#asked.delete(counter)
    }
  }

  #ownCounter(): number {
    const counter = this.#nextCounter ?? 0
    this.#nextCounter = (counter + 1) >>> 0
    return counter
  }

  #send(command: string, counter: number, content: string | Uint8Array): void {
    if (!this.#socket.writable) return
    const payload = typeof content === 'string' ? Buffer.from(content) : content
    const frames = clusterFrames({ command, counter, payload })
    // Most answers are small: one write costs less than the copy.
    if (payload.byteLength <= joinedBytesMax) this.#socket.write(Buffer.concat(frames))
    else for (const part of frames) this.#socket.write(part)
    if (this.#socket.writableNeedDrain && this.#stalledSinceMs === undefined) {
      this.#stalledSinceMs = performance.now()
      this.#socket.pause()
    }
    this.#count()
  }

  #count(): void {
    if (!this.#socket.destroyed) this.#countAs(this.#reader.held + this.#payloadBytes + this.#socket.writableLength)
  }

  #countAs(held: number): void {
    const change = held - this.#held
    this.#held = held
    if (change !== 0) this.#options.onHeld(change)
  }
}
