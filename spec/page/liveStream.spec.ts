/** The stream that the page keeps open, on a virtual clock. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StreamMessage } from '../../src/domain/api/overview/streamMessage.js'
import { freshnessOf, silentMsMax } from '../../src/page/freshness.js'
import { LiveStream, retryMs, sessionUseMs } from '../../src/page/liveStream.js'
import { ServiceError } from '../../src/page/serviceError.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'

const tickMs = 1_000
const alive = 'event: alive\ndata: {"nowMs":1}\n\n'
const event = (id: number): string => `event: event\ndata: {"id":${id},"atMs":1,"level":"info","message":"m"}\n\n`

/** A service that opens a stream, or refuses it, as it is set. */
class ScriptedService {
  readonly clock = new VirtualClock()
  readonly messages: StreamMessage[] = []
  readonly openedAfter: number[] = []
  sessionUses = 0
  refusal: Error | undefined
  #current: ReadableStreamDefaultController<Uint8Array> | undefined

  readonly stream = new LiveStream({
    open: async (after, signal) => {
      this.openedAfter.push(after)
      if (this.refusal) throw this.refusal
      return new ReadableStream<Uint8Array>({
        start: (controller) => {
          this.#current = controller
          signal.addEventListener('abort', () => controller.error(new Error('aborted')))
        },
      })
    },
    clock: {
      now: () => this.clock.now(),
      pause: (ms, signal) =>
        new Promise((resolve) => {
          const done = (): void => {
            signal.removeEventListener('abort', done)
            resolve()
          }
          this.clock.setTimeout(done, ms)
          signal.addEventListener('abort', done)
        }),
    },
    onMessage: (message) => this.messages.push(message),
    onLife: () => {},
    useSession: async () => {
      this.sessionUses++
      throw new Error('what a single request brings does not matter')
    },
  })

  send(text: string): void {
    this.#current?.enqueue(new TextEncoder().encode(text))
  }

  end(): void {
    this.#current?.close()
  }

  /** As the page does it: it checks once a second. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += tickMs) {
      await this.clock.advance(tickMs)
      this.stream.check()
    }
    await this.clock.advance(0)
  }
}

describe('the stream of the page', () => {
  it('goes on behind the last event after it was lost', async () => {
    const service = new ScriptedService()
    service.stream.start()
    await service.pass(0)
    service.send(event(1) + event(2))
    await service.pass(0)
    service.end()
    await service.pass(5_000)
    expect(service.openedAfter).toEqual([0, 2])
    expect(service.stream.life.kind).toBe('open')
  })

  it('is dropped and opened again when it says nothing, and not while it says something', async () => {
    const service = new ScriptedService()
    service.stream.start()
    for (let at = 0; at < 10; at++) {
      await service.pass(5_000)
      service.send(alive)
    }
    expect(service.openedAfter).toHaveLength(1)
    await service.pass(silentMsMax + 4_000)
    expect(service.openedAfter).toHaveLength(2)
  })

  it('is tried again for as long as the node does not answer, no more often than every 10 s for long', async () => {
    const service = new ScriptedService()
    service.refusal = new Error('no route')
    service.stream.start()
    await service.pass(200_000)
    expect(service.openedAfter.length).toBeGreaterThan(15)
    expect(service.openedAfter.length).toBeLessThan(25)
    expect(service.stream.life).toEqual({ kind: 'broken', reason: 'The node does not answer.' })
    service.refusal = undefined
    await service.pass(11_000)
    expect(service.stream.life.kind).toBe('open')
  })

  it('ends when the session does, until somebody signs in', async () => {
    const service = new ScriptedService()
    service.refusal = new ServiceError(401, 'Token expired')
    service.stream.start()
    await service.pass(60_000)
    expect(service.openedAfter).toHaveLength(1)
    expect(service.stream.life.kind).toBe('signedOut')
    service.refusal = undefined
    service.stream.start()
    await service.pass(0)
    expect(service.stream.life.kind).toBe('open')
  })

  it('keeps the session in use while somebody sees the page, and not longer', async () => {
    const service = new ScriptedService()
    service.stream.start()
    for (let passedMs = 0; passedMs < 4 * sessionUseMs + 20_000; passedMs += 5_000) {
      await service.pass(5_000)
      service.send(alive)
    }
    expect(service.sessionUses).toBe(4)
    service.stream.pause()
    await service.pass(3 * sessionUseMs)
    expect(service.sessionUses).toBe(4)
  })

  it('is one, however often it is paused and started', async () => {
    const service = new ScriptedService()
    for (let at = 0; at < 5; at++) {
      service.stream.start()
      service.stream.start()
      service.stream.pause()
    }
    service.stream.start()
    await service.pass(0)
    service.send(alive)
    await service.pass(3_000)
    expect(service.messages).toHaveLength(1)
    expect(service.stream.life.kind).toBe('open')
    service.stream.pause()
    await service.pass(30_000)
    expect(service.stream.life.kind).toBe('paused')
    expect(service.openedAfter).toHaveLength(6)
  })

  it('waits longer after each failure, within its bounds', () =>
    fc.assert(
      fc.property(fc.nat(1_000), (failures) => {
        expect(retryMs(failures)).toBeGreaterThanOrEqual(1_000)
        expect(retryMs(failures + 1)).toBeGreaterThanOrEqual(retryMs(failures))
        expect(retryMs(failures)).toBeLessThanOrEqual(10_000)
      }),
    ))
})

const lives = fc.constantFrom(...(['connecting', 'open', 'paused'] as const).map((kind) => ({ kind })), {
  kind: 'broken' as const,
  reason: 'The node does not answer.',
})

describe('what is shown', () => {
  it('is called live only while it was true a moment ago', () =>
    fc.assert(
      fc.property(
        lives,
        fc.option(fc.nat(60_000), { nil: undefined }),
        fc.option(fc.constant('no master'), { nil: undefined }),
        (life, silentMs, problem) => {
          const { kind, reason } = freshnessOf({ life, silentMs, problem })
          if (kind === 'live') {
            expect(silentMs).toBeLessThanOrEqual(life.kind === 'open' ? silentMsMax : 3_000)
            expect(problem).toBeUndefined()
          } else expect(reason).not.toBe('')
          expect(kind === 'never').toBe(silentMs === undefined)
        },
      ),
    ))
})
