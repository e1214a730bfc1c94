/** The endpoints of agents and groups, held to Wazuh's shapes; long lists are filtered and paged as they come. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../../src/base/errors.js'
import type { AgentView } from '../../../../src/domain/agents/agent.js'
import { unpackFacts } from '../../../../src/domain/agents/packedFacts.js'
import type { AgentRow } from '../../../../src/domain/queries/agentAnswer.js'
import type { AnswerLine } from '../../../../src/domain/queries/answerLine.js'
import { type Answers, ApiWorld } from '../../../support/api/apiWorld.js'

const seenMs = Date.UTC(2026, 10, 26, 1, 38, 42, 123)
const statusOf = (id: number) => (id % 3 === 0 ? 'disconnected' : 'active')
const versionOf = (id: number) => (id === 5 ? 'Wazuh v5.0.0' : id < 3 ? 'Wazuh v4.14.7' : 'Wazuh v4.9.12')
const row = (id: number): AgentRow => [
  id,
  `agent${id}`,
  `10.0.0.${id % 250}`,
  statusOf(id),
  versionOf(id),
  `w${id % 2}`,
  'any',
  id % 2 ? 'default,web' : '',
  seenMs,
  0,
  'none',
]
const manager: AgentRow = [0, 'vm', '127.0.0.1', 'active', 'Wazuh v4.14.7', 'master-node', '127.0.0.1', '', 0, 0, 'none']
const shape = { idDigits: 3, nameChars: 9, ipChars: 9, statusChars: 9, versionChars: 9, nodeChars: 9 }

/** With all that is known; agents from 3 on are of an older version, but for 5. */
const view = (id: number): AgentView => ({
  ...{ id, name: `agent${id}`, registeredIp: 'any', status: statusOf(id), node: `w${id % 2}`, seenMs },
  ...{ groups: id % 2 ? ['default', 'web'] : [], groupHash: 'x' },
  facts: {
    ...unpackFacts(''),
    ip: `10.0.0.${id % 250}`,
    version: versionOf(id),
    osName: 'Debian',
    osPlatform: id % 4 === 0 ? '' : 'debian',
    osVersion: '12',
    configSum: 'c',
    mergedSum: 'm',
  },
})
const managerDetails: AnswerLine = {
  kind: 'agentDetails',
  agent: {
    ...{ id: 0, name: 'vm', registeredIp: '127.0.0.1', status: 'active', node: 'master-node', groups: [], groupHash: '' },
    facts: { ...unpackFacts(''), version: 'Wazuh v4.14.7' },
  },
  isSynchronized: false,
  manager: 'vm',
}

/** As a master with this many agents answers; how many rows were taken of it is counted. */
const answersOf =
  (agents: number, taken = { rows: 0, details: 0 }): Answers =>
  (request) => {
    switch (request.kind) {
      case 'agents':
        return (function* (): Generator<AnswerLine> {
          const first = request.ids || request.group !== undefined || request.statuses ? [] : [manager]
          const ids = request.ids ?? Array.from({ length: agents }, (_, at) => at + 1)
          const rows = [...first, ...ids.filter((id) => id <= agents).map(row)].filter(
            ([, , , status]) => request.statuses?.includes(status) ?? true,
          )
          yield { kind: 'agentsShape', shape: { ...shape, count: rows.length } }
          for (let at = 0; at < rows.length; at += 1_000) {
            taken.rows += Math.min(1_000, rows.length - at)
            yield { kind: 'agents', rows: rows.slice(at, at + 1_000) }
          }
        })()
      case 'agentDetails':
        taken.details += request.ids.length
        return [
          ...(request.ids.includes(0) ? [managerDetails] : []),
          ...request.ids
            .filter((id) => id > 0 && id <= agents)
            .map((id): AnswerLine => {
              const registeredMs = seenMs - 60_000 * (agents - id)
              return {
                kind: 'agentDetails',
                agent: view(id),
                isSynchronized: id === 1,
                registeredMs,
                ...(id % 2 === 0 && { manager: 'vm' }),
              }
            }),
        ]
      case 'agentSummary':
        return [
          {
            ...{ kind: 'agentSummary', counts: { active: 3, disconnected: 1, never_connected: 2, pending: 0 } },
            configuration: { synced: 2, notSynced: 4 },
          },
          { kind: 'agentPlatforms', platforms: [{ name: 'debian', agents: 3 }] },
          { kind: 'agentPlatforms', platforms: [{ name: '__proto__', agents: 1 }] },
        ]
      case 'groups':
        return [
          {
            kind: 'groups',
            groups: [
              { name: 'default', agents: 2 },
              { name: 'web', agents: 1, mergedSum: `${request.sums} of merged.mg`, configSum: `${request.sums} of agent.conf` },
              { name: 'empty', agents: 0 },
            ],
          },
          { kind: 'unassigned', agents: 0 },
        ]
      case 'groupFiles':
        if (request.group !== 'web') throw new ClusterError('groupMissing')
        return [{ kind: 'groupFiles', files: [{ name: 'agent.conf', digest: `${request.hash} of agent.conf` }] }]
      default:
        return []
    }
  }

const sumsBy = (hash: string) => ({ mergedSum: `${hash} of merged.mg`, configSum: `${hash} of agent.conf` })

const listed = async (world: ApiWorld, url: string) => {
  const answer = await world.get(url)
  return answer.json<{
    data: {
      affected_items: Record<string, unknown>[]
      total_affected_items: number
      failed_items: { id: string[]; error: { code: number } }[]
    }
    error: number
    message: string
  }>()
}

describe('GET /agents', () => {
  it('lists agents in the shape of Wazuh, the manager first, and leaves out what is not known', async () => {
    const { data, error, message } = await listed(new ApiWorld({ answers: answersOf(2) }), '/agents')
    expect(data.affected_items).toEqual([
      {
        id: '000',
        name: 'vm',
        ip: '127.0.0.1',
        registerIP: '127.0.0.1',
        status: 'active',
        version: 'Wazuh v4.14.7',
        manager: 'vm',
        node_name: 'master-node',
        lastKeepAlive: '9999-12-31T23:59:59+00:00',
      },
      {
        id: '001',
        name: 'agent1',
        ip: '10.0.0.1',
        registerIP: 'any',
        status: 'active',
        version: 'Wazuh v4.14.7',
        node_name: 'w1',
        group: ['default', 'web'],
        dateAdd: '2026-11-26T01:37:42+00:00',
        lastKeepAlive: '2026-11-26T01:38:42+00:00',
        ...{ configSum: 'c', mergedSum: 'm', group_config_status: 'synced' },
        os: { major: '12', name: 'Debian', platform: 'debian', version: '12' },
      },
      {
        id: '002',
        name: 'agent2',
        ip: '10.0.0.2',
        registerIP: 'any',
        status: 'active',
        version: 'Wazuh v4.14.7',
        manager: 'vm',
        node_name: 'w0',
        dateAdd: '2026-11-26T01:38:42+00:00',
        lastKeepAlive: '2026-11-26T01:38:42+00:00',
        ...{ configSum: 'c', mergedSum: 'm', group_config_status: 'not synced' },
        os: { major: '12', name: 'Debian', platform: 'debian', version: '12' },
      },
    ])
    expect([data.total_affected_items, error, message]).toEqual([3, 0, 'All selected agents information was returned'])
  })

  it('by id has all that is known of them, and says which do not exist', async () => {
    const { data, error } = await listed(new ApiWorld({ answers: answersOf(2) }), '/agents?agents_list=001,002,999')
    expect(data.affected_items).toHaveLength(2)
    expect(data.affected_items[0]).toMatchObject({
      id: '001',
      os: { name: 'Debian', platform: 'debian' },
      configSum: 'c',
      mergedSum: 'm',
      group_config_status: 'synced',
    })
    expect(data.affected_items[1]).toMatchObject({ group_config_status: 'not synced' })
    expect([error, data.failed_items]).toMatchObject([2, [{ id: ['999'], error: { code: 1701 } }]])
    const many = Array.from({ length: 540 }, (_, at) => String(at + 1).padStart(3, '0')).join(',')
    expect((await listed(new ApiWorld({ answers: answersOf(539) }), `/agents?agents_list=${many}`)).data).toMatchObject({
      total_affected_items: 539,
      failed_items: [{ id: ['540'] }],
    })
  })

  it('takes no more of 100 000 agents than the page needs, unless all have to be seen', async () => {
    const taken = { rows: 0, details: 0 }
    const world = new ApiWorld({ answers: answersOf(100_000, taken) })
    const page = await listed(world, '/agents?offset=10&limit=5')
    expect([page.data.affected_items.map(({ id }) => id), page.data.total_affected_items]).toEqual([
      ['010', '011', '012', '013', '014'],
      100_001,
    ])
    expect([taken.rows < 5_000, taken.details]).toEqual([true, 5])
    const filtered = await listed(world, '/agents?q=status=disconnected;node_name=w1&limit=2&sort=-id')
    expect([filtered.data.affected_items.map(({ id }) => id), filtered.data.total_affected_items]).toEqual([['99999', '99993'], 16_667])
    expect(world.answers.size).toBe(0)
    expect(taken.details).toBe(7)
    const all = await world.get('/agents?limit=100000&select=id')
    expect(taken.details).toBe(7)
    expect(all.json<{ data: { affected_items: unknown[] } }>().data.affected_items).toHaveLength(100_000)
  })

  it('filters by what Wazuh filters by', async () => {
    const world = new ApiWorld({ answers: answersOf(6) })
    const ids = async (query: string) => (await listed(world, `/agents?${query}`)).data.affected_items.map(({ id }) => id)
    expect(await ids('status=disconnected')).toEqual(['003', '006'])
    expect(await ids('name=agent4')).toEqual(['004'])
    expect(await ids('node_name=w0')).toEqual(['002', '004', '006'])
    expect(await ids('group=web')).toEqual(['001', '003', '005'])
    expect(await ids('search=agent5')).toEqual(['005'])
    expect(await ids('older_than=1d')).toEqual([])
    expect(await ids('group_config_status=synced')).toEqual(['001'])
    expect(await ids('os.platform=debian&limit=2')).toEqual(['001', '002'])
    expect(await ids('q=os.platform=debian;manager=vm&select=id')).toEqual(['002', '006'])
    expect(await ids('sort=-dateAdd&limit=2&select=id')).toEqual(['006', '005'])
    await world.clock.advance(seenMs + 2 * 86_400_000 - world.clock.now())
    expect(await ids('older_than=1d')).toHaveLength(6)
    expect((await listed(world, '/agents/no_group')).data.affected_items.map(({ id }) => id)).toEqual(['002', '004', '006'])
    expect((await listed(world, '/agents?distinct=true&select=node_name')).data.affected_items).toEqual([
      { node_name: 'master-node' },
      { node_name: 'w1' },
      { node_name: 'w0' },
    ])
    for (const query of ['status=well', 'agents_list=1', 'older_than=x', 'agents_list=', 'limit=-1', 'select=key', 'limit=1&limit=2'])
      expect([query, (await world.get(`/agents?${query}`)).statusCode]).toEqual([query, 400])
  })

  it('summarizes connections, and says whether the groups of one are in sync', async () => {
    const world = new ApiWorld({ answers: answersOf(2) })
    const connection = { active: 3, disconnected: 1, never_connected: 2, pending: 0, total: 6 }
    const configuration = { synced: 2, not_synced: 4, total: 6 }
    expect((await world.get('/agents/summary/status')).json()).toEqual({
      data: { connection, configuration },
      error: 0,
    })
    expect((await world.get('/agents/summary')).json()).toEqual({
      data: { status: connection, os: JSON.parse('{"debian":3,"__proto__":1}'), groups: { default: 2, web: 1 } },
      error: 0,
    })
    expect((await listed(world, '/agents/001/group/is_sync')).data.affected_items).toEqual([{ id: '001', synced: true }])
    expect((await listed(world, '/agents/009/group/is_sync')).data.failed_items).toMatchObject([{ id: ['009'], error: { code: 1701 } }])
    expect((await world.get('/agents/000/group/is_sync')).json()).toMatchObject({ title: 'Bad Request', error: 1703 })
  })
})

describe('what is counted of agents', () => {
  it('lists those of a lower version than the manager, in the shape of a list', async () => {
    const { data } = await listed(new ApiWorld({ answers: answersOf(5) }), '/agents/outdated?select=id,version')
    expect(data.affected_items).toEqual([
      { id: '003', version: 'Wazuh v4.9.12' },
      { id: '004', version: 'Wazuh v4.9.12' },
    ])
  })

  it('counts agents by the fields that are asked for, with N/A for what an agent does not have', async () => {
    const taken = { rows: 0, details: 0 }
    const world = new ApiWorld({ answers: answersOf(4, taken) })
    expect((await listed(world, '/agents/stats/distinct?fields=node_name&sort=-count')).data).toMatchObject({
      affected_items: [
        { node_name: 'w1', count: 2 },
        { node_name: 'w0', count: 2 },
        { node_name: 'master-node', count: 1 },
      ],
      total_affected_items: 3,
    })
    expect(taken.details).toBe(0)
    const systems = await listed(world, '/agents/stats/distinct?fields=os.platform,os.name,version&q=id!=000&limit=2')
    expect([systems.data.affected_items, systems.data.total_affected_items]).toEqual([
      [
        { os: { platform: 'debian', name: 'Debian' }, version: 'Wazuh v4.14.7', count: 2 },
        { os: { platform: 'debian', name: 'Debian' }, version: 'Wazuh v4.9.12', count: 1 },
      ],
      3,
    ])
    expect((await listed(world, '/agents/stats/distinct?fields=os.platform&q=id=004')).data.affected_items).toEqual([
      { os: { platform: 'N/A' }, count: 1 },
    ])
    expect((await world.get('/agents/stats/distinct?fields=key')).json()).toMatchObject({ error: 1724 })
    expect((await world.get('/agents/stats/distinct')).json()).toMatchObject({ detail: "Missing query parameter 'fields'" })
  })

  it('has the digest of a dashboard', async () => {
    expect((await new ApiWorld({ answers: answersOf(2) }).get('/overview/agents')).json()).toMatchObject({
      data: {
        nodes: [
          { node_name: 'w1', count: 1 },
          { node_name: 'w0', count: 1 },
        ],
        groups: [{ name: 'default', count: 2 }, { name: 'web', count: 1, ...sumsBy('md5') }, { name: 'empty' }],
        agent_os: [{ os: { name: 'Debian', platform: 'debian', version: '12' }, count: 2 }],
        agent_status: { connection: { total: 6 }, configuration: { synced: 2, not_synced: 4, total: 6 } },
        agent_version: [{ version: 'Wazuh v4.14.7', count: 2 }],
        last_registered_agent: [{ id: '002', os: { platform: 'debian' } }],
      },
      error: 0,
    })
  })
})

describe('GET /groups', () => {
  it('has sums by the hash that is asked for, and none by one that Wazuh does not know', async () => {
    const world = new ApiWorld({ answers: answersOf(1) })
    for (const hash of ['sha3_256', 'blake2b']) {
      expect(await listed(world, `/groups?hash=${hash}&groups_list=web`)).toMatchObject({ data: { affected_items: [sumsBy(hash)] } })
      expect(await listed(world, `/groups/web/files?hash=${hash}`)).toMatchObject({
        data: { affected_items: [{ hash: `${hash} of agent.conf` }] },
      })
    }
    for (const url of ['/groups?hash=sha3-256', '/groups/web/files?hash=sha3-256'])
      expect((await world.get(url)).json()).toEqual({
        title: 'Bad Request',
        detail: 'Hash algorithm not available: "sha3-256"',
        remediation: expect.stringContaining('md5, sha1,'),
        error: 1723,
      })
  })

  it('lists groups, their agents and their files, and knows which do not exist', async () => {
    const world = new ApiWorld({ answers: answersOf(4) })
    expect(await listed(world, '/groups?groups_list=web,nothing')).toMatchObject({
      data: { affected_items: [{ name: 'web', count: 1, ...sumsBy('md5') }], failed_items: [{ id: ['nothing'], error: { code: 1710 } }] },
      error: 2,
    })
    expect(await listed(world, '/groups/web/files')).toMatchObject({
      data: { affected_items: [{ filename: 'agent.conf', hash: 'md5 of agent.conf' }] },
      message: 'All selected groups files were returned',
    })
    const missing = await world.get('/groups/nothing/files')
    expect([missing.statusCode, missing.json()]).toEqual([
      404,
      { title: 'Resource Not Found', detail: 'The group does not exist', error: 1710 },
    ])
    expect((await listed(world, '/groups/web/agents')).data.affected_items.map(({ id }) => id)).toEqual(['001', '003'])
    expect(world.asked).toContainEqual({ kind: 'agents', group: 'web', tool: 'agent_groups' })
  })
})
