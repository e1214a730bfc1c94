/** AgentListener answers, closes and hands on what the real remoted did in every recorded conversation; the tables say where it does not, and why. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { KeyEntry } from '../../../src/domain/agents/keyEntry.js'
import { AgentCipher } from '../../../src/wire/agents/agentCipher.js'
import { MessageOpener } from '../../../src/wire/agents/agentMessage.js'
import { type RecordedLine, readRecording, recordedEntry } from '../../support/agents/agentRecordings.js'
import { ListenerWorld, TestAgent, type TestSocket } from '../../support/agents/listenerWorld.js'

interface TimedLine extends RecordedLine {
  readonly t_ms?: number
  readonly text?: string
  readonly request?: string
}

const recording = readRecording('manager-wire')
/** What was cut out of the recording because it has nothing new for the codec. */
const answers = readFileSync(new URL('../../vectors/wazuh/manager-answers.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => JSON.parse(line) as TimedLine)

const cases = new Map<string, TimedLine[]>()
for (const line of [...recording.lines, ...answers]) cases.set(line.case, [...(cases.get(line.case) ?? []), line])
for (const lines of cases.values()) lines.sort((a, b) => a.seq - b.seq)

/** What the manager's client.keys had: the addresses differ from those that the agents' own had. */
const managersIps = new Map([
  [3, '127.0.0.1'],
  [5, '127.0.0.0/8'],
])
const entries: readonly KeyEntry[] = recording.keys
  .filter(({ key_no }) => key_no !== 'k2' && key_no !== 'k3')
  .map((key) => recordedEntry(key))
  .map((entry) => ({ ...entry, ip: managersIps.get(entry.id) ?? 'any' }))
const ciphers = recording.keys.map((key) => new AgentCipher(recordedEntry(key)))

/** Lines of remoted's log that ours does not have, and why. */
const unsaid: readonly (readonly [RegExp, string])[] = [
  [/^Decrypt the message fail/, 'says again what the line before it says'],
  [/^Error validating control message/, 'says again what the line before it says'],
  [/^Duplicate error/, 'has the numbers of an agent that may be an attacker; the line after it names the agent'],
  [/^Too big message size/, 'has the number of a socket, which means nothing here'],
  [/^\(1406\)/, 'is said as 1404: a wrong checksum is a wrong key, and nothing shows which it is'],
  [/^\(1320\)|^Cannot send request/, 'is about requests over a socket that is not there'],
]

/** Where the conversation is another one, and why. */
const differences: Readonly<Record<string, string>> = {
  'pair-agentd-remoted-udp-aes': 'remoted misses an answer that comes at once, and acknowledges its repetition; ours acknowledges both',
  'pair-agentd-remoted-udp-blowfish': 'the same',
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const comparable = (bytes: Buffer): string => (bytes.byteLength > 100 ? hashOf(bytes) : bytes.toString())
const recordedText = ({ plaintext, plaintext_base64, plaintext_sha256 = '' }: RecordedLine): string => {
  if (plaintext !== undefined) return comparable(Buffer.from(plaintext))
  return plaintext_base64 === undefined ? plaintext_sha256 : comparable(Buffer.from(plaintext_base64, 'base64'))
}
const clearText = ({ clear_text }: RecordedLine): string => clear_text ?? ''

/** Contents of merged.mg that the recording shows whole, by their sum. */
const contents = new Map<string, Buffer>()
for (const lines of cases.values()) {
  let pieces: Buffer[] | undefined
  let sum = ''
  for (const { conn, from, plaintext, plaintext_sha256 } of lines) {
    if (from !== 'manager' || conn === undefined) continue
    const found = /^#!-up file (\S+) /.exec(plaintext ?? '')
    if (found) {
      sum = found[1] ?? ''
      pieces = []
    } else if (plaintext_sha256 !== undefined && plaintext === undefined) pieces = undefined
    else if (plaintext === '#!-close file ') {
      const content = Buffer.concat(pieces ?? [])
      if (createHash('md5').update(content).digest('hex') === sum) contents.set(sum, content)
      pieces = undefined
    } else if (plaintext !== undefined && !plaintext.startsWith('#!-')) pieces?.push(Buffer.from(plaintext))
  }
}

class Replay {
  readonly world: ListenerWorld
  readonly expected = new Map<number, string[]>()
  readonly expectedEvents: string[] = []
  readonly expectedClosed = new Set<number>()
  readonly requested: Promise<string>[] = []
  readonly #lines: readonly TimedLine[]
  readonly #sockets = new Map<number, TestSocket>()
  /** Connections that the test closed before the manager did. */
  readonly #ended = new Set<number>()
  #halfFrame: Buffer | undefined
  #wanted = ''

  constructor(name: string, lines: readonly TimedLine[]) {
    this.#lines = lines
    this.world = new ListenerWorld({ verifiesCounters: name === 'remoted-verify_msg_id-1' })
  }

  async run(): Promise<void> {
    await this.world.start(entries)
    for (const [index, line] of this.#lines.entries()) {
      const { t_ms } = line
      if (t_ms !== undefined) await this.world.clock.advance(Math.max(0, t_ms - this.world.clock.monotonicMs()))
      if (line.from === 'agent') await this.#agentSays(line, index)
      else if (line.from === 'manager') this.#managerSaid(line)
      else if (line.from === 'event') await this.#happened(line)
      await this.world.settle()
    }
    for (const socket of this.#sockets.values()) socket.collect()
  }

  received(conn: number): string[] {
    const opener = new MessageOpener()
    return (this.#sockets.get(conn)?.received ?? []).map((message) => {
      if (message.equals(Buffer.from('#pong'))) return '#pong'
      for (const cipher of ciphers) {
        const opened = opener.open(message, cipher)
        if (opened.ok) return comparable(opened.value.text)
      }
      return 'nothing that can be opened'
    })
  }

  closedByListener(): number[] {
    return [...this.#sockets].flatMap(([conn, { isClosed }]) => (isClosed && !this.#ended.has(conn) ? conn : []))
  }

  /** The test that recorded it wrote a second ID to the connection that was open, under another number. */
  #socketOf({ conn = 0, transport }: TimedLine): TestSocket | undefined {
    const known = this.#sockets.get(conn)
    if (known || transport === 'udp') return known ?? this.#newDatagrams(conn)
    return [...this.#sockets.values()].at(-1)
  }

  #newDatagrams(conn: number): TestSocket {
    const socket = this.world.datagrams()
    this.#sockets.set(conn, socket)
    return socket
  }

  async #agentSays(line: TimedLine, index: number): Promise<void> {
    await this.#wantWhatIsPushed(index)
    const message = Buffer.from(line.hex ?? '', 'hex')
    const socket = this.#socketOf(line)
    if (line.note === 'written one byte at a time') {
      const header = Buffer.alloc(4)
      header.writeUInt32LE(message.byteLength)
      for (const byte of Buffer.concat([header, message])) {
        socket?.sendRaw(Buffer.of(byte))
        await this.world.settle()
      }
    } else socket?.send(message)
  }

  /** remoted sees a change of files only some time later: what it pushes until the agent speaks again is what was wanted. */
  async #wantWhatIsPushed(index: number): Promise<void> {
    for (const { from, plaintext } of this.#lines.slice(index + 1)) {
      if (from === 'agent' && !plaintext?.startsWith('#!-req')) return
      const sum = /^#!-up file (\S+) /.exec(plaintext ?? '')?.[1]
      if (from !== 'manager' || sum === undefined || sum === this.#wanted) continue
      this.#wanted = sum
      const content = contents.get(sum)
      if (!content) throw new Error(`The content of ${sum} is not in the recording`)
      this.world.files.merged.set(sum, content)
      for (const { id } of entries) this.world.desk.configured.set(id, { id, path: sum, sum })
      await this.world.listener.configurationChanged()
    }
  }

  #managerSaid(line: TimedLine): void {
    const { conn = 0 } = line
    const text = line.plaintext === undefined && line.clear_text !== undefined ? clearText(line) : recordedText(line)
    this.expected.set(conn, [...(this.expected.get(conn) ?? []), text])
    const request = /^#!-req ([0-9a-f]+) (?!ack$)(.*)$/s.exec(line.plaintext ?? '')
    if (request) {
      this.world.drawn.push(Number.parseInt(request[1] ?? '', 16))
      this.requested.push(this.world.listener.request(1, request[2] ?? '', 60_000))
    }
    if (line.plaintext === '#!-force_reconnect') this.requested.push(this.world.listener.reconnect([1]).then(String))
  }

  async #happened(line: TimedLine): Promise<void> {
    const { conn = 0, event = '' } = line
    const header = /^test: a frame header of (\d+) and (\d+) bytes/.exec(event)
    if (event === 'connect') this.#sockets.set(conn, await this.world.connect())
    else if (event.startsWith('remoted to analysisd')) this.expectedEvents.push(recordedText(line))
    else if (event === 'remoted closed (FIN)' && !this.#ended.has(conn)) this.expectedClosed.add(conn)
    else if (event === 'agent closed (FIN)' || event === 'test: end' || event === 'test: destroy') this.#end(conn, event)
    else if (header) this.#sendFrame(conn, Number(header[1]), Number(header[2]))
    else if (event.startsWith('test: 20 bytes of a frame')) this.#sendHalf(conn)
    else if (event.startsWith('still open; the rest')) this.#sockets.get(conn)?.sendRaw(this.#halfFrame ?? Buffer.alloc(0))
  }

  #end(conn: number, event: string): void {
    const socket = this.#sockets.get(conn)
    if (!socket?.isClosed) this.#ended.add(conn)
    if (event === 'test: destroy') socket?.destroy()
    else socket?.end()
  }

  #sendFrame(conn: number, length: number, byteCount: number): void {
    const header = Buffer.alloc(4 + byteCount, 'a')
    header.writeUInt32LE(length)
    this.#sockets.get(conn)?.sendRaw(header)
  }

  #sendHalf(conn: number): void {
    const [entry] = entries
    const socket = this.#sockets.get(conn)
    if (!entry || !socket) return
    const message = new TestAgent(socket, entry).sealed('#!-agent startup {"version":"v4.14.7"}')
    const frame = Buffer.alloc(4 + message.byteLength)
    frame.writeUInt32LE(message.byteLength)
    frame.set(message, 4)
    socket.sendRaw(frame.subarray(0, 20))
    this.#halfFrame = frame.subarray(20)
  }
}

const isRequestAck = (text: string): boolean => /^#!-req [0-9a-f]+ ack$/.test(text)
/** Each acknowledgement of an answer once, wherever it is. */
const withoutRequestAcks = (texts: readonly string[]): string[] => texts.filter((text) => !isRequestAck(text))

const names = [...cases.keys()].filter((name) => name.startsWith('remoted-') || name.startsWith('pair-'))

describe('a recorded conversation', () => {
  it('is there for every case', () => {
    expect(names).toHaveLength(73)
    expect(contents.size).toBe(3)
  })

  it.each(names)('%s has the answers, closes, events and lines of remoted', async (name) => {
    const lines = cases.get(name) ?? []
    const replay = new Replay(name, lines)
    await replay.run()
    const conns = [...new Set([...replay.expected.keys(), ...lines.flatMap(({ conn }) => conn ?? [])])].sort((a, b) => a - b)
    const simplify = differences[name] === undefined ? (texts: readonly string[]) => texts : withoutRequestAcks
    const got = Object.fromEntries(conns.map((conn) => [conn, simplify(replay.received(conn))]))
    expect(got).toEqual(Object.fromEntries(conns.map((conn) => [conn, simplify(replay.expected.get(conn) ?? [])])))
    expect(replay.world.outlet.events.map((event) => comparable(Buffer.concat([event, Buffer.of(0)])))).toEqual(replay.expectedEvents)
    expect(replay.closedByListener()).toEqual([...replay.expectedClosed].sort((a, b) => a - b))
    await Promise.all(replay.requested)
    const said = lines.flatMap(({ from, text }) => (from === 'log' ? (/^wazuh-remoted: [A-Z]+: (.*)$/.exec(text ?? '')?.[1] ?? []) : []))
    const wanted = said.filter((text) => !unsaid.some(([pattern]) => pattern.test(text)))
    for (const text of wanted) expect(replay.world.warnings).toContain(text)
    await Promise.all([replay.world.listener.stop(), replay.world.clock.advance(5_000)])
    expect(replay.world.clock.pending).toBe(0)
  })
})
