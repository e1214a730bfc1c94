/** wazuh-db by its stream socket: a command, and its answer. */
import { limits } from '../../base/limits.js'
import { answerBytesMax, readWazuhDbAnswer } from '../../wire/wazuh/wazuhDbAnswer.js'
import { FrameConnection } from './frameConnection.js'
import { type DaemonName, daemonFailed, daemonRefused, requestTooLong } from './managerFailure.js'

export const wazuhDbName: DaemonName = { daemon: 'wazuh-db', path: 'queue/db/wdb' }

export interface CommandAnswer {
  readonly payload: string
  readonly isMore: boolean
}

export class WazuhDbCommands {
  readonly #connection: FrameConnection

  constructor(home: string, answerMsMax: number) {
    this.#connection = new FrameConnection({ home, name: wazuhDbName, answerBytesMax, answerMsMax, idleMsMax: limits.wazuhDbIdleMsMax })
  }

  /** Fails with `managerFailed`, `managerRefused`, `aborted`, and `tooLarge` for a request that would end a thread of wazuh-db. */
  async ask(request: string, signal: AbortSignal): Promise<CommandAnswer> {
    const answer = this.#read(request, await this.#send(request, signal))
    return { payload: answer.payload, isMore: answer.isMore }
  }

  /** As `ask`, for SQL; undefined when the answer was too long and is cut. */
  async query(request: string, signal: AbortSignal): Promise<string | undefined> {
    const bytes = await this.#send(request, signal)
    return bytes.length >= answerBytesMax ? undefined : this.#read(request, bytes).payload
  }

  #send(request: string, signal: AbortSignal): Promise<Buffer> {
    const bytes = Buffer.from(request)
    // An empty one closes the connection.
    if (bytes.length > limits.wazuhDbRequestBytesMax) throw requestTooLong(wazuhDbName, bytes.length, limits.wazuhDbRequestBytesMax)
    return this.#connection.ask(bytes, signal)
  }

  #read(request: string, bytes: Uint8Array): CommandAnswer {
    const answer = readWazuhDbAnswer(bytes)
    if (!answer.ok) {
      // What follows it cannot be trusted either.
      this.#connection.close()
      throw daemonFailed(wazuhDbName, `answered badly: ${answer.error.message}`)
    }
    if (answer.value.status === 'err' && answer.value.reason === databaseOff) throw daemonFailed(wazuhDbName, answer.value.reason)
    if (answer.value.status === 'err') throw daemonRefused(wazuhDbName, shownCommand(request), answer.value.reason)
    return answer.value
  }
}

/** While it restores a backup: the request is not at fault. */
const databaseOff = 'DB global disabled.'

const shownCharsMax = 60

/** Its beginning: the rest is rows. */
const shownCommand = (request: string): string => (request.length > shownCharsMax ? `${request.slice(0, shownCharsMax)}…` : request)
