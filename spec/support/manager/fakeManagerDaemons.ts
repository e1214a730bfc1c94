/**
 * Daemons of a manager, as sockets that answer: authd keeps agents and answers as the real one does, the others say what they are set to.
 * One frame each way over each connection.
 */
import { mkdirSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { daemonSocketPath } from '../../../src/platform/manager/managerDaemons.js'
import type { AskedDaemon } from '../../../src/ports/manager.js'
import { LengthFrameReader, lengthFrame } from '../../../src/wire/wazuh/lengthFrames.js'

export type FakeDaemon = AskedDaemon | 'analysis'

/** What a daemon makes of a message; undefined: it never answers. */
export type Answering = (message: string, socket: Socket) => string | undefined

interface Enrolled {
  readonly id: string
  readonly name: string
  readonly ip: string
  readonly key: string
}

const error = (code: number, message: string): string => JSON.stringify({ error: code, message })

/** As wazuh-authd answers at its local socket. On a worker it refuses all. */
export class FakeAuthd {
  readonly agents = new Map<string, Enrolled>()
  readonly #isWorker: boolean

  constructor(isWorker = false) {
    this.#isWorker = isWorker
  }

  answer(message: string): string {
    if (!message.startsWith('{')) return 'err Unknown command'
    if (this.#isWorker) return error(9015, 'Worker node cannot add or remove agents')
    let asked: { function?: unknown; arguments?: Record<string, unknown> }
    try {
      asked = JSON.parse(message)
    } catch {
      return error(9002, 'Parsing JSON input')
    }
    switch (asked.function) {
      case 'add':
        return this.#add(asked.arguments ?? {})
      case 'remove':
        return this.agents.delete(String(asked.arguments?.['id']))
          ? JSON.stringify({ error: 0, data: 'Agent deleted successfully.' })
          : error(9011, 'Agent ID not found')
      case 'get': {
        const agent = this.agents.get(String(asked.arguments?.['id']))
        return agent ? JSON.stringify({ error: 0, data: agent }) : error(9011, 'Agent ID not found')
      }
      default:
        return error(9003, 'No such function')
    }
  }

  #add({ ip, key, name, id = String(this.agents.size + 1).padStart(3, '0') }: Record<string, unknown>): string {
    if (typeof name !== 'string') return error(9005, 'Invalid agent name')
    if (typeof ip !== 'string') return error(9006, 'Invalid IP')
    if ([...this.agents.values()].some((agent) => agent.name === name)) return error(9008, 'Duplicate name')
    const added = { id: String(id), name, ip, key: typeof key === 'string' ? key : Buffer.from(name.padEnd(32, '.')).toString('hex') }
    this.agents.set(added.id, added)
    return JSON.stringify({ error: 0, data: added })
  }
}

const agrees = (data: object): string => JSON.stringify({ error: 0, message: 'ok', data })

export class FakeManagerDaemons {
  readonly home: string
  readonly authd: FakeAuthd
  /** What came, in order. */
  readonly asked: { readonly daemon: FakeDaemon; readonly message: string }[] = []
  readonly answers: Record<FakeDaemon, Answering>
  readonly #servers = new Map<FakeDaemon, { readonly server: Server; readonly sockets: Set<Socket> }>()

  constructor(home: string, role: 'master' | 'worker' = 'master') {
    this.home = home
    this.authd = new FakeAuthd(role === 'worker')
    this.answers = {
      authd: (message) => this.authd.answer(message),
      remoted: (message) => (message.includes('"assigngroup"') ? agrees({ group: 'default' }) : agrees({})),
      'task-manager': (message) => agrees([{ error: 0, message: 'Success', asked: message.length }]),
      analysis: () => agrees([]),
    }
  }

  /** Resolves when no connection to any of them is open. */
  async quiet(): Promise<void> {
    for (const { sockets } of this.#servers.values())
      for (const socket of sockets) await new Promise((resolve) => (socket.closed ? resolve(undefined) : socket.once('close', resolve)))
  }

  async start(...daemons: readonly FakeDaemon[]): Promise<void> {
    for (const daemon of daemons) await this.#listen(daemon)
  }

  async stop(...daemons: readonly FakeDaemon[]): Promise<void> {
    for (const daemon of daemons.length > 0 ? daemons : [...this.#servers.keys()]) {
      const running = this.#servers.get(daemon)
      this.#servers.delete(daemon)
      for (const socket of running?.sockets ?? []) socket.destroy()
      await new Promise<void>((resolve) => (running ? running.server.close(() => resolve()) : resolve()))
    }
  }

  #listen(daemon: FakeDaemon): Promise<void> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('error', () => undefined)
      const reader = new LengthFrameReader(2 ** 21)
      socket.on('data', (bytes: Buffer) => {
        reader.append(bytes)
        const message = reader.next()?.toString()
        if (message === undefined) return
        this.asked.push({ daemon, message })
        const answer = this.answers[daemon](message, socket)
        if (answer !== undefined) socket.end(lengthFrame(Buffer.from(answer)))
      })
    })
    this.#servers.set(daemon, { server, sockets })
    const path = daemonSocketPath(this.home, daemon)
    mkdirSync(dirname(path), { recursive: true })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  }
}
