/** The endpoints of Wazuh's cluster API, held to what its reference records of them; names that peers choose are hostile. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../../src/base/errors.js'
import type { AnswerLine } from '../../../../src/domain/queries/answerLine.js'
import { type Answers, ApiWorld } from '../../../support/api/apiWorld.js'

const atMs = Date.UTC(2026, 10, 26, 1, 38, 42, 123)
const span = { startMs: atMs, endMs: atMs + 5.456 }
const masterView = { name: 'master-node', type: 'master', version: 'v4.14.7', address: 'wazuh-master' } as const
const workerView = { name: 'worker1', type: 'worker', version: '4.14.7', address: '172.21.0.7' } as const

const report = {
  ...{ home: '/opt/wazuh', timeZone: 'Asia/Kolkata', utcOffsetMinutes: 330, mistakes: [] },
  ...{ running: ['wazuh-clusterd', 'wazuh-remoted'], stopped: ['wazuh-apid'] },
  configuration: { type: 'worker' as const, port: 1516, bindAddress: '0.0.0.0', nodes: ['wazuh-master'], hidden: true },
  api: { address: '10.0.0.7', port: 55000, isSecure: true, asksForCertificates: false, hosts: ['w1.example.com'] },
}

const listening = [
  { port: 1514, transports: ['tcp', 'udp'], localIp: '', ipv6: false },
  { port: 1600, transports: ['tcp'], localIp: 'fd00::1', ipv6: true },
] as const

const lines = [
  { atMs: atMs + 1, level: 'error' as const, text: '[Worker] [Integrity sync] Could not write <b>etc/rules/a</b>.' },
  { atMs, level: 'warning' as const, text: '[Worker] [Main] The connection was lost.' },
]

const answers: Answers = (request) => {
  const wanted = 'nodes' in request ? request.nodes : undefined
  const views = [masterView, workerView].filter(({ name }) => wanted?.includes(name) ?? true)
  const begin: AnswerLine = {
    kind: 'cluster',
    name: 'wazuh',
    unknownNodes: (wanted ?? []).filter((name) => ![masterView.name, workerView.name].includes(name as never)),
  }
  const worker = {
    ...{ integrityFree: true, agentInfoFree: true, integrityCheck: span, integritySync: { ...span, missing: 2, shared: 0, extra: 0 } },
    ...{ agentInfo: { ...span, chunks: 1 }, agentGroups: { ...span, chunks: 1 }, lastKeepAliveMs: atMs },
  }
  switch (request.kind) {
    case 'nodes':
      return [begin, ...views.map((node): AnswerLine => ({ kind: 'node', node })), { kind: 'end' }]
    case 'health':
      return [
        begin,
        ...views.map(
          (node): AnswerLine => ({ kind: 'health', node: { ...node, activeAgents: 3, ...(node.type === 'worker' && { worker }) } }),
        ),
        { kind: 'end' },
      ]
    case 'nodeReports':
      return [
        begin,
        ...views.map(
          ({ name }): AnswerLine => ({
            kind: 'nodeReport',
            node: name,
            report: { ...report, ...(request.whole && { lines, agentsDisconnectionMs: 90_000, listening }) },
          }),
        ),
        { kind: 'end' },
      ]
    case 'files':
      return [
        begin,
        { kind: 'filesOf', summary: { node: 'worker1', inSync: false, files: 9, pending: 1, failed: 0, failuresLeftOut: 0 } },
        { kind: 'file', row: { node: 'worker1', file: 'etc/lists/a', state: 'pending' } },
        { kind: 'end' },
      ]
    default:
      return [begin, { kind: 'end' }]
  }
}

const envelope = (items: readonly object[], message: string, failed: readonly object[] = []) => ({
  data: { affected_items: items, total_affected_items: items.length, total_failed_items: failed.length, failed_items: failed },
  message,
  error: failed.length === 0 ? 0 : items.length === 0 ? 1 : 2,
})

const unknown = (id: string) => ({
  error: { code: 1730, message: 'Node does not exist', remediation: expect.stringContaining('cluster_control -l') },
  id: [id],
})

describe('GET /cluster', () => {
  it('nodes: the connected ones, master first, in the shape of Wazuh', async () => {
    const world = new ApiWorld({ answers })
    const master = { name: 'master-node', type: 'master', version: '4.14.7', ip: 'wazuh-master' }
    const worker = { name: 'worker1', type: 'worker', version: '4.14.7', ip: '172.21.0.7' }
    expect((await world.get('/cluster/nodes')).json()).toEqual(envelope([master, worker], 'All selected nodes information was returned'))
    expect((await world.get('/cluster/nodes?type=worker&select=name')).json()).toEqual(
      envelope([{ name: 'worker1' }], 'All selected nodes information was returned'),
    )
    expect((await world.get('/cluster/nodes?q=type=worker;version~4.14')).json()).toMatchObject({ data: { affected_items: [worker] } })
    expect((await world.get('/cluster/nodes?nodes_list=worker9')).json()).toEqual(
      envelope([], 'No information was returned', [unknown('worker9')]),
    )
    expect((await world.get('/cluster/nodes?nodes_list=worker1,worker9')).json()).toEqual(
      envelope([worker], 'Some nodes information was not returned', [unknown('worker9')]),
    )
    expect((await world.get('/cluster/nodes?type=client')).statusCode).toBe(400)
    expect((await world.get('/cluster/nodes?limit=0')).json()).toMatchObject({ title: 'Bad Request', error: 1406 })
    expect((await world.get('/cluster/nodes?select=key')).json()).toMatchObject({ detail: 'Not a valid select field: key', error: 1724 })
  })

  it('healthcheck: what each worker did last', async () => {
    const world = new ApiWorld({ answers })
    const start = '2026-11-26T01:38:42.123000Z'
    const end = '2026-11-26T01:38:42.128456Z'
    const onMaster = { date_start_master: start, date_end_master: end }
    const info = { type: 'worker', version: '4.14.7', n_active_agents: 3 }
    expect((await world.get('/cluster/healthcheck')).json()).toEqual(
      envelope(
        [
          { info: { ...info, name: 'master-node', type: 'master', ip: 'wazuh-master' } },
          {
            info: { ...info, name: 'worker1', ip: '172.21.0.7' },
            status: {
              sync_integrity_free: true,
              last_check_integrity: onMaster,
              last_sync_integrity: { ...onMaster, total_extra_valid: 0, total_files: { missing: 2, shared: 0, extra: 0, extra_valid: 0 } },
              sync_agent_info_free: true,
              last_sync_agentinfo: { ...onMaster, n_synced_chunks: 1 },
              last_sync_agentgroup: { date_start: start, date_end: end, n_synced_chunks: 1 },
              last_sync_full_agentgroup: { date_start: 'n/a', date_end: 'n/a', n_synced_chunks: 0 },
              last_keep_alive: start,
            },
          },
        ],
        'All selected nodes healthcheck information was returned',
      ),
    )
  })

  it('local/config has everything but the key; status has no list; ruleset says who lacks a part of it', async () => {
    const world = new ApiWorld({ answers })
    expect((await world.get('/cluster/local/config')).json()).toMatchObject({
      data: {
        affected_items: [{ node_name: 'master-node', key: '*****', port: 1516, nodes: ['wazuh-master'], hidden: 'no', disabled: false }],
      },
    })
    expect((await world.get('/cluster/status')).json()).toEqual({ data: { enabled: 'yes', running: 'yes' }, error: 0 })
    expect((await world.get('/cluster/ruleset/synchronization')).json()).toEqual(
      envelope(
        [
          { name: 'master-node', synced: true },
          { name: 'worker1', synced: false },
        ],
        'Nodes ruleset synchronization status was successfully read',
      ),
    )
  })

  it('configuration/validation: of every node; a bad one is a failed item, never KO', async () => {
    const world = new ApiWorld({ answers })
    expect((await world.get('/cluster/configuration/validation?nodes_list=worker1,master-node')).json()).toEqual(
      envelope(
        [
          { name: 'master-node', status: 'OK' },
          { name: 'worker1', status: 'OK' },
        ],
        'Validation was successfully checked in all nodes',
      ),
    )
    const answersOf = (line: Partial<AnswerLine>): Answers =>
      function* (request) {
        for (const known of answers(request) as Iterable<AnswerLine>)
          yield known.kind === 'nodeReport' && known.node === 'worker1'
            ? ({ kind: known.kind, node: known.node, ...line } as AnswerLine)
            : known
      }
    const outcome = async (line: Partial<AnswerLine>) => {
      const { data, error, message } = (await new ApiWorld({ answers: answersOf(line) }).get('/cluster/configuration/validation')).json()
      const [{ error: why, id }] = data.failed_items
      return [data.affected_items, id, why.code, why.message, error, message]
    }
    const [items, some] = [[{ name: 'master-node', status: 'OK' }], 'Could not check validation in some nodes']
    expect(await outcome({ report: { ...report, mistakes: ['<port> is "80"', '<node_name> is empty'] } })).toEqual([
      ...[items, ['worker1'], 1908, 'Error validating configuration: <port> is "80"; <node_name> is empty', 2, some],
    ])
    expect(await outcome({ failure: { number: 3020, message: 'Timeout sending request' } })).toEqual([
      ...[items, ['worker1'], 3020, 'Timeout sending request', 2, some],
    ])
    expect(await outcome({})).toEqual([items, ['worker1'], 3019, 'This is known at the node itself only', 2, some])
    expect((await world.get('/cluster/configuration/validation?nodes_list=worker9')).json()).toEqual(
      envelope([], 'Could not check validation in any node', [unknown('worker9')]),
    )
  })

  it('{node}/configuration and api/config: of any node, and never its key', async () => {
    const world = new ApiWorld({ answers })
    const { affected_items: configurations } = (await world.get('/cluster/worker1/configuration?section=cluster')).json().data
    const cluster = { name: 'wazuh', node_name: 'worker1', node_type: 'worker', key: '*****', port: 1516, bind_addr: '0.0.0.0' }
    expect(configurations).toEqual([{ cluster: { ...cluster, nodes: ['wazuh-master'], hidden: 'yes', disabled: 'no' } }])
    const of = async (node: string, query: string) => (await world.get(`/cluster/${node}/configuration${query}`)).json().data.affected_items
    const remote = [
      { connection: 'secure', port: '1514', protocol: ['tcp', 'udp'], ipv6: 'no' },
      { connection: 'secure', port: '1600', protocol: ['tcp'], ipv6: 'yes', local_ip: 'fd00::1' },
    ]
    expect(await of('worker1', '')).toEqual([{ ...configurations[0], global: { agents_disconnection_time: '90s' }, remote }])
    expect(await of('worker1', '?section=remote')).toEqual([{ remote }])
    expect(await of('master-node', '?section=global')).toEqual([{ global: { agents_disconnection_time: '15m' } }])
    expect(await of('worker1', '?section=cluster&field=port')).toEqual([{ cluster: { port: 1516 } }])
    expect((await world.get('/cluster/worker1/configuration?section=cluster&field=nothing')).json()).toMatchObject({ error: 1103 })
    for (const query of ['section=rules', 'field=port'])
      expect([query, (await world.get(`/cluster/worker1/configuration?${query}`)).statusCode]).toEqual([query, 400])
    expect((await world.get('/cluster/worker9/configuration')).json().data.failed_items).toEqual([unknown('worker9')])
    const { affected_items: services } = (await world.get('/cluster/api/config?nodes_list=worker1')).json().data
    const https = { enabled: true, use_ca: false }
    const config = { host: ['10.0.0.7'], port: 55000, https, hosts: ['w1.example.com'] }
    expect(services).toEqual([{ node_name: 'worker1', node_api_config: config }])
    const withoutService: Answers = function* (request) {
      for (const line of answers(request) as Iterable<AnswerLine>)
        yield line.kind === 'nodeReport' ? { ...line, report: { ...report, api: undefined } as never } : line
    }
    expect((await new ApiWorld({ answers: withoutService }).get('/cluster/api/config')).json().data.affected_items).toEqual([])
  })

  it('{node}/status and {node}/info: of any node, as it says itself', async () => {
    const world = new ApiWorld({ answers })
    expect((await world.get('/cluster/worker1/status')).json()).toEqual(
      envelope(
        [{ 'wazuh-apid': 'stopped', 'wazuh-clusterd': 'running', 'wazuh-remoted': 'running' }],
        'Processes status was successfully read in specified node',
      ),
    )
    const info = { path: '/opt/wazuh', version: 'v4.14.7', type: 'server', max_agents: 'unlimited', openssl_support: true }
    expect((await world.get('/cluster/worker1/info')).json()).toEqual(
      envelope(
        [{ ...info, tz_offset: 5.5, tz_name: 'Asia/Kolkata', uuid: null }],
        'Basic information was successfully read in specified node',
      ),
    )
    expect((await world.get('/cluster/worker9/status')).json()).toMatchObject({ error: 1, data: { failed_items: [unknown('worker9')] } })
    expect((await world.get('/cluster/worker9/info')).json()).toMatchObject({ error: 1, data: { failed_items: [unknown('worker9')] } })
    expect((await world.get('/cluster/a%20b/info')).statusCode).toBe(400)
  })

  it('{node}/logs: the last warnings and errors of any node, newest first, and how many', async () => {
    const world = new ApiWorld({ answers })
    const logs = 'Logs were successfully read in specified node'
    const items = lines.map(({ level, text }) => ({ timestamp: '2026-11-26T01:38:42Z', tag: 'wazuh-clusterd', level, description: text }))
    expect((await world.get('/cluster/worker1/logs')).json()).toEqual(envelope(items, logs))
    expect((await world.get('/cluster/worker1/logs?level=error')).json()).toEqual(envelope(items.slice(0, 1), logs))
    expect((await world.get('/cluster/worker1/logs?search=lost&select=level')).json()).toEqual(envelope([{ level: 'warning' }], logs))
    for (const query of ['limit=501', 'level=bad', 'select=key'])
      expect((await world.get(`/cluster/worker1/logs?${query}`)).statusCode).toBe(400)
    expect((await world.get('/cluster/worker9/logs')).json()).toMatchObject({ error: 1, data: { failed_items: [unknown('worker9')] } })
    const counts = { all: 2, info: 0, critical: 0, debug: 0, error: 1, warning: 1 }
    expect((await world.get('/cluster/worker1/logs/summary')).json()).toEqual(
      envelope([{ 'wazuh-clusterd': counts }], 'Log was successfully summarized in specified node'),
    )
    expect(world.asked).toContainEqual({ kind: 'nodeReports', nodes: ['worker1'], whole: true })
  })

  it('is pretty by three blanks, and the same', async () => {
    const world = new ApiWorld({ answers })
    const plain = await world.get('/cluster/local/info')
    expect((await world.get('/cluster/local/info?pretty=true')).body).toBe(JSON.stringify(plain.json(), null, 3))
  })

  it('fails as a problem when the master is away or silent, and the question is taken back', async () => {
    const away = new ApiWorld({
      answers: () => {
        throw new ClusterError('notConnected')
      },
    })
    const answer = await away.get('/cluster/nodes')
    expect([answer.statusCode, answer.json()]).toEqual([
      500,
      { title: 'Wazuh Cluster Error', detail: 'Worker node is not connected to master', error: 3023 },
    ])
    const silent = new ApiWorld({
      answers: async function* () {
        await new Promise(() => undefined)
        yield { kind: 'end' }
      },
    })
    const asked = silent.get('/cluster/nodes')
    while (silent.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await silent.clock.advance(10_000)
    expect((await asked).json()).toMatchObject({ title: 'Wazuh Cluster Error', error: 3020 })
    expect(silent.answers.size).toBe(0)
  })

  it('is JSON and one log line whatever names its nodes have', async () => {
    const hostile = '</script>\u202e\r\nSet-Cookie: x=1\u0000"\\'
    const world = new ApiWorld({
      answers: () => [{ kind: 'node', node: { ...workerView, name: hostile, address: hostile, version: hostile } }],
    })
    const answer = await world.get('/cluster/nodes')
    expect(answer.json()).toMatchObject({ data: { affected_items: [{ name: hostile, ip: hostile }] } })
    const path = await world.get(`/cluster/nodes?q=${encodeURIComponent(`name=${hostile.replaceAll(/[;,()]/g, '')}`)}`)
    expect([path.statusCode, path.headers['set-cookie']]).toEqual([400, undefined])
    await world.login(hostile.slice(0, 20))
    expect(world.lines.filter((line) => /[\r\n\u202e\0]/.test(line))).toEqual([])
  })
})
