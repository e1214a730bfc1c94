import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clusterFindings } from '../../../../src/domain/api/overview/clusterFindings.js'
import { conditionOf, conditions } from '../../../../src/domain/api/overview/nodeCondition.js'
import type { NodeOverview } from '../../../../src/domain/queries/clusterAnswer.js'
import { clusters, healthyNode, nowMs } from './overviewArbitraries.js'

const dayMs = 86_400_000
const master: NodeOverview = { ...healthyNode, name: 'master', type: 'master' }
const worker = (name: string, change: Partial<NodeOverview> = {}): NodeOverview => ({ ...healthyNode, name, ...change })
const sentences = (...workers: readonly NodeOverview[]): readonly string[] =>
  clusterFindings([master, ...workers], nowMs).map(({ sentence }) => sentence)

describe('what is said of a cluster', () => {
  it('begins with something bad whenever there is something bad', () =>
    fc.assert(
      fc.property(clusters, (nodes) => {
        const [first] = clusterFindings(nodes, nowMs)
        const isBad = nodes.some((node) => conditions[conditionOf(node)].severity === 'bad')
        const endsSoon = nodes.some(({ certificateEndsMs: ms, state }) => state !== 'removed' && ms !== undefined && ms < nowMs + 7 * dayMs)
        expect(first?.severity === 'bad').toBe(isBad || endsSoon)
      }),
    ))

  it('is good only when every worker that belongs to the cluster is connected and in sync', () =>
    fc.assert(
      fc.property(clusters, (nodes) => {
        const [first] = clusterFindings(nodes, nowMs)
        if (first?.severity !== 'good') return
        for (const node of nodes)
          if (node.type === 'worker' && node.state !== 'removed') expect(['inSync', 'drained']).toContain(conditionOf(node))
      }),
    ))

  it('is a few short sentences of visible characters, whatever the nodes are called', () =>
    fc.assert(
      fc.property(clusters, (nodes) => {
        const findings = clusterFindings(nodes, nowMs)
        expect(findings.length).toBeLessThanOrEqual(20)
        for (const { sentence } of findings) {
          expect(sentence).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
          expect(sentence.length).toBeLessThan(600)
        }
      }),
    ))

  it('does not change because time passes', () =>
    fc.assert(
      fc.property(clusters, fc.nat(3_600_000), (nodes, laterMs) => {
        const timeless = nodes.map(({ certificateEndsMs: _, ...node }) => node)
        expect(clusterFindings(timeless, nowMs + laterMs)).toEqual(clusterFindings(timeless, nowMs))
      }),
    ))

  const cases: readonly (readonly [string, readonly NodeOverview[], readonly string[]])[] = [
    ['workers in sync', [worker('a'), worker('b')], ['2 of 2 workers are in sync.']],
    ['a master alone', [], ['No worker has joined yet.']],
    ['one that syncs', [worker('a', { inSync: false, pending: 34 }), worker('b')], ['1 of 2 workers is in sync; a takes 34 files.']],
    [
      'a lost one',
      [worker('a', { isConnected: false, error: 'no answer' }), worker('b')],
      ['a is not connected: no answer.', '1 of 2 workers is in sync.'],
    ],
    [
      'files that fail',
      [worker('a', { failed: 2, inSync: false }), worker('b', { failed: 1, inSync: false })],
      ['3 files cannot be written on a and b.', '0 of 2 workers are in sync.'],
    ],
    [
      'many lost ones',
      ['a', 'b', 'c', 'd', 'e'].map((name) => worker(name, { isConnected: false })),
      ['5 nodes are not connected: a, b, c and 2 more.', '0 of 5 workers are in sync.'],
    ],
    ['a wrong clock', [worker('a', { clockSkewMs: 12_000 })], ['1 of 1 worker is in sync.', "The clock of a is 12 s behind the master's."]],
    [
      'two versions',
      [worker('a', { version: '4.13.0' })],
      ['1 of 1 worker is in sync.', 'The nodes run different versions: 4.13.0, 4.14.7.'],
    ],
    [
      'a certificate',
      [worker('a', { certificateEndsMs: nowMs + 6.5 * dayMs })],
      ['The certificate of a ends in 6 days.', '1 of 1 worker is in sync.'],
    ],
    ['a drained one', [worker('a', { state: 'drained' })], ['1 of 1 worker is in sync.', 'a is drained.']],
    ['a removed one', [worker('a', { state: 'removed', isConnected: false })], ['No worker has joined yet.']],
  ]
  it.each(cases)('says of %s what an operator needs', (_, workers, wanted) => expect(sentences(...workers)).toEqual(wanted))
})
