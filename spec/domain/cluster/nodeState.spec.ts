import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import {
  decideStateChange,
  type NodeState,
  nodeStates,
  nodeStatesText,
  parseNodeStates,
  withNodeState,
} from '../../../src/domain/cluster/nodeState.js'

const state = fc.constantFrom(...nodeStates)
const names = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/)
const states = fc.array(fc.tuple(fc.oneof(names, fc.constantFrom('__proto__', 'constructor')), state)).map((entries) => new Map(entries))

describe('what an operator says of a node', () => {
  it('changes something exactly when it is possible and not so already', () =>
    fc.assert(
      fc.property(fc.constantFrom('master', 'w1'), state, state, fc.boolean(), (node, current, wanted, isKnown) => {
        fc.pre(!(node === 'master' && (current === 'removed' || !isKnown)))
        const decided = decideStateChange({ node, state: wanted, current, isKnown, masterNode: 'master' })
        const expected = ((): string | boolean => {
          if (!isKnown) return 'unknownNode'
          if (node === 'master' && wanted === 'removed') return 'argumentsInvalid'
          if (current === 'removed' && wanted === 'drained') return 'nodeRemoved'
          return current !== wanted
        })()
        expect(decided.ok ? decided.value : decided.error.code).toBe(expected)
      }),
    ))
})

it('a name that no node can have is unknown, whatever somebody takes it for', () => {
  for (const node of ['', '.', 'w 1', 'w1\n', 'w'.repeat(limits.nodeNameCharsMax + 1)])
    expect(decideStateChange({ node, state: 'drained', current: 'ready', isKnown: true, masterNode: 'master' })).toMatchObject({
      error: { code: 'unknownNode' },
    })
})

describe('the states of nodes', () => {
  it('are the same after they were written and read', () =>
    fc.assert(
      fc.property(states, (given) => {
        expect(parseNodeStates(Buffer.from(nodeStatesText(given)))).toEqual({ ok: true, value: given })
      }),
    ))

  it('never throw, whatever their file has become', () =>
    fc.assert(
      fc.property(states, fc.nat(), fc.integer({ min: 0, max: 255 }), (given, at, byte) => {
        const bytes = Buffer.from(nodeStatesText(given))
        bytes[at % bytes.length] = byte
        const read = parseNodeStates(bytes)
        if (read.ok) for (const [, value] of read.value) expect(nodeStates).toContain(value)
        else expect(read.error.code).toBe('malformed')
      }),
    ))

  it('stay within their bound: nodes that are ready are forgotten, drained and removed ones never', () => {
    const many = (of: NodeState): ReadonlyMap<string, NodeState> =>
      new Map(Array.from({ length: limits.knownNodesMax }, (_, index) => [`w${index}`, index < 2 ? 'drained' : of]))
    const forgotten = withNodeState(many('ready'), 'new', 'drained')
    if (!forgotten.ok) throw forgotten.error
    expect([...forgotten.value.keys()].slice(0, 3)).toEqual(['w0', 'w1', 'w3'])
    expect(forgotten.value.get('new')).toBe('drained')
    expect(forgotten.value.size).toBe(limits.knownNodesMax)
    expect(withNodeState(many('removed'), 'new', 'ready')).toMatchObject({ ok: false, error: { code: 'tooLarge' } })
    expect(withNodeState(many('removed'), 'w7', 'ready')).toMatchObject({ ok: true })
    // However many there are, their file is one that is read again.
    expect(
      nodeStatesText(new Map([...many('drained')].map(([name]) => [name.padEnd(limits.nodeNameCharsMax, '-'), 'drained']))).length,
    ).toBeLessThan(limits.nodeStatesBytesMax)
  })
})
