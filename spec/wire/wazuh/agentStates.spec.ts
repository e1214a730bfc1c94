/** States of agents: recorded ones are read, those that we write come back, and one wrong row costs no other. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import type { WazuhAgent, WazuhStates } from '../../../src/domain/manager/wazuhAgent.js'
import {
  type ReadStates,
  readTakenStates,
  stateRequests,
  stateRowBytes,
  statesJson,
  statesRequestBytes,
  takenSlices,
} from '../../../src/wire/wazuh/agentStates.js'
import { wazuhStates } from '../../support/manager/wazuhArbitraries.js'

const read = (text: string): ReadStates => {
  const result = readTakenStates(text)
  if (!result.ok) throw result.error
  return result.value
}

/** Of `GET /v1/agents/sync`, from 4.13. */
const recordedObject =
  '{"syncreq":[{"id":2,"name":"web-02","ip":"10.0.0.2","version":"Wazuh v4.13.1","node_name":"w1","last_keepalive":1700001002,"connection_status":"active","disconnection_time":0,"group_config_status":"synced","status_code":0,"labels":[{"key":"\\"!hidden\\"","value":"näh \\"q\\""}]}],"syncreq_keepalive":[{"id":3,"version":"Wazuh v4.14.7"}],"syncreq_status":[{"id":5,"version":"Wazuh v4.14.7","connection_status":"disconnected","disconnection_time":1700002000,"status_code":4}]}'
/** Of `sync-agent-info-get`. */
const recordedList =
  '[{"id":1,"name":"web-01","os_build":"","connection_status":"active","labels":[{"id":1,"key":"\\"rack\\"","value":"r1"}]},{"id":5,"last_keepalive":1700001005,"connection_status":"disconnected","disconnection_time":1700002000,"status_code":0},{"id":2,"last_keepalive":1700001002}]'

describe('states of agents', () => {
  it('are read as 4.13 and later give them', () => {
    expect(read(recordedObject)).toEqual({ states: JSON.parse(recordedObject) as WazuhStates, dropped: 0 })
    expect(read('{}')).toEqual({ states: { syncreq: [], syncreq_keepalive: [], syncreq_status: [] }, dropped: 0 })
  })

  it('are read as earlier versions give them', () => {
    expect(read(recordedList)).toEqual({
      states: {
        syncreq: [{ id: 1, name: 'web-01', connection_status: 'active', labels: [{ key: '"rack"', value: 'r1' }] }],
        syncreq_keepalive: [{ id: 2 }],
        syncreq_status: [{ id: 5, connection_status: 'disconnected', disconnection_time: 1_700_002_000, status_code: 0 }],
      },
      dropped: 0,
    })
  })

  it('come back as they were written', () =>
    fc.assert(fc.property(wazuhStates, (states) => void expect(read(statesJson(states))).toEqual({ states, dropped: 0 }))))

  it('lose no row to a wrong one beside it, which is counted', () => {
    const wrong: readonly unknown[] = [
      ...[null, 1, 'x', [], {}, { id: '1' }, { id: 0 }, { id: -1 }, { id: 1.5 }, { id: 2 ** 31 }, { id: 1, name: 5 }],
      ...[
        { id: 1, last_keepalive: -1 },
        { id: 1, last_keepalive: '1' },
        { id: 1, connection_status: 'gone' },
      ],
      ...[
        { id: 1, group_config_status: 'maybe' },
        { id: 1, labels: {} },
      ],
    ]
    expect(read(JSON.stringify({ syncreq: [{ id: 7 }, ...wrong, { id: 8, colour: 'red', os_name: null }], other: [1] }))).toEqual({
      states: { syncreq: [{ id: 7 }, { id: 8 }], syncreq_keepalive: [], syncreq_status: [] },
      dropped: wrong.length,
    })
  })

  it('are cut where a text is too long, and keep no half of a character', () => {
    const name = `${'x'.repeat(limits.agentFactCharsMax - 1)}😀`
    const [row] = read(JSON.stringify({ syncreq: [{ id: 1, name }] })).states.syncreq
    expect(row?.name).toBe(`${'x'.repeat(limits.agentFactCharsMax - 1)}\ufffd`)
    const labels = Array.from({ length: 100 }, (_, index) => ({ key: `k${index}`, value: 'v'.repeat(1_000) }))
    expect(read(JSON.stringify({ syncreq: [{ id: 1, labels }] })).states.syncreq[0]?.labels).toHaveLength(16)
  })

  it('are refused when they nest too deep or have too many values, before they are parsed', () => {
    for (const text of ['['.repeat(100), `[${'0,'.repeat(limits.wazuhDbValuesMax)}0]`, '"', '{', '', '5', 'null']) {
      const result = readTakenStates(text)
      expect(!result.ok && result.error.code).toBe('malformed')
    }
  })

  it('are the same in slices, none of which has too many rows', () =>
    fc.assert(
      fc.property(wazuhStates, fc.integer({ min: 1, max: 4 }), (states, rowsMax) => {
        const slices = [...takenSlices(statesJson(states), rowsMax)]
        for (const slice of slices) for (const rows of Object.values(slice.states)) expect(rows.length).toBeLessThanOrEqual(rowsMax)
        expect({
          syncreq: slices.flatMap((slice) => slice.states.syncreq),
          syncreq_keepalive: slices.flatMap((slice) => slice.states.syncreq_keepalive),
          syncreq_status: slices.flatMap((slice) => slice.states.syncreq_status),
        }).toEqual(states)
      }),
    ))

  it('in slices are good until something is no JSON', () => {
    const slices = takenSlices(`${recordedList.slice(0, -1)},{]`, 1)
    for (let row = 0; row < 3; row++) expect(slices.next().done).toBe(false)
    expect(() => slices.next()).toThrow('is not JSON')
  })

  it('are read or refused, whatever the JSON', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.json().map((json) => `{"syncreq":[${json}],"syncreq_status":${json}}`),
        ),
        (text) => {
          const result = readTakenStates(text)
          if (result.ok) for (const { id } of result.value.states.syncreq) expect(id).toBeGreaterThan(0)
        },
      ),
    ))

  it('take no more bytes in a request than is said of each row', () =>
    fc.assert(
      fc.property(wazuhStates, (states) => {
        const rows = [...states.syncreq, ...states.syncreq_keepalive, ...states.syncreq_status]
        const bytes = rows.reduce((sum, row) => sum + stateRowBytes(row), statesRequestBytes)
        expect(Buffer.byteLength(statesJson(states))).toBeLessThanOrEqual(bytes)
        const [first] = stateRequests({ ...states, syncreq_keepalive: [], syncreq_status: [] })
        if (first) expect(Buffer.byteLength(first)).toBeLessThanOrEqual(bytes)
      }),
    ))

  it('are requests of their own before 4.13 when they are no whole rows, and labels say whose they are', () => {
    const full: WazuhAgent = { id: 2, name: 'a', labels: [{ key: 'k', value: 'v' }] }
    const states = {
      syncreq: [full],
      syncreq_keepalive: [{ id: 3, version: 'v4' }],
      syncreq_status: [{ id: 5, connection_status: 'active' }],
    } as const
    expect(stateRequests(states)).toEqual([
      'global sync-agent-info-set [{"id":2,"name":"a","labels":[{"id":2,"key":"k","value":"v"}]}]',
      'global update-keepalive {"id":3,"version":"v4","connection_status":"active","sync_status":"synced"}',
      'global update-connection-status {"id":5,"connection_status":"active","sync_status":"synced","status_code":0}',
    ])
  })
})
