import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { type AgentRow, agentRow, answerPages } from '../../../src/domain/queries/agentAnswer.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { parseAnswerLine } from '../../../src/domain/queries/answerLine.js'
import { notOnWorker } from '../../../src/domain/queries/forwardedRequest.js'
import { agent, agentLists, facts, listing } from '../../programs/agentWorld.js'

describe('an answer about agents', () => {
  it('is decoded as it was encoded', () =>
    fc.assert(
      fc.property(agentLists, fc.boolean(), fc.nat(), (agents, isSynchronized, count) => {
        const lines: readonly AnswerLine[] = [
          ...listing(agents),
          ...agents.map((one): AnswerLine => ({ kind: 'agent', agent: one, isSynchronized })),
          { kind: 'groups', groups: [{ name: 'default', agents: count }] },
          { kind: 'unassigned', agents: count },
          { kind: 'groupFiles', files: [{ name: 'merged.mg', digest: 'ab' }] },
          { kind: 'done', changed: count },
          { kind: 'added', entry: { id: count, name: 'a', ip: 'any', key: 'k' } },
          { kind: 'reported', taken: count, unknown: 0, refused: 0 },
          { kind: 'reported', taken: 0, unknown: 0, refused: 0, refusedFacts: [{ id: count, fact: 'labels', why: 'is too long' }] },
        ]
        for (const line of lines) expect(parseAnswerLine(JSON.stringify(line))).toEqual({ ok: true, value: line })
      }),
    ))

  it('may have columns that this version does not know, but none may be missing', () => {
    const row = agentRow(agent(1, { status: 'active', facts }))
    expect(parseAnswerLine(JSON.stringify({ kind: 'agents', rows: [[...row, 'zone']] }))).toMatchObject({ ok: true })
    for (let columns = 0; columns < row.length; columns++)
      expect(parseAnswerLine(JSON.stringify({ kind: 'agents', rows: [row.slice(0, columns)] }))).toMatchObject({ ok: false })
  })
})

describe('pages', () => {
  it('have all items in their order', () =>
    fc.assert(
      fc.property(fc.array(fc.record({ name: fc.string(), agents: fc.nat() })), fc.nat({ max: 3_000 }), (groups, times) => {
        const items = Array.from({ length: times }, () => groups).flat()
        const pages = [...answerPages(items)]
        expect(pages.flat()).toEqual(items)
        expect(pages.every((page) => page.length > 0)).toBe(true)
      }),
      { numRuns: 20 },
    ))

  it.each(['x', '\u0001', '😀', '"'])(
    'fit into a line each, even when all texts are the longest that there are and made of %j',
    (character) => {
      const of = (chars: number): string => character.repeat(chars / character.length)
      const row: AgentRow = [
        ...([limits.agentIdMax, of(limits.agentNameCharsMax), of(limits.agentFactCharsMax), 'never_connected'] as const),
        ...([of(limits.agentFactCharsMax), of(limits.nodeNameCharsMax), of(limits.agentIpCharsMax)] as const),
        'g'.repeat(limits.groupsPerAgentMax * (limits.groupNameCharsMax + 1)),
        ...([8.64e15, 8.64e15, 'keepAliveMissed'] as const),
      ]
      const short: AgentRow = [1, of(2), '', 'active', '', '', '', '', 0, 0, 'none']
      for (const rows of [Array.from({ length: 50 }, () => row), Array.from({ length: 5_000 }, () => short)])
        for (const page of answerPages(rows))
          expect(Buffer.byteLength(JSON.stringify({ kind: 'agents', rows: page }))).toBeLessThan(limits.controlLineBytesMax)
    },
  )
})

it('a worker refuses agent_control with the sentence that scripts know', () =>
  expect(notOnWorker('10.0.0.1')).toMatchObject({
    code: 'notOnWorker',
    number: 3019,
    message:
      'Wazuh is running in cluster mode: agent_control is not available in worker nodes. Please, try again in the master node: 10.0.0.1.',
  }))
