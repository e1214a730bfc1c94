import fc from 'fast-check'
import { expect, it } from 'vitest'
import { inOrder } from '../../src/base/inOrder.js'

const sortedLists = fc.array(fc.array(fc.string({ maxLength: 3 }), { maxLength: 20 }).map((list) => list.sort()))

it('the strings of sorted lists come in one order, each once', () =>
  fc.assert(
    fc.property(sortedLists, (lists) => {
      expect([...inOrder(lists)]).toEqual([...new Set(lists.flat())].sort())
    }),
  ))

it('the first string costs a few reads at the head of each list, however long the lists are', () => {
  let reads = 0
  const counting = (list: readonly string[]): readonly string[] =>
    new Proxy(list, {
      get: (target, key) => {
        if (/^\d+$/.test(String(key))) reads += 1
        return Reflect.get(target, key)
      },
    })
  const lists = Array.from({ length: 256 }, (_, list) => Array.from({ length: 1_000 }, (_, item) => `${item + 1_000} ${list}`))
  expect(inOrder(lists.map(counting)).next().value).toBe('1000 0')
  expect(reads).toBeLessThan(6 * lists.length)
})
