/** A listener of agents over a network in memory and a virtual clock, and hand-made agents that speak to it. */

import { AgentListener } from '../../../src/actors/listener/agentListener.js'
import { ClusterError } from '../../../src/base/errors.js'
import type { AgentReport } from '../../../src/domain/agents/agentReport.js'
import type { KeyEntry } from '../../../src/domain/agents/keyEntry.js'
import type {
  AgentConfiguration,
  EventOutlet,
  EventSource,
  ListenerDesk,
  ListenerFiles,
  ListenerOptions,
} from '../../../src/ports/listener.js'
import type { AgentNetwork, ByteStream, DatagramSocket, DatagramSource, Endpoint } from '../../../src/ports/network.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { AgentCipher, type CipherKind } from '../../../src/wire/agents/agentCipher.js'
import { AgentFrameReader, framed } from '../../../src/wire/agents/agentFrames.js'
import { MessageOpener } from '../../../src/wire/agents/agentMessage.js'
import type { MessageCounter } from '../../../src/wire/agents/counters.js'
import { sealMessage } from '../../../src/wire/agents/sealMessage.js'
import { MemoryNetwork, type MemoryNetworkOptions } from '../memoryNetwork.js'

export const listenerPort = 1514

/** Streams as MemoryNetwork has them, and datagrams that arrive at once. */
class MemoryAgentNetwork extends MemoryNetwork implements AgentNetwork {
  /** By port. */
  readonly onDatagram = new Map<number, (bytes: Uint8Array, from: DatagramSource) => void>()
  readonly datagrams: { readonly bytes: Uint8Array; readonly to: DatagramSource }[] = []

  dialTls(): Promise<never> {
    return Promise.reject(new ClusterError('dialFailed'))
  }

  listenTls(): Promise<never> {
    return Promise.reject(new ClusterError('listenFailed'))
  }

  openDatagrams({ port }: Endpoint, onDatagram: (bytes: Uint8Array, from: DatagramSource) => void): Promise<DatagramSocket> {
    this.onDatagram.set(port, onDatagram)
    return Promise.resolve({
      address: '0.0.0.0',
      port,
      send: (bytes, to) => {
        this.datagrams.push({ bytes, to })
      },
      close: () => {
        this.onDatagram.delete(port)
        return Promise.resolve()
      },
    })
  }
}

export class RecordingOutlet implements EventOutlet {
  /** As remoted hands them on, without the NUL. */
  readonly events: Buffer[] = []
  /** Taken, and not flushed. */
  unflushed = 0
  flushes = 0
  hasRoom = true
  onReady = (): void => {}
  readonly counts = { eventsTaken: 0, eventBytesTaken: 0, eventsDropped: 0, segmentsDeleted: 0 }

  take({ id, ip, name }: EventSource, message: Uint8Array): void {
    this.counts.eventsTaken += 1
    this.counts.eventBytesTaken += message.byteLength
    this.unflushed += 1
    const header = Buffer.from(`[${String(id).padStart(3, '0')}] (${name}) ${ip}->`)
    this.events.push(Buffer.concat([message.subarray(0, 2), header, message.subarray(2)]))
  }

  flush(): boolean {
    this.flushes += 1
    this.unflushed = 0
    return this.hasRoom
  }

  close(): void {}
}

export class MemoryListenerFiles implements ListenerFiles {
  readonly merged = new Map<string, Uint8Array>()
  readonly counters = new Map<number | 'sender', MessageCounter>()
  writes = 0

  readMerged(path: string): Uint8Array | undefined {
    return this.merged.get(path)
  }

  readCounter(id: number | 'sender'): MessageCounter | undefined {
    return this.counters.get(id)
  }

  writeCounter(id: number | 'sender', counter: MessageCounter): void {
    this.writes += 1
    this.counters.set(id, counter)
  }
}

export class RecordingDesk implements ListenerDesk {
  readonly reports: AgentReport[] = []
  readonly batches: number[] = []
  readonly configured = new Map<number, AgentConfiguration>()
  readonly asked: number[][] = []
  readonly lines: { readonly level: string; readonly message: string }[] = []
  /** Fails every call while it is set. */
  failure: ClusterError | undefined
  /** Answers wait for it. */
  gate: Promise<void> | undefined

  async report(reports: readonly AgentReport[]): Promise<void> {
    await this.gate
    if (this.failure) throw this.failure
    this.batches.push(reports.length)
    this.reports.push(...reports)
  }

  async configurations(ids: readonly number[]): Promise<readonly AgentConfiguration[]> {
    this.asked.push([...ids])
    await this.gate
    if (this.failure) throw this.failure
    return ids.flatMap((id) => this.configured.get(id) ?? [])
  }

  async log(level: string, message: string): Promise<void> {
    this.lines.push({ level, message })
  }
}

export const testKey = (id: number, ip = 'any'): KeyEntry => ({ id, name: `agent${id}`, ip, key: String(id).padStart(64, '0') })

/** One connection of an agent, or one of its datagram sockets. */
export class TestSocket {
  readonly received: Buffer[] = []
  isClosed = false
  #stream: ByteStream | undefined
  readonly #frames = new AgentFrameReader()
  readonly #network: MemoryAgentNetwork
  readonly #source: DatagramSource
  readonly #to: number

  constructor(network: MemoryAgentNetwork, source: DatagramSource, to = listenerPort) {
    this.#network = network
    this.#source = source
    this.#to = to
  }

  async connect(): Promise<this> {
    const stream = await this.#network.dial({ host: 'manager', port: this.#to }, undefined, this.#source.address)
    this.#stream = stream
    stream.attach({
      onBytes: (bytes) => {
        this.#frames.append(Buffer.from(bytes))
        for (let next = this.#frames.next(); next.ok && next.value; next = this.#frames.next()) this.received.push(Buffer.from(next.value))
      },
      onDrain: () => {},
      onClosed: () => {
        this.isClosed = true
      },
    })
    return this
  }

  /** A message, framed when it is a connection. */
  send(message: Uint8Array): void {
    if (this.#stream) this.#stream.write([framed(message)])
    else this.#network.onDatagram.get(this.#to)?.(message, this.#source)
  }

  sendRaw(bytes: Uint8Array): void {
    this.#stream?.write([bytes])
  }

  pause(): void {
    this.#stream?.pause()
  }

  resume(): void {
    this.#stream?.resume()
  }

  end(): void {
    this.#stream?.end()
  }

  destroy(): void {
    this.#stream?.destroy()
  }

  /** What came back over UDP; connections have it by themselves. */
  collect(): void {
    for (const { bytes, to } of this.#network.datagrams)
      if (to.port === this.#source.port && to.address === this.#source.address) this.received.push(Buffer.from(bytes))
  }
}

/** An agent that sends what a test wants, and says what it was sent. */
export class TestAgent {
  readonly socket: TestSocket
  readonly #cipher: AgentCipher
  readonly #opener = new MessageOpener()
  readonly #id: number
  readonly #kind: CipherKind
  #local = 0

  constructor(socket: TestSocket, entry: KeyEntry, kind: CipherKind = 'aes') {
    this.socket = socket
    this.#cipher = new AgentCipher(entry)
    this.#id = entry.id
    this.#kind = kind
  }

  sealed(text: string | Uint8Array, local = ++this.#local): Buffer {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    const counter = { global: Math.floor(local / 9_000), local: local % 9_000 }
    const message = { cipher: this.#cipher, kind: this.#kind, counter, random: 12_345, text: bytes, id: this.#id, isFramed: false }
    const sealed = sealMessage(message)
    if (!sealed.ok) throw sealed.error
    return sealed.value
  }

  say(text: string | Uint8Array): void {
    this.socket.send(this.sealed(text))
  }

  start(version = 'v4.14.7'): void {
    this.say(`#!-agent startup ${JSON.stringify({ version })}`)
  }

  keepAlive(sum = 'x', labels = ''): void {
    this.say(`#!-Linux |vm |6.1.0 |#1 SMP |x86_64 [Debian GNU/Linux|debian: 12 (bookworm)] - Wazuh v4.14.7\n${labels}${sum} merged.mg\n`)
  }

  /** Of all that came and was not asked for yet. */
  counters(): MessageCounter[] {
    return this.socket.received.splice(0).flatMap((message) => {
      const opened = this.#opener.open(message, this.#cipher)
      return opened.ok ? [{ global: opened.value.global, local: opened.value.local }] : []
    })
  }

  /** What came since the last call. */
  texts(): string[] {
    return this.socket.received.splice(0).map((message) => {
      const opened = this.#opener.open(message, this.#cipher)
      return opened.ok ? opened.value.text.toString() : `(${opened.error.code})`
    })
  }
}

const defaults: ListenerOptions = {
  home: '/var/ossec',
  cluster: 'wazuh',
  node: 'node01',
  managerName: 'manager',
  hidden: false,
  wazuhVersion: '4.14.7',
  allowHigherVersions: false,
  port: listenerPort,
  transports: ['tcp', 'udp'],
  localIp: '',
  ipv6: false,
  verifiesCounters: false,
  proxies: [],
  connectionsMax: 1_000,
  events: { segmentBytesMax: 1_000_000, bytesMax: 10_000_000, toReader: false },
}

export class ListenerWorld {
  readonly clock = new VirtualClock()
  readonly network: MemoryAgentNetwork
  readonly outlet = new RecordingOutlet()
  readonly files: MemoryListenerFiles
  readonly desk = new RecordingDesk()
  readonly listener: AgentListener
  /** Drawn first, then zeros. */
  readonly drawn: number[] = []
  afterTurn: (run: () => void) => void = queueMicrotask
  #port = 40_000

  constructor(options: Partial<ListenerOptions> = {}, files = new MemoryListenerFiles(), memory: MemoryNetworkOptions = {}) {
    this.network = new MemoryAgentNetwork(memory)
    this.files = files
    const { clock, desk, network, outlet } = this
    this.listener = new AgentListener({
      options: { ...defaults, ...options },
      network,
      clock,
      random: {
        bytes: (count) => {
          const bytes = Buffer.alloc(count)
          bytes.writeUInt32BE(this.drawn.shift() ?? 0)
          return bytes
        },
        fraction: () => 0.5,
      },
      outlet,
      files,
      desk,
      afterTurn: (run) => this.afterTurn(run),
    })
  }

  async start(entries: readonly KeyEntry[]): Promise<void> {
    await this.listener.start()
    await this.listener.keys({ isFirst: true, upserts: entries, removals: [] })
  }

  connect(address?: string, port?: number): Promise<TestSocket> {
    return this.datagrams(address, port).connect()
  }

  datagrams(address = '127.0.0.1', to = listenerPort): TestSocket {
    this.#port += 1
    return new TestSocket(this.network, { address, port: this.#port }, to)
  }

  async agent(entry: KeyEntry, kind?: CipherKind): Promise<TestAgent> {
    return new TestAgent(await this.connect(), entry, kind)
  }

  /** Until all that is under way has arrived. */
  settle(): Promise<void> {
    return this.clock.advance(0)
  }

  get warnings(): readonly string[] {
    return this.desk.lines.map(({ message }) => message)
  }
}
