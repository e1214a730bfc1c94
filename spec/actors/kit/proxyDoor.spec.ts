/** The door for connections that proxies forward: who is trusted, what is refused, and that no byte behind a header is lost. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProxyDoor } from '../../../src/actors/kit/proxyDoor.js'
import { Deadlines } from '../../../src/base/deadlines.js'
import { limits } from '../../../src/base/limits.js'
import type { ByteStream, ByteStreamEvents } from '../../../src/ports/network.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { proxyHeaderLine } from '../../../src/wire/proxy/proxyHeader.js'

const header = proxyHeaderLine({ address: '192.0.2.7', port: 40_000 }, { address: '10.0.0.1', port: 1514 })

/** What the network hands out; a test delivers the bytes by hand. */
class HandStream implements ByteStream {
  readonly remoteAddress: string
  events: ByteStreamEvents | undefined
  isPaused = false
  isDestroyed = false

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress
  }

  write(): boolean {
    return true
  }
  pause(): void {
    this.isPaused = true
  }
  resume(): void {
    this.isPaused = false
  }
  end(): void {}
  destroy(): void {
    this.isDestroyed = true
  }
  attach(events: ByteStreamEvents): void {
    this.events = events
  }
}

const doorWith = (onStream: (stream: ByteStream) => void) => {
  const clock = new VirtualClock()
  const deadlines = new Deadlines(clock)
  const refused: string[] = []
  const door = new ProxyDoor({
    proxies: ['10.0.0.0/8'],
    deadlines,
    onStream,
    onRefused: ({ code }, address) => refused.push(`${code} ${address}`),
  })
  return { clock, deadlines, door, refused }
}

const noted = () => {
  const addresses: string[] = []
  const parts: Uint8Array[] = []
  const closed: unknown[] = []
  const onStream = (stream: ByteStream): void => {
    addresses.push(stream.remoteAddress)
    stream.attach({ onBytes: (bytes) => parts.push(bytes), onDrain: () => {}, onClosed: (error) => closed.push(error) })
  }
  return { addresses, closed, onStream, text: () => Buffer.concat(parts).toString('latin1') }
}

const arrive = (stream: HandStream, bytes: Uint8Array): void => stream.events?.onBytes(bytes)

describe('the door of proxies', () => {
  it('hands on a stream with the address in its header, and all that follows, however it is split', () =>
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 6 }), fc.string({ maxLength: 80 }), (cuts, text) => {
        const { addresses, onStream, text: received } = noted()
        const { door } = doorWith(onStream)
        const stream = new HandStream('10.9.9.9')
        door.accept(stream)
        const rest = Buffer.from(text)
        const bytes = Buffer.concat([header, rest])
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        places.slice(1).forEach((end, i) => {
          arrive(stream, bytes.subarray(places[i], end))
        })
        expect([addresses, received()]).toEqual([['192.0.2.7'], rest.toString('latin1')])
      }),
    ))

  it('hands on who is not listed at once, whose header is then no more than bytes', () => {
    const { addresses, onStream, text } = noted()
    const { door } = doorWith(onStream)
    const stream = new HandStream('192.0.2.9')
    door.accept(stream)
    arrive(stream, header)
    expect([addresses, text()]).toEqual([['192.0.2.9'], Buffer.from(header).toString('latin1')])
  })

  it('refuses a listed proxy that sends something else, cuts its header short, or sends none in time', async () => {
    const { addresses, onStream } = noted()
    const { clock, door, refused } = doorWith(onStream)
    const [garbage, short, silent, dripping] = Array.from({ length: 4 }, () => new HandStream('10.9.9.9'))
    for (const stream of [garbage, short, silent, dripping]) if (stream) door.accept(stream)
    if (garbage) arrive(garbage, Buffer.from('\x10\0\0\0!001!#AES:'))
    if (short) arrive(short, header.subarray(0, 10))
    short?.events?.onClosed()
    for (let i = 0; i < header.length - 1; i++) {
      await clock.advance(limits.proxyHeaderMsMax / header.length)
      if (dripping) arrive(dripping, header.subarray(i, i + 1))
    }
    await clock.advance(limits.proxyHeaderMsMax)
    expect([addresses, refused]).toEqual([
      [],
      ['malformed 10.9.9.9', 'malformed 10.9.9.9', 'handshakeTimeout 10.9.9.9', 'handshakeTimeout 10.9.9.9'],
    ])
    expect([garbage, silent, dripping].map((stream) => stream?.isDestroyed)).toEqual([true, true, true])
  })

  it('says nothing of a balancer that only sees whether somebody listens', () => {
    const { addresses, onStream } = noted()
    const { door, refused } = doorWith(onStream)
    const stream = new HandStream('10.9.9.9')
    door.accept(stream)
    stream.events?.onClosed()
    expect([addresses, refused]).toEqual([[], []])
  })

  it('keeps what came with the header while the reader pauses', async () => {
    const parts: string[] = []
    const streams: ByteStream[] = []
    const { door } = doorWith((stream) => {
      streams.push(stream)
      stream.attach({ onBytes: (bytes) => parts.push(Buffer.from(bytes).toString()), onDrain: () => {}, onClosed: () => {} })
      stream.pause()
    })
    const stream = new HandStream('10.9.9.9')
    door.accept(stream)
    arrive(stream, Buffer.concat([header, Buffer.from('hello')]))
    expect([parts, stream.isPaused]).toEqual([[], true])
    streams[0]?.resume()
    arrive(stream, Buffer.from(' world'))
    await Promise.resolve()
    expect(parts.join('')).toBe('hello world')
  })

  it('bounds those that wait, and lets go of them all when it stops', async () => {
    const { onStream } = noted()
    const { clock, deadlines, door, refused } = doorWith(onStream)
    const streams = Array.from({ length: limits.proxyHeadersMax + 1 }, () => new HandStream('10.9.9.9'))
    for (const stream of streams) door.accept(stream)
    expect(refused).toEqual(['overloaded 10.9.9.9'])
    door.stop()
    expect(streams.every((stream) => stream.isDestroyed)).toBe(true)
    deadlines.clear()
    await clock.advance(limits.proxyHeaderMsMax)
    expect(refused).toHaveLength(1)
  })
})
