/**
 * One agent of our own: a plain object that speaks the real protocol over any network, and does at each moment what its schedule says.
 */
import type { Deadline, Due } from '../../base/deadlines.js'
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
import { agentControl, isControl, type ManagerControl, parseManagerControl } from '../../wire/agents/controlMessage.js'
import { FleetConfiguration } from './fleetConfiguration.js'
import { FleetConnection } from './fleetConnection.js'
import type { FleetContext } from './fleetContext.js'
import { enrolled } from './fleetEnrolment.js'
import { FleetEventSource } from './fleetEventSource.js'
import { FleetKeepAlive } from './fleetKeepAlive.js'
import { FleetRequests } from './fleetRequests.js'
import { FleetSeal } from './fleetSeal.js'

/** Only a process that has just started says it. */
const startedText = (name: string, ip: string): Buffer => Buffer.from(`1:wazuh-agent:ossec: Agent started: '${name}->${ip}'.`)

export class FleetAgent {
  /** From 1. */
  readonly number: number
  readonly name: string
  readonly configuration = new FleetConfiguration()
  readonly #fleet: FleetContext
  readonly #rules: AgentRules
  readonly #servers: readonly AgentServer[]
  readonly #source: FleetEventSource
  readonly #requests: FleetRequests
  readonly #seal: FleetSeal
  readonly #connection: FleetConnection
  readonly #keepAlive: FleetKeepAlive
  readonly #enrolling = new AbortController()
  #schedule: AgentSchedule
  #stageDeadline: Deadline | undefined
  #dialledMs = 0
  #lostMs: number | undefined
  #connections = 0
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
    this.#requests = new FleetRequests(fleet, (text) => this.say(text))
    this.#keepAlive = new FleetKeepAlive(fleet, this)
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

  start(): void {
    this.#fleet.totals.started += 1
    this.#keepAlive.start()
    this.#follow(begin(this.#seal.entry !== undefined))
  }

  /** Time passed: sends what events are due. */
  tick(passedMs: number): void {
    this.#source.pass(passedMs)
    this.#sendEvents()
  }

  /** Says that it ends, and closes; resolves when its connections are closed. */
  stop(): Promise<void> {
    if (this.isConnected) this.say(agentControl.shutdown())
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
    this.#keepAlive.stop()
    this.#requests.forget()
    this.#schedule = { ...this.#schedule, stage: { kind: 'dialling' } }
  }

  #follow({ order, schedule }: AgentStep): void {
    if (this.#isStopped) return
    this.#setSchedule(schedule)
    if (order === 'dial') void this.#dial()
    else if (order === 'greet') this.say(agentControl.startup(this.#fleet.options.version))
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
      if (this.#schedule.stage.kind === 'greeting') totals.attemptsFailed += 1
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
    const { enrolment } = this.#fleet.options.settings
    const { enrolmentPort, host } = this.server
    const endpoint = { host: enrolment.host ?? host, port: enrolmentPort ?? enrolment.port }
    const { signal } = this.#enrolling
    const gotKey = await enrolled({ fleet: this.#fleet, number: this.number, name: this.name, seal: this.#seal, endpoint, signal })
    this.#follow(enrolmentEnded(this.#schedule, this.#rules, gotKey, this.#nowMs()))
  }

  #attemptFailed(): void {
    if (this.#isStopped) return
    this.#fleet.totals.attemptsFailed += 1
    this.#follow(attemptFailed(this.#schedule, this.#rules, this.#nowMs()))
  }

  #onLost(): void {
    if (this.isConnected) this.#follow(lost(this.#schedule))
    else if (this.#schedule.stage.kind === 'greeting') this.#attemptFailed()
  }

  #disconnected(): void {
    this.#fleet.totals.connected -= 1
    this.#lostMs = this.#nowMs()
    this.#keepAlive.disconnected()
    this.configuration.abandon()
    this.#requests.forget()
    this.#fleet.observer.disconnected?.(this.number)
  }

  #onMessage(message: Buffer): void {
    const stage = this.#schedule.stage.kind
    if (stage !== 'connected' && stage !== 'greeting') return
    const opened = this.#seal.open(message)
    if (!opened?.ok) {
      this.#fleet.totals.refusals += 1
      if (stage === 'greeting') this.#attemptFailed()
      return
    }
    const { text } = opened.value
    const said = isControl(text) ? parseManagerControl(text) : undefined
    if (said?.kind === 'error') this.#fleet.totals.refusals += 1
    if (stage === 'greeting') this.#onGreeted(said)
    else this.#onText(text, said)
  }

  /** The first message after a start-up must be the acknowledgement. */
  #onGreeted(said: ManagerControl | undefined): void {
    const { latencies, observer, ports, totals } = this.#fleet
    if (said?.kind !== 'ack') {
      this.#attemptFailed()
      return
    }
    const nowMs = this.#nowMs()
    this.#setSchedule(acknowledged(this.#schedule, this.#rules, nowMs))
    totals.connected += 1
    totals.movesOfOneMax = Math.max(totals.movesOfOneMax, this.#connections)
    this.#connections += 1
    latencies.startUp.add(nowMs - this.#dialledMs)
    this.#source.isBlocked = false
    if (this.#lostMs !== undefined) {
      totals.reconnects += 1
      latencies.failover.add(nowMs - this.#lostMs)
      this.#source.sleep(ports.random.fraction())
    }
    this.#lostMs = undefined
    if (this.#isFresh) this.say(startedText(this.name, this.#seal.entry?.ip ?? 'any'))
    this.#isFresh = false
    observer.connected?.(this.number, this.server)
    this.#keepAlive.connected()
  }

  #onText(text: Buffer, said: ManagerControl | undefined): void {
    if (said || this.configuration.isReceiving) this.#answered()
    if (said) this.#onControl(said)
    else this.configuration.take(text)
  }

  #onControl(said: ManagerControl): void {
    const { observer, totals } = this.#fleet
    switch (said.kind) {
      case 'ack':
        totals.acknowledgements += 1
        if (this.#keepAlive.acknowledged()) observer.kept?.(this.number)
        return
      case 'reconnect':
        totals.forcedReconnects += 1
        this.#connection.leave('leave')
        this.#follow(lost(this.#schedule))
        return
      case 'request':
        this.#requests.take(said.counter, said.request, this.#connection.isFramed)
        return
      case 'answerAck':
        this.#requests.acknowledged(said.counter)
        return
      case 'pushStart':
      case 'pushEnd': {
        const outcome = this.configuration.control(said)
        if (outcome === 'more') return
        if (outcome === 'taken') totals.configurationsTaken += 1
        else totals.configurationsBroken += 1
        observer.configured?.(this.number, this.configuration.mergedSum)
        return
      }
      default:
      // An error is counted; real agents do nothing about the rest.
    }
  }

  #answered(): void {
    this.#schedule = answered(this.#schedule, this.#rules, this.#nowMs())
    if (this.#stageDeadline) this.#fleet.deadlines.putOff(this.#stageDeadline)
  }

  /** Nothing without a connection. */
  say(text: Buffer): void {
    const message = this.#connection.isOpen && this.#seal.seal(text, this.#connection.isFramed)
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

  #nowMs(): number {
    return this.#fleet.ports.clock.monotonicMs()
  }
}
