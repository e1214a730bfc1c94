/** Messages to agents: numbered over all of them, and sealed in the cipher that the agent used last. */
import type { ListenerFiles } from '../../ports/listener.js'
import type { Random } from '../../ports/machine.js'
import { sealMessage } from '../../wire/agents/sealMessage.js'
import { SenderCounter } from './senderCounter.js'
import type { AgentEndpoint } from './sessions/agentEndpoint.js'
import type { AgentSession } from './sessions/agentSession.js'

const randomMax = 65_536

export class MessageSender {
  readonly #counter: SenderCounter
  readonly #random: Random

  constructor(files: ListenerFiles, random: Random, onFailure: (thrown: unknown) => void) {
    this.#counter = new SenderCounter(files, onFailure)
    this.#random = random
  }

  send(session: AgentSession, text: Uint8Array, endpoint: AgentEndpoint | undefined = session.endpoint): void {
    if (!endpoint || endpoint.isClosed) return
    const sealed = sealMessage({
      cipher: session.cipher,
      kind: session.kind,
      counter: this.#counter.next(),
      random: Math.floor(this.#random.fraction() * randomMax),
      text,
      isFramed: endpoint.transport === 'tcp',
    })
    if (sealed.ok) endpoint.send(sealed.value)
  }

  close(): void {
    this.#counter.close()
  }
}
