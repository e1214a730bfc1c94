/** Wazuh's local socket over a node that does as a test says, and raw clients of it. */
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import type { NodeHealth } from '../../../src/domain/queries/clusterAnswer.js'
import { wazuhSocketPath } from '../../../src/localSocket/controlSocketPath.js'
import type { LocalLimits } from '../../../src/localSocket/wazuh/localConnection.js'
import type { LocalNode } from '../../../src/localSocket/wazuh/localNode.js'
import { startLocalServer } from '../../../src/localSocket/wazuh/localServer.js'
import type { CarriedAnswer } from '../../../src/ports/manager.js'
import { ClusterFrameReader, type ClusterMessage, clusterFrameBytesMax, clusterFrames } from '../../../src/wire/wazuh/clusterFrame.js'
import { recordingLog, temporaryHome } from '../../programs/controlWorld.js'

/** As the stub of the recordings says it. */
const startMs = Date.parse('2026-01-02T03:04:05Z') + 678.901
const span = { startMs, endMs: Date.parse('2026-01-02T03:04:06Z') }

const healthOf = (name: string, ip: number, activeAgents: number, worker?: NodeHealth['worker']): NodeHealth => ({
  ...{ name, type: worker ? 'worker' : 'master', version: '4.14.7', address: `127.0.0.${ip}`, activeAgents },
  ...(worker && { worker }),
})

const chunked = { ...span, chunks: 1 }
const common = { lastKeepAliveMs: startMs, integrityCheck: span, agentInfoFree: true, agentInfo: chunked, agentGroups: chunked }

/** m1, w1 and w2: w2 was never synchronized. */
export const recordedNodes: readonly NodeHealth[] = [
  healthOf('m1', 1, 1),
  healthOf('w1', 2, 3, {
    ...common,
    integrityFree: true,
    integritySync: { ...span, missing: 1, shared: 2, extra: 3 },
    agentGroupsFull: { ...span, chunks: 0 },
  }),
  healthOf('w2', 3, 0, { ...common, integrityFree: false }),
]

export const configuration = {
  ...{ disabled: false, node_type: 'master', name: 'wazuh', node_name: 'm1', key: '0'.repeat(32), port: 1516 },
  ...{ bind_addr: '127.0.0.1', nodes: ['127.0.0.1'], hidden: 'no' },
}

export const carried = (...pieces: readonly (string | Uint8Array)[]): CarriedAnswer => {
  const parts = pieces.map((piece) => Buffer.from(piece))
  return { bytes: Buffer.concat(parts).byteLength, content: contentOf(parts) }
}

async function* contentOf(parts: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield part
}

const refused = () => Promise.reject(new ClusterError('apiBridgeOff'))

export const scriptedNode = (
  changes: Partial<Omit<LocalNode, 'requests'>> & { requests?: Partial<LocalNode['requests']> } = {},
): LocalNode => ({
  type: 'master',
  configuration,
  async *query(query): AsyncGenerator<AnswerLine> {
    yield { kind: 'cluster', name: 'wazuh', unknownNodes: [] }
    for (const node of recordedNodes) yield query.kind === 'health' ? { kind: 'health', node } : { kind: 'node', node }
    yield { kind: 'end' }
  },
  rulesetDigests: () => Promise.resolve({}),
  ...changes,
  requests: {
    ...{ sendsync: refused, dapi: refused, dapiForward: refused, reloadRulesetAfterCheck: () => undefined },
    ...changes.requests,
  },
})

export const serveLocal = async (node: LocalNode = scriptedNode(), changed: Partial<LocalLimits> = {}) => {
  const socketPath = wazuhSocketPath(temporaryHome())
  const log: string[] = []
  const server = await startLocalServer({ socketPath, node, log: recordingLog(log), limits: { ...limits, ...changed } })
  onTestFinished(() => server.close())
  return { log, server, socketPath }
}

export interface LocalClient {
  readonly socket: Socket
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>
  send(command: string, counter: number, payload?: string | Uint8Array): void
  /** The next frame of the server; fails when it closes the connection before. */
  next(): Promise<ClusterMessage>
  /** Sends a request and returns what it is answered with. */
  ask(command: string, payload?: string | Uint8Array): Promise<{ readonly command: string; readonly text: string }>
}

export const localClient = (socketPath: string): LocalClient => {
  const socket = connect(socketPath)
  const reader = new ClusterFrameReader({ messageBytesMax: 2 ** 30, dividedMax: 10 })
  const frames: ClusterMessage[] = []
  const waiting: { resolve: (frame: ClusterMessage) => void; reject: (error: Error) => void }[] = []
  let isClosed = false
  socket.on('data', (chunk) => {
    reader.append(chunk)
    for (let next = reader.next(); next.ok && next.value; next = reader.next()) {
      const first = waiting.shift()
      if (first) first.resolve(next.value)
      else frames.push(next.value)
    }
  })
  // These clients exist to be cut off in the middle of sending.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) =>
    socket.on('close', () => {
      isClosed = true
      for (const { reject } of waiting) reject(new Error('closed'))
      resolve()
    }),
  )
  onTestFinished(() => {
    socket.destroy()
  })
  let counter = 4_000_000_000
  const send: LocalClient['send'] = (command, own, payload = '') => {
    for (const part of clusterFrames({ command, counter: own, payload: Buffer.from(payload) })) socket.write(part)
  }
  const next: LocalClient['next'] = () =>
    new Promise((resolve, reject) => {
      const frame = frames.shift()
      if (frame) resolve(frame)
      else if (isClosed) reject(new Error('closed'))
      else waiting.push({ resolve, reject })
    })
  return {
    ...{ closed, next, send, socket },
    ask: async (command, payload) => {
      const mine = counter++
      send(command, mine, payload)
      const answer = await next()
      if (answer.counter !== mine) throw new Error(`An answer to ${answer.counter}`)
      return { command: answer.command, text: answer.payload.toString() }
    },
  }
}

/** The number and what is said besides it, of an error's JSON. */
export const exceptionIn = (text: string): readonly [number, string | null] => {
  const { code, extra_message } = JSON.parse(text).__wazuh_exception__.__object__
  return [code, extra_message]
}

/** Takes a string of the server as Wazuh's clients do, and says how it ended. */
export const takeString = async (client: LocalClient, id = '77') => {
  let announced = 0
  let content = ''
  let pieces = 0
  for (;;) {
    const { command, counter, payload } = await client.next()
    const text = payload.toString('latin1')
    if (command === 'new_str') {
      announced = Number(text)
      client.send('ok', counter, id)
    } else if (command === 'str_upd') {
      if (!text.startsWith(`${id} `) || payload.byteLength > clusterFrameBytesMax) throw new Error('This is not a piece of the string')
      content += text.slice(id.length + 1)
      pieces += 1
      client.send('ok', counter, 'String updated')
    } else {
      client.send('ok', counter, 'Response received')
      return { announced, command, content, pieces, text }
    }
  }
}
