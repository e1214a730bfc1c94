/** Pages of lists: as if the whole list had been filtered, sorted and cut, while little of it is held. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ListPager } from '../../../src/domain/api/listPager.js'
import { compareKeys, type Item, isWanted, listRequest, selected, sortKeys } from '../../../src/domain/api/listRequest.js'
import { ApiRefusal } from '../../../src/domain/api/problem.js'

const fields = ['name', 'count', 'os.name']
const item = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), count: fc.nat(12), os: fc.record({ name: fc.constantFrom('x', 'y') }) })
const wish = fc.record(
  {
    offset: fc.nat(12),
    limit: fc.integer({ min: 1, max: 12 }),
    sort: fc.constantFrom('name', '-count', '+os.name,count', ' name', '-os.name,name'),
    search: fc.constantFrom('a', '-x', '1'),
    q: fc.constantFrom('count>3', 'os.name=x,name=a'),
    select: fc.constantFrom(['name'], ['os.name'], ['os', 'count']),
    distinct: fc.boolean(),
  },
  { requiredKeys: [] },
)

const paged = (pager: ListPager, items: readonly Item[]): readonly Item[] => {
  const shown: Item[] = []
  for (const one of items) {
    const next = pager.next(one)
    if (next) shown.push(next)
  }
  return [...shown, ...pager.rest()]
}

const number = (act: () => unknown): number | undefined => {
  try {
    act()
    return undefined
  } catch (thrown) {
    if (!(thrown instanceof ApiRefusal)) throw thrown
    return thrown.problem.number
  }
}

describe('a page of a list', () => {
  it('is what is left when the whole list is filtered, sorted and cut', () =>
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), wish, (items, wished) => {
        const request = listRequest(wished, fields)
        const seen = new Set<string>()
        const wanted = items.filter((one) => {
          const shown = JSON.stringify(selected(request, one))
          const isNew = !request.isDistinct || !seen.has(shown)
          return isWanted(request, one) && isNew && seen.add(shown)
        })
        const sorted = wanted.toSorted((a, b) => compareKeys(request, sortKeys(request, a), sortKeys(request, b)))
        const { limit, offset } = request
        const pager = new ListPager(request)
        expect(paged(pager, items)).toEqual(sorted.slice(offset, offset + limit).map((one) => selected(request, one)))
        expect(pager.total).toBe(wanted.length)
      }),
    ))

  it('is right however many items come before it', () => {
    const pager = new ListPager(listRequest({ sort: '-count', offset: 3, limit: 2 }, fields))
    const items = Array.from({ length: 30_000 }, (_, at) => ({ name: 'a', count: (at * 7_919) % 30_000 }))
    expect(paged(pager, items).map((one) => one['count'])).toEqual([29_996, 29_995])
    expect(pager.total).toBe(30_000)
  })

  it('is refused by Wazuh’s numbers', () => {
    expect(number(() => listRequest({ limit: 0 }, fields))).toBe(1406)
    expect(number(() => listRequest({ limit: 100_001 }, fields))).toBe(1405)
    expect(number(() => listRequest({ sort: 'nothing' }, fields))).toBe(1403)
    expect(number(() => listRequest({ select: ['nothing'] }, fields))).toBe(1724)
    expect(number(() => listRequest({ select: ['constructor'] }, fields))).toBe(1724)
    expect(number(() => listRequest({ sort: 'name', offset: 1_000_000 }, fields))).toBe(1400)
  })
})
