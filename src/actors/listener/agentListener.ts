/**
 * The listener of agents, remoted's part: puts together what the files beside it do, and does what its node asks. It owns no thread and no
 * clock; it runs where its host puts it.
 */
import { Deadlines } from '../../base/deadlines.js'
import { limits } from '../../base/limits.js'
import { agentIdText } from '../../domain/agents/agent.js'
import { placesText } from '../../domain/listener/listeningPlace.js'
import type {
  EventOutlet,
  KeysUpdate,
  ListenerCalls,
  ListenerCounts,
  ListenerDesk,
  ListenerFiles,
  ListenerOptions,
} from '../../ports/listener.js'
import type { Clock, Random } from '../../ports/machine.js'
import type { AgentNetwork } from '../../ports/network.js'
import { AgentCounters } from './agentCounters.js'
import { AgentDoor } from './agentDoor.js'
import { AgentRequests } from './agentRequests.js'
import { MergedContents } from './configuration/mergedContents.js'
import { MergedPushes } from './configuration/mergedPushes.js'
import { WantedConfigurations } from './configuration/wantedConfigurations.js'
import { ControlMessages } from './controlMessages.js'
import { Departures } from './departures.js'
import { EventIntake } from './eventIntake.js'
import { ListenerKeys } from './listenerKeys.js'
import { ListenerLog } from './listenerLog.js'
import { MessageIntake } from './messageIntake.js'
import { MessageSender } from './messageSender.js'
import { ReportDesk } from './reportDesk.js'
import type { AgentEndpoint } from './sessions/agentEndpoint.js'
import type { AgentSession } from './sessions/agentSession.js'
import { AgentSessions } from './sessions/agentSessions.js'

export interface AgentListenerOptions {
  readonly options: ListenerOptions
  readonly network: AgentNetwork
  readonly clock: Clock
  readonly random: Random
  /** Closed by the one who made it. */
  readonly outlet: EventOutlet
  readonly files: ListenerFiles
  readonly desk: ListenerDesk
  /** Runs something at the end of the turn of the event loop in which datagrams were read; a promise later where left out. */
  afterTurn?(run: () => void): void
}

export class AgentListener implements ListenerCalls {
  readonly #given: AgentListenerOptions
  readonly #deadlines: Deadlines
  readonly #log: ListenerLog
  readonly #keys: ListenerKeys
  readonly #sessions: AgentSessions
  readonly #counters: AgentCounters
  readonly #sender: MessageSender
  readonly #reports: ReportDesk
  readonly #wanted: WantedConfigurations<AgentSession>
  readonly #pushes: MergedPushes<AgentSession>
  readonly #requests: AgentRequests
  readonly #events: EventIntake
  readonly #control: ControlMessages
  readonly #intake: MessageIntake
  readonly #door: AgentDoor
  readonly #departures: Departures
  #isTurnEndAwaited = false
  #isStopped = false

  constructor(given: AgentListenerOptions) {
    const { clock, desk, files, options, outlet, random } = given
    this.#given = given
    this.#deadlines = new Deadlines(clock)
    this.#log = new ListenerLog(desk, clock)
    this.#keys = new ListenerKeys(clock, (id) => this.#keyGone(id))
    this.#sessions = this.#createSessions()
    this.#sender = new MessageSender(files, random, this.#fails('The counter of messages to agents could not be kept'))
    this.#counters = new AgentCounters(files, options.verifiesCounters, this.#fails("The counter of an agent's messages could not be kept"))
    this.#reports = new ReportDesk(desk, clock, this.#fails('Reports of agents were not taken, and are repeated'))
    this.#wanted = this.#createWanted()
    this.#pushes = this.#createPushes()
    this.#requests = new AgentRequests({ clock, random, send: (session, text, endpoint) => this.#sender.send(session, text, endpoint) })
    this.#events = new EventIntake({ outlet, clock, log: this.#log, onRoom: (hasRoom) => this.#door.setPaused(!hasRoom) })
    this.#control = this.#createControl()
    this.#intake = this.#createIntake()
    this.#door = this.#createDoor()
    this.#departures = new Departures({
      clock,
      sessions: this.#sessions,
      connections: this.#door.connections,
      ask: (session, text) => this.#sender.send(session, text),
    })
  }

  /** Returns the port: of TCP, of UDP when there is no TCP. Fails with `listenFailed`. */
  async start(): Promise<number> {
    try {
      return await this.#door.open()
    } catch (thrown) {
      await this.stop()
      throw thrown
    }
  }

  async keys(update: KeysUpdate): Promise<void> {
    this.#keys.update(update)
  }

  async configurationChanged(): Promise<void> {
    this.#wanted.changed()
  }

  reconnect(ids: readonly number[] | undefined): Promise<number> {
    return this.#departures.reconnect(ids)
  }

  async counts(): Promise<ListenerCounts> {
    const { eventBytesTaken, eventsDropped, eventsTaken, segmentsDeleted } = this.#given.outlet.counts
    return {
      connected: this.#sessions.connected,
      eventsTaken,
      eventBytesTaken,
      eventsDropped: eventsDropped + this.#events.dropped,
      refused: this.#intake.refused + this.#door.refused,
      segmentsDeleted,
      places: placesText(this.#door.places),
    }
  }

  /** Asks a connected agent, and resolves with its answer. See AgentRequests. */
  request(id: number, text: string, timeoutMs: number): Promise<string> {
    return this.#requests.request(this.#sessions.get(id), text, timeoutMs)
  }

  async drain(msMax: number): Promise<number> {
    this.#control.isDraining = true
    await this.#door.shut()
    return this.#departures.drain(msMax)
  }

  /** Agents are not asked to go: their connections end in good order, and what they had sent is taken. */
  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#control.isDraining = true
    this.#pushes.close()
    await this.#door.shut()
    for (const connection of this.#door.connections) connection.close()
    await this.#departures.empty(limits.agentStopLingerMsMax)
    for (const connection of [...this.#door.connections]) this.#sessions.left(connection)
    await this.#door.close()
    for (const session of [...this.#sessions.all()]) this.#sessions.remove(session)
    await this.#reports.settled(limits.agentStopReportsMsMax)
    this.#events.flush()
    this.#departures.close()
    this.#requests.close()
    this.#reports.close()
    this.#wanted.close()
    this.#keys.close()
    this.#sender.close()
    this.#log.close()
    this.#deadlines.clear()
  }

  /** A mistake of ours in one message must not end all connections: only that one. */
  #onMessage(message: Buffer, from: AgentEndpoint): boolean {
    try {
      return this.#intake.take(message, from)
    } catch (thrown) {
      this.#log.failure('internal', `A message from ${from.address} could not be handled`, thrown)
      return false
    }
  }

  #onReadDone(from: 'tcp' | 'udp'): void {
    if (from === 'tcp') {
      this.#events.flush()
      return
    }
    if (this.#isTurnEndAwaited) return
    this.#isTurnEndAwaited = true
    const flush = (): void => {
      this.#isTurnEndAwaited = false
      this.#events.flush()
    }
    if (this.#given.afterTurn) this.#given.afterTurn(flush)
    else queueMicrotask(flush)
  }

  #keyGone(id: number): void {
    const session = this.#sessions.get(id)
    this.#reports.forget(id)
    if (!session) return
    session.isShutDown = true
    this.#sessions.remove(session)
    for (const connection of session.connections) connection.refuse()
  }

  #lost(session: AgentSession): void {
    this.#reports.add({ id: session.id, kind: 'lost' })
    this.#departed(session)
  }

  #forgotten(session: AgentSession): void {
    this.#departed(session)
    this.#counters.forget(session)
  }

  #departed(session: AgentSession): void {
    this.#pushes.cancel(session)
    this.#wanted.forget(session)
    this.#requests.forget(session)
  }

  #notPushed({ id, wanted }: AgentSession, thrown: unknown): void {
    const path = wanted?.path ?? ''
    this.#log.failure(`push ${path}`, `'${path}' could not be sent to agent ${agentIdText(id)} and others`, thrown)
  }

  #fails(says: string): (thrown: unknown) => void {
    return (thrown) => this.#log.failure(says, says, thrown)
  }

  #createSessions(): AgentSessions {
    return new AgentSessions({
      clock: this.#given.clock,
      deadlines: this.#deadlines,
      onLost: (session) => this.#lost(session),
      onForgotten: (session) => this.#forgotten(session),
    })
  }

  #createWanted(): WantedConfigurations<AgentSession> {
    const fails = this.#fails('It is not known what agents are to have, and is asked for again')
    return new WantedConfigurations(this.#given.desk, this.#given.clock, (session) => this.#control.configure(session), fails)
  }

  #createPushes(): MergedPushes<AgentSession> {
    return new MergedPushes({
      clock: this.#given.clock,
      contents: new MergedContents(this.#given.files, this.#deadlines),
      send: (session, text) => this.#sender.send(session, text),
      onFailure: (session, reason) => this.#notPushed(session, reason),
    })
  }

  #createControl(): ControlMessages {
    return new ControlMessages({
      versions: this.#given.options,
      sessions: this.#sessions,
      reports: this.#reports,
      wanted: this.#wanted,
      pushes: this.#pushes,
      requests: this.#requests,
      log: this.#log,
      send: (session, text, endpoint) => this.#sender.send(session, text, endpoint),
      event: ({ source }, text) => this.#events.take(source, text),
    })
  }

  #createIntake(): MessageIntake {
    return new MessageIntake({
      clock: this.#given.clock,
      keys: this.#keys,
      sessions: this.#sessions,
      counters: this.#counters,
      log: this.#log,
      onControl: (session, text, from) => this.#control.take(session, text, from),
      onEvent: ({ source }, text, { transport }) =>
        transport === 'tcp' ? this.#events.take(source, text) : this.#events.takeDatagram(source, text),
    })
  }

  #createDoor(): AgentDoor {
    const { clock, network, options } = this.#given
    return new AgentDoor({
      options,
      network,
      clock,
      deadlines: this.#deadlines,
      log: this.#log,
      onMessage: (message, from) => this.#onMessage(message, from),
      onReadDone: (from) => this.#onReadDone(from),
      onRoom: ({ sessions }) => {
        for (const session of sessions) this.#pushes.wake(session)
      },
      onClosed: (connection) => {
        this.#sessions.left(connection)
        this.#departures.gone()
      },
    })
  }
}
