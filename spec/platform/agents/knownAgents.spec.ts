import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupsHash } from '../../../src/domain/agents/groups.js'
import { KnownAgents } from '../../../src/platform/agents/knownAgents.js'

const hashOf = (groups: string): string => (groups === '' ? '' : groupsHash(groups.split(',')))
const rowsOf = (agents: ReadonlyMap<number, string>) => [...agents].map(([id, groups]) => [id, groups, hashOf(groups)] as const)

const ids = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constantFrom(2 ** 31 - 1, 1_000_000))
const groups = fc.constantFrom('', 'default', 'linux', 'default,linux', 'linux,default', 'a,b,c')
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), id: ids, groups }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'add' as const), id: ids }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('read' as const) }) },
  ),
  { maxLength: 60 },
)

describe('the agents that are known in memory', () => {
  it('have the same hash, lists and sizes after any changes as when they are counted from the start', () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(ids, groups), { selector: ([id]) => id }), steps, (first, changes) => {
        const agents = new Map(first)
        const known = new KnownAgents(rowsOf(agents))
        const check = (): void => {
          const inOrder = [...agents].sort(([a], [b]) => a - b)
          const sizes: Record<string, number> = {}
          for (const [, text] of inOrder)
            for (const group of text.split(',').filter((name) => name !== '')) sizes[group] = (sizes[group] ?? 0) + 1
          expect(known.groupsDigest()).toBe(
            createHash('sha1')
              .update(inOrder.map(([, text]) => hashOf(text)).join(''))
              .digest('hex'),
          )
          expect(known.lists()).toEqual([...new Set([...agents.values()].filter((text) => text.includes(',')))].sort())
          expect(Object.fromEntries(known.sizes())).toEqual(sizes)
          expect(known.ids()).toEqual(inOrder.map(([id]) => id))
        }
        for (const step of changes) {
          if (step.kind === 'read') check()
          else if (step.kind === 'set') {
            agents.set(step.id, step.groups)
            known.set(step.id, step.groups, hashOf(step.groups))
          } else if (step.kind === 'add') {
            agents.set(step.id, agents.get(step.id) ?? '')
            known.add(step.id)
          } else {
            agents.delete(step.id)
            known.delete(step.id)
          }
        }
        check()
      }),
      { numRuns: 200 },
    ))
})
