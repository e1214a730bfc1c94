/**
 * The enrolment service: takes the requests of agents over TLS, decides what can be decided here, asks its node for the rest, and
 * answers. What a peer can make it hold has a bound; one that says nothing costs its socket, and only for a while.
 */
import { Deadlines } from '../../base/deadlines.js'
import { asClusterError, ClusterError, type ErrorCode, errorTable } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { EnrolmentAnswer, EnrolmentRequest } from '../../domain/agents/enrolmentRequest.js'
import {
  type EnrolmentRefusal,
  type JudgedRequest,
  judgedRequest,
  refusal,
  unreadable,
  visible,
} from '../../domain/enrolment/judgedRequest.js'
import { type MasterRefusal, saysOnMaster, saysOnWorker } from '../../domain/enrolment/masterRefusals.js'
import { sourceIp } from '../../domain/enrolment/requestedIp.js'
import type { EnrolmentCounts, EnrolmentDesk, EnrolmentOptions } from '../../ports/enrolment.js'
import type { Clock, Random } from '../../ports/machine.js'
import type { AgentNetwork, Listener, TlsStream } from '../../ports/network.js'
import { errorReply, keyReply } from '../../wire/enrolment/replyText.js'
import { readRequestLine } from '../../wire/enrolment/requestLine.js'
import { type ConnectionOwner, EnrolmentConnection } from './enrolmentConnection.js'
import { EnrolmentLog } from './enrolmentLog.js'

/** Of a key of an agent. */
const keyBytes = 32

export interface EnrolmentServerOptions {
  readonly options: EnrolmentOptions
  readonly network: Pick<AgentNetwork, 'listenTls'>
  readonly clock: Clock
  readonly random: Random
  readonly desk: EnrolmentDesk
}

export class EnrolmentServer {
  readonly #options: EnrolmentOptions
  readonly #network: Pick<AgentNetwork, 'listenTls'>
  readonly #random: Random
  readonly #desk: EnrolmentDesk
  readonly #deadlines: Deadlines
  readonly #log: EnrolmentLog
  readonly #connections = new Set<EnrolmentConnection>()
  /** Of these, the ones whose request is not whole, the oldest first. */
  readonly #reading = new Set<EnrolmentConnection>()
  readonly #owner: ConnectionOwner = {
    answer: (line, connection) => {
      this.#reading.delete(connection)
      return this.#answerTo(line, connection.address)
    },
    unread: (connection, why) => this.#unread(connection, 'requestTimeout', why),
    closed: (connection) => {
      this.#reading.delete(connection)
      this.#connections.delete(connection)
    },
  }
  #asking = 0
  #listener: Listener | undefined
  readonly #counts = { enrolled: 0, refused: 0, handshakesFailed: 0 }

  constructor({ clock, desk, network, options, random }: EnrolmentServerOptions) {
    this.#options = options
    this.#network = network
    this.#random = random
    this.#desk = desk
    this.#deadlines = new Deadlines(clock)
    this.#log = new EnrolmentLog(clock, desk)
  }

  /** Resolves with the port. Fails with `listenFailed`, and with `configInvalid` for certificates that cannot be used. */
  async start(): Promise<number> {
    const { agentCa, certificate, ciphers, ipv6, key, localIp, port, proxies } = this.#options
    this.#listener = await this.#network.listenTls(
      { host: localIp || (ipv6 ? '::' : '0.0.0.0'), port },
      {
        certificate,
        key,
        ...(agentCa !== undefined && { clientCa: agentCa }),
        ...(ciphers !== '' && { ciphers }),
        proxies,
        handshakeMsMax: limits.enrolmentHandshakeMsMax,
      },
      (stream) => this.#connected(stream),
      (error, address) => this.#notSecured(error, address),
    )
    return this.#listener.port
  }

  counts(): EnrolmentCounts {
    return { ...this.#counts }
  }

  /** Closes what is open: an agent whose answer did not come asks again, and gets the same. */
  async stop(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    const closed = listener?.close()
    for (const connection of [...this.#connections]) connection.destroy()
    this.#deadlines.clear()
    this.#log.close()
    await closed
  }

  #connected(stream: TlsStream): void {
    const [oldest] = this.#reading
    if (oldest && this.#reading.size >= limits.enrolmentReadingMax) {
      this.#unread(oldest, 'overloaded', 'too many connections had sent no request, and it was the oldest of them')
      oldest.destroy()
    }
    const connection = new EnrolmentConnection(stream, this.#deadlines, this.#owner)
    this.#connections.add(connection)
    this.#reading.add(connection)
    if (!this.#isVerified(stream)) {
      this.#unread(connection, 'notAuthentic', 'its certificate does not name the address that it comes from (ssl_verify_host)')
      connection.destroy()
    }
  }

  #isVerified({ peerNames, remoteAddress }: TlsStream): boolean {
    const { agentCa, verifiesHost } = this.#options
    const source = sourceIp(remoteAddress)
    return !verifiesHost || agentCa === undefined || peerNames.some((name) => sourceIp(name) === source)
  }

  #notSecured(error: ClusterError, address: string): void {
    this.#counts.handshakesFailed += 1
    this.#log.unfinished(address, error.code, error.message)
  }

  #unread(connection: EnrolmentConnection, kind: ErrorCode, why: string): void {
    this.#reading.delete(connection)
    this.#counts.refused += 1
    this.#log.unfinished(connection.address, kind, why)
  }

  async #answerTo(line: string, address: string): Promise<Uint8Array> {
    const read = readRequestLine(line, this.#options.password)
    if (!read.ok) return this.#refuse(address, unreadable(read.problem, address))
    const judged = judgedRequest(read.fields, this.#options, address)
    if (!judged.ok) return this.#refuse(address, judged.refusal)
    const { request } = judged
    const key = Buffer.from(this.#random.bytes(keyBytes)).toString('hex')
    const answer = await this.#ask({ ...request, key, source: sourceIp(address) })
    if (!answer.ok) return this.#refuse(address, this.#refusalOf(request, answer))
    this.#counts.enrolled += 1
    this.#log.enrolled(answer.entry.name, answer.entry.ip)
    return keyReply(answer.entry)
  }

  #refuse(address: string, why: EnrolmentRefusal): Uint8Array {
    this.#counts.refused += 1
    this.#log.refused(address, why)
    return errorReply(why.says)
  }

  /** The master has said why in its own sentence; a worker names the error as wazuh-authd does there. */
  #refusalOf(request: JudgedRequest, { code, message, subject }: RefusedAnswer): EnrolmentRefusal {
    const answer: MasterRefusal = { code, ...(subject !== undefined && { subject }) }
    if (this.#options.isMaster) return refusal(code, saysOnMaster(request, answer), visible(message))
    const says = saysOnWorker(answer)
    return refusal(code, says, `${errorTable[code].number}: ${says}`)
  }

  /** Never rejects, and takes no longer than its bound: what is decided later is what a retry of the agent gets. */
  #ask(request: EnrolmentRequest): Promise<EnrolmentAnswer> {
    if (this.#asking >= limits.enrolmentAskingMax) return Promise.resolve(refusedAnswer(new ClusterError('overloaded')))
    this.#asking += 1
    return new Promise((resolve) => {
      const end = (answer: EnrolmentAnswer): void => {
        this.#deadlines.remove(deadline)
        resolve(answer)
      }
      const deadline = this.#deadlines.add(limits.enrolmentAnswerMsMax, {
        due: () => end(refusedAnswer(new ClusterError('requestTimeout'))),
      })
      void this.#desk
        .enrol(request)
        .catch(refusedAnswer)
        .then(end)
        .finally(() => {
          this.#asking -= 1
        })
    })
  }
}

type RefusedAnswer = Exclude<EnrolmentAnswer, { readonly ok: true }>

const refusedAnswer = (thrown: unknown): RefusedAnswer => {
  const { code, message } = asClusterError(thrown)
  return { ok: false, code, message }
}
