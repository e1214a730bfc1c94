/** An agent that proved its key, as long as it is here: where it is, what it said last and what it is to have. A plain object: there may be ten thousand. */
import type { Deadline, Due } from '../../../base/deadlines.js'
import type { KeyEntry } from '../../../domain/agents/keyEntry.js'
import type { AgentConfiguration, EventSource } from '../../../ports/listener.js'
import { AgentCipher, type CipherKind } from '../../../wire/agents/agentCipher.js'
import type { MergedPush, PushedAgent } from '../configuration/mergedPushes.js'
import type { AgentEndpoint } from './agentEndpoint.js'

export class AgentSession implements PushedAgent, Due {
  readonly id: number
  readonly source: EventSource
  readonly cipher: AgentCipher
  /** That of its last message: it is answered in the same. */
  kind: CipherKind = 'aes'
  /** Where its last control message came from; events alone do not say where it is. */
  endpoint: AgentEndpoint | undefined
  /** Of its last control message, and of any. */
  seenMs = Number.NEGATIVE_INFINITY
  readMs = 0
  /** Connections that it sent anything over: seldom more than one. */
  readonly connections = new Set<{ refuse(): void }>()
  /** It said that it stops: the end of its connection says nothing more. */
  isShutDown = false
  /** Of the last keep-alive whose facts were reported. */
  saidDigest = ''
  mergedSum = ''
  wanted: AgentConfiguration | undefined
  wantedState = 0
  push: MergedPush | undefined
  /** The counter of its last message. */
  global = 0
  local = 0
  /** Messages since the counter was written. */
  uncounted = 0
  deadline: Deadline | undefined
  readonly #onDue: (session: AgentSession) => void

  constructor({ id, ip, key, name }: KeyEntry, onDue: (session: AgentSession) => void) {
    this.id = id
    this.source = { id, name, ip }
    this.cipher = new AgentCipher({ id, key, name })
    this.#onDue = onDue
  }

  due(): void {
    this.#onDue(this)
  }
}
