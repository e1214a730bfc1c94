/** The envelope, written in parts: JSON whatever is in it, counted rightly, and pretty as Wazuh's. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EnvelopeWriter, type FailedItem } from '../../../src/domain/api/envelope.js'
import { problems } from '../../../src/domain/api/problem.js'

const messages = { all: 'all', some: 'some', none: 'none' }

const written = (items: readonly object[], failures: readonly FailedItem[], isPretty: boolean): string => {
  const writer = new EnvelopeWriter(isPretty)
  const body = items.map((item) => writer.item(item)).join('')
  return writer.start() + body + writer.end({ total: items.length, failures, messages })
}

const failure = fc.record({
  id: fc.oneof(fc.string(), fc.stringMatching(/^\d{1,4}$/)),
  problem: fc.constantFrom(problems.nodeMissing, problems.agentMissing, problems.configurationInvalid),
})

describe('an envelope', () => {
  it('is the same JSON pretty and not, and pretty is what indenting by three makes of it', () =>
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), fc.array(failure, { maxLength: 5 }), (items, failures) => {
        const plain = JSON.parse(written(items, failures, false))
        const emptyLists = (text: string): string => text.replaceAll(/\[\s+\]/g, '[]')
        expect(emptyLists(written(items, failures, true))).toBe(emptyLists(JSON.stringify(plain, null, 3)))
      }),
    ))

  it('says 0 for all or nothing at all, 1 for failures only, 2 for some of each', () => {
    const gone: FailedItem = { id: 'w9', problem: problems.nodeMissing }
    const outcome = (items: readonly object[], failures: readonly FailedItem[]) => {
      const { error, message } = JSON.parse(written(items, failures, false)) as { error: number; message: string }
      return `${error} ${message}`
    }
    expect([outcome([{}], []), outcome([], []), outcome([], [gone]), outcome([{}], [gone])]).toEqual([
      '0 all',
      '0 none',
      '1 none',
      '2 some',
    ])
  })

  it('groups what failed by its error, in order of the numbers, with sorted ids', () => {
    const { data } = JSON.parse(
      written(
        [],
        ['w10', 'w9', 'w10']
          .map((id): FailedItem => ({ id, problem: problems.nodeMissing }))
          .concat(['010', '9'].map((id) => ({ id, problem: problems.agentMissing }))),
        false,
      ),
    ) as { data: { failed_items: readonly { error: { code: number }; id: readonly string[] }[]; total_failed_items: number } }
    expect(data.failed_items.map(({ error, id }) => [error.code, id])).toEqual([
      [1701, ['9', '010']],
      [1730, ['w10', 'w9']],
    ])
    expect(data.total_failed_items).toBe(5)
  })
})
