/** Clients of Wazuh's local socket that ask for the nodes, as cluster_control does it (a connection for each question) or over one connection. */
import { connect } from 'node:net'
import { ClusterFrameReader, clusterFrames } from '../../src/wire/wazuh/clusterFrame.js'
import { answerParent } from '../answerParent.js'

export interface AskedLocally {
  readonly socketPath: string
  readonly seconds: number
  /** Questions under way: clients, or with one connection requests on it. */
  readonly inFlight: number
  readonly areConnectionsKept: boolean
}

const payload = Buffer.from(
  '{"filter_node": null, "offset": 0, "limit": 500, "sort": null, "search": null, "select": null, "filter_type": "all", "distinct": false}',
)
const request = (counter: number): Buffer => Buffer.concat(clusterFrames({ command: 'get_nodes', counter, payload }))

/** Asks over one connection until the time is over, at most `questionsMax` times, one question after the other. */
const askOver = (socketPath: string, questionsMax: number, endMs: number): Promise<{ asked: number; bytes: number }> =>
  new Promise((resolve, reject) => {
    const socket = connect(socketPath)
    const reader = new ClusterFrameReader({ messageBytesMax: 2 ** 24, dividedMax: 1 })
    let asked = 0
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      reader.append(chunk)
      const next = reader.next()
      if (!next.ok) return reject(next.error)
      if (!next.value) return
      const { command, counter, payload: answer } = next.value
      if (command !== 'ok' || counter !== asked) return reject(new Error('This is no answer'))
      asked += 1
      if (asked < questionsMax && performance.now() < endMs) return socket.write(request(asked))
      socket.destroy()
      resolve({ asked, bytes: answer.byteLength })
    })
    socket.write(request(asked))
  })

const calls = {
  /** Questions that are answered a second, and the bytes of an answer. */
  ask: async ({ areConnectionsKept, inFlight, seconds, socketPath }: AskedLocally) => {
    const startMs = performance.now()
    const endMs = startMs + seconds * 1_000
    let asked = 0
    let bytes = 0
    const client = async (): Promise<void> => {
      while (performance.now() < endMs) {
        const done = await askOver(socketPath, areConnectionsKept ? Number.POSITIVE_INFINITY : 1, endMs)
        asked += done.asked
        bytes = done.bytes
      }
    }
    await Promise.all(Array.from({ length: inFlight }, client))
    return { perSecond: (asked * 1_000) / (performance.now() - startMs), bytes }
  },
}

export type LocalClientCalls = typeof calls

answerParent(calls)
