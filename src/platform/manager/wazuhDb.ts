/**
 * wazuh-db of the manager on this machine. From 4.13 it gives and takes states of agents by HTTP; before that, and for all else, it is asked
 * by commands. Which of the two it is shows in the socket that is there, at each call: a manager may be upgraded.
 */
import { ClusterError, type Result } from '../../base/errors.js'
import { InTurn } from '../../base/inTurn.js'
import { limits } from '../../base/limits.js'
import type { WazuhStates } from '../../domain/manager/wazuhAgent.js'
import type { TakenStates, WazuhDb, WazuhGroupsPage } from '../../ports/manager.js'
import { stateRequests, statesJson } from '../../wire/wazuh/agentStates.js'
import {
  groupsHashRequest,
  groupsRequest,
  type ReadGroups,
  readGroupsPage,
  recalculateGroupsRequest,
  setGroupsRequest,
  takeGroupsRequest,
} from '../../wire/wazuh/groupsRequests.js'
import { callByHttp } from './httpCall.js'
import { type DaemonName, daemonFailed, daemonRefused, isNobodyThere, requestTooLong } from './managerFailure.js'
import { isThere } from './managerSocket.js'
import { type CommandAnswer, WazuhDbCommands, wazuhDbName } from './wazuhDbCommands.js'
import { WazuhDbRows } from './wazuhDbRows.js'

/** From 4.13. */
const httpName: DaemonName = { daemon: 'wazuh-db', path: 'queue/sockets/wdb-http.sock' }
const anyRowSql = 'global sql SELECT id FROM agent ORDER BY id LIMIT 1'
const syncPath = '/v1/agents/sync'
const [statusOk, statusRefused] = [200, 500]

export interface WazuhDbOptions {
  readonly home: string
  /** Takes a sentence for the log. */
  warn(sentence: string): void
  /** Of an answer, where that is less than limits.wazuhDbAnswerMsMax: for specs. */
  readonly answerMsMax?: number
}

export const createWazuhDb = (options: WazuhDbOptions): WazuhDb => {
  const turns = new InTurn()
  const answerMsMax = options.answerMsMax ?? limits.wazuhDbAnswerMsMax
  const commands = new WazuhDbCommands(options.home, answerMsMax)
  const states = new States(options.home, commands, answerMsMax)
  const rows = new WazuhDbRows(commands)
  const groups = new Groups(commands, options)
  const inTurn = <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> =>
    turns.run(() => {
      if (signal.aborted) throw new ClusterError('aborted', { message: 'Asking wazuh-db was stopped' })
      return work()
    })
  return {
    takeStates: (signal) => inTurn(signal, () => states.take(signal)),
    giveStates: (given, signal) => inTurn(signal, () => states.give(given, signal)),
    presencesOf: (ids, signal) => inTurn(signal, () => rows.presencesOf(ids, signal)),
    agents: (after, signal) => inTurn(signal, () => rows.agents(after, signal)),
    activeAgents: (signal) => inTurn(signal, () => rows.activeAgents(signal)),
    takeGroups: (signal) => inTurn(signal, () => groups.page(takeGroupsRequest, 0, signal)),
    groups: (after, signal) => inTurn(signal, () => groups.page(groupsRequest(after), after, signal)),
    groupsHash: (signal) => inTurn(signal, async () => (await groups.page(groupsHashRequest, 0, signal)).hash),
    recalculateGroups: (signal) => inTurn(signal, async () => void (await commands.ask(recalculateGroupsRequest, signal))),
    setGroups: (given, signal) => inTurn(signal, async () => void (await commands.ask(setGroupsRequest(given), signal))),
  }
}

class States {
  readonly #home: string
  readonly #commands: WazuhDbCommands
  readonly #answerMsMax: number
  /** The last answer of a version before 4.13 was not all. */
  #isMore = false

  constructor(home: string, commands: WazuhDbCommands, answerMsMax: number) {
    this.#home = home
    this.#commands = commands
    this.#answerMsMax = answerMsMax
  }

  async take(signal: AbortSignal): Promise<TakenStates | undefined> {
    const { payload, isMore } = await this.#eitherWay(
      () => this.#takeByHttp(signal),
      () => this.#takeByCommand(signal),
    )
    const isNothing = payload === '{}' || payload === '[]' || payload === ''
    if (isNothing && isMore) throw daemonFailed(wazuhDbName, 'answered badly: it sent no states, but announced more')
    return isNothing ? undefined : { text: payload, isMore }
  }

  async give(states: WazuhStates, signal: AbortSignal): Promise<void> {
    assertRows(states)
    await this.#eitherWay(
      () => this.#giveByHttp(statesJson(states), signal),
      async () => {
        for (const request of stateRequests(states)) await this.#commands.ask(request, signal)
      },
    )
  }

  /** By commands too where nobody listens at the socket for HTTP: a version that is gone left it, or wazuh-db is only starting. */
  async #eitherWay<T>(byHttp: () => Promise<T>, byCommands: () => Promise<T>): Promise<T> {
    if (!isThere(this.#home, httpName.path)) return byCommands()
    try {
      return await byHttp()
    } catch (thrown) {
      if (isNobodyThere(thrown)) return byCommands()
      throw thrown
    }
  }

  async #takeByHttp(signal: AbortSignal): Promise<CommandAnswer> {
    return { payload: await this.#call({ method: 'GET' }, signal), isMore: false }
  }

  /** wazuh-db remembers where it was; from the beginning it is asked to begin there. */
  async #takeByCommand(signal: AbortSignal): Promise<CommandAnswer> {
    const request = `global sync-agent-info-get ${this.#isMore ? '{}' : 'last_id 0'}`
    this.#isMore = false
    const answer = await this.#commands.ask(request, signal)
    this.#isMore = answer.isMore
    return answer
  }

  async #giveByHttp(body: string, signal: AbortSignal): Promise<void> {
    const bytes = Buffer.byteLength(body)
    if (bytes > limits.wazuhDbRequestBytesMax) throw requestTooLong(httpName, bytes, limits.wazuhDbRequestBytesMax)
    try {
      await this.#call({ method: 'POST', body }, signal)
    } catch (thrown) {
      // It says the same when it can do nothing at all, which is not the rows' fault.
      if (thrown instanceof ClusterError && thrown.code === 'managerRefused') await this.#commands.ask(anyRowSql, signal)
      throw thrown
    }
  }

  async #call(call: { readonly method: 'GET' | 'POST'; readonly body?: string }, signal: AbortSignal): Promise<string> {
    const asked = `${call.method} ${syncPath}`
    const { status, text } = await callByHttp(
      {
        ...{ ...call, home: this.#home, name: httpName, path: syncPath },
        ...{ answerBytesMax: limits.wazuhDbAnswerBytesMax, answerMsMax: this.#answerMsMax },
      },
      signal,
    )
    if (status === statusOk) return text
    if (status === statusRefused) throw daemonRefused(httpName, asked, 'its own log, logs/ossec.log, says why')
    throw daemonFailed(httpName, `answered ${asked} with status ${status}`)
  }
}

const assertRows = ({ syncreq, syncreq_keepalive, syncreq_status }: WazuhStates): void => {
  const count = syncreq.length + syncreq_keepalive.length + syncreq_status.length
  if (count > limits.wazuhDbRowsMax)
    throw new ClusterError('tooLarge', { message: `A request to wazuh-db has ${count} rows: at most ${limits.wazuhDbRowsMax} are sent` })
}

class Groups {
  readonly #commands: WazuhDbCommands
  readonly #options: WazuhDbOptions

  constructor(commands: WazuhDbCommands, options: WazuhDbOptions) {
    this.#commands = commands
    this.#options = options
  }

  /** Of agents with IDs above `after`. */
  async page(request: string, after: number, signal: AbortSignal): Promise<WazuhGroupsPage> {
    const { isMore, payload } = await this.#commands.ask(request, signal)
    const { dropped, hash, rows } = this.#read(readGroupsPage(payload))
    if (dropped > 0) this.#options.warn(`wazuh-db gave ${dropped} rows of groups of agents that are not valid, which are left out`)
    // The caller could not go on after them.
    if (isMore && rows.length === 0) throw daemonFailed(wazuhDbName, 'answered badly: a page of groups has no row, and is not the last')
    if (rows.some(({ id }, index) => id <= (rows[index - 1]?.id ?? after)))
      throw daemonFailed(wazuhDbName, 'answered badly: its rows do not come in order')
    return { rows, isMore, ...(hash !== undefined && { hash }) }
  }

  #read(page: Result<ReadGroups>): ReadGroups {
    if (page.ok) return page.value
    throw daemonFailed(wazuhDbName, `answered badly: ${page.error.message}`)
  }
}
