/** What two connected nodes can rely on: requests, notices, streams, back-pressure, and a clean end. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import type { IncomingStream, Link } from '../../src/ports/link.js'
import { SessionLink } from '../../src/transport/sessionLink.js'
import { forever, hello, outcome, patient, sessionPair } from '../support/sessionPair.js'

const digest = new Uint8Array(32)
const check = { root: digest, items: digest, files: 1 }

const collect = async (stream: IncomingStream): Promise<Buffer[]> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return chunks
}

const closing = (link: Link): { error: ClusterError | undefined } => {
  const closed: { error: ClusterError | undefined } = { error: undefined }
  link.onClosed((error) => {
    expect(closed.error).toBeUndefined()
    closed.error = error
  })
  return closed
}

const leftOpen = (link: Link): unknown => (link instanceof SessionLink ? link.pending : undefined)
const nothingOpen = { asked: 0, incoming: 0, outgoing: 0, queuedBytes: 0 }

describe('requests', () => {
  it('are each answered with their own reply, whatever the order of answers and the cuts of the stream', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ payload: fc.uint8Array({ maxLength: 2_000 }), delayMs: fc.integer({ min: 0, max: 50 }) }), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 10 }),
        async (asked, readSizes) => {
          const { clock, worker, master } = await sessionPair({ readSizes }, { limits: { framesPerRekey: 3 } })
          let at = 0
          master.serve({
            'session.echo': ({ payload }) =>
              new Promise((resolve) => clock.setTimeout(() => resolve({ payload }), asked[at++]?.delayMs ?? 0)),
          })
          const all = Promise.all(asked.map(({ payload }) => worker.request('session.echo', { payload }, patient)))
          const { value } = await outcome(clock, all)
          expect(value?.map((reply) => Buffer.from(reply.payload))).toEqual(asked.map(({ payload }) => Buffer.from(payload)))
        },
      ),
      { numRuns: 40 },
    ))

  it('all leave in one frame when they are asked in one turn', async () => {
    const { clock, worker } = await sessionPair()
    const before = worker.counters.framesSent
    await outcome(clock, Promise.all(Array.from({ length: 64 }, () => worker.request('session.echo', { payload: digest }, patient))))
    expect(worker.counters.framesSent - before).toBe(1)
    expect(worker.counters.framesReceived).toBe(2)
  })

  it('end with requestTimeout exactly at their time, and an answer that comes later is ignored', async () => {
    const { clock, worker, master } = await sessionPair()
    master.serve({ 'session.echo': (body) => new Promise((resolve) => clock.setTimeout(() => resolve(body), 500)) })
    const startMs = clock.monotonicMs()
    const times = [300, 100, 200, 100].map(async (timeoutMs) => {
      const asked = worker.request('session.echo', { payload: digest }, { signal: forever, timeoutMs })
      await expect(asked).rejects.toMatchObject({ code: 'requestTimeout' })
      return clock.monotonicMs() - startMs
    })
    expect((await outcome(clock, Promise.all(times))).value).toEqual([300, 100, 200, 100])
    await clock.advance(1_000)
    master.serve({ 'integrity.check': () => ({ same: true }) })
    expect((await outcome(clock, worker.request('integrity.check', check, patient))).value).toEqual({ same: true })
  })

  it('end when their signal is aborted, and no others do', async () => {
    const { clock, worker, master } = await sessionPair()
    master.serve({ 'session.echo': (body) => new Promise((resolve) => clock.setTimeout(() => resolve(body), 10)) })
    const abort = new AbortController()
    const stopped = Promise.allSettled(
      [1, 2].map(() => worker.request('session.echo', { payload: digest }, { signal: abort.signal, timeoutMs: 1_000 })),
    )
    const other = worker.request('session.echo', { payload: digest }, patient)
    await clock.settle()
    abort.abort()
    expect((await outcome(clock, stopped)).value).toMatchObject([{ reason: { code: 'aborted' } }, { reason: { code: 'aborted' } }])
    expect((await outcome(clock, other)).value).toBeDefined()
  })

  it('that have no handler, throw or crash end in their error and leave the link as it was', async () => {
    const { clock, worker, master } = await sessionPair()
    const ask = () => outcome(clock, worker.request('integrity.check', check, patient))
    expect((await ask()).error).toMatchObject({ code: 'requestFailed' })
    const crashes: unknown[] = []
    const bug = new Error('secret detail')
    const bugOfAPort = new ClusterError('internal', { message: 'secret detail' })
    const stops = [new ClusterError('itemsDiffer', { message: 'They differ' }), bug, bugOfAPort]
    const stopServing = master.serve(
      {
        'integrity.check': () => {
          throw stops.shift() ?? bug
        },
      },
      { onCrash: (thrown) => crashes.push(thrown) },
    )
    expect((await ask()).error).toMatchObject({ code: 'itemsDiffer', message: 'They differ' })
    for (const crashed of [(await ask()).error, (await ask()).error]) {
      expect(crashed).toMatchObject({ code: 'requestFailed' })
      expect(String(crashed)).not.toContain('secret')
    }
    expect(crashes).toEqual([bug, bugOfAPort])
    stopServing()
    expect((await ask()).error).toMatchObject({ code: 'requestFailed' })
  })

  it('over what the peer serves at once, or the link holds at once, are refused as overloaded', async () => {
    const { clock, worker, master } = await sessionPair({}, { limits: { requestsServedMax: 3, requestsInFlightMax: 5 } })
    master.serve({ 'session.echo': (body) => new Promise((resolve) => clock.setTimeout(() => resolve(body), 10)) })
    const asked = Promise.allSettled(Array.from({ length: 7 }, () => worker.request('session.echo', { payload: digest }, patient)))
    const codes = (await outcome(clock, asked)).value?.map((ended) => (ended.status === 'fulfilled' ? 'ok' : ended.reason.code))
    expect(codes).toEqual(['ok', 'ok', 'ok', 'overloaded', 'overloaded', 'overloaded', 'overloaded'])
  })

  it('a second hello closes the link as a wrong state', async () => {
    const { clock, worker, master } = await sessionPair()
    const [ours, theirs] = [closing(master), closing(worker)]
    await outcome(clock, worker.request('session.hello', hello, patient))
    expect([ours.error?.code, theirs.error?.code]).toEqual(['wrongState', 'wrongState'])
  })
})

describe('the bytes of a link', () => {
  it('are counted on both sides by what they are about, and never more than there were', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('file', 'agents', 'groups', 'control'), { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 6 }),
        async (kinds, readSizes) => {
          const { clock, worker, master } = await sessionPair({ readSizes })
          const groups = { table: 't'.repeat(64), version: 1, hash: 'h', ids: '' }
          master.serve({ 'integrity.check': () => ({ same: true }), 'agentGroups.ask': () => groups, 'agents.remove': () => ({}) })
          const said = { file: 0, agents: 0, groups: 0, control: 0 }
          const act = async (kind: keyof typeof said, at: number): Promise<void> => {
            const stream = worker.expectStream(kind)
            const out = master.openStream(stream.id, kind)
            said[kind] += 10 * (at + 1)
            await out.write(new Uint8Array(10 * (at + 1)))
            out.end()
            await collect(stream)
            if (kind === 'file') await worker.request('integrity.check', check, patient)
            if (kind === 'agents') await worker.request('agents.remove', { id: 1 }, patient)
            if (kind === 'groups') await worker.request('agentGroups.ask', {}, patient)
            if (kind === 'groups') master.notify('agentGroups.state', groups)
          }
          expect((await outcome(clock, Promise.all(kinds.map(act)))).error).toBeUndefined()
          for (const [from, to] of [
            [worker, master],
            [master, worker],
          ] as const) {
            const { bytesSent, sorted } = from.counters
            const { bytesReceived, sorted: there } = to.counters
            expect(bytesReceived).toBe(bytesSent)
            expect(sorted.sent.file + sorted.sent.agents + sorted.sent.groups).toBeLessThan(bytesSent)
            for (const kind of ['file', 'agents', 'groups'] as const) {
              expect(sorted.sent[kind] > 0, kind).toBe(kinds.includes(kind))
              expect(sorted.sent[kind]).toBeGreaterThanOrEqual(there.received[kind])
              // A record has its own few bytes before the message.
              expect(sorted.sent[kind] - there.received[kind]).toBeLessThanOrEqual(16 * 2 * kinds.length)
              if (from === master) expect(there.received[kind]).toBeGreaterThanOrEqual(said[kind])
            }
          }
        },
      ),
      { numRuns: 30 },
    ))
})

describe('notices', () => {
  it('come in order, to all subscribers', async () => {
    const { clock, worker, master } = await sessionPair()
    const received: number[][] = [[], []]
    for (const list of received) worker.subscribe({ 'integrity.changed': ({ root }) => list.push(root[0] ?? -1) })
    for (let at = 0; at < 5; at++) {
      master.notify('integrity.changed', { root: new Uint8Array(32).fill(at) })
      await clock.settle()
    }
    expect(received).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4],
    ])
  })

  it('of a state replace an earlier one that has not left yet', async () => {
    const { clock, network, worker, master } = await sessionPair({ highWaterBytes: 1_000 })
    const received: number[] = []
    worker.subscribe({ 'integrity.changed': ({ root }) => received.push(root[0] ?? -1) })
    network.streams[0]?.[0].pause()
    for (let at = 0; at < 200; at++) {
      master.notify('integrity.changed', { root: new Uint8Array(32).fill(at) })
      await clock.settle()
    }
    expect(leftOpen(master)).toMatchObject({ queuedBytes: expect.toSatisfy((bytes: number) => bytes < 100) })
    network.streams[0]?.[0].resume()
    await clock.settle()
    expect(received.at(-1)).toBe(199)
    expect(received.length).toBeLessThan(40)
  })
})

describe('streams', () => {
  const chunks = fc.array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.nat({ max: 5_000 }).map((size) => new Uint8Array(size + 1).fill(size)),
    ),
    {
      maxLength: 60,
    },
  )

  it('bring chunks as they were written, through any window, cuts and key changes, both ways at once', () =>
    fc.assert(
      fc.asyncProperty(
        chunks,
        chunks,
        fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 6 }),
        async (down, up, readSizes) => {
          const own = { limits: { streamWindowBytes: 24_000, framesPerRekey: 5, bulkPerFrameBytesMax: 8_000 } }
          const { clock, worker, master } = await sessionPair({ readSizes, highWaterBytes: 4_000 }, own)
          const send = async (from: Link, to: Link, parts: readonly Uint8Array[]): Promise<Buffer[]> => {
            const incoming = to.expectStream()
            const outgoing = from.openStream(incoming.id)
            const read = collect(incoming)
            for (const part of parts) await outgoing.write(part)
            outgoing.end()
            return read
          }
          const { value } = await outcome(clock, Promise.all([send(master, worker, down), send(worker, master, up)]))
          expect(value).toEqual([down, up].map((parts) => parts.map((part) => Buffer.from(part))))
          expect([leftOpen(worker), leftOpen(master)]).toEqual([nothingOpen, nothingOpen])
        },
      ),
      { numRuns: 40 },
    ))

  it('with an idle reader cost one window, and at most one frame waits on the wire', async () => {
    const { clock, network, worker, master } = await sessionPair({ highWaterBytes: 1_000 })
    const incoming = worker.expectStream()
    const outgoing = master.openStream(incoming.id)
    let written = 0
    const writing = (async () => {
      for (;;) {
        await outgoing.write(new Uint8Array(100_000))
        written += 100_000
      }
    })()
    writing.catch(() => {})
    await clock.advance(1_000)
    expect(written).toBeLessThanOrEqual(limits.streamWindowBytes)
    expect(written).toBeGreaterThan(limits.streamWindowBytes - 4 * 100_000)
    expect(network.streams[0]?.[0].waitingBytesMax).toBeLessThanOrEqual(limits.frameBytesMax)
    expect(network.streams[0]?.[1].waitingBytesMax).toBeLessThanOrEqual(limits.bulkPerFrameBytesMax + limits.streamChunkBytesMax + 1_000)
    await incoming[Symbol.asyncIterator]().return?.()
    await expect(writing).rejects.toMatchObject({ code: 'aborted' })
  })

  it('never make a request wait for more than the frame that is under way', async () => {
    const { clock, worker, master } = await sessionPair({ highWaterBytes: 1_000, readSizes: [10_000] })
    const incoming = worker.expectStream()
    const outgoing = master.openStream(incoming.id)
    let bulkTaken = 0
    let takenAtReply = Number.POSITIVE_INFINITY
    const reading = (async () => {
      for await (const chunk of incoming) bulkTaken += chunk.byteLength
    })()
    const writing = (async () => {
      for (let count = 0; count < 100; count++) await outgoing.write(new Uint8Array(limits.streamChunkBytesMax))
      outgoing.end()
    })()
    const echoed = worker.request('session.echo', { payload: digest }, patient).then(() => {
      takenAtReply = bulkTaken
    })
    await outcome(clock, Promise.all([reading, writing, echoed]))
    expect(bulkTaken).toBe(100 * limits.streamChunkBytesMax)
    expect(takenAtReply).toBeLessThanOrEqual(3 * (limits.bulkPerFrameBytesMax + limits.streamChunkBytesMax))
  })

  it('end for both when the reader cancels, at any moment, and chunks under way break no rule', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 20 }), fc.boolean(), async (taken, opensLate) => {
        const { clock, worker, master } = await sessionPair({ readSizes: [700] }, { limits: { streamWindowBytes: 20_000 } })
        const closed = [closing(worker), closing(master)]
        const incoming = worker.expectStream()
        if (opensLate) {
          incoming.cancel()
          await clock.settle()
        }
        const outgoing = master.openStream(incoming.id)
        const writing = (async () => {
          for (;;) await outgoing.write(new Uint8Array(1_000))
        })()
        let count = 0
        const reading = (async () => {
          for await (const _ of incoming) if (++count > taken) break
        })()
        const [wrote] = (await outcome(clock, Promise.allSettled([writing, reading]))).value ?? []
        expect(wrote).toMatchObject({ status: 'rejected', reason: { code: 'aborted' } })
        await clock.settle()
        expect([leftOpen(worker), leftOpen(master)]).toEqual([nothingOpen, nothingOpen])
        expect(closed.map(({ error }) => error)).toEqual([undefined, undefined])
      }),
      { numRuns: 30 },
    ))

  it('end for the reader when the sender resets, with its error', async () => {
    const { clock, worker, master } = await sessionPair()
    const incoming = worker.expectStream()
    const outgoing = master.openStream(incoming.id)
    await outgoing.write(digest)
    outgoing.reset(new ClusterError('fileGone', { message: 'It vanished' }))
    expect((await outcome(clock, collect(incoming))).error).toMatchObject({ code: 'fileGone', message: 'It vanished' })
    expect([leftOpen(worker), leftOpen(master)]).toEqual([nothingOpen, nothingOpen])
  })

  it('that make no progress are reset after their time', async () => {
    const { clock, worker, master } = await sessionPair()
    const incoming = worker.expectStream()
    master.openStream(incoming.id)
    const startMs = clock.monotonicMs()
    const { error } = await outcome(clock, collect(incoming), 2 * limits.streamIdleMsMax)
    expect(error).toMatchObject({ code: 'transferFailed' })
    expect(clock.monotonicMs() - startMs).toBe(limits.streamIdleMsMax)
    await clock.settle()
    expect([leftOpen(worker), leftOpen(master)]).toEqual([nothingOpen, nothingOpen])
  })

  it('cannot be opened under ids that only we give out, twice, or without end', async () => {
    const { worker, master } = await sessionPair({}, { limits: { streamsMax: 2 } })
    const [first] = [worker.expectStream(), worker.expectStream()]
    expect(() => worker.expectStream()).toThrow(expect.objectContaining({ code: 'overloaded' }))
    master.openStream(first.id)
    expect(() => master.openStream(first.id)).toThrow(expect.objectContaining({ code: 'wrongState' }))
    for (const id of [0, 2]) expect(() => master.openStream(id)).toThrow(expect.objectContaining({ code: 'malformed' }))
    master.openStream(3)
    expect(() => master.openStream(5)).toThrow(expect.objectContaining({ code: 'overloaded' }))
  })

  it('that are not expected close the link', async () => {
    const { clock, worker, master } = await sessionPair()
    const [ours, theirs] = [closing(worker), closing(master)]
    await master.openStream(99).write(digest)
    await clock.settle()
    expect([ours.error?.code, theirs.error?.code]).toEqual(['malformed', 'malformed'])
  })
})

describe('the end of a link', () => {
  it.each(['stopping', 'error'] as const)('%s: everything open ends with it, on both sides, and nothing is left', async (reason) => {
    const { clock, network, worker, master } = await sessionPair()
    master.serve({ 'session.echo': () => new Promise(() => {}) })
    const pending = Promise.allSettled([
      worker.request('session.echo', { payload: digest }, patient),
      collect(worker.expectStream()),
      master
        .openStream(2 ** 31 + 1)
        .write(digest)
        .then(() => {}),
    ])
    const ends = [closing(worker), closing(master)]
    await clock.settle()
    const fresh = await sessionPair()
    const [ours, theirs] = [closing(fresh.master), closing(fresh.worker)]
    const asked = Promise.allSettled([fresh.worker.request('integrity.check', check, patient), collect(fresh.worker.expectStream())])
    fresh.master.close(reason, new ClusterError('peerSilent'))
    const ended = (await outcome(fresh.clock, asked)).value
    const received = reason === 'stopping' ? 'peerStopping' : 'peerSilent'
    expect(ended).toMatchObject([{ reason: { code: received } }, { reason: { code: received } }])
    await fresh.clock.settle()
    expect([ours.error?.code, theirs.error?.code]).toEqual(['peerSilent', received])
    expect(fresh.clock.pending).toBe(0)
    expect([leftOpen(fresh.worker), leftOpen(fresh.master)]).toEqual([nothingOpen, nothingOpen])
    expect(fresh.network.streams.flat().every((stream) => stream.isClosed)).toBe(true)
    await expect(fresh.worker.request('integrity.check', check, patient)).rejects.toMatchObject({ code: received })
    // The first pair broke a rule (an unexpected stream): that ends it just as completely.
    await outcome(clock, pending)
    await clock.settle()
    expect(ends.map(({ error }) => error?.code)).toEqual(['malformed', 'malformed'])
    expect(clock.pending).toBe(0)
    expect(network.streams.flat().every((stream) => stream.isClosed)).toBe(true)
  })

  it('a lost connection is linkLost', async () => {
    const { clock, network, worker, master } = await sessionPair()
    const ends = [closing(worker), closing(master)]
    network.streams[0]?.[0].destroy()
    await clock.settle()
    expect(ends.map(({ error }) => error?.code)).toEqual(['linkLost', 'linkLost'])
    expect(clock.pending).toBe(0)
  })

  it('a peer that never closes its side is cut off after a moment', async () => {
    const { clock, network, worker } = await sessionPair()
    network.streams[0]?.[1].pause()
    worker.close('stopping')
    const ends = closing(worker)
    await clock.advance(limits.lingerMsMax - 1)
    expect(network.streams[0]?.[0].isClosed).toBe(false)
    await clock.advance(1)
    expect(network.streams[0]?.[0].isClosed).toBe(true)
    expect(ends.error).toMatchObject({ code: 'linkClosed' })
    expect(clock.pending).toBe(0)
  })

  it('a peer that never reads is cut off before its queue grows over the bound', async () => {
    const { clock, network, worker, master } = await sessionPair({ highWaterBytes: 1_000 }, { limits: { sendQueueBytesMax: 100_000 } })
    network.streams[0]?.[0].pause()
    const ends = closing(master)
    const refused = Promise.allSettled(
      Array.from({ length: 300 }, () => master.request('session.echo', { payload: new Uint8Array(1_000) }, patient)),
    )
    expect(leftOpen(master)).toMatchObject({ queuedBytes: expect.toSatisfy((bytes: number) => bytes < 60_000) })
    for (let count = 0; count < 2_000 && !ends.error; count++) master.openStream(2 * count + 1).reset(new ClusterError('aborted'))
    expect(ends.error).toMatchObject({ code: 'overloaded' })
    await outcome(clock, refused)
    expect(leftOpen(master)).toEqual(nothingOpen)
    expect(worker.counters.bytesReceived).toBeLessThan(200_000)
  })

  it('a flipped, dropped, repeated or swapped write ends in typed errors, never in a wrong reply', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 4, max: 40 }),
        fc.constantFrom('flip', 'drop', 'repeat', 'swap'),
        fc.nat(),
        async (target, how, place) => {
          let writes = 0
          let kept: Buffer | undefined
          let grewLength = false
          const tap = (_: string, bytes: Buffer): Uint8Array[] => {
            const turn = writes++
            if (kept) {
              const parts = [bytes, kept]
              kept = undefined
              return parts
            }
            if (turn !== target) return [bytes]
            if (how === 'drop') return []
            if (how === 'repeat') return [bytes, bytes]
            if (how === 'swap') {
              kept = bytes
              return []
            }
            const spoilt = Buffer.from(bytes)
            const at = place % spoilt.byteLength
            spoilt[at] = (spoilt[at] ?? 0) ^ 1
            grewLength = at > 0 && at < 4
            return [spoilt]
          }
          const { clock, worker, master } = await sessionPair({ tap })
          const ends = [closing(worker), closing(master)]
          for (let turn = 0; turn < 30; turn++) {
            const payload = new Uint8Array(50).fill(turn)
            const { value, error } = await outcome(clock, worker.request('session.echo', { payload }, { signal: forever, timeoutMs: 100 }))
            if (value) expect(Buffer.from(value.payload)).toEqual(Buffer.from(payload))
            else expect(error).toBeInstanceOf(ClusterError)
          }
          await clock.advance(2_000)
          // A length that grew within its bound waits for the rest of its frame: silence, which the keep-alive ends.
          if (grewLength) worker.close('error', new ClusterError('peerSilent'))
          await clock.advance(2_000)
          for (const { error } of ends) expect(error).toBeInstanceOf(ClusterError)
          expect(clock.pending).toBe(0)
        },
      ),
      { numRuns: 60 },
    ))
})
