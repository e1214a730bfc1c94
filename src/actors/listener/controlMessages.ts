/** Start-ups, keep-alives, shutdowns and answers: acknowledged first, then reported; then the agent gets the configuration of its groups. */
import { agentIdText } from '../../domain/agents/agent.js'
import { controlKind, keepAliveBytes, requestSaid, startupSaid } from '../../domain/listener/controlMessage.js'
import { saidByAgent } from '../../domain/listener/keepAliveFacts.js'
import { ackText, startupAnswer, type VersionRule } from '../../domain/listener/startupAnswer.js'
import { md5Hex } from '../../wire/agents/agentMessage.js'
import type { AgentEndpoint } from './agentEndpoint.js'
import type { AgentRequests } from './agentRequests.js'
import type { AgentSession } from './agentSession.js'
import type { AgentSessions } from './agentSessions.js'
import type { MergedPushes } from './configuration/mergedPushes.js'
import type { WantedConfigurations } from './configuration/wantedConfigurations.js'
import type { ListenerLog } from './listenerLog.js'
import type { ReportDesk } from './reportDesk.js'

export interface ControlMessagesOptions {
  readonly versions: VersionRule
  readonly sessions: AgentSessions
  readonly reports: ReportDesk
  readonly wanted: WantedConfigurations<AgentSession>
  readonly pushes: MergedPushes<AgentSession>
  readonly requests: AgentRequests
  readonly log: ListenerLog
  send(session: AgentSession, text: string | Uint8Array, endpoint: AgentEndpoint): void
  /** An event of our own, as if the agent had sent it. */
  event(session: AgentSession, text: string): void
}

const ackBytes = Buffer.from(ackText)

export class ControlMessages {
  readonly #options: ControlMessagesOptions
  /** Agents are to go: those that start are not answered, so that they try another node. */
  isDraining = false

  constructor(options: ControlMessagesOptions) {
    this.#options = options
  }

  take(session: AgentSession, text: Buffer, from: AgentEndpoint): void {
    const kind = controlKind(text)
    if (kind === 'startup' && this.isDraining) return
    const { pushes, sessions } = this.#options
    const before = sessions.bind(session, from)
    if (before) {
      pushes.cancel(session)
      before.close()
    }
    if (kind === 'startup') this.#start(session, startupSaid(text), from)
    else if (kind === 'keepAlive') this.#keepAlive(session, keepAliveBytes(text), from)
    else if (kind === 'shutdown') this.#shutDown(session)
    else if (kind === 'request') this.#options.requests.take(session, requestSaid(text), from)
    else this.#warn(session, kind, `Invalid message from agent: '${session.source.name}' (${agentIdText(session.id)})`)
  }

  /** What is wanted of it is known. */
  configure(session: AgentSession): void {
    const { wanted } = session
    if (wanted && wanted.sum !== '' && wanted.sum !== session.mergedSum && session.endpoint && !session.isShutDown)
      this.#options.pushes.start(session)
  }

  #start(session: AgentSession, said: string, from: AgentEndpoint): void {
    const { pushes, reports, send, versions } = this.#options
    // It waits for one message, and anything else in its place would fail it.
    pushes.cancel(session)
    session.saidDigest = ''
    const answer = startupAnswer(said, versions)
    if (answer.kind === 'ack') {
      send(session, ackBytes, from)
      reports.add({ id: session.id, kind: 'startup' })
      return
    }
    const id = agentIdText(session.id)
    send(session, answer.text, from)
    if (answer.kind === 'versionMissing') this.#warn(session, answer.kind, `Unable to get version from agent '${id}' on startup message`)
    else this.#warn(session, answer.kind, `Agent '${id}' has a higher version than the manager, and is refused: ${answer.text}`)
  }

  #keepAlive(session: AgentSession, said: Buffer, from: AgentEndpoint): void {
    const { reports, send, wanted } = this.#options
    send(session, ackBytes, from)
    const digest = md5Hex(said)
    if (digest === session.saidDigest) reports.add({ id: session.id, kind: 'keepAlive' })
    else {
      const { facts, mergedSum } = saidByAgent(said.toString('utf8'))
      session.saidDigest = digest
      session.mergedSum = mergedSum
      reports.add({ id: session.id, kind: 'keepAlive', facts })
    }
    if (wanted.isKnown(session)) this.configure(session)
    else wanted.ask(session)
  }

  #shutDown(session: AgentSession): void {
    const { event, pushes, reports } = this.#options
    const { ip, name } = session.source
    pushes.cancel(session)
    session.isShutDown = true
    session.saidDigest = ''
    event(session, `1:wazuh-remoted:ossec: Agent stopped: '${name}->${ip}'.`)
    reports.add({ id: session.id, kind: 'shutdown' })
  }

  #warn(session: AgentSession, kind: string, sentence: string): void {
    this.#options.log.ofPeer(session.endpoint?.address ?? '', `${kind} ${session.id}`, sentence)
  }
}
