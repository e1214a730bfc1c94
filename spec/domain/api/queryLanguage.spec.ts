/** The language of `q`: what it means, that its text says the same again, and that no text of any kind is more than refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { ApiRefusal } from '../../../src/domain/api/problem.js'
import { type Clause, isMatch, operators, parseQuery, queryText } from '../../../src/domain/api/queryLanguage.js'

const fields = ['name', 'type', 'os.name', 'group', 'count']

const value = fc.stringMatching(/^[A-Za-z0-9_. -]{1,8}$/)
const comparison = fc
  .record({ field: fc.constantFrom(...fields), operator: fc.constantFrom(...operators), value })
  .map((given): Clause => ({ kind: 'compare', ...given }))
const { clause } = fc.letrec<{ clause: Clause; joined: Clause }>((tie) => ({
  clause: fc.oneof({ depthSize: 'small', maxDepth: 4 }, comparison, tie('joined')),
  joined: fc
    .record({ kind: fc.constantFrom('and' as const, 'or' as const), clauses: fc.array(tie('clause'), { minLength: 2, maxLength: 3 }) })
    .map((given): Clause => given),
}))
const items = fc.record(
  {
    name: value,
    type: fc.constantFrom('master', 'worker'),
    os: fc.record({ name: value }),
    group: fc.array(value, { maxLength: 3 }),
    count: fc.nat(20),
  },
  { requiredKeys: ['name', 'type'] },
)

const isFound = (query: string, item: object): boolean => isMatch(parseQuery(query, fields), item as Record<string, unknown>)
const refusal = (query: string): number | undefined => {
  try {
    parseQuery(query, fields)
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof ApiRefusal)) throw thrown
    return thrown.problem.number
  }
}

describe('a query', () => {
  it('that is written out and parsed again finds the same items', () =>
    fc.assert(
      fc.property(clause, items, (given, item) => {
        expect(isMatch(parseQuery(queryText(given), fields), item)).toBe(isMatch(given, item))
      }),
    ))

  it('binds and tighter than or, and parentheses tighter than both', () => {
    const item = { name: 'w1', type: 'worker', count: 10 }
    expect(isFound('name=x;type=master,count=10', item)).toBe(true)
    expect(isFound('name=x;(type=master,count=10)', item)).toBe(false)
  })

  it('compares numbers as numbers, finds a part of a text in any case, and one of a list', () => {
    const item = { name: 'Worker-1', type: 'worker', count: 10, group: ['default', 'web'], os: { name: 'Debian' } }
    expect(isFound('count>9;count<100', item)).toBe(true)
    expect(isFound('name~worker;os.name=Debian', item)).toBe(true)
    expect([isFound('group=web', item), isFound('group!=web', item), isFound('group!=db', item)]).toEqual([true, false, true])
  })

  it('finds what is not there by null only', () => {
    const item = { name: 'w1', type: 'worker' }
    expect([isFound('count=null', item), isFound('count!=null', item), isFound('count!=3', item), isFound('count<3', item)]).toEqual([
      true,
      false,
      false,
      false,
    ])
  })

  it('is refused with 1407 when it is malformed, with 1408 for a field that is not there', () => {
    for (const query of ['', 'name', 'name=', '=x', 'name==', '(name=x', 'name=x)', 'name=x;', 'name=x,,type=y', ';', '()'])
      expect([query, refusal(query)]).toEqual([query, query === 'name==' ? undefined : 1407])
    expect(refusal('__proto__=x')).toBe(1408)
    expect(refusal('os=x')).toBe(1408)
    expect(refusal(`${'('.repeat(limits.apiQueryDepthMax + 1)}name=x${')'.repeat(limits.apiQueryDepthMax + 1)}`)).toBe(1407)
    expect(refusal(Array.from({ length: limits.apiQueryClausesMax + 1 }, () => 'name=x').join(','))).toBe(1407)
  })

  it('of any characters is parsed or refused, and nothing else', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z.;,()=!<>~ ]{0,40}$/)), (text) => {
        expect([undefined, 1407, 1408]).toContain(refusal(text))
      }),
    ))
})
