/** Batches of updates: what goes in comes out, within bounds, and any other bytes do no harm. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { type AgentDetails, type AgentUpdates, shiftedPresence, shiftedTimes } from '../../../src/domain/agents/agent.js'
import { packFacts } from '../../../src/domain/agents/packedFacts.js'
import { latestTimeMs, soundUpdates } from '../../../src/domain/agents/soundUpdates.js'
import { AgentBatchWriter, decodeAgentBatch } from '../../../src/wire/muster/agentBatch.js'
import { anyUpdates, factsOf, firstMs, moments, nows, soundUpdatesOf } from '../../support/agents/agentArbitraries.js'

const encode = (updates: AgentUpdates, nowMs: number): { batch: Uint8Array; rows: number } => {
  const writer = new AgentBatchWriter(nowMs)
  for (const presence of updates.presences) writer.addPresence(presence)
  for (const row of updates.details) writer.addDetails(row)
  return { batch: writer.finish(), rows: writer.rows }
}

const from = <T extends { readonly node: string }>(rows: readonly T[], node: string): T[] => rows.map((row) => ({ ...row, node }))
/** What is too far ahead of a clock that was set back is moved to now. */
const notAhead = ({ details, presences }: AgentUpdates, nowMs: number): AgentUpdates => ({
  presences: presences.map((row) => {
    const aheadMs = Math.max(row.seenMs, row.disconnectedMs)
    return aheadMs > latestTimeMs(nowMs) ? shiftedPresence(row, nowMs - aheadMs) : row
  }),
  details: details.map((row) => (row.seenMs > latestTimeMs(nowMs) ? shiftedTimes(row, nowMs - row.seenMs) : row)),
})
const codeOf = (batch: Uint8Array): string => {
  const decoded = decodeAgentBatch(batch, 'w1', firstMs)
  return decoded.ok ? 'none' : decoded.error.code
}

describe('a batch of updates', () => {
  it('brings sound rows unchanged, except that the node is the sender; active agents come first', () => {
    fc.assert(
      fc.property(soundUpdatesOf, nows, (received, nowMs) => {
        const { updates, refused } = soundUpdates(notAhead(received, nowMs), nowMs)
        const { batch, rows } = encode(received, nowMs + 0.5)
        expect(rows).toBe(received.presences.length + received.details.length)
        const active = updates.presences.filter(({ status }) => status === 'active')
        const others = updates.presences.filter(({ status }) => status !== 'active')
        const expected = { presences: from([...active, ...others], 'sender'), details: from(updates.details, 'sender') }
        expect(decodeAgentBatch(batch, 'sender', nowMs)).toEqual({ ok: true, value: { updates: expected, refused } })
      }),
    )
  })

  it('loses nothing when the clock was set back, before it was made or after', () => {
    fc.assert(
      fc.property(soundUpdatesOf, moments, fc.nat({ max: 1e9 }), (received, nowMs, setBackMs) => {
        // A connection begins before its signs of life, and ends after them.
        const presences = received.presences.map((row) => ({
          ...row,
          epochMs: Math.min(row.epochMs, row.seenMs),
          disconnectedMs: row.status === 'disconnected' ? Math.max(row.disconnectedMs, row.seenMs) : 0,
        }))
        const details = received.details.map((row) => ({ ...row, epochMs: Math.min(row.epochMs, row.seenMs) }))
        const updates = { presences, details }
        const decoded = decodeAgentBatch(encode(updates, nowMs).batch, 'w1', nowMs - setBackMs)
        expect(decoded.ok && [decoded.value.refused, decoded.value.updates.presences.length, decoded.value.updates.details.length]).toEqual(
          [0, updates.presences.length, updates.details.length],
        )
      }),
    )
  })

  it('counts a row that breaks a rule, and takes the others', () => {
    fc.assert(
      fc.property(anyUpdates, nows, (received, nowMs) => {
        const { updates, refused } = soundUpdates(received, nowMs)
        expect(updates.presences.length + updates.details.length + refused).toBe(received.presences.length + received.details.length)
        expect(soundUpdates(updates, nowMs)).toEqual({ updates: updates, refused: 0 })
      }),
    )
  })

  it('costs about 20 bytes for a keep-alive', () => {
    const writer = new AgentBatchWriter(firstMs)
    for (let id = 50_000; writer.rows < 4_000; id++)
      writer.addPresence({
        ...{ id, seenMs: firstMs - 9_999, epochMs: firstMs - 7_200_000, node: 'w1' },
        ...{ status: 'active', disconnectedMs: 0, disconnection: 'none' },
      })
    expect(writer.finish().byteLength / writer.rows).toBeLessThan(21)
  })

  it('is full before it is too large, in rows and in bytes', () => {
    const stamp = { seenMs: firstMs, epochMs: firstMs, node: 'w1' }
    const keepAlives = new AgentBatchWriter(firstMs)
    for (let id = 1; keepAlives.addPresence({ id, ...stamp, status: 'active', disconnectedMs: 0, disconnection: 'none' }); id++);
    expect(keepAlives.rows).toBe(limits.agentBatchRowsMax)
    const large = new AgentBatchWriter(firstMs)
    const facts = packFacts({
      ...factsOf('\uFFFD'.repeat(limits.agentFactCharsMax)),
      labels: '"\u{1F600}'.repeat(limits.agentLabelsCharsMax / 3),
    })
    for (let id = 1; large.addDetails({ id, ...stamp, facts }); id++);
    expect(large.rows).toBeGreaterThan(3)
    const batch = large.finish()
    expect(batch.byteLength).toBeLessThanOrEqual(limits.agentBatchBytesMax)
    const decoded = decodeAgentBatch(batch, 'w1', firstMs)
    expect(decoded.ok && decoded.value.updates.details.length).toBe(large.rows)
  })

  it('refuses labels of a megabyte, and text that could move a cursor', () => {
    const row = (labels: string, name = ''): AgentDetails => ({
      ...{ id: 1, seenMs: firstMs, epochMs: firstMs, node: 'w1' },
      facts: packFacts({ ...factsOf(''), labels, osName: name }),
    })
    const received = [row('x'.repeat(2 ** 20)), row('', '\u001b[2J'), row('', 'two\nlines'), row('two\nlines\tand a tab', 'Übuntu')]
    expect(soundUpdates({ presences: [], details: received }, firstMs)).toEqual({
      updates: { presences: [], details: received.slice(3) },
      refused: 3,
    })
  })
})

describe('what is not a batch', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', '{"baseMs":'],
    ['another shape', '{"baseMs":1}'],
    ['one field more', '{"baseMs":1,"keepAlives":[],"statuses":[],"details":[],"facts":[],"more":1}'],
    ['fractions', '{"baseMs":1,"keepAlives":[1,0.5,0],"statuses":[],"details":[],"facts":[]}'],
    ['texts for numbers', '{"baseMs":1,"keepAlives":["1",0,0],"statuses":[],"details":[],"facts":[]}'],
    ['half a row', '{"baseMs":1,"keepAlives":[1,2],"statuses":[],"details":[],"facts":[]}'],
    ['facts without a row', '{"baseMs":1,"keepAlives":[],"statuses":[],"details":[],"facts":["a"]}'],
    ['deep nesting', '['.repeat(limits.agentBatchBytesMax)],
    ['a million rows', `{"baseMs":1,"keepAlives":[${'1,0,0,'.repeat(80_000)}1,0,0],"statuses":[],"details":[],"facts":[]}`],
    ['too many bytes', ' '.repeat(limits.agentBatchBytesMax + 1)],
  ])('is refused as malformed: %s', (_, text) => {
    expect(codeOf(Buffer.from(text))).toBe('malformed')
  })

  it('is refused as malformed: bytes that are not UTF-8', () => {
    expect(codeOf(Uint8Array.from([0xff, 0xfe]))).toBe('malformed')
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => void codeOf(bytes),
      ),
    )
  })

  it('is not a batch with statuses of a newer build: those rows are counted, and the others taken', () => {
    const text = `{"baseMs":${firstMs},"keepAlives":[2,0,0],"statuses":[1,0,0,9,0,0,1,0,0,2,9,0],"details":[],"facts":[]}`
    const decoded = decodeAgentBatch(Buffer.from(text), 'w1', firstMs)
    expect(decoded.ok && [decoded.value.updates.presences.map(({ id }) => id), decoded.value.refused]).toEqual([[2], 2])
  })
})
