/** Opaque requests between two nodes: what arrives, what they may cost, and what becomes of them when a peer lies, waits or is gone. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CarriedLoad, type CarriedWork, carriedAnswersInput } from '../../../src/actors/manager/carriedAnswers.js'
import { type CarriedRequest, CarriedRequests } from '../../../src/actors/manager/carriedRequest.js'
import { ClusterError, ok } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import type { IncomingStream, Link } from '../../../src/ports/link.js'
import type { CarriedAnswer } from '../../../src/ports/manager.js'
import { encodeCarriedHead } from '../../../src/wire/muster/carriedHead.js'
import { recordingLog } from '../../support/recordingLog.js'
import { forever, hello, outcome, patient, recordingAcceptor, sessionPair, welcome } from '../../support/sessionPair.js'

const dapi = (request: Uint8Array): CarriedRequest => ({ kind: 'dapi', request })
const sendsync = (request: Uint8Array): CarriedRequest => ({ kind: 'sendsync', daemon: 'authd', request })
const small = Buffer.from('{"f":1}')

const answerOf = (...chunks: readonly Uint8Array[]): CarriedAnswer => ({
  bytes: chunks.reduce((sum, { byteLength }) => sum + byteLength, 0),
  content: (async function* () {
    yield* chunks
  })(),
})

const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

const whole = async ({ content }: CarriedAnswer): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const capabilities = ['carry']

/** Two nodes with managers; `of` asks the other. */
const nodes = async (work: Partial<CarriedWork> = {}, readSizes?: readonly number[]) => {
  const pair = await sessionPair(
    readSizes ? { readSizes } : {},
    {},
    recordingAcceptor(() => ok({ ...welcome, capabilities })),
    { ...hello, capabilities },
  )
  const load = new CarriedLoad()
  const log = recordingLog()
  const crashes: unknown[] = []
  const abort = new AbortController()
  const full: CarriedWork = { dapi: async (request) => answerOf(request), sendsync: async (_, message) => answerOf(message), ...work }
  const serve = (link: Link, ofNode: CarriedWork): void => {
    const input = carriedAnswersInput({ link, work: ofNode, load, clock: pair.clock, log })
    link.serve(input.answers({ signal: abort.signal, crash: (thrown) => crashes.push(thrown) }), {
      onCrash: (thrown) => crashes.push(thrown),
    })
  }
  serve(pair.master, full)
  serve(pair.worker, { ...full, sendsync: undefined })
  const asking = (link: Link) => new CarriedRequests(link, { clock: pair.clock, requestMsMax: 20_000 })
  const [fromWorker, fromMaster] = [asking(pair.worker), asking(pair.master)]
  /** What came of it, whole. */
  const asked = (by: CarriedRequests, request: CarriedRequest, signal = forever) => by.carry(request, signal).then(whole)
  const settled = <T>(promise: Promise<T>, maxMs?: number) => outcome(pair.clock, promise, maxMs)
  return { ...pair, load, log, crashes, fromMaster, fromWorker, asked, settled }
}

/** The other end of a request, by hand. */
const byHand = async (link: Link, kind: 'dapi' | 'sendsync', bytes: number, sent: readonly Uint8Array[], daemon?: string) => {
  const answer = link.expectStream()
  const { question } = await link.request('manager.carry', { kind, bytes, answer: answer.id, ...(daemon && { daemon }) }, patient)
  const out = link.openStream(question)
  for (const chunk of sent) await out.write(chunk)
  out.end()
  const chunks: Uint8Array[] = []
  for await (const chunk of answer) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('a request between two nodes', () => {
  it('arrives byte for byte, and so does its answer, in both directions and however the wire cuts it', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 600_000, size: 'max' }),
        fc.array(fc.uint8Array({ maxLength: 300_000, size: 'max' }), { maxLength: 3 }),
        fc.array(fc.integer({ min: 1_000, max: 100_000 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('fromMaster', 'fromWorker'),
        async (request, chunks, readSizes, asker) => {
          const seen: Uint8Array[] = []
          const world = await nodes(
            {
              dapi: async (given) => {
                seen.push(given)
                return answerOf(...chunks)
              },
            },
            readSizes,
          )
          const { value } = await world.settled(world.asked(world[asker], dapi(request)))
          expect(value?.equals(Buffer.concat(chunks))).toBe(true)
          expect(seen.map((given) => Buffer.compare(given, request))).toEqual([0])
          expect([world.load.isIdle, world.crashes]).toEqual([true, []])
        },
      ),
      { numRuns: 12 },
    ))

  it('to a daemon goes to the master with its name, and the log has no word of what is in it', async () => {
    const names: string[] = []
    const world = await nodes({
      sendsync: async (daemon, message) => {
        names.push(daemon)
        return answerOf(message)
      },
    })
    expect(await world.settled(world.asked(world.fromWorker, sendsync(Buffer.from('secret'))))).toEqual({ value: Buffer.from('secret') })
    expect(names).toEqual(['authd'])
    expect(world.log.lines.join('\n')).toContain('A request to authd (6 bytes): 6 bytes after')
    expect(world.log.lines.join('\n')).not.toContain('secret')
  })

  it('brings an exception of the framework back whole, however long', async () => {
    const exception = JSON.stringify({ __wazuh_exception__: 'x'.repeat(200_000) })
    const world = await nodes({
      dapi: async () => {
        throw new ClusterError('managerRefused', { message: exception })
      },
    })
    const { error } = await world.settled(world.asked(world.fromWorker, dapi(small)))
    expect(error).toMatchObject({ code: 'managerRefused', message: exception })
  })

  it('fails with the code and the sentence of what failed on the other node', async () => {
    const world = await nodes({
      dapi: async () => {
        throw new ClusterError('apiBridgeOff', { message: 'It is off' })
      },
    })
    const { error } = await world.settled(world.asked(world.fromMaster, dapi(small)))
    expect(error).toMatchObject({ code: 'apiBridgeOff', message: 'It is off' })
    expect(world.crashes).toEqual([])
  })

  it('is not sent to a node without a manager', async () => {
    const { clock, worker } = await sessionPair()
    const { error } = await outcome(clock, new CarriedRequests(worker, { clock, requestMsMax: 1_000 }).carry(dapi(small), forever))
    expect(error).toMatchObject({ code: 'managerFailed' })
  })

  it('is refused for a daemon that may not be asked, at a worker for any daemon, and where it is too long', async () => {
    const { master, settled, worker, fromWorker } = await nodes()
    for (const daemon of ['wazuh-db', 'analysis', ''])
      expect((await settled(byHand(worker, 'sendsync', 2, [Buffer.from('{}')], daemon))).error).toMatchObject({ code: 'argumentsInvalid' })
    expect((await settled(byHand(master, 'sendsync', 2, [Buffer.from('{}')], 'authd'))).error).toMatchObject({ code: 'notOnWorker' })
    const tooLong = limits.daemonRequestBytesMax + 1
    expect((await settled(byHand(worker, 'sendsync', tooLong, [], 'authd'))).error).toMatchObject({ code: 'tooLarge' })
    const { error } = await settled(fromWorker.carry(sendsync(Buffer.alloc(tooLong)), forever))
    expect(error).toMatchObject({ code: 'tooLarge' })
  })
})

describe('a request that takes long', () => {
  it.each([
    ['dapi', limits.carriedMsMax],
    ['sendsync', limits.daemonAnswerMsMax],
  ] as const)('of the kind %s is given up after %d ms on both nodes, and not before', async (kind, msMax) => {
    const aborted: unknown[] = []
    const wait = (signal: AbortSignal) => never(signal).catch((reason: ClusterError) => Promise.reject(aborted.push(reason.code)))
    const world = await nodes({ dapi: (_, signal) => wait(signal), sendsync: (_, __, signal) => wait(signal) })
    const asking = world.settled(world.asked(world.fromWorker, kind === 'dapi' ? dapi(small) : sendsync(small)), 2 * msMax)
    await asking.then(({ error }) => expect(error).toMatchObject({ code: 'requestTimeout' }))
    expect(world.clock.now()).toBeGreaterThanOrEqual(msMax)
    await world.clock.advance(1_000)
    expect([aborted, world.load.isIdle]).toEqual([['requestTimeout'], true])
  })

  it('is answered late all the same, when the answer comes within its time', async () => {
    const world = await nodes({
      sendsync: (_, message) =>
        new Promise((resolve) => world.clock.setTimeout(() => resolve(answerOf(message)), limits.daemonAnswerMsMax - 1_000)),
    })
    const { value } = await world.settled(world.asked(world.fromWorker, sendsync(small)), limits.daemonAnswerMsMax)
    expect(value).toEqual(small)
  })

  it('ends on the other node when nobody waits for it any more', async () => {
    const ended: string[] = []
    const world = await nodes({ dapi: (_, signal) => never(signal).finally(() => ended.push('work')) })
    const abort = new AbortController()
    const asking = world.asked(world.fromMaster, dapi(small), abort.signal).catch(({ code }: ClusterError) => code)
    await world.clock.advance(1_000)
    expect([ended, world.load.isIdle]).toEqual([[], false])
    abort.abort()
    expect(await asking).toBe('aborted')
    await world.clock.advance(1_000)
    expect([ended, world.load.isIdle]).toEqual([['work'], true])
  })

  it('ends on both nodes with the link, before the answer and in the middle of it', async () => {
    for (const isBegun of [false, true]) {
      const ended: string[] = []
      const world = await nodes({
        dapi: async (_, signal) => {
          if (!isBegun) return never(signal).finally(() => ended.push('work'))
          return {
            bytes: 1_000_000,
            content: (async function* () {
              try {
                yield Buffer.alloc(1_000)
                await never(signal)
              } finally {
                ended.push('work')
              }
            })(),
          }
        },
      })
      const asking = world.asked(world.fromWorker, dapi(small)).catch(({ code }: ClusterError) => code)
      await world.clock.advance(1_000)
      for (const [dialer] of world.network.streams) dialer.destroy()
      await world.clock.advance(1_000)
      expect(await asking).toBe('linkLost')
      await world.clock.advance(1_000)
      expect([isBegun, ended, world.load.isIdle]).toEqual([isBegun, ['work'], true])
    }
  })
})

describe('what requests may cost', () => {
  it('an answer that nobody reads is taken from its source as far as one window, and given up in time', async () => {
    let taken = 0
    const chunk = Buffer.alloc(100_000)
    const world = await nodes({
      dapi: async () => ({
        bytes: limits.carriedBytesMax,
        content: (async function* () {
          for (; taken < limits.carriedBytesMax; taken += chunk.byteLength) yield chunk
        })(),
      }),
    })
    const { value } = await world.settled(world.fromWorker.carry(dapi(small), forever))
    await world.clock.advance(10_000)
    expect(value?.bytes).toBe(limits.carriedBytesMax)
    expect(taken).toBeLessThan(2 * limits.streamWindowBytes)
    await world.clock.advance(limits.carriedMsMax)
    expect(world.load.isIdle).toBe(true)
    const { error } = await world.settled(whole(value ?? answerOf()))
    expect(error).toMatchObject({ code: expect.stringMatching(/requestTimeout|transferFailed/) })
  })

  it('some run at once, others wait, a flood is refused, and the other kind has places of its own', async () => {
    let running = 0
    let most = 0
    const world = await nodes({
      dapi: async (request) => {
        running += 1
        most = Math.max(most, running)
        await new Promise<void>((resolve) => world.clock.setTimeout(resolve, 1_000))
        running -= 1
        return answerOf(request)
      },
    })
    const count = limits.carriedPerLinkMax + limits.carriedWaitingMax
    const asking = Array.from({ length: count + 3 }, () =>
      world.asked(world.fromWorker, dapi(small)).catch(({ code }: ClusterError) => code),
    )
    const other = await world.settled(world.asked(world.fromWorker, sendsync(small)))
    expect([other.value, running]).toEqual([small, limits.carriedPerLinkMax])
    await world.clock.advance(1_000 * (1 + count / limits.carriedPerLinkMax))
    const answers = await Promise.all(asking)
    expect(answers.filter((answer) => answer === 'overloaded')).toHaveLength(3)
    expect(answers.filter((answer) => Buffer.isBuffer(answer))).toHaveLength(count)
    expect([most, running, world.load.isIdle]).toEqual([limits.carriedPerLinkMax, 0, true])
  })

  it('a peer that takes back what it asked for is refused over its number, until the work ended', async () => {
    let begun = 0
    const world = await nodes({
      dapi: (_, signal) => {
        begun += 1
        // It takes its time to end.
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => world.clock.setTimeout(() => reject(signal.reason), 5_000), { once: true }),
        )
      },
    })
    const codes: unknown[] = []
    for (let turn = 0; turn < 3 * limits.carriedPerLinkMax; turn++) {
      const answer = world.worker.expectStream()
      const asked = world.worker.request('manager.carry', { kind: 'dapi', bytes: 0, answer: answer.id }, patient)
      const { error, value } = await world.settled(asked)
      codes.push(error instanceof ClusterError ? error.code : 'taken')
      if (value) world.worker.openStream(value.question).end()
      await world.clock.advance(10)
      answer.cancel()
    }
    expect(begun).toBe(limits.carriedPerLinkMax)
    expect(codes.filter((code) => code === 'overloaded')).toHaveLength(2 * limits.carriedPerLinkMax)
    await world.clock.advance(10_000)
    expect(world.load.isIdle).toBe(true)
  })

  it('a request of another length than it says is not carried out, and a length alone takes no memory', async () => {
    let carried = 0
    const world = await nodes({
      dapi: async () => {
        carried += 1
        return answerOf()
      },
    })
    const { settled, worker } = world
    expect((await settled(byHand(worker, 'dapi', 5, [Buffer.alloc(6)]))).error).toMatchObject({ code: 'malformed' })
    const before = process.memoryUsage().arrayBuffers
    expect((await settled(byHand(worker, 'dapi', limits.carriedRequestBytesMax, [Buffer.alloc(5)]))).error).toMatchObject({
      code: 'transferFailed',
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(limits.carriedRequestBytesMax / 4)
    expect([carried, world.load.isIdle]).toEqual([0, true])
  })

  it('a request that comes a byte a minute has no more time than any other', async () => {
    const { clock, load, settled, worker } = await nodes()
    const answer = worker.expectStream('control', limits.daemonAnswerMsMax)
    const body = { kind: 'dapi', bytes: 100, answer: answer.id } as const
    const { value } = await settled(worker.request('manager.carry', body, patient))
    const out = worker.openStream(value?.question ?? 0)
    for (let sent = 0; sent < 3; sent++) {
      await out.write(Buffer.from('x'))
      await clock.advance(60_000)
    }
    expect([load.isIdle, out.signal.aborted]).toEqual([false, false])
    await clock.advance(limits.carriedMsMax - 180_000)
    expect(load.isIdle).toBe(true)
    expect(out.signal.reason).toMatchObject({ code: 'requestTimeout' })
    const { error } = await settled(whole({ bytes: 0, content: answer }))
    expect(error).toMatchObject({ code: 'requestTimeout' })
  })

  it('requests of one peer that are held together have a bound', async () => {
    const world = await nodes({ dapi: (_, signal) => never(signal) })
    const half = Buffer.alloc(limits.carriedRequestBytesMax / 2)
    const abort = new AbortController()
    const first = world.asked(world.fromWorker, dapi(half), abort.signal).catch(({ code }: ClusterError) => code)
    await world.clock.advance(1_000)
    const second = await world.settled(world.asked(world.fromWorker, dapi(Buffer.concat([half, small]))))
    expect(second.error).toMatchObject({ code: 'overloaded' })
    abort.abort()
    expect(await first).toBe('aborted')
    await world.clock.advance(1_000)
    expect(world.load.isIdle).toBe(true)
  })
})

describe('a peer that lies about its answer', () => {
  const head = (bytes: number, isException = false) => encodeCarriedHead({ bytes, isException })
  it.each([
    ['is longer than it says', [head(3), Buffer.alloc(4)], 'malformed'],
    ['is shorter than it says', [head(3), Buffer.alloc(2)], 'transferFailed'],
    ['ends in its head', [head(3).subarray(0, 5)], 'transferFailed'],
    ['has no head', [], 'transferFailed'],
    ['is of another kind', [Buffer.from([7, 0, 0, 0, 0, 0, 0, 0, 0])], 'malformed'],
    ['says to be huge', [head(limits.carriedBytesMax + 1)], 'tooLarge'],
    ['is a huge exception', [head(limits.carriedExceptionBytesMax + 1, true)], 'tooLarge'],
  ] as const)('gets an error when it %s', async (_, sent, code) => {
    const pair = await sessionPair(
      {},
      {},
      recordingAcceptor(() => ok({ ...welcome, capabilities })),
      { ...hello, capabilities },
    )
    pair.master.serve({
      'manager.carry': ({ answer }) => {
        const question: IncomingStream = pair.master.expectStream()
        const out = pair.master.openStream(answer)
        void (async () => {
          for await (const _chunk of question);
          for (const chunk of sent) await out.write(chunk)
          out.end()
        })().catch(() => undefined)
        return { question: question.id }
      },
    })
    const requests = new CarriedRequests(pair.worker, { clock: pair.clock, requestMsMax: 20_000 })
    const { error } = await outcome(pair.clock, requests.carry(dapi(small), forever).then(whole))
    expect(error).toMatchObject({ code })
    // The link goes on, and nothing is left of it.
    expect((await outcome(pair.clock, pair.worker.request('session.echo', { payload: small }, patient))).value).toBeDefined()
  })
})
