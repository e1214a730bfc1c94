/** Names of groups, what a change does to an agent's groups, and pages that lose no agent. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import {
  assertGroups,
  changedGroups,
  type GroupsChange,
  groupsHash,
  groupsPageOf,
  isGroupName,
  whyUnchanged,
} from '../../../src/domain/agents/groups.js'
import { encodeGroupsRows } from '../../../src/wire/muster/groupsRows.js'
import { groupNames } from '../../support/agents/agentArbitraries.js'

const lists = fc.uniqueArray(groupNames, { maxLength: 5 })
const changes: fc.Arbitrary<GroupsChange> = fc.oneof(
  fc.record({ kind: fc.constant('assign' as const), ids: fc.constant([1]), group: groupNames }),
  fc.record({ kind: fc.constant('unassign' as const), ids: fc.constant([1]), group: groupNames }),
  fc.record({ kind: fc.constant('dissolve' as const), group: groupNames }),
  fc.record({ kind: fc.constant('replace' as const), ids: fc.constant([1]), groups: fc.array(groupNames, { maxLength: 5 }) }),
)

describe('a change of groups', () => {
  it('leaves a list without repetition, and never takes the last group without giving default', () => {
    fc.assert(
      fc.property(lists, changes, (groups, change) => {
        const after = changedGroups(groups, change)
        expect(new Set(after).size).toBe(after.length)
        if (groups.length > 0 || change.kind === 'replace') expect(after.length).toBeGreaterThan(0)
      }),
    )
  })

  it('has the same effect done once or twice', () => {
    fc.assert(
      fc.property(lists, changes, (groups, change) => {
        const once = changedGroups(groups, change)
        expect(changedGroups(once, change)).toEqual(once)
      }),
    )
  })

  it('that makes no difference has one reason, and one that makes a difference has none', () => {
    fc.assert(
      fc.property(lists, changes, (groups, change) => {
        const isSame = changedGroups(groups, change).join() === groups.join()
        expect(whyUnchanged(groups, change) !== undefined).toBe(isSame)
      }),
    )
    const full = Array.from({ length: limits.groupsPerAgentMax }, (_, at) => `g${at}`)
    const of = (groups: readonly string[], change: GroupsChange) => whyUnchanged(groups, change)
    expect(of(full, { kind: 'assign', ids: [1], group: 'web' })).toBe('tooManyGroups')
    expect(of(full, { kind: 'assign', ids: [1], group: 'g1' })).toBe('inGroupAlready')
    expect(of(['default'], { kind: 'unassign', ids: [1], group: 'default' })).toBe('onlyDefaultGroup')
    expect(of(['web'], { kind: 'unassign', ids: [1], group: 'default' })).toBe('notInGroup')
    expect(of(['default'], { kind: 'replace', ids: [1], groups: [] })).toBe('onlyDefaultGroup')
  })

  it('keeps the order of the groups that stay, and puts a new one last', () => {
    expect(changedGroups(['b', 'a'], { kind: 'assign', ids: [1], group: 'c' })).toEqual(['b', 'a', 'c'])
    expect(changedGroups(['b', 'x', 'a'], { kind: 'unassign', ids: [1], group: 'x' })).toEqual(['b', 'a'])
  })

  it('gives default to an agent that loses its last group', () => {
    for (const kind of ['unassign', 'dissolve'] as const) expect(changedGroups(['x'], { kind, ids: [1], group: 'x' })).toEqual(['default'])
    expect(changedGroups([], { kind: 'dissolve', group: 'x' })).toEqual([])
  })

  it('gives no agent more groups than allowed', () => {
    const full = Array.from({ length: limits.groupsPerAgentMax }, (_, index) => `g${index}`)
    expect(changedGroups(full, { kind: 'assign', ids: [1], group: 'more' })).toEqual(full)
    expect(changedGroups([], { kind: 'replace', ids: [1], groups: [...full, 'more'] })).toEqual(full)
  })
})

it('accepts exactly the valid names of groups', () => {
  for (const name of ['default', 'a.b-c_d', '...', 'x'.repeat(255)]) expect(isGroupName(name)).toBe(true)
  for (const name of ['', '.', '..', 'a,b', 'a/b', 'ü', 'a\n', 'x'.repeat(256)]) expect(isGroupName(name)).toBe(false)
  expect(() => assertGroups(['a', 'b/c'])).toThrow('b/c')
})

it('hashes the ordered list as Wazuh does', () => {
  expect(groupsHash([])).toBe('')
  expect(groupsHash(['default'])).toBe('37a8eec1')
  expect(groupsHash(['a', 'b'])).not.toBe(groupsHash(['b', 'a']))
})

it('pages hold all rows in order, each within its bounds as it travels', () => {
  const state = { table: 't', version: 1, hash: '' }
  const long = 'g'.repeat(limits.groupNameCharsMax)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_000 }), fc.nat({ max: limits.groupsPerAgentMax - 1 }), (count, groups) => {
      const rows = Array.from({ length: count }, (_, index) => ({
        id: index + 1,
        groups: index % 97 === 0 ? Array.from({ length: groups + 1 }, () => long) : ['default'],
      }))
      const ids: number[] = []
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page: ReturnType<typeof groupsPageOf> = groupsPageOf(rows.slice(after), state)
        expect(page.rows.length).toBeLessThanOrEqual(limits.groupsPageRowsMax)
        expect(encodeGroupsRows(page.rows).byteLength).toBeLessThanOrEqual(limits.groupsPageBytesMax)
        for (const { id } of page.rows) ids.push(id)
        after = page.next
      }
      expect(ids).toEqual(rows.map(({ id }) => id))
    }),
    { numRuns: 10 },
  )
})
