/**
 * One agent of our own: a plain object that speaks the real protocol over any network, and does at each moment what its schedule says.
 */
import { createHash } from 'node:crypto'
import type { Deadline, Due } from '../../base/deadlines.js'
import { asClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import {
  type AgentRules,
  type AgentSchedule,
  type AgentStep,
  acknowledged,
  answered,
  attemptFailed,
  begin,
  dialled,
  enrolmentEnded,
  lost,
  stageEndsAtMs,
  stageOver,
} from '../../domain/fleet/agentSchedule.js'
import { type AgentServer, defaultAgentServer } from '../../domain/fleet/agentServer.js'
import { acknowledgement, forceReconnect, keepAliveText, shutdownText, startedText, startUpText } from '../../domain/fleet/agentTexts.js'
import { SharedConfiguration } from '../../domain/fleet/sharedConfiguration.js'
import { enrolAgent } from './enrolAgent.js'
import { FleetConnection } from './fleetConnection.js'
import type { FleetContext } from './fleetContext.js'
import { FleetEventSource } from './fleetEventSource.js'
import { FleetRequests } from './fleetRequests.js'
import { FleetSeal } from './fleetSeal.js'

const controlMark = '#!-'
const errorMark = '#!-err'

export class FleetAgent {
  /** From 1. */
  readonly number: number
  readonly name: string
  readonly configuration = new SharedConfiguration(limits.mergedBytesMax)
  readonly #fleet: FleetContext
  readonly #rules: AgentRules
  readonly #servers: readonly AgentServer[]
  readonly #source: FleetEventSource
  readonly #requests: FleetRequests
  readonly #seal: FleetSeal
  readonly #connection: FleetConnection
  readonly #enrolling = new AbortController()
  #schedule: AgentSchedule
  #stageDeadline: Deadline | undefined
  #keepAliveDeadline: Deadline | undefined
  #isKeepAliveOverdue = false
  #keepAliveSentMs: number | undefined
  #dialledMs = 0
  #lostMs: number | undefined
  #isFresh = true
  #isStopped = false

  constructor(number: number, fleet: FleetContext) {
    const { enrolment, servers, times } = fleet.options.settings
    this.number = number
    this.#fleet = fleet
    this.#seal = new FleetSeal(number, fleet)
    this.name = this.#seal.entry?.name ?? `${fleet.options.namePrefix}-${number}`
    const from = (fleet.options.firstServer?.(number) ?? 0) % Math.max(1, servers.length)
    this.#servers = [...servers.slice(from), ...servers.slice(0, from)]
    this.#rules = { servers: this.#servers, times, enrols: enrolment.isEnabled }
    this.#schedule = begin(this.#seal.entry !== undefined).schedule
    this.#source = new FleetEventSource(number, fleet)
    this.#requests = new FleetRequests(fleet, (text) => this.#say(text))
    this.#connection = new FleetConnection(fleet, this.#source, {
      onMessage: (message) => this.#onMessage(message),
      onDrain: () => this.#onDrain(),
      onLost: () => this.#onLost(),
    })
  }

  get entry(): KeyEntry | undefined {
    return this.#seal.entry
  }

  get isConnected(): boolean {
    return this.#schedule.stage.kind === 'connected'
  }

  /** The server that it is at, or tries. */
  get server(): AgentServer {
    return this.#servers[this.#schedule.server] ?? { host: '', ...defaultAgentServer }
  }

  /** Events that found no room while there was no connection. */
  get dropped(): number {
    return this.#source.dropped
  }

  get stage(): AgentSchedule['stage']['kind'] {
    return this.#schedule.stage.kind
  }

  start(): void {
    this.#fleet.totals.started += 1
    this.#waitForKeepAlive()
    this.#follow(begin(this.#seal.entry !== undefined))
  }

  /** Time passed: sends what events are due. */
  tick(passedMs: number): void {
    this.#source.pass(passedMs)
    this.#sendEvents()
  }

  /** Says that it ends, and closes; resolves when its connections are closed. */
  stop(): Promise<void> {
    if (this.isConnected) this.#say(shutdownText)
    this.#end()
    return this.#connection.end()
  }

  /** Its process is gone: nothing is said to anybody. */
  kill(): void {
    this.#end()
    this.#connection.destroy()
  }

  #end(): void {
    const { deadlines, totals } = this.#fleet
    if (this.isConnected) totals.connected -= 1
    this.#isStopped = true
    this.#enrolling.abort()
    if (this.#stageDeadline) deadlines.remove(this.#stageDeadline)
    if (this.#keepAliveDeadline) deadlines.remove(this.#keepAliveDeadline)
    this.#requests.forget()
    this.#schedule = { ...this.#schedule, stage: { kind: 'dialling' } }
  }

  // -------------------------------------------------------------------------------------------------------- schedule

  #follow({ order, schedule }: AgentStep): void {
    if (this.#isStopped) return
    this.#setSchedule(schedule)
    if (order === 'dial') void this.#dial()
    else if (order === 'greet') this.#say(startUpText(this.#fleet.options.version))
    else if (order === 'enrol') void this.#enrol()
  }

  #setSchedule(schedule: AgentSchedule): void {
    const { deadlines } = this.#fleet
    const wasConnected = this.isConnected
    this.#schedule = schedule
    if (wasConnected && !this.isConnected) this.#disconnected()
    if (this.#stageDeadline) deadlines.remove(this.#stageDeadline)
    const endsAtMs = stageEndsAtMs(schedule)
    // Whole milliseconds: those of one length share a lane.
    this.#stageDeadline =
      endsAtMs === undefined ? undefined : deadlines.add(Math.max(0, Math.round(endsAtMs - this.#nowMs())), this.#stageDue)
  }

  readonly #stageDue: Due = {
    due: () => {
      const { totals } = this.#fleet
      this.#stageDeadline = undefined
      if (this.isConnected) totals.silences += 1
      if (this.stage === 'greeting') totals.attemptsFailed += 1
      this.#follow(stageOver(this.#schedule, this.#rules, this.#nowMs()))
    },
  }

  async #dial(): Promise<void> {
    this.#dialledMs = this.#nowMs()
    try {
      if (await this.#connection.dial(this.server)) this.#follow(dialled(this.#schedule, this.#rules, this.#nowMs()))
    } catch {
      this.#attemptFailed()
    }
  }

  async #enrol(): Promise<void> {
    const { enrolments, latencies, observer, options, ports, totals } = this.#fleet
    const { enrolment } = options.settings
    const { clock, network } = ports
    const { entry } = this.#seal
    const { signal } = this.#enrolling
    const endpoint = { host: enrolment.host ?? this.server.host, port: enrolment.port }
    const line = {
      name: this.name,
      version: options.version,
      ...(options.password !== undefined && { password: options.password }),
      ...(enrolment.groups.length > 0 && { groups: enrolment.groups.join(',') }),
      ...(entry && { keyHash: keyHashOf(entry) }),
    }
    const startedMs = this.#nowMs()
    let gotKey = false
    try {
      const given = await enrolments.run(() => enrolAgent({ network, clock, endpoint, line, signal }))
      gotKey = true
      totals.enrolled += 1
      latencies.enrolment.add(this.#nowMs() - startedMs)
      this.#seal.use(given)
      observer.enrolled?.(this.number, given)
    } catch (thrown) {
      if (signal.aborted) return
      totals.enrolmentsFailed += 1
      observer.notEnrolled?.(this.number, asClusterError(thrown))
    }
    this.#follow(enrolmentEnded(this.#schedule, this.#rules, gotKey, this.#nowMs()))
  }

  #attemptFailed(): void {
    if (this.#isStopped) return
    this.#fleet.totals.attemptsFailed += 1
    this.#follow(attemptFailed(this.#schedule, this.#rules, this.#nowMs()))
  }

  #onLost(): void {
    if (this.isConnected) this.#follow(lost(this.#schedule))
    else if (this.stage === 'greeting') this.#attemptFailed()
  }

  #disconnected(): void {
    this.#fleet.totals.connected -= 1
    this.#lostMs = this.#nowMs()
    this.#keepAliveSentMs = undefined
    this.configuration.abandon()
    this.#requests.forget()
    this.#fleet.observer.disconnected?.(this.number)
  }

  // -------------------------------------------------------------------------------------------------------- messages

  #onMessage(message: Buffer): void {
    const { stage } = this
    if (stage !== 'connected' && stage !== 'greeting') return
    const opened = this.#seal.open(message)
    if (!opened?.ok) {
      this.#fleet.totals.refusals += 1
      if (stage === 'greeting') this.#attemptFailed()
      return
    }
    const { text } = opened.value
    if (stage === 'greeting') this.#onGreeted(text.toString('latin1'))
    else this.#onText(text)
  }

  /** The first message after a start-up must be the acknowledgement. */
  #onGreeted(text: string): void {
    const { latencies, observer, ports, totals } = this.#fleet
    if (text !== acknowledgement) {
      if (text.startsWith(errorMark)) totals.refusals += 1
      this.#attemptFailed()
      return
    }
    const nowMs = this.#nowMs()
    this.#setSchedule(acknowledged(this.#schedule, this.#rules, nowMs))
    totals.connected += 1
    latencies.startUp.add(nowMs - this.#dialledMs)
    this.#source.isBlocked = false
    if (this.#lostMs !== undefined) {
      totals.reconnects += 1
      latencies.failover.add(nowMs - this.#lostMs)
      this.#source.sleep(ports.random.fraction())
    }
    this.#lostMs = undefined
    if (this.#isFresh) this.#say(startedText(this.name, this.#seal.entry?.ip ?? 'any'))
    this.#isFresh = false
    observer.connected?.(this.number, this.server)
    if (this.#isKeepAliveOverdue) this.#keepAlive()
  }

  #onText(text: Buffer): void {
    const isControl = text.toString('latin1', 0, controlMark.length) === controlMark
    if (isControl || this.configuration.isReceiving) this.#answered()
    if (isControl && this.#onControl(text.toString('latin1'))) return
    const { observer, totals } = this.#fleet
    const outcome = this.configuration.add(text)
    if (outcome === 'taken') totals.configurationsTaken += 1
    if (outcome === 'broken') totals.configurationsBroken += 1
    if (outcome === 'taken' || outcome === 'broken') observer.configured?.(this.number, this.configuration.mergedSum)
  }

  /** False: it is about the shared configuration, or about something that these agents do not have. */
  #onControl(text: string): boolean {
    const { totals } = this.#fleet
    if (text === acknowledgement) {
      this.#onKept()
      return true
    }
    if (text.startsWith(forceReconnect)) {
      totals.forcedReconnects += 1
      this.#connection.leave('leave')
      this.#follow(lost(this.#schedule))
      return true
    }
    if (text.startsWith(errorMark)) totals.refusals += 1
    return this.#requests.take(text, this.#connection.isFramed)
  }

  #onKept(): void {
    const { latencies, observer, totals } = this.#fleet
    totals.acknowledgements += 1
    if (this.#keepAliveSentMs === undefined) return
    latencies.keepAlive.add(this.#nowMs() - this.#keepAliveSentMs)
    this.#keepAliveSentMs = undefined
    observer.kept?.(this.number)
  }

  #answered(): void {
    this.#schedule = answered(this.#schedule, this.#rules, this.#nowMs())
    if (this.#stageDeadline) this.#fleet.deadlines.putOff(this.#stageDeadline)
  }

  #say(text: string): void {
    const message = this.#connection.isOpen && this.#seal.seal(Buffer.from(text), this.#connection.isFramed)
    if (message) this.#connection.send([message])
  }

  #onDrain(): void {
    this.#source.isBlocked = false
    this.#sendEvents()
  }

  #sendEvents(): void {
    if (!this.isConnected || !this.#connection.isOpen) return
    const { isFramed } = this.#connection
    const messages = this.#source.take((text) => this.#seal.seal(text, isFramed))
    if (messages.length > 0) this.#source.isBlocked = !this.#connection.send(messages)
  }

  // ------------------------------------------------------------------------------------------------------ keep-alives

  /** Its clock runs from the start on, whatever becomes of connections. */
  #waitForKeepAlive(): void {
    this.#keepAliveDeadline = this.#fleet.deadlines.add(this.#rules.times.notifyMs, this.#keepAliveDue)
  }

  readonly #keepAliveDue: Due = {
    due: () => {
      this.#keepAliveDeadline = undefined
      if (this.isConnected) this.#keepAlive()
      else this.#isKeepAliveOverdue = true
    },
  }

  #keepAlive(): void {
    const { options, totals } = this.#fleet
    const { configSum, mergedSum } = this.configuration
    const { labels, version } = options
    this.#isKeepAliveOverdue = false
    this.#waitForKeepAlive()
    totals.keepAlives += 1
    this.#keepAliveSentMs ??= this.#nowMs()
    this.#say(keepAliveText({ name: this.name, version, configSum, mergedSum, labels, address: '127.0.0.1' }))
  }

  #nowMs(): number {
    return this.#fleet.ports.clock.monotonicMs()
  }
}

const keyHashOf = ({ id, key, name }: KeyEntry): string =>
  createHash('sha1')
    .update(`${agentIdText(id)}${name}${key}`)
    .digest('hex')
