import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError, type ErrorCode, errorTable, isErrorCode } from '../../../src/base/errors.js'
import { decideAdmission, needsOperator } from '../../../src/domain/cluster/joinRule.js'
import { nodeStates } from '../../../src/domain/cluster/nodeState.js'
import type { Hello } from '../../../src/wire/muster/messages.js'

const hellos: fc.Arbitrary<Hello> = fc.record({
  cluster: fc.constantFrom('wazuh', 'other'),
  node: fc.constantFrom('master', 'w1', 'w2'),
  type: fc.constant('worker'),
  instance: fc.constantFrom('i1', 'i2'),
  version: fc.constant('v1'),
  capabilities: fc.constant([]),
})
const states = fc.dictionary(fc.constantFrom('master', 'w1', 'w2'), fc.constantFrom(...nodeStates))
const holders = fc.dictionary(fc.constantFrom('w1', 'w2'), fc.constantFrom('i1', 'i2'))

describe('admission', () => {
  it('lets in exactly the workers of this cluster that are not removed, and whose name is free or theirs', () =>
    fc.assert(
      fc.property(hellos, holders, states, fc.integer({ min: 1, max: 3 }), (hello, held, said, workersMax) => {
        const stateOf = (node: string) => said[node] ?? 'ready'
        const workers = Object.keys(held).length
        const decision = decideAdmission(
          { cluster: 'wazuh', masterNode: 'master', workersMax, workers, instanceOf: (node) => held[node], stateOf },
          hello,
        )
        const expected = ((): ErrorCode | undefined => {
          if (hello.cluster !== 'wazuh') return 'wrongClusterName'
          if (hello.node === 'master') return 'sameNameAsMaster'
          if (said[hello.node] === 'removed') return 'nodeRemoved'
          if (held[hello.node] === undefined) return Object.keys(held).length < workersMax ? undefined : 'tooManyWorkers'
          return held[hello.node] === hello.instance ? undefined : 'duplicateName'
        })()
        if (typeof expected === 'string') expect(decision).toMatchObject({ ok: false, error: { code: expected } })
        else expect(decision).toEqual({ ok: true, value: undefined })
      }),
    ))

  it('refuses with a sentence that names what the operator has to change', () => {
    const refusal = (hello: Partial<Hello>): string => {
      const decision = decideAdmission(
        {
          ...{ cluster: 'wazuh', masterNode: 'master', workersMax: 1, workers: 1 },
          instanceOf: (node) => (node === 'w1' ? 'i1' : undefined),
          stateOf: (node) => (node === 'w3' ? 'removed' : 'ready'),
        },
        { cluster: 'wazuh', node: 'w1', type: 'worker', instance: 'i2', version: 'v1', capabilities: [], ...hello },
      )
      return decision.ok ? '' : decision.error.message
    }
    expect(refusal({ cluster: 'other' })).toContain("'wazuh', not 'other' (option <name>)")
    expect(refusal({ node: 'master' })).toContain('<node_name>')
    expect(refusal({})).toContain("'w1'")
    expect(refusal({ node: 'w2' })).toContain("'workers_max'")
    expect(refusal({ node: 'w3' })).toContain("'cluster_control --ready w3'")
  })

  it('waits for an operator only where the same dial can hardly succeed by itself', () => {
    const codes = Object.keys(errorTable).filter(isErrorCode)
    expect(codes.filter((code) => needsOperator(new ClusterError(code))).sort()).toEqual([
      'duplicateName',
      'noCommonProtocol',
      'nodeRemoved',
      'notCertified',
      'sameNameAsMaster',
      'tooManyWorkers',
      'wrongClusterName',
    ])
  })
})
