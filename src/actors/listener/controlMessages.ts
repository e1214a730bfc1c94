/** Start-ups, keep-alives, shutdowns and answers: acknowledged first, then reported; then the agent gets the configuration of its groups. */
import { agentIdText } from '../../domain/agents/agent.js'
import { higherVersionText } from '../../domain/enrolment/agentVersion.js'
import { type SaidVersion, startupAnswer, type VersionRule } from '../../domain/listener/startupAnswer.js'
import { md5Hex } from '../../wire/agents/agentMessage.js'
import { managerControl, parseAgentControl, versionMissing } from '../../wire/agents/controlMessage.js'
import { parseKeepAlive } from '../../wire/agents/keepAliveText.js'
import type { AgentRequests } from './agentRequests.js'
import type { MergedPushes } from './configuration/mergedPushes.js'
import type { WantedConfigurations } from './configuration/wantedConfigurations.js'
import type { ListenerLog } from './listenerLog.js'
import type { ReportDesk } from './reportDesk.js'
import type { AgentEndpoint } from './sessions/agentEndpoint.js'
import type { AgentSession } from './sessions/agentSession.js'
import type { AgentSessions } from './sessions/agentSessions.js'

export interface ControlMessagesOptions {
  readonly versions: VersionRule
  readonly sessions: AgentSessions
  readonly reports: ReportDesk
  readonly wanted: WantedConfigurations<AgentSession>
  readonly pushes: MergedPushes<AgentSession>
  readonly requests: AgentRequests
  readonly log: ListenerLog
  send(session: AgentSession, text: Uint8Array, endpoint: AgentEndpoint): void
  /** An event of our own, as if the agent had sent it. */
  event(session: AgentSession, text: Uint8Array): void
}

const ack = managerControl.ack()

export class ControlMessages {
  readonly #options: ControlMessagesOptions
  /** Agents are to go: those that start are not answered, so that they try another node. */
  isDraining = false

  constructor(options: ControlMessagesOptions) {
    this.#options = options
  }

  take(session: AgentSession, text: Buffer, from: AgentEndpoint): void {
    const digest = md5Hex(text)
    // Most say what they said before.
    if (digest === session.saidDigest && session.endpoint) this.#keepAlive(session, digest, undefined, from)
    else this.#takeOther(session, digest, text, from)
  }

  /** What is wanted of it is known. */
  configure(session: AgentSession): void {
    const { wanted } = session
    if (wanted && wanted.sum !== '' && wanted.sum !== session.mergedSum && session.endpoint && !session.isShutDown)
      this.#options.pushes.start(session)
  }

  #takeOther(session: AgentSession, digest: string, text: Buffer, from: AgentEndpoint): void {
    const { requests } = this.#options
    const said = parseAgentControl(text)
    if (said.kind === 'startup' && this.isDraining) return
    if (said.kind === 'keepAlive') this.#keepAlive(session, digest, said.text, from)
    else {
      this.#bind(session, from)
      if (said.kind === 'startup') this.#start(session, said, from)
      else if (said.kind === 'shutdown') this.#shutDown(session)
      else if (said.kind === 'answer') requests.take(session, said.counter, said.answer, from)
      else if (said.kind === 'ignored')
        this.#warn(session, said.kind, `Invalid message from agent: '${session.source.name}' (${agentIdText(session.id)})`)
    }
  }

  /** It is there from now on, and nowhere else. */
  #bind(session: AgentSession, from: AgentEndpoint): void {
    const { pushes, sessions } = this.#options
    const before = sessions.bind(session, from)
    if (!before) return
    pushes.cancel(session)
    before.close()
  }

  #start(session: AgentSession, said: SaidVersion, from: AgentEndpoint): void {
    const { pushes, reports, send, versions } = this.#options
    // It waits for one message, and anything else in its place would fail it.
    pushes.cancel(session)
    session.saidDigest = ''
    const answer = startupAnswer(said, versions)
    if (answer === 'ack') {
      send(session, ack, from)
      reports.add({ id: session.id, kind: 'startup' })
      return
    }
    const isTooNew = answer === 'versionTooHigh'
    const id = agentIdText(session.id)
    send(session, managerControl.error(isTooNew ? higherVersionText : versionMissing), from)
    this.#warn(
      session,
      answer,
      isTooNew ? `Agent '${id}' was refused: ${higherVersionText}` : `Unable to get version from agent '${id}' on startup message`,
    )
  }

  /** `said`: undefined when it is what was said before. */
  #keepAlive(session: AgentSession, digest: string, said: string | undefined, from: AgentEndpoint): void {
    const { reports, send, wanted } = this.#options
    this.#bind(session, from)
    send(session, ack, from)
    if (said === undefined) reports.add({ id: session.id, kind: 'keepAlive' })
    else {
      const facts = parseKeepAlive(said)
      session.saidDigest = digest
      session.mergedSum = facts.mergedSum ?? ''
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
    event(session, Buffer.from(`1:wazuh-remoted:ossec: Agent stopped: '${name}->${ip}'.`))
    reports.add({ id: session.id, kind: 'shutdown' })
  }

  #warn(session: AgentSession, kind: string, sentence: string): void {
    this.#options.log.ofPeer(session.endpoint?.address ?? '', `${kind} ${session.id}`, sentence)
  }
}
