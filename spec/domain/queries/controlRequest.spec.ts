import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { splitLines } from '../../../src/base/splitLines.js'
import { agentFactNames, agentStatuses } from '../../../src/domain/agents/agent.js'
import { agentTools } from '../../../src/domain/agents/agentQuery.js'
import type { GroupsChange } from '../../../src/domain/agents/groups.js'
import { parseAnswerLine } from '../../../src/domain/queries/answerLine.js'
import { type ControlRequest, isCommand, parseControlRequest } from '../../../src/domain/queries/controlRequest.js'

const word = fc.string({ maxLength: 20 })
const id = fc.nat({ max: limits.agentIdMax })
const tool = fc.constantFrom(...agentTools)

function agentRequestArbitrary(): fc.Arbitrary<ControlRequest> {
  const kind = <K extends ControlRequest['kind']>(name: K) => fc.constant(name)
  const optional = { nodes: fc.array(word), statuses: fc.subarray([...agentStatuses]), group: word, tool }
  const change: fc.Arbitrary<GroupsChange> = fc.oneof(
    fc.record({ kind: fc.constantFrom('assign' as const, 'unassign' as const), ids: fc.array(id), group: word }),
    fc.record({ kind: fc.constant('replace' as const), ids: fc.array(id), groups: fc.array(word) }),
    fc.record({ kind: fc.constant('dissolve' as const), group: word }),
  )
  const facts = fc.record(Object.fromEntries(agentFactNames.map((name) => [name, word])), { requiredKeys: [] })
  const report = fc.record(
    { id, kind: fc.constantFrom('startup' as const, 'keepAlive' as const, 'shutdown' as const, 'lost' as const), facts },
    { requiredKeys: ['id', 'kind'] },
  )
  return fc.oneof(
    fc.record({ kind: kind('agents'), ...optional }, { requiredKeys: ['kind'] }),
    fc.record({ kind: kind('agent'), id, tool }),
    fc.record({ kind: kind('removeAgent'), id, tool }),
    fc.record({ kind: kind('groups'), tool }),
    fc.record({ kind: fc.constantFrom('groupFiles' as const, 'createGroup' as const, 'removeGroup' as const), group: word, tool }),
    fc.record({ kind: kind('changeGroups'), change, tool }),
    fc.record({ kind: kind('addAgent'), name: word, ip: word, key: word, groups: fc.array(word), tool }),
    fc.record({ kind: kind('report'), reports: fc.array(report, { maxLength: 5 }) }),
  )
}

const nodes = fc.array(fc.string({ minLength: 0, maxLength: 20 }), { maxLength: 5 })
const requests: fc.Arbitrary<ControlRequest> = fc.oneof(
  fc.record({ kind: fc.constant('nodes' as const), nodes }, { requiredKeys: ['kind'] }),
  fc.record({ kind: fc.constant('health' as const), nodes }, { requiredKeys: ['kind'] }),
  fc.record({ kind: fc.constant('files' as const), all: fc.boolean(), nodes }, { requiredKeys: ['kind', 'all'] }),
  agentRequestArbitrary(),
)

describe('a request of a program', () => {
  it('is decoded as it was encoded', () =>
    fc.assert(
      fc.property(requests, (request) => {
        expect(parseControlRequest(JSON.stringify(request))).toEqual({ ok: true, value: request })
      }),
    ))

  it('is a command when it changes something of agents or groups', () =>
    fc.assert(
      fc.property(requests, (request) => {
        const changes = ['changeGroups', 'createGroup', 'removeGroup', 'addAgent', 'removeAgent']
        expect(isCommand(request)).toBe(changes.includes(request.kind))
      }),
    ))

  it('is refused without an exception when it is any other text', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseControlRequest(text)).toMatchObject({ ok: false, error: { code: 'malformed' } })
      }),
    ))

  it.each([
    ['{"kind":"agent","id":1}', 'malformed'],
    ['{"kind":"agent","id":-1,"tool":"agent_control"}', 'malformed'],
    ['{"kind":"groups","tool":"rm"}', 'malformed'],
    ['{"kind":"agents","statuses":["gone"]}', 'malformed'],
    ['{"kind":"changeGroups","change":{"kind":"dissolve"},"tool":"agent_groups"}', 'malformed'],
    ['{"kind":"report","reports":[{"id":1,"kind":"seen"}]}', 'malformed'],
    ['{"kind":"report","reports":[{"id":1,"kind":"lost","facts":{"shoe":"9"}}]}', 'malformed'],
    ['{"kind":"report","reports":[{"id":1,"kind":"lost","facts":{"ip":9}}]}', 'malformed'],
    ['{"kind":"files"}', 'malformed'],
    ['{"kind":"nodes","nodes":"w"}', 'malformed'],
    ['{"kind":"nodes","nodes":[1]}', 'malformed'],
    ['{"kind":"nodes","more":1}', 'malformed'],
    ['{"kind":"nodes","__proto__":{}}', 'malformed'],
    ['['.repeat(limits.controlRequestBytesMax), 'malformed'],
    [' '.repeat(limits.controlRequestBytesMax + 1), 'tooLarge'],
  ])('is refused when it is one: %.40s', (text, code) => expect(parseControlRequest(text)).toMatchObject({ ok: false, error: { code } }))
})

describe('reports of agents', () => {
  it.each([
    [2_000, undefined],
    [150, Object.fromEntries(agentFactNames.map((name) => [name, 'x'.repeat(80)]))],
  ])('%d of them fit into one request', (count, facts) => {
    const reports = Array.from({ length: count }, (_, index) => ({ id: 100_000 + index, kind: 'keepAlive', ...(facts && { facts }) }))
    expect(parseControlRequest(JSON.stringify({ kind: 'report', reports }))).toMatchObject({ ok: true })
  })
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
