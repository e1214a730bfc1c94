/** A manager for agents of our own, as simple as can be: opens what they send, notes it, and answers as a test wants. */
import type { KeyEntry } from '../../../src/domain/agents/keyEntry.js'
import type { AgentNetwork, ByteStream, Listener } from '../../../src/ports/network.js'
import { AgentCipher, type CipherKind } from '../../../src/wire/agents/agentCipher.js'
import { AgentFrameReader } from '../../../src/wire/agents/agentFrames.js'
import { MessageOpener } from '../../../src/wire/agents/agentMessage.js'
import { nextCounter, noMessages } from '../../../src/wire/agents/counters.js'
import { sealMessage } from '../../../src/wire/agents/sealMessage.js'

export interface NotedText {
  readonly atMs: number
  readonly text: string
}

export class ScriptedManager {
  readonly texts: NotedText[] = []
  /** Times of connections. */
  readonly connections: number[] = []
  /** What is answered to a text that begins with `#!-`; undefined: nothing. */
  answer: (text: string) => string | undefined = (text) => (text.startsWith('#!-agent shutdown') ? undefined : '#!-agent ack ')
  readonly streams = new Set<ByteStream>()
  readonly #network: AgentNetwork
  readonly #nowMs: () => number
  readonly #cipher: AgentCipher
  readonly #opener = new MessageOpener()
  #kind: CipherKind = 'aes'
  #counter = noMessages
  #listener: Listener | undefined

  constructor(network: AgentNetwork, nowMs: () => number, entry: KeyEntry) {
    this.#network = network
    this.#nowMs = nowMs
    this.#cipher = new AgentCipher(entry)
  }

  get controls(): readonly string[] {
    return this.texts.filter(({ text }) => text.startsWith('#!-')).map(({ text }) => text)
  }

  async listen(port: number): Promise<void> {
    this.#listener = await this.#network.listen({ host: '0.0.0.0', port }, (stream) => this.#onConnection(stream))
  }

  /** Open connections stay. */
  async close(): Promise<void> {
    await this.#listener?.close()
  }

  async listenDatagrams(port: number): Promise<void> {
    const socket = await this.#network.openDatagrams({ host: '0.0.0.0', port }, (bytes, from) => {
      const answer = this.#take(Buffer.from(bytes))
      if (answer !== undefined) socket.send(this.#sealed(answer, false), from)
    })
  }

  say(text: string | Uint8Array): void {
    for (const stream of this.streams) stream.write([this.#sealed(text, true)])
  }

  #onConnection(stream: ByteStream): void {
    const reader = new AgentFrameReader()
    this.connections.push(this.#nowMs())
    this.streams.add(stream)
    stream.attach({
      onBytes: (bytes) => {
        reader.append(bytes)
        for (let next = reader.next(); next.ok && next.value; next = reader.next()) {
          const answer = this.#take(next.value)
          if (answer !== undefined) stream.write([this.#sealed(answer, true)])
        }
      },
      onDrain: () => undefined,
      onClosed: () => void this.streams.delete(stream),
    })
  }

  #take(message: Buffer): string | undefined {
    const opened = this.#opener.open(message, this.#cipher)
    if (!opened.ok) throw opened.error
    this.#kind = opened.value.cipher
    const text = opened.value.text.toString('latin1')
    this.texts.push({ atMs: this.#nowMs(), text })
    return text.startsWith('#!-') ? this.answer(text) : undefined
  }

  #sealed(text: string | Uint8Array, isFramed: boolean): Buffer {
    this.#counter = nextCounter(this.#counter)
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
    const sealed = sealMessage({ cipher: this.#cipher, kind: this.#kind, counter: this.#counter, random: 7, text: bytes, isFramed })
    if (!sealed.ok) throw sealed.error
    return sealed.value
  }
}
