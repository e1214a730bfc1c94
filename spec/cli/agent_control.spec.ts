/** The command as an operator meets it, before a small master behind a real socket. */
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { runAgentControl } from '../../src/programs/agentControl/agentControlCommand.js'
import { AgentWorld, agent, facts, workerOf } from '../programs/agentWorld.js'
import { serve } from '../programs/controlWorld.js'
import { type Ran, ranProgram } from '../programs/ranProgram.js'

const seenMs = 1_700_000_000_000
const worldOf = (): AgentWorld =>
  new AgentWorld([
    agent(0, { name: 'manager', registeredIp: '127.0.0.1', status: 'active', node: 'm' }),
    agent(1, { name: 'web-1', status: 'active', node: 'w1', seenMs, facts, groups: ['default', 'web'] }),
    agent(2, { name: 'web-2', status: 'disconnected', node: 'w1', seenMs, disconnectedMs: seenMs + 1, disconnection: 'shutdown' }),
    agent(3, { name: 'new', registeredIp: '10.0.0.0/8' }),
    agent(4, { name: 'starting', status: 'pending', node: 'w1', seenMs }),
  ])

const master = async (world = worldOf()) => {
  const { home } = await serve(world.answer)
  const run = (argv: readonly string[], typed?: string): Promise<Ran> =>
    ranProgram(runAgentControl, [...argv, '--home', home], {}, Readable.from(typed === undefined ? [] : [typed]))
  return { world, run }
}

const rows: readonly string[] = [
  '   ID: 000, Name: manager (server), IP: 127.0.0.1, Active/Local',
  '   ID: 001, Name: web-1, IP: any, Active',
  '   ID: 002, Name: web-2, IP: any, Disconnected',
  '   ID: 003, Name: new, IP: 10.0.0.0/8, Never connected',
  '   ID: 004, Name: starting, IP: any, Pending',
]
const list = (...wanted: readonly number[]): string =>
  ['', 'Wazuh agent_control. List of available agents:', ...wanted.map((at) => rows[at]), '', ''].join('\n')

describe('agent_control', () => {
  it.each([
    [['-l'], list(0, 1, 2, 3, 4)],
    [['-lc'], list(0, 1)],
    [['-l', '-c'], list(0, 1)],
    [['-ln'], list(2)],
    [['--list', '--disconnected'], list(2)],
    [
      ['-ls'],
      '000,manager (server),127.0.0.1,Active/Local,\n001,web-1,any,Active,\n002,web-2,any,Disconnected,\n003,new,10.0.0.0/8,Never connected,\n004,starting,any,Pending,\n\n',
    ],
    [['-l', '-n', '-s'], '002,web-2,any,Disconnected,\n\n'],
    [['-i', '1', '-s'], '001,web-1,any,Active,Linux |vm |6.1.0 |#1 SMP |x86_64,Wazuh v4.14.7,1700000000,Unknown,Unknown,\n'],
    [['-si000'], '000,manager,127.0.0.1,Active/Local,Unknown,Unknown,Unknown,Unknown,Unknown,\n'],
  ])('lists agents with %j', async (argv, out) => expect(await (await master()).run(argv)).toEqual({ code: 0, out, err: '' }))

  it('lists agents as JSON', async () => {
    const { run } = await master()
    // As Wazuh writes it, except for the end of the line.
    const out =
      '{"error":0,"data":[{"id":"000","name":"manager","ip":"127.0.0.1","status":"Active"},{"id":"001","name":"web-1","ip":"any","status":"Active"}]}\n'
    for (const flag of ['-j', '--json']) expect(await run(['-lc', flag])).toEqual({ code: 0, out, err: '' })
  })

  it('shows all that is known of an agent, to the letter', async () => {
    const { run } = await master()
    expect((await run(['-i', '001'])).out).toBe(
      [
        '',
        'Wazuh agent_control. Agent information:',
        '   Agent ID:   001',
        '   Agent Name: web-1',
        '   IP address: any',
        '   Status:     Active',
        '',
        '   Operating system:    Linux |vm |6.1.0 |#1 SMP |x86_64',
        '   Client version:      Wazuh v4.14.7',
        '   Configuration hash:  ab73af41699f13fdd81903b5f23d8d00',
        '   Shared file hash:    4a8724b20dee0124ff9656783c490c4e',
        '   Last keep alive:     2023-11-14T22:13:20.000000Z',
        '   Last address:        10.0.0.7',
        '   Node:                w1',
        '   Groups:              default, web',
        '',
        '',
      ].join('\n'),
    )
    expect((await run(['-i', '2'])).out).toContain('   Disconnected at:     2023-11-14T22:13:20.001000Z (shutdown)\n')
    expect((await run(['-i', '3'])).out).toContain('   Operating system:    n/a\n')
    expect((await run(['-i', '000'])).out).toContain(
      '   Agent ID:   000 (local instance)\n   Agent Name: manager\n   IP address: 127.0.0.1\n   Status:     Active/Local\n',
    )
  })

  it('shows the same as JSON', async () => {
    const { run } = await master()
    expect(JSON.parse((await run(['-i', '1', '-j'])).out)).toMatchObject({
      error: 0,
      data: { id: '001', name: 'web-1', status: 'Active', version: 'Wazuh v4.14.7', node_name: 'w1', group: ['default', 'web'] },
    })
    expect(JSON.parse((await run(['-i', '3', '-j'])).out)).toEqual({
      error: 0,
      data: { id: '003', name: 'new', ip: '10.0.0.0/8', status: 'Never connected', group: [] },
    })
  })

  it('enrols an agent and prints its line of client.keys, with another key each time', async () => {
    const { run, world } = await master()
    const first = await run(['--add', 'db-1'])
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out).toMatch(/^005 db-1 any [0-9a-f]{64}\n$/)
    const second = await run(['--add', 'db-2', '--ip', '10.0.0.9'])
    expect(second.out).toMatch(/^006 db-2 10\.0\.0\.9 [0-9a-f]{64}\n$/)
    expect(second.out.slice(-65)).not.toBe(first.out.slice(-65))
    expect(world.agents.get(6)).toMatchObject({ name: 'db-2', registeredIp: '10.0.0.9' })
  })

  it('removes an agent after a yes, or at once with the quiet option', async () => {
    const { run, world } = await master()
    const question = "Do you want to remove the agent '001' (web-1)? [y/N]: "
    expect(await run(['--remove', '001'])).toEqual({ code: 1, out: `${question}Cancelled.\n`, err: '' })
    expect(world.agents.has(1)).toBe(true)
    expect(await run(['--remove', '001'], 'y\n')).toEqual({ code: 0, out: `${question}Agent '001' (web-1) removed.\n`, err: '' })
    expect(world.agents.has(1)).toBe(false)
    expect(await run(['--remove', '2', '-q'])).toEqual({ code: 0, out: "Agent '002' (web-2) removed.\n", err: '' })
    expect(await run(['--remove', '2', '-q'])).toEqual({ code: 1, out: '', err: 'ERROR: Error 9011 - Agent not found\n' })
  })

  it.each([
    [[], /^ERROR: Wrong arguments: nothing to do; 'agent_control -h' /],
    [['-c'], /^ERROR: Wrong arguments: nothing to do/],
    [['-l', '-i', '1'], /^ERROR: Wrong arguments: only one of -l, -i, --add, --remove and --reconnect /],
    [['-lcn'], /^ERROR: Wrong arguments: only one of -c and -n /],
    [['-i', '1', '-c'], /^ERROR: Wrong arguments: -c and -n go with -l only/],
    [['-l', '--ip', 'any'], /^ERROR: Wrong arguments: --ip goes with --add only/],
    [['-i', '1x'], /^ERROR: Wrong arguments: '1x' is not an ID of an agent/],
    [['--remove', '000'], /^ERROR: Wrong arguments: '000' is the manager itself, which cannot be removed\.\n$/],
    [['--remove=-1'], /^ERROR: Wrong arguments: '-1' is not an ID of an agent/],
    [['-r', '1'], /^ERROR: Wrong arguments: -r \(starts scans on agents\) is not in this version\.\n$/],
    [['-R', '-u', '001'], /^ERROR: Wrong arguments: -R \(restarts agents\) is not in this version\.\n$/],
    [['-Ra'], /^ERROR: Wrong arguments: -R .* is not in this version\.\n$/],
    [['-u', '001'], /^ERROR: Wrong arguments: -u .* is not in this version\.\n$/],
    [['-b', '10.0.0.1', '-f', 'x', '-a'], /^ERROR: Wrong arguments: -a .* is not in this version\.\n$/],
    [['-b', '10.0.0.1'], /^ERROR: Wrong arguments: -b .* is not in this version\.\n$/],
    [['-f', 'x'], /^ERROR: Wrong arguments: -f .* is not in this version\.\n$/],
    [['-L'], /^ERROR: Wrong arguments: -L .* is not in this version\.\n$/],
    [['-m', '-l'], /^ERROR: Wrong arguments: -m .* is not in this version\.\n$/],
    [['-i', '1', '-e'], /^ERROR: Wrong arguments: -e .* is not in this version\.\n$/],
    [['-s', '--add', 'x'], /^ERROR: Wrong arguments: -s goes with -l and -i only\.\n$/],
    [['--add', '-x'], /^ERROR: Wrong arguments: --add takes a value, and '-x' looks like an option/],
    [['--add', 'web', '--ip', '-q'], /^ERROR: Wrong arguments: --ip takes a value, and '-q' looks like an option/],
    [['-i'], /^ERROR: Wrong arguments: option .* argument missing\.\n$/],
  ])('with %j says what is wrong and exits with 1', async (argv, sentence) => {
    const { code, out, err } = await ranProgram(runAgentControl, argv)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(sentence)
  })

  it('has agents reconnect, these or all, of these nodes or of any, and says how many were asked where', async () => {
    const { run, world } = await master()
    expect(await run(['--reconnect', '001', '2', '-fn', 'w1'])).toEqual({
      ...{ code: 0, out: 'Agents asked to reconnect: 2\n   w1: 2\n', err: '' },
    })
    expect((await run(['--reconnect', '--all', '--json'])).out).toBe('{"error":0,"data":{"total":3,"nodes":[{"node":"w1","agents":3}]}}\n')
    expect(await run(['--reconnect', '--all', '-fn', 'gone'])).toEqual({
      ...{ code: 1, out: 'Agents asked to reconnect: 0\n   gone: could not be asked: The connection was lost\n', err: '' },
    })
    expect(world.asked).toEqual([
      { kind: 'reconnectAgents', ids: [1, 2], nodes: ['w1'], tool: 'agent_control' },
      { kind: 'reconnectAgents', tool: 'agent_control' },
      { kind: 'reconnectAgents', nodes: ['gone'], tool: 'agent_control' },
    ])
  })

  it.each([
    [['--reconnect'], '--reconnect takes the IDs of agents, or --all.'],
    [['--reconnect', '1', '--all'], '--reconnect takes the IDs of agents, or --all.'],
    [['--reconnect', '000'], "'000' is not an ID of an agent: an ID is a number."],
    [['--reconnect', 'x'], "'x' is not an ID of an agent: an ID is a number."],
    [['-l', '--all'], '--all goes with --reconnect only.'],
    [['-l', '-fn', 'w1'], '-fn goes with --reconnect only.'],
  ])('refuses %j', async (argv, says) => {
    expect(await (await master()).run(argv)).toEqual({ code: 1, out: '', err: `ERROR: Wrong arguments: ${says}\n` })
  })

  it('says that no daemon runs, and that a worker is not the right node', async () => {
    const { home } = await serve(workerOf('wazuh-master'))
    const err =
      'ERROR: Wazuh is running in cluster mode: agent_control is not available in worker nodes. ' +
      'Please, try again in the master node: wazuh-master.\n'
    for (const argv of [['-l'], ['-i', '1'], ['--add', 'x'], ['--remove', '1']]) {
      const down = await ranProgram(runAgentControl, argv, { WAZUH_PATH: '/no/home' })
      expect(down).toEqual({ code: 1, out: '', err: 'ERROR: Cluster is not running. No daemon answers on the home /no/home.\n' })
      expect(await ranProgram(runAgentControl, argv, { WAZUH_PATH: home })).toEqual({ code: 1, out: '', err })
    }
  })

  it('explains itself with examples', async () => {
    const { code, out } = await ranProgram(runAgentControl, ['--help'])
    expect(code).toBe(0)
    for (const example of ['-l ', '-lc', '-ln', '-i 001 ', '-i 001 -j', '--add web-1 --ip', '--remove 001 -q'])
      expect(out).toContain(`agent_control ${example}`)
  })
})
