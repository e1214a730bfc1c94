/** Each command of Wazuh's local socket: what it is answered with on a master and on a worker, and how it is refused. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import type { LocalNode } from '../../../src/localSocket/wazuh/localNode.js'
import type { CarriedAnswer } from '../../../src/ports/manager.js'
import { deferred } from '../../programs/controlWorld.js'
import { carried, configuration, exceptionIn, localClient, scriptedNode, serveLocal, takeString } from './localWorld.js'

const clientOf = async (changes: Parameters<typeof scriptedNode>[0] = {}, ...rest: [Parameters<typeof serveLocal>[1]?]) => {
  const served = await serveLocal(scriptedNode(changes), ...rest)
  return { ...served, client: localClient(served.socketPath) }
}

const worker = { type: 'worker' } as const
const json = (value: unknown): string => JSON.stringify(value)

describe('get_nodes', () => {
  const items = (text: string) => JSON.parse(text).items.map((item: { name: string }) => item.name)
  const asked = async (request: object | string) => {
    const { client } = await clientOf()
    const { command, text } = await client.ask('get_nodes', typeof request === 'string' ? request : json(request))
    return { command, text }
  }

  it('lists the master first, with the fields in the order in which they are printed', async () => {
    const { text } = await asked({})
    expect(text).toBe(
      '{"items":[{"name":"m1","type":"master","version":"4.14.7","ip":"127.0.0.1"},{"name":"w1","type":"worker","version":"4.14.7","ip":"127.0.0.2"},{"name":"w2","type":"worker","version":"4.14.7","ip":"127.0.0.3"}],"totalItems":3}',
    )
  })

  it.each([
    [{ filter_node: 'w1' }, ['w1'], 1],
    [{ filter_node: ['w2', 'm1', 'nobody'] }, ['m1', 'w2'], 2],
    [{ filter_type: 'worker' }, ['w1', 'w2'], 2],
    [{ filter_type: 'master', filter_node: ['w1'] }, [], 0],
    [{ offset: 1, limit: 1 }, ['w1'], 3],
    [{ offset: 9 }, [], 3],
    [{ sort: { fields: ['name'], order: 'desc' } }, ['w2', 'w1', 'm1'], 3],
    [{ sort: { fields: ['type', 'ip'], order: 'desc' }, offset: 1, limit: 2 }, ['w1', 'm1'], 3],
    [{ sort: { order: 'desc' } }, ['w2', 'w1', 'm1'], 3],
    [{ search: { value: 'WORK', negation: 0 } }, ['w1', 'w2'], 2],
    [{ search: { value: '127.0.0.3', negation: true } }, ['m1', 'w1'], 2],
    [
      { sort: null, search: null, select: null, offset: null, limit: null, distinct: null, filter_node: null, filter_type: null },
      ['m1', 'w1', 'w2'],
      3,
    ],
  ])('%j', async (request, names, total) => {
    const { text } = await asked(request)
    expect([items(text), JSON.parse(text).totalItems]).toEqual([names, total])
  })

  it('shows the selected fields, and each item once when it is to', async () => {
    for (const select of [['version', 'type'], { fields: ['type', 'version'] }])
      expect(JSON.parse((await asked({ select, distinct: true })).text)).toEqual({
        items: [
          { type: 'master', version: '4.14.7' },
          { type: 'worker', version: '4.14.7' },
        ],
        totalItems: 2,
      })
  })

  it.each([
    '',
    'x',
    '[]',
    '{"limit":0}',
    '{"offset":-1}',
    '{"filter_type":"x"}',
    '{"select":["key"]}',
    '{"sort":{"fields":["key"]}}',
    '['.repeat(1_000_000),
  ])('refuses %.30s with an exception', async (request) => {
    const { command, text } = await asked(request)
    expect([command, exceptionIn(text)[0]]).toEqual(['err', 1000])
  })
})

describe('get_health', () => {
  const namesOf = (text: string) => Object.keys(JSON.parse(text).nodes)

  it('says of the workers what is known of their threads, in the order and with the dates of Wazuh', async () => {
    const { client } = await clientOf()
    const { text } = await client.ask('get_health', 'null')
    const dates = '"date_start_master":"2026-01-02T03:04:05.678901Z","date_end_master":"2026-01-02T03:04:06.000000Z"'
    const groups = dates.replaceAll('_master', '')
    const unknown = '"date_start_master":"n/a","date_end_master":"n/a"'
    expect(text.slice(text.indexOf(',"w2"'))).toBe(
      `,"w2":{"info":{"name":"w2","type":"worker","version":"4.14.7","ip":"127.0.0.3","n_active_agents":0},"status":{"sync_integrity_free":false,"last_check_integrity":{${dates}},"last_sync_integrity":{${unknown},"total_extra_valid":0,"total_files":{"missing":0,"shared":0,"extra":0,"extra_valid":0}},"sync_agent_info_free":true,"last_sync_agentinfo":{${dates},"n_synced_chunks":1},"last_sync_agentgroup":{${groups},"n_synced_chunks":1},"last_sync_full_agentgroup":{"date_start":"n/a","date_end":"n/a","n_synced_chunks":0},"last_keep_alive":"2026-01-02T03:04:05.678901Z"}}}}`,
    )
    expect(
      text.startsWith(
        '{"n_connected_nodes":2,"nodes":{"m1":{"info":{"name":"m1","type":"master","version":"4.14.7","ip":"127.0.0.1","n_active_agents":1}},',
      ),
    ).toBe(true)
  })

  it.each([
    ['', ['m1', 'w1', 'w2'], 2],
    ['[]', ['m1', 'w1', 'w2'], 2],
    ['["w1"]', ['w1'], 1],
    ['["m1","nobody"]', ['m1'], 0],
  ])('of %s', async (request, names, workers) => {
    const { client } = await clientOf()
    const { text } = await client.ask('get_health', request)
    expect([namesOf(text), JSON.parse(text).n_connected_nodes]).toEqual([names, workers])
  })

  it('without a master is refused as Wazuh refuses it, and so is get_nodes', async () => {
    const query: LocalNode['query'] = () => {
      throw new ClusterError('notConnected')
    }
    const { client } = await clientOf({ ...worker, query })
    for (const command of ['get_health', 'get_nodes']) {
      const { command: answer, text } = await client.ask(command, command === 'get_nodes' ? '{}' : 'null')
      expect([answer, exceptionIn(text)]).toEqual(['err', [3023, null]])
    }
  })
})

it('get_config has the configuration, get_hash the digests of this node, on any node', async () => {
  const digests = { 'etc/rules/local_rules.xml': 'aa' }
  for (const type of ['master', 'worker'] as const) {
    const { client } = await clientOf({ type, rulesetDigests: () => Promise.resolve(digests) })
    expect(await client.ask('get_config')).toEqual({ command: 'ok', text: json(configuration) })
    expect(await client.ask('get_hash')).toEqual({ command: 'ok', text: json(digests) })
  }
})

describe('dapi and dapi_fwd', () => {
  it('are answered at once, then with a string in pieces as they come', async () => {
    const pieces = ['{"a":"', 'é', 'x'.repeat(6_000_000), '"}']
    const requests: string[] = []
    const { client } = await clientOf({
      requests: {
        dapi: async (request) => {
          requests.push(Buffer.from(request).toString())
          return carried(...pieces)
        },
        dapiForward: async (node, request) => {
          requests.push(`${node}: ${Buffer.from(request).toString()}`)
          return carried('')
        },
      },
    })
    expect(await client.ask('dapi', '{"f":{}}')).toEqual({ command: 'ok', text: 'Added request to API requests queue' })
    const large = await takeString(client)
    expect(large).toMatchObject({ announced: 6_000_010, command: 'dapi_res', pieces: 5, text: '77' })
    expect(Buffer.from(large.content, 'latin1').toString()).toBe(pieces.join(''))
    expect(await client.ask('dapi_fwd', 'w1 {"f": {}}')).toEqual({ command: 'ok', text: 'Request forwarded to worker node' })
    expect(await takeString(client)).toMatchObject({ announced: 0, command: 'dapi_res', content: '' })
    expect(requests).toEqual(['{"f":{}}', 'w1: {"f": {}}'])
  })

  it('send a piece only when the client has taken the one before', async () => {
    let given = 0
    const content = (async function* () {
      for (; given < 3; given++) yield Buffer.from('x')
    })()
    const { client } = await clientOf({ requests: { dapi: async () => ({ bytes: 3, content }) } })
    await client.ask('dapi', '{}')
    client.send('ok', (await client.next()).counter, '1')
    const first = await client.next()
    await client.ask('echo')
    expect([first.command, given]).toEqual(['str_upd', 0])
  })

  it('that are refused at once are refused in the first answer, later ones by dapi_err', async () => {
    const gate = deferred<void>()
    const { client } = await clientOf({
      requests: {
        dapi: () => Promise.reject(new ClusterError('notConnected')),
        dapiForward: async (node) => {
          if (node === 'w9') throw new ClusterError('unknownNode')
          await gate.promise
          throw new ClusterError('apiBridgeOff')
        },
      },
    })
    const now = await client.ask('dapi', '{}')
    expect([now.command, exceptionIn(now.text)]).toEqual(['err', [3023, null]])
    const unknown = await client.ask('dapi_fwd', 'w9 {}')
    expect([unknown.command, exceptionIn(unknown.text)]).toEqual(['err', [3022, null]])
    const nobody = await client.ask('dapi_fwd', 'w9')
    expect([nobody.command, exceptionIn(nobody.text)[0]]).toEqual(['err', 1000])
    expect((await client.ask('dapi_fwd', 'w1 {}')).command).toBe('ok')
    gate.resolve()
    const late = await takeString(client)
    expect([late.command, exceptionIn(late.text)]).toEqual(['dapi_err', [1000, expect.stringContaining('API bridge is off')]])
  })

  it("end with dapi_err when the answer breaks off or grows; the framework's exceptions pass", async () => {
    const exception = '{"__wazuh_exception__":{"__class__":"WazuhError","__object__":{"code":1701,"extra_message":"x"}}}'
    const answers: (() => Promise<CarriedAnswer>)[] = [
      async () => ({ ...carried('abc'), bytes: 4 }),
      async () => ({ ...carried('abc'), bytes: 2 }),
      async () => carried('abc'),
      async () => {
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
        throw new ClusterError('managerRefused', { message: exception })
      },
    ]
    const { client } = await clientOf({ requests: { dapi: () => (answers.shift() ?? (() => Promise.resolve(carried(''))))() } })
    const ended = []
    for (const id of ['1', '1', 'not a name', '1']) {
      await client.ask('dapi', '{}')
      const { command, text } = await takeString(client, id)
      ended.push([command, exceptionIn(text)])
    }
    expect(ended).toEqual([
      ['dapi_err', [3034, 'The answer broke off']],
      ['dapi_err', [1000, 'The answer is longer than was announced']],
      ['dapi_err', [1000, 'The local client gave no name for the answer']],
      ['dapi_err', [1701, 'x']],
    ])
  })

  it('of many requests on one connection are answered each, whichever is ready first', async () => {
    const gates = new Map(['a', 'b', 'c'].map((name) => [name, deferred<void>()]))
    const { client } = await clientOf({
      requests: {
        dapi: async (request) => {
          const name = Buffer.from(request).toString()
          await gates.get(name)?.promise
          return carried(name)
        },
      },
    })
    for (const name of gates.keys()) await client.ask('dapi', name)
    for (const name of ['c', 'a', 'b']) {
      gates.get(name)?.resolve()
      expect((await takeString(client)).content).toBe(name)
    }
  })
})

describe('sendsync on a worker', () => {
  const request = '{"daemon_name":"authd","message":{"arguments":{"name":"a", "purge":1},"function":"add"}}'

  it("has the daemon's answer as its only answer, under the counter of the request", async () => {
    const seen: string[] = []
    const { client } = await clientOf({
      ...worker,
      requests: {
        sendsync: async (daemon, message) => {
          seen.push(daemon, Buffer.from(message).toString())
          return carried('{"error":9008,', '"message":"Duplicate name"}')
        },
      },
    })
    expect(await client.ask('sendsync', request)).toEqual({ command: 'ok', text: '{"error":9008,"message":"Duplicate name"}' })
    expect(seen).toEqual(['authd', '{"arguments":{"name":"a","purge":1},"function":"add"}'])
  })

  it('is never answered with more than the C client takes, nor with an error once it was carried out', async () => {
    const sizes = [65_536, 65_537]
    const sendsync = async (): Promise<CarriedAnswer> => {
      const size = sizes.shift()
      // The master's own bound.
      if (size === undefined) throw new ClusterError('tooLarge', { message: 'wazuh-authd answered badly' })
      return carried(Buffer.alloc(size, 'y'))
    }
    const { client } = await clientOf({ ...worker, requests: { sendsync } })
    expect((await client.ask('sendsync', request)).text).toHaveLength(65_536)
    for (const message of ['The answer of authd has more than 65536 bytes', 'wazuh-authd answered badly']) {
      const { command, text } = await client.ask('sendsync', request)
      expect([command, JSON.parse(text)]).toEqual(['ok', { error: 9001, message }])
    }
  })

  it.each([
    '{}',
    'x',
    '{"daemon_name":1,"message":{}}',
    `{"daemon_name":"authd","message":${'['.repeat(65)}${']'.repeat(65)}}`,
    `{"daemon_name":"authd","message":"${'x'.repeat(limits.localRequestBytesMax)}"}`,
  ])('refuses %.50s', async (payload) => {
    const { client } = await clientOf({ ...worker, requests: { sendsync: async () => carried('taken') } })
    expect((await client.ask('sendsync', payload)).command).toBe('err')
  })

  it('without a master is refused with 3023, in the field that the C client knows', async () => {
    const { client } = await clientOf({ ...worker, requests: { sendsync: () => Promise.reject(new ClusterError('notConnected')) } })
    const raw = new Promise<Buffer>((resolve) => client.socket.once('data', resolve))
    client.send('sendsync', 5, request)
    const bytes = await raw
    expect(bytes.toString('latin1', 8, 20)).toBe('err --------')
    expect(exceptionIn(bytes.toString('utf8', 20))).toEqual([3023, null])
  })

  it('as sendasync is answered twice: that it waits, then by a request with the answer, or with the error', async () => {
    let asked = 0
    const sendsync = async (): Promise<CarriedAnswer> => {
      if (++asked > 1) throw new ClusterError('notConnected')
      return carried('{"error":0}')
    }
    const { client } = await clientOf({ ...worker, requests: { sendsync } })
    const words = { command: 'ok', text: 'Added request to sendsync requests queue' }
    expect(await client.ask('sendasync', request)).toEqual(words)
    const late = await client.next()
    expect([late.command, late.payload.toString()]).toEqual(['ok', '{"error":0}'])
    client.send('ok', late.counter, 'Sendsync response received')
    expect(await client.ask('sendasync', request)).toEqual(words)
    const failed = await client.next()
    expect([failed.command, exceptionIn(failed.payload.toString())]).toEqual(['err', [3023, null]])
  })
})

it('sendrreload on a worker has the rules loaded again after the next check', async () => {
  let wanted = 0
  const { client } = await clientOf({
    ...worker,
    requests: {
      reloadRulesetAfterCheck: () => {
        wanted += 1
        if (wanted > 1) throw new ClusterError('notConnected')
      },
    },
  })
  expect(await client.ask('sendrreload')).toEqual({ command: 'ok', text: '{"success": true}' })
  const { command, text } = await client.ask('sendrreload')
  expect([command, exceptionIn(text), wanted]).toEqual(['err', [3023, null], 2])
})

it.each([
  ['master', ['sendsync', 'sendasync', 'sendrreload', 'nosuch', 'hello', 'syn_i_w_m']],
  ['worker', ['dapi_fwd', 'nosuch', '', 'control_res']],
] as const)('on a %s the commands %j are unknown', async (type, commands) => {
  const { client } = await clientOf({ type })
  for (const command of commands)
    expect(await client.ask(command, 'x')).toEqual({ command: 'err', text: `unknown command 'b'${command}''` })
})

it('echo, echo-c, cancel_task and dapi_err are answered as on the wire of the cluster', async () => {
  const { client } = await clientOf()
  expect(await client.ask('echo', 'hi')).toEqual({ command: 'ok', text: 'hi' })
  expect(await client.ask('echo-c', 'keepalive')).toEqual({ command: 'ok-m', text: 'keepalive' })
  expect(await client.ask('cancel_task', 'no-such {}')).toEqual({ command: 'ok', text: 'Request received correctly' })
  expect(await client.ask('dapi_err', 'x')).toEqual({ command: 'ok', text: 'Response received' })
})

it('new_str and str_upd take a string of the announced length; err_str gives one up', async () => {
  const { client } = await clientOf()
  const updated = { command: 'ok', text: 'String updated' }
  const { text: id } = await client.ask('new_str', '5')
  expect(id).toMatch(/^\d+$/)
  expect(await client.ask('str_upd', `${id} ab`)).toEqual(updated)
  expect(await client.ask('str_upd', `${id} cde`)).toEqual(updated)
  // It is whole: the id is nobody's any more.
  const late = await client.ask('str_upd', `${id} f`)
  expect([late.command, exceptionIn(late.text)]).toEqual(['err', [1000, `b'${id}'`]])
  const { text: other } = await client.ask('new_str', '7')
  expect(await client.ask('err_str', '7')).toEqual({ command: 'ok', text: '' })
  expect((await client.ask('str_upd', `${other} x`)).command).toBe('err')
  const { text: small } = await client.ask('new_str', '1')
  expect((await client.ask('str_upd', `${small} xy`)).command).toBe('err')
})

it('what a real master says to a string that it does not know, or whose length is none, we say', async () => {
  const { client } = await clientOf()
  expect(exceptionIn((await client.ask('str_upd', '77 abc')).text)).toEqual([1000, "b'77'"])
  expect(exceptionIn((await client.ask('new_str', 'x')).text)).toEqual([1000, "invalid literal for int() with base 10: b'x'"])
  for (const length of ['', '-1', '1e9', '0x10', String(limits.carriedBytesMax + 1), '9'.repeat(400)])
    expect((await client.ask('new_str', length)).command).toBe('err')
})

it('files are refused, whatever is said of them', async () => {
  const { client } = await clientOf()
  for (const command of ['send_file', 'new_file', 'file_upd', 'file_end'])
    for (const payload of ['/queue/cluster/w1/a.zip w1', '/etc/shadow', '']) {
      const { command: answer, text } = await client.ask(command, payload)
      expect([answer, exceptionIn(text)]).toEqual(['err', [1000, 'Files are not sent over the local socket']])
    }
})
