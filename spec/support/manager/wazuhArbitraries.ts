/** Agents and groups as wazuh-db has them. */
import fc from 'fast-check'
import { connectionStatuses, type WazuhAgent, type WazuhGroupsRow, type WazuhStates } from '../../../src/domain/manager/wazuhAgent.js'

const id = fc.integer({ min: 1, max: 2 ** 31 - 1 })
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }).filter((value) => !/\p{Surrogate}/u.test(value))
const number = fc.integer({ min: 0, max: 253_402_300_799 })
const status = fc.constantFrom(...connectionStatuses)
const label = fc.record({ key: text, value: fc.oneof(text, fc.constant('')) })

const agent = fc.record(
  {
    id,
    name: text,
    ip: text,
    os_name: text,
    os_uname: text,
    version: text,
    node_name: text,
    last_keepalive: number,
    connection_status: status,
    disconnection_time: number,
    group_config_status: fc.constantFrom('synced', 'not synced'),
    status_code: fc.nat(5),
    labels: fc.array(label, { minLength: 1, maxLength: 4 }),
  },
  { requiredKeys: ['id'] },
) as fc.Arbitrary<WazuhAgent>

const rows = <T>(row: fc.Arbitrary<T>) => fc.array(row, { maxLength: 6 })

export const wazuhStates: fc.Arbitrary<WazuhStates> = fc.record({
  syncreq: rows(agent),
  syncreq_keepalive: rows(
    fc.record({ id, version: text }, { requiredKeys: ['id'] }) as fc.Arbitrary<WazuhStates['syncreq_keepalive'][number]>,
  ),
  syncreq_status: rows(
    fc.record(
      { id, version: text, connection_status: status, disconnection_time: number, status_code: fc.nat(5) },
      { requiredKeys: ['id'] },
    ) as fc.Arbitrary<WazuhStates['syncreq_status'][number]>,
  ),
})

const groupName = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/)

export const wazuhGroupsRows: fc.Arbitrary<readonly WazuhGroupsRow[]> = rows(
  fc.record({ id, name: text, groups: fc.array(groupName, { maxLength: 5 }) }),
)
