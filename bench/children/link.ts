/** Both ends of real links over TCP: handshake, frames, codec, requests and streams, with no node on top. */
import { randomFillSync } from 'node:crypto'
import { ok } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import { realClock } from '../../src/platform/machine/realClock.js'
import { realRandom } from '../../src/platform/machine/realRandom.js'
import { createTcpNetwork } from '../../src/platform/net/tcp.js'
import type { Link } from '../../src/ports/link.js'
import { createTransport } from '../../src/transport/transport.js'
import { answerParent } from '../answerParent.js'
import { systemMs } from '../systemClock.js'

const transport = createTransport({
  network: createTcpNetwork(),
  clock: realClock,
  random: realRandom,
  keys: { current: 'benchmarkbenchmarkbenchmarkbench' },
  // What a link can do is measured, not what a master grants one peer.
  limits: { peerWorkPercentMax: 100 },
})

const signal = new AbortController().signal
const links: Link[] = []
const requestLimits = { signal, timeoutMs: 60_000 }
const poolChunks = 16

const sendBytes = async (link: Link, stream: number, bytes: number): Promise<void> => {
  const outgoing = link.openStream(stream)
  const chunkBytes = limits.streamChunkBytesMax
  const pool = randomFillSync(Buffer.allocUnsafe(poolChunks * chunkBytes))
  for (let sent = 0, chunk = 0; sent < bytes; sent += chunkBytes, chunk++) {
    const start = (chunk % poolChunks) * chunkBytes
    await outgoing.write(pool.subarray(start, start + chunkBytes))
  }
  outgoing.end()
}

const calls = {
  /** Listens; each link echoes, and sends `streamBytes` over a stream when it is asked to fetch. */
  listen: async ({ streamBytes }: { streamBytes: number }) => {
    const listener = await transport.listen(
      { host: '127.0.0.1', port: 0 },
      {
        admit: () => ok({ cluster: 'bench', node: 'master', version: '1', capabilities: [] }),
        onLink: (link) => {
          link.serve({
            'integrity.fetch': ({ stream }) => {
              void sendBytes(link, stream, streamBytes)
              return {}
            },
          })
        },
        onRefusal: ({ error }) => process.stderr.write(`${error.message}\n`),
      },
    )
    return listener.port
  },

  dial: async ({ port, count }: { port: number; count: number }) => {
    for (let index = 0; index < count; index++) {
      const hello = {
        cluster: 'bench',
        node: `w${links.length}`,
        type: 'worker' as const,
        instance: `${index}`,
        version: '1',
        capabilities: [],
      }
      links.push(await transport.dial({ host: '127.0.0.1', port }, hello, signal))
    }
  },

  /** Requests answered a second, with `inFlight` under way on each link all the time. */
  ask: async ({ bytes, inFlight, seconds }: { bytes: number; inFlight: number; seconds: number }) => {
    const payload = new Uint8Array(bytes).fill(1)
    let answered = 0
    const startMs = systemMs()
    let endMs = startMs + seconds * 1000
    const asker = async (link: Link): Promise<void> => {
      while (systemMs() < endMs) {
        const reply = await link.request('session.echo', { payload }, requestLimits)
        if (reply.payload.byteLength !== bytes) throw new Error('The echo is not what was sent')
        answered += 1
      }
    }
    await Promise.all(links.flatMap((link) => Array.from({ length: inFlight }, () => asker(link))))
    endMs = systemMs()
    return answered / ((endMs - startMs) / 1000)
  },

  /** Seconds from the request to the stream's last byte. */
  fetch: async ({ bytes }: { bytes: number }) => {
    const [link] = links
    if (!link) throw new Error('There is no link')
    const startMs = systemMs()
    const stream = link.expectStream()
    const fetch = { stream: stream.id, paths: '', digests: new Uint8Array(), offsets: [], compress: false }
    await link.request('integrity.fetch', fetch, requestLimits)
    let received = 0
    for await (const chunk of stream) received += chunk.byteLength
    if (received !== bytes) throw new Error(`${received} of ${bytes} bytes came`)
    return (systemMs() - startMs) / 1000
  },
}

export type LinkCalls = typeof calls

answerParent(calls)
