import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAnswerLine } from '../../src/domain/answerLine.js'
import { parseQuery } from '../../src/domain/clusterQuery.js'
import type { ClusterQuery } from '../../src/domain/clusterView.js'
import { splitLines } from '../../src/domain/splitLines.js'
import { limits } from '../../src/limits.js'

const nodes = fc.array(fc.string({ minLength: 0, maxLength: 20 }), { maxLength: 5 })
const queries: fc.Arbitrary<ClusterQuery> = fc.oneof(
  fc.record({ kind: fc.constant('nodes' as const), nodes }, { requiredKeys: ['kind'] }),
  fc.record({ kind: fc.constant('health' as const), nodes }, { requiredKeys: ['kind'] }),
  fc.record({ kind: fc.constant('files' as const), all: fc.boolean(), nodes }, { requiredKeys: ['kind', 'all'] }),
)

describe('a query', () => {
  it('comes through as it was meant', () =>
    fc.assert(
      fc.property(queries, (query) => {
        expect(parseQuery(JSON.stringify(query))).toEqual({ ok: true, value: query })
      }),
    ))

  it('is refused, never thrown, when it is any other text', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseQuery(text)).toMatchObject({ ok: false, error: { code: 'malformed' } })
      }),
    ))

  it.each([
    ['{"kind":"agents"}', 'malformed'],
    ['{"kind":"files"}', 'malformed'],
    ['{"kind":"nodes","nodes":"w"}', 'malformed'],
    ['{"kind":"nodes","nodes":[1]}', 'malformed'],
    ['{"kind":"nodes","more":1}', 'malformed'],
    ['{"kind":"nodes","__proto__":{}}', 'malformed'],
    ['['.repeat(limits.controlRequestBytesMax), 'malformed'],
    [' '.repeat(limits.controlRequestBytesMax + 1), 'tooLarge'],
  ])('is refused when it is one: %.40s', (text, code) => expect(parseQuery(text)).toMatchObject({ ok: false, error: { code } }))
})

describe('an answer line', () => {
  it('may have fields that this version does not know', () =>
    expect(parseAnswerLine('{"kind":"node","node":{"name":"a","type":"worker","version":"9","address":"b","zone":1}}')).toMatchObject({
      ok: true,
    }))

  it.each([
    '',
    '{',
    'null',
    '{"kind":"later"}',
    '{"kind":"node"}',
    '{"kind":"health","node":{"name":"a"}}',
    '{"kind":"cluster","name":"c"}',
  ])('is refused when its shape is wrong: %s', (text) =>
    expect(parseAnswerLine(text)).toMatchObject({ ok: false, error: { code: 'malformed' } }),
  )
})

describe('lines', () => {
  const inPieces = async function* (bytes: Uint8Array, cuts: readonly number[]) {
    let from = 0
    for (let at = 0; from < bytes.length; at++) {
      const to = from + (cuts[at % cuts.length] ?? 1)
      yield bytes.subarray(from, to)
      from = to
    }
  }
  const split = async (text: string, cuts: readonly number[], lineBytesMax: number): Promise<readonly string[]> => {
    const lines: string[] = []
    for await (const line of splitLines(inPieces(Buffer.from(text), cuts), lineBytesMax)) lines.push(line)
    return lines
  }
  const texts = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n', '\r', '"'), maxLength: 400 })
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 })

  it('are the same however the bytes are cut', () =>
    fc.assert(
      fc.asyncProperty(texts, cuts, async (text, cut) => {
        expect(await split(text, cut, 10_000)).toEqual(text.split('\n').slice(0, -1))
      }),
    ))

  it('over the limit end it, whether they end or not', async () => {
    await expect(split(`ok\n${'a'.repeat(1_001)}\n`, [10_000], 1_000)).rejects.toMatchObject({ code: 'tooLarge' })
    await expect(split('a'.repeat(1_001), [1], 1_000)).rejects.toMatchObject({ code: 'tooLarge' })
    expect(await split(`${'a'.repeat(1_000)}\n`, [1], 1_000)).toHaveLength(1)
  })
})
