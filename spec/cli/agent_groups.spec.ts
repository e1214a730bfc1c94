/** The command as an operator meets it, before a small master behind a real socket. */
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { runAgentGroups } from '../../src/control/agentGroupsCommand.js'
import { AgentWorld, agent, workerOf } from '../control/agentWorld.js'
import { serve } from '../control/controlWorld.js'
import { type Ran, ranProgram } from './ranProgram.js'

const worldOf = (): AgentWorld =>
  new AgentWorld(
    [
      agent(1, { name: 'web-1', groups: ['default', 'web'] }),
      agent(2, { name: 'web-2', groups: ['web'] }),
      agent(3, { name: 'db\n', groups: ['default'] }),
      agent(4, { name: 'new' }),
    ],
    [1],
  )

/** A master's home, and the program run on it, with what the operator types. */
const master = async (world = worldOf()) => {
  const { home } = await serve(world.answer)
  const run = (argv: readonly string[], typed?: string): Promise<Ran> =>
    ranProgram(runAgentGroups, [...argv, '--home', home], {}, Readable.from(typed === undefined ? [] : [typed]))
  const groupsOf = (id: number) => world.agents.get(id)?.groups
  return { world, run, groupsOf }
}

const printed = (out: string): Ran => ({ code: 0, out, err: '' })

describe('agent_groups shows', () => {
  it.each([
    [['-l'], 'Groups (2):\n  default (2)\n  web (2)\nUnassigned agents: 1.\n'],
    [[], 'Groups (2):\n  default (2)\n  web (2)\nUnassigned agents: 1.\n'],
    [['-l', '-g', 'web'], "2 agent(s) in group 'web':\n  ID: 001  Name: web-1.\n  ID: 002  Name: web-2.\n"],
    [['--list', '--group', 'default'], "2 agent(s) in group 'default':\n  ID: 001  Name: web-1.\n  ID: 003  Name: db\\n.\n"],
    [['-c', '-g', 'web'], "2 files for 'web' group:\n  agent.conf  [d1]\n  merged.mg   [d2]\n"],
    [['-s', '-i', '001'], "The agent 'web-1' with ID '001' belongs to groups: default, web.\n"],
    [['-s', '-i', '4'], "The agent 'new' with ID '004' belongs to groups: Null.\n"],
    [['-S', '-i', '1'], "Agent '001' is synchronized.\n"],
    [['-S', '-i', '2'], "Agent '002' is not synchronized.\n"],
  ])('%j', async (argv, out) => expect(await (await master()).run(argv)).toEqual(printed(out)))

  it.each([
    [
      ['-l', '-j'],
      {
        groups: [
          { name: 'default', count: 2 },
          { name: 'web', count: 2 },
        ],
        unassigned_agents: 1,
      },
    ],
    [
      ['--json'],
      {
        groups: [
          { name: 'default', count: 2 },
          { name: 'web', count: 2 },
        ],
        unassigned_agents: 1,
      },
    ],
    [
      ['-l', '-g', 'default', '-j'],
      [
        { id: '001', name: 'web-1', ip: 'any', status: 'Never connected' },
        { id: '003', name: 'db\n', ip: 'any', status: 'Never connected' },
      ],
    ],
    [
      ['-c', '-g', 'web', '-j'],
      [
        { filename: 'agent.conf', hash: 'd1' },
        { filename: 'merged.mg', hash: 'd2' },
      ],
    ],
    [['-s', '-i', '001', '-j'], { id: '001', name: 'web-1', group: ['default', 'web'] }],
    [['-s', '-i', '4', '-j'], { id: '004', name: 'new', group: [] }],
    [['-S', '-i', '1', '-j'], { id: '001', synced: true }],
    [['-S', '-i', '2', '-j'], { id: '002', synced: false }],
  ])('%j', async (argv, data) => {
    const { code, err, out } = await (await master()).run(argv)
    expect({ code, err, answer: JSON.parse(out) }).toEqual({ code: 0, err: '', answer: { error: 0, data } })
  })

  it('that a group has no agents', async () => {
    const { run, world } = await master()
    world.groups.add('none')
    expect(await run(['-l', '-g', 'none'])).toEqual(printed("No agents found in group 'none'.\n"))
    expect(JSON.parse((await run(['-l', '-g', 'none', '-j'])).out)).toEqual({ error: 0, data: [] })
  })
})

describe('agent_groups changes', () => {
  it('the groups of an agent, after a yes', async () => {
    const { groupsOf, run } = await master()
    expect(await run(['-a', '-i', '2', '-g', 'default'], 'y\n')).toEqual(
      printed("Do you want to add the group 'default' to the agent '002'? [y/N]: Group 'default' added to agent '002'.\n"),
    )
    expect(groupsOf(2)).toEqual(['web', 'default'])
    expect(await run(['-a', '-f', '-i', '001', '-g', 'web'], ' YES ')).toEqual(
      printed("Do you want to set the group 'web' to the agent '001'? [y/N]: Group 'web' set to agent '001'.\n"),
    )
    expect(groupsOf(1)).toEqual(['web'])
    expect(await run(['-r', '-i', '002', '-g', 'web'], 'y\nn\n')).toEqual(
      printed("Do you want to delete the group 'web' of agent '002'? [y/N]: Group 'web' unset for agent '002'.\n"),
    )
    expect(groupsOf(2)).toEqual(['default'])
    expect(await run(['-r', '-i', '001'], 'Y')).toEqual(
      printed("Do you want to delete all groups of agent '001'? [y/N]: All groups unset for agent '001'.\n"),
    )
    expect(groupsOf(1)).toEqual(['default'])
  })

  it('the groups that there are, after a yes', async () => {
    const { groupsOf, run, world } = await master()
    expect(await run(['-a', '-g', 'db'], 'y\n')).toEqual(printed("Do you want to create the group 'db'? [y/N]: Group 'db' created.\n"))
    expect(world.groups.has('db')).toBe(true)
    expect(await run(['-r', '-g', 'db', '-q'])).toEqual(printed("Group 'db' removed.\nNo affected agents.\n"))
    expect(await run(['-r', '-g', 'web'], 'y\n')).toEqual(
      printed("Do you want to remove the 'web' group? [y/N]: Group 'web' removed.\n2 affected agent(s).\n"),
    )
    expect(groupsOf(2)).toEqual(['default'])
  })

  it.each([
    ['no', 'n\n'],
    ['nothing', '\n'],
    ['something else', 'yy\ny\n'],
    ['at great length', `${'y'.repeat(5_000)}`],
    ['never', undefined],
  ])('nothing when the answer is %s', async (_, typed) => {
    const { run, world } = await master()
    for (const argv of [
      ['-a', '-g', 'db'],
      ['-r', '-g', 'web'],
      ['-a', '-i', '3', '-g', 'web'],
      ['-r', '-i', '1', '-g', 'web'],
      ['-r', '-i', '1'],
    ]) {
      const { code, err, out } = await run(argv, typed)
      expect({ code, err }).toEqual({ code: 1, err: '' })
      expect(out).toMatch(/^Do you want to .*\? \[y\/N\]: Cancelled\.\n$/)
    }
    expect(world.asked.filter(({ kind }) => ['createGroup', 'removeGroup', 'changeGroups'].includes(kind))).toEqual([])
  })

  it('a group without a directory that agents have', async () => {
    const { run, world } = await master()
    world.groups.delete('web')
    expect(await run(['-r', '-g', 'web'], 'y\n')).toEqual(
      printed("Do you want to remove the 'web' group? [y/N]: Group 'web' removed.\n2 affected agent(s).\n"),
    )
  })

  it('a group whose creation was interrupted', async () => {
    const { run, world } = await master()
    world.unfinished.add('db')
    expect(await run(['-a', '-g', 'db'], 'y\n')).toEqual(printed("Do you want to create the group 'db'? [y/N]: Group 'db' created.\n"))
  })

  it('without a question when it is to be quiet', async () => {
    const { groupsOf, run } = await master()
    for (const argv of [
      ['-q', '-a', '-g', 'db'],
      ['--quiet', '--add-group', '--agent-id', '3', '--group', 'db', '--force-single-group'],
      ['-q', '-r', '-i', '2'],
    ])
      expect(await run(argv)).toMatchObject({ code: 0, err: '', out: expect.not.stringContaining('?') })
    expect(groupsOf(3)).toEqual(['db'])
    expect(groupsOf(2)).toEqual(['default'])
  })

  it('nothing that is so already', async () => {
    const { run, world } = await master()
    const already = "Agent '002' already belongs to group 'web'.\n"
    expect(await run(['-a', '-i', '2', '-g', 'web'])).toEqual(printed(already))
    expect(await run(['-a', '-i', '2', '-g', 'web', '-f'])).toEqual(printed(already))
    expect(world.asked.filter(({ kind }) => kind === 'changeGroups')).toEqual([])
  })
})

describe('agent_groups says in one sentence', () => {
  const unchanged =
    "ERROR: The groups of agent '003' did not change: it has the most that it may have, or only 'default', or is gone by now.\n"
  it.each([
    [['-s', '-i', '9'], 'ERROR: Error 9011 - Agent not found\n'],
    [['-a', '-i', '9', '-g', 'web'], 'ERROR: Error 9011 - Agent not found\n'],
    [['-a', '-i', '1', '-g', 'nope', '-q'], "ERROR: Error 9014 - The group 'nope' does not exist.\n"],
    [['-a', '-g', 'web', '-q'], "ERROR: Error 9014 - The group 'web' already exists.\n"],
    [['-r', '-g', 'nope', '-q'], "ERROR: Error 9014 - The group 'nope' does not exist.\n"],
    [['-a', '-i', '1', '-g', 'nope'], "ERROR: Error 9014 - The group 'nope' does not exist.\n"],
    [['-a', '-i', '1', '-g', 'nope', '-f'], "ERROR: Error 9014 - The group 'nope' does not exist.\n"],
    [['-a', '-g', 'web'], "ERROR: Error 9014 - The group 'web' already exists.\n"],
    [['-a', '-g', 'a b'], "ERROR: Error 9014 - The group 'a b' does not exist.\n"],
    [['-r', '-g', 'nope'], "ERROR: Error 9014 - The group 'nope' does not exist.\n"],
    [['-r', '-g', 'default'], "ERROR: Error 9014 - The group 'default' cannot be removed.\n"],
    [['-r', '-i', '3'], unchanged],
    [['-r', '-i', '3', '-g', 'default'], unchanged],
    [['-r', '-i', '2', '-g', 'nope'], "ERROR: Error 9014 - Agent '002' does not belong to group 'nope'.\n"],
    [['-l', '-g', 'no\u001bpe'], "ERROR: Error 9014 - The group 'no\\x1bpe' does not exist.\n"],
    [['-r', '-i', '3', '-q'], unchanged],
  ])('what cannot be done: %j', async (argv, err) => expect(await (await master()).run(argv)).toEqual({ code: 1, out: '', err }))

  it.each([
    [['-l', '-a', '-g', 'x'], /^ERROR: Wrong arguments: only one of /],
    [['-a'], /^ERROR: Wrong arguments: -a takes a group /],
    [['-a', '-i', '1'], /^ERROR: Wrong arguments: -a takes a group /],
    [['-r'], /^ERROR: Wrong arguments: -r takes a group /],
    [['-c'], /^ERROR: Wrong arguments: -c takes a group /],
    [['-s'], /^ERROR: Wrong arguments: -s and -S take an agent /],
    [['-S', '-i', '1', '-g', 'x'], /^ERROR: Wrong arguments: -s and -S take an agent /],
    [['-s', '-i', 'web'], /^ERROR: Wrong arguments: 'web' is not an ID of an agent/],
    [['-s', '-i', '9999999999'], /^ERROR: Wrong arguments: '9999999999' is not an ID of an agent/],
    [['-a', '-g', 'x', '-f'], /^ERROR: Wrong arguments: -f goes with -a -i only/],
    [['-l', '-i', '1'], /^ERROR: Wrong arguments: -i goes with /],
    [['-g', 'x'], /^ERROR: Wrong arguments: -g goes with /],
    [['-s', '-i'], /^ERROR: Wrong arguments: option .* argument missing\.\n$/],
    [['--nonsense'], /^ERROR: Wrong arguments: unknown option '--nonsense'\.\n$/],
    [['--lst'], /^ERROR: Wrong arguments: unknown option '--lst' \(Did you mean --list\?\)\.\n$/],
    [
      ['-a', '-g', '-q'],
      /^ERROR: Wrong arguments: --group takes a value, and '-q' looks like an option \(if it is meant: --group=-q\)\.\n$/,
    ],
    [['-l', '-g', ''], /^ERROR: Wrong arguments: --group takes a value that is not empty\.\n$/],
    [['-l', '--home', ''], /^ERROR: Wrong arguments: --home takes a value that is not empty\.\n$/],
    [['x'], /^ERROR: Wrong arguments: too many arguments/],
  ])('what is wrong with %j', async (argv, sentence) => {
    const { code, out, err } = await ranProgram(runAgentGroups, argv)
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(sentence)
  })

  it.each([
    ['-a', '-g', 'x', '-j'],
    ['-r', '-i', '1', '--json'],
  ])('as JSON that a change is not answered as JSON: %s', async (...argv) => {
    const { code, out, err } = await ranProgram(runAgentGroups, argv)
    expect({ code, err }).toEqual({ code: 1, err: '' })
    expect(JSON.parse(out)).toEqual({ error: 3160, message: 'Wrong arguments: -j goes with -l, -c, -s and -S only.' })
  })

  it('that no daemon runs, and that a worker is not the place', async () => {
    const tasks = [
      ['-l'],
      ['-l', '-g', 'x'],
      ['-s', '-i', '1'],
      ['-c', '-g', 'x'],
      ['-a', '-g', 'x', '-q'],
      ['-a', '-g', 'x'],
      ['-r', '-g', 'x'],
      ['-r', '-i', '1'],
    ]
    const { home } = await serve(workerOf('10.0.0.1'))
    const err =
      'ERROR: Wazuh is running in cluster mode: agent_groups is not available in worker nodes. ' +
      'Please, try again in the master node: 10.0.0.1.\n'
    for (const argv of tasks) {
      const down = await ranProgram(runAgentGroups, argv, { WAZUH_PATH: '/no/home' })
      expect(down).toEqual({ code: 1, out: '', err: 'ERROR: Cluster is not running. No daemon answers on the home /no/home.\n' })
      expect(await ranProgram(runAgentGroups, argv, { WAZUH_PATH: home })).toEqual({ code: 1, out: '', err })
    }
  })
})

it('agent_groups explains itself with examples', async () => {
  const { code, out } = await ranProgram(runAgentGroups, ['-h'])
  expect(code).toBe(0)
  for (const example of ['-l ', '-l -g web', '-c -g web', '-a -g web', '-a -i 001 -g web -f', '-s -i 001', '-S -i 001', '-r -g web -q'])
    expect(out).toContain(`agent_groups ${example}`)
})
