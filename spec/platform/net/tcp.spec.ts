/** The session over real sockets, on both families. */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { describe, expect, it } from 'vitest'
import { createTcpNetwork } from '../../../src/platform/net/tcp.js'
import type { Link } from '../../../src/ports/link.js'
import type { Clock } from '../../../src/ports/machine.js'
import { createTransport } from '../../../src/transport/transport.js'
import { forever, hello, patient, recordingAcceptor } from '../../support/sessionPair.js'

const clock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimeout: (fire, delayMs) => setTimeout(fire, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
}
const random = { bytes: (count: number) => randomBytes(count), fraction: () => 0.5 }
const transport = createTransport({ network: createTcpNetwork(), clock, random, keys: { current: 'key' } })
const closed = (link: Link) => new Promise<string>((resolve) => link.onClosed((error) => resolve(error.code)))

describe('a session over TCP', () => {
  it.each(['127.0.0.1', '::1', '[::1]', 'localhost'])('on %s carries requests and streams and closes cleanly', async (host) => {
    const acceptor = recordingAcceptor()
    const listener = await transport.listen({ host, port: 0 }, acceptor.policy)
    const worker = await transport.dial({ host, port: listener.port }, hello, forever)
    const [master] = acceptor.links
    if (!master) throw new Error('no link')
    const payload = randomBytes(10_000)
    const echoes = await Promise.all(Array.from({ length: 100 }, () => worker.request('session.echo', { payload }, patient)))
    for (const echo of echoes) expect(payload.equals(echo.payload)).toBe(true)

    const incoming = worker.expectStream()
    const outgoing = master.openStream(incoming.id)
    const chunk = randomBytes(200_000)
    const sending = (async () => {
      for (let count = 0; count < 60; count++) await outgoing.write(chunk)
      outgoing.end()
    })()
    let received = 0
    for await (const bytes of incoming) {
      expect(chunk.equals(bytes)).toBe(true)
      received += bytes.byteLength
    }
    await sending
    expect(received).toBe(60 * 200_000)

    const ends = [closed(worker), closed(master)]
    master.close('stopping')
    expect(await Promise.all(ends)).toEqual(['peerStopping', 'linkClosed'])
    await listener.close()
    await expect(transport.dial({ host, port: listener.port }, hello, forever)).rejects.toMatchObject({ code: 'dialFailed' })
  })

  it('says in its error where it could not listen', async () => {
    const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, recordingAcceptor().policy)
    const again = transport.listen({ host: '127.0.0.1', port: listener.port }, recordingAcceptor().policy)
    await expect(again).rejects.toMatchObject({ code: 'listenFailed', message: expect.stringContaining(`127.0.0.1:${listener.port}`) })
    await listener.close()
  })

  it('stops dialing when its signal says so', async () => {
    const abort = new AbortController()
    abort.abort()
    await expect(transport.dial({ host: '127.0.0.1', port: 1 }, hello, abort.signal)).rejects.toMatchObject({ code: 'aborted' })
  })
})
