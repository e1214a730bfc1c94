/**
 * A Balancer over HAProxy's own runtime socket (`stats socket PATH mode 600 level admin`, HAProxy 2.6 or newer): servers are added and
 * removed while HAProxy runs, without a reload. The backend and its frontend are in HAProxy's configuration. What is changed lasts until
 * HAProxy is restarted or reloaded; the helper then adds its servers again.
 *
 * Servers that are added at run time have an address, never a name: a name is resolved here, and shown again as the server's address for as
 * long as it leads there.
 */
import { lookup } from 'node:dns/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { ClusterError, type Result } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { addressBytes, isSameAddress } from '../../domain/kit/addressInNetwork.js'
import type { Balancer, BalancerOpening, BalancerServer } from '../../ports/balancer.js'
import { versionInInfo } from '../../wire/haproxy/processInfo.js'
import {
  addCommand,
  answers,
  infoCommand,
  isBalancerName,
  readyCommand,
  removeCommand,
  type ServerPath,
  sentencesIn,
  statCommand,
  stateCommand,
  statesCommand,
} from '../../wire/haproxy/runtimeCommand.js'
import { readServersState, type ServerState } from '../../wire/haproxy/serversState.js'
import { readStatTable, type StatRow, uncheckedStatus } from '../../wire/haproxy/statTable.js'
import { bareHost } from '../net/tcpSocket.js'
import { answeredBadly, askedInVain, balancerSays, checkBackend, reasonOf, stopped } from './balancerFailure.js'
import { askRuntime, type RuntimePlace, shownPlace } from './runtimeConnection.js'

export interface RuntimeSocketOptions {
  readonly socket: RuntimePlace
  readonly backend: string
  /** Where agents report, the same on each node. */
  readonly agentsPort: number
}

const removalRetryMs = 50

/** Fails with `configInvalid` for a backend that HAProxy cannot have. */
export const createRuntimeSocket = (options: RuntimeSocketOptions): Balancer => new RuntimeSocket(options)

class RuntimeSocket implements Balancer {
  readonly #place: RuntimePlace
  readonly #where: string
  readonly #backend: string
  readonly #port: number
  readonly #closing = new AbortController()
  /** Names that servers were added by. */
  readonly #names = new Map<string, string>()

  constructor({ agentsPort, backend, socket }: RuntimeSocketOptions) {
    checkBackend(backend)
    this.#place = socket
    this.#where = shownPlace(socket)
    this.#backend = backend
    this.#port = agentsPort
  }

  async open(signal: AbortSignal): Promise<BalancerOpening> {
    const info = await this.#ask(infoCommand, signal)
    const version = versionInInfo(info)
    if (version === undefined) throw answeredBadly(this.#where, infoCommand, info)
    await this.#states(signal)
    return { version, foreignFrontends: [], warnings: [], reloads: false }
  }

  async servers(signal: AbortSignal): Promise<readonly BalancerServer[]> {
    const states = await this.#states(signal)
    const stats = await this.#stats(signal)
    const servers: BalancerServer[] = []
    for (const { isUp, ...state } of states) {
      const row = stats.get(state.name)
      // It was removed in between.
      if (!row) continue
      const address = await this.#shownAddress(state, signal)
      servers.push({ ...state, address, isUp: isUp && row.get('check_status') !== uncheckedStatus, sessions: Number(row.get('scur')) || 0 })
    }
    return servers.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async add({ address, name }: Pick<BalancerServer, 'name' | 'address'>, signal: AbortSignal): Promise<void> {
    const path = this.#path(name)
    const resolved = await this.#resolved(address, signal)
    const present = (await this.#states(signal)).find((server) => server.name === name)
    if (present && isSameAddress(present.address, resolved) && present.port === this.#port) {
      await this.#carryOut(readyCommand(path), signal)
    } else {
      if (present) await this.remove(name, signal)
      const command = addCommand(path, resolved, this.#port)
      const [sentence, ...others] = sentencesIn(await this.#ask(command, signal))
      if (sentence === answers.notDynamic)
        throw balancerSays(
          this.#where,
          `balances its backend "${this.#backend}" in a way that takes no servers at run time: use "balance leastconn", roundrobin, first or random`,
        )
      if (sentence !== answers.added || others.length > 0) {
        // What it says besides may be that the server is not ready: none is better than one that stays in maintenance.
        if (sentence === answers.added) await this.remove(name, signal)
        throw this.#refusal(command, [sentence ?? '', ...others].join(' '))
      }
    }
    if (isSameAddress(resolved, address)) this.#names.delete(name)
    else this.#names.set(name, address)
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    const command = removeCommand(this.#path(name))
    const deadlineMs = performance.now() + limits.balancerRemovalMsMax
    for (;;) {
      const sentences = sentencesIn(await this.#ask(command, signal))
      const last = sentences.at(-1) ?? ''
      if (last === answers.removed || last === answers.serverMissing) break
      if (!last.startsWith(answers.hasSessions) || performance.now() > deadlineMs) throw this.#refusal(command, sentences.join(' '))
      await pause(removalRetryMs, undefined, { signal: this.#either(signal) }).catch(() => undefined)
    }
    this.#names.delete(name)
  }

  setState(name: string, state: 'ready' | 'drain', signal: AbortSignal): Promise<void> {
    return this.#carryOut(stateCommand(this.#path(name), state), signal)
  }

  async setHardStop(): Promise<void> {
    // Nothing is reloaded.
  }

  async close(): Promise<void> {
    this.#closing.abort()
  }

  async #states(signal: AbortSignal): Promise<readonly ServerState[]> {
    const command = statesCommand(this.#backend)
    const answer = await this.#ask(command, signal)
    if (sentencesIn(answer)[0] === answers.backendMissing)
      throw balancerSays(
        this.#where,
        `has no backend "${this.#backend}": it and its frontend must be in HAProxy's configuration, or "haproxy_backend" must name another one`,
      )
    return this.#understood(readServersState(answer), command, answer)
  }

  async #stats(signal: AbortSignal): Promise<ReadonlyMap<string, StatRow>> {
    const command = statCommand(this.#backend)
    const answer = await this.#ask(command, signal)
    return new Map(this.#understood(readStatTable(answer), command, answer).map((row) => [row.get('svname') ?? '', row]))
  }

  #understood<T>(read: Result<T>, command: string, answer: string): T {
    if (read.ok) return read.value
    throw sentencesIn(answer).length === 1 ? this.#refusal(command, answer) : askedInVain(this.#where, command, read.error.message)
  }

  /** Of what HAProxy answers with an empty line when it is done. */
  async #carryOut(command: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#ask(command, signal)
    const sentences = sentencesIn(answer)
    if (answer === '' || sentences.length > 0) throw this.#refusal(command, sentences.join(' '))
  }

  #refusal(command: string, answer: string): ClusterError {
    return answer.includes(answers.denied)
      ? balancerSays(this.#where, 'does not allow changes over its runtime socket: its line "stats socket" needs "level admin"')
      : answeredBadly(this.#where, command, answer)
  }

  #ask(command: string, signal: AbortSignal): Promise<string> {
    return askRuntime(this.#place, command, this.#either(signal))
  }

  #either(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal])
  }

  #path(name: string): ServerPath {
    if (!isBalancerName(name)) throw balancerSays(this.#where, `cannot have a server with the name ${JSON.stringify(name)}`)
    return { backend: this.#backend, name }
  }

  async #shownAddress({ address, name }: Pick<ServerState, 'address' | 'name'>, signal: AbortSignal): Promise<string> {
    const asked = this.#names.get(name)
    if (asked === undefined) return address
    return (await this.#addressesOf(asked, signal).catch(() => [])).some((found) => isSameAddress(found, address)) ? asked : address
  }

  async #resolved(address: string, signal: AbortSignal): Promise<string> {
    const bare = bareHost(address)
    if (addressBytes(bare)) return bare
    const [first] = await this.#addressesOf(address, signal).catch((thrown: unknown) => {
      if (thrown instanceof ClusterError) throw thrown
      throw balancerSays(this.#where, `needs the address of ${JSON.stringify(address)}, which was not found: ${reasonOf(thrown)}`)
    })
    if (first === undefined) throw balancerSays(this.#where, `needs the address of ${JSON.stringify(address)}, which has none`)
    return first
  }

  /** IPv4 first: HAProxy may have no IPv6. The query itself cannot be stopped: nobody waits for it any more. */
  async #addressesOf(name: string, signal: AbortSignal): Promise<readonly string[]> {
    const found = await whileWanted(lookup(name, { all: true }), this.#either(signal))
    return found.toSorted((a, b) => a.family - b.family).map(({ address }) => address)
  }
}

/** Fails with `aborted` when the signal is. */
const whileWanted = <T>(call: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`it took over ${limits.balancerCallMsMax / 1_000} s`)), limits.balancerCallMsMax)
    const onAbort = (): void => reject(stopped())
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void call.then(resolve, reject).finally(() => {
      clearTimeout(deadline)
      signal.removeEventListener('abort', onAbort)
    })
  })
