/** Groups of agents in wazuh-db's requests and answers: recorded ones are read, and a wrong row costs no other. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupsRequestBytes, groupsRowBytes, readGroupsPage, setGroupsRequest } from '../../../src/wire/wazuh/groupsRequests.js'
import { wazuhGroupsRows } from '../../support/manager/wazuhArbitraries.js'

describe('groups of agents', () => {
  it('are read as wazuh-db gives them', () => {
    expect(
      readGroupsPage(
        '[{"data":[{"id":1,"name":"web-01","groups":["default","web"]},{"id":6,"name":"never-06","groups":[]}],"hash":"194ea86e750efc2b11963c3aa175e512208ec9ba"}]',
      ),
    ).toEqual({
      ok: true,
      value: {
        rows: [
          { id: 1, name: 'web-01', groups: ['default', 'web'] },
          { id: 6, name: 'never-06', groups: [] },
        ],
        hash: '194ea86e750efc2b11963c3aa175e512208ec9ba',
        dropped: 0,
      },
    })
    expect(readGroupsPage('[{"data":[],"hash":null}]')).toEqual({ ok: true, value: { rows: [], dropped: 0 } })
  })

  it('are set by the recorded request', () => {
    expect(setGroupsRequest([{ id: 1, name: 'web-01', groups: ['default'] }])).toBe(
      'global set-agent-groups {"mode":"override","sync_status":"synced","data":[{"id":1,"name":"web-01","groups":["default"]}]}',
    )
  })

  it('come back as they are, and take no more bytes than is said of each row', () =>
    fc.assert(
      fc.property(wazuhGroupsRows, (rows) => {
        expect(readGroupsPage(JSON.stringify([{ data: rows }]))).toEqual({ ok: true, value: { rows, dropped: 0 } })
        const bytes = rows.reduce((sum, row) => sum + groupsRowBytes(row), groupsRequestBytes)
        expect(Buffer.byteLength(setGroupsRequest(rows))).toBeLessThanOrEqual(bytes)
      }),
    ))

  it('lose no row to a wrong one, and are refused when they are no page', () => {
    const wrong = [
      { id: 0, groups: [] },
      { id: 2 },
      { id: 3, groups: ['../x'] },
      { id: 4, groups: [1] },
      { id: 5, name: 1, groups: [] },
      null,
    ]
    const page = readGroupsPage(JSON.stringify([{ data: [...wrong, { id: 9, name: 'a', groups: [] }], hash: 'zz' }]))
    expect(page).toEqual({ ok: true, value: { rows: [{ id: 9, name: 'a', groups: [] }], dropped: wrong.length } })
    for (const text of ['', '{}', '[]', '[1]', '[[]]', '[{"data":', '"x"']) expect(readGroupsPage(text).ok).toBe(false)
  })
})
