/** The command as an operator meets it, before a small master behind a real socket. */
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/base/limits.js'
import type { AgentView } from '../../src/domain/agents/agent.js'
import { runAgentGroups } from '../../src/programs/agentGroups/agentGroupsCommand.js'
import { AgentWorld, agent, workerOf } from '../programs/agentWorld.js'
import { serve } from '../programs/controlWorld.js'
import { type Ran, ranProgram } from '../programs/ranProgram.js'

/** In the most groups that an agent may have. */
const full = agent(5, { groups: Array.from({ length: limits.groupsPerAgentMax }, (_, at) => `g${at}`) })

const worldOf = (...more: readonly AgentView[]): AgentWorld =>
  new AgentWorld(
    [
      agent(1, { name: 'web-1', groups: ['default', 'web'] }),
      agent(2, { name: 'web-2', groups: ['web'] }),
      agent(3, { name: 'db\n', groups: ['default'] }),
      agent(4, { name: 'new' }),
      ...more,
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
    [['-S', '-i', '1'], "Agent '001' is synchronized. \n"],
    [['-S', '-i', '2'], "Agent '002' is not synchronized. \n"],
    [['--show-group', '--agent-id', '2'], "The agent 'web-2' with ID '002' belongs to groups: web.\n"],
    [['--show-sync', '--agent-id=1'], "Agent '001' is synchronized. \n"],
    [['--list-files', '-g=web'], "2 files for 'web' group:\n  agent.conf  [d1]\n  merged.mg   [d2]\n"],
    [['-lg', 'web'], "2 agent(s) in group 'web':\n  ID: 001  Name: web-1.\n  ID: 002  Name: web-2.\n"],
    [['-si1'], "The agent 'web-1' with ID '001' belongs to groups: default, web.\n"],
    [['--show-g', '--ag', '2'], "The agent 'web-2' with ID '002' belongs to groups: web.\n"],
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
      printed("Do you want to add the group 'web' to the agent '001'? [y/N]: Group 'web' added to agent '001'.\n"),
    )
    expect(groupsOf(1)).toEqual(['web'])
    expect(await run(['-r', '-i', '002', '-g', 'web'], 'y\nn\n')).toEqual(
      printed("Do you want to delete the group 'web' of agent '002'? [y/N]: Agent '002' removed from web.\n"),
    )
    expect(groupsOf(2)).toEqual(['default'])
    expect(await run(['-r', '-i', '001'], 'Y')).toEqual(
      printed("Do you want to delete all groups of agent '001'? [y/N]: Group unset for agent '001'.\n"),
    )
    expect(groupsOf(1)).toEqual(['default'])
  })

  it('which groups exist, after a yes', async () => {
    const { groupsOf, run, world } = await master()
    expect(await run(['-a', '-g', 'db'], 'y\n')).toEqual(printed("Do you want to create the group 'db'? [y/N]: Group 'db' created.\n"))
    expect(world.groups.has('db')).toBe(true)
    expect(await run(['-r', '-g', 'db', '-q'])).toEqual(printed('Group db removed.\n'))
    expect(await run(['-r', '-g', 'web'], 'y\n')).toEqual(printed("Do you want to remove the 'web' group? [y/N]: Group web removed.\n"))
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
    expect(await run(['-r', '-g', 'web'], 'y\n')).toEqual(printed("Do you want to remove the 'web' group? [y/N]: Group web removed.\n"))
  })

  it('a group whose creation was interrupted', async () => {
    const { run, world } = await master()
    world.unfinished.add('db')
    expect(await run(['-a', '-g', 'db'], 'y\n')).toEqual(printed("Do you want to create the group 'db'? [y/N]: Group 'db' created.\n"))
  })

  it('without a question with the quiet option', async () => {
    const { groupsOf, run } = await master()
    for (const argv of [
      ['-q', '-a', '-g', 'db'],
      ['--quiet', '--add', '--agent-id', '3', '--group-id', 'db', '--force'],
      ['-q', '-r', '-i', '2'],
    ])
      expect(await run(argv)).toMatchObject({ code: 0, err: '', out: expect.not.stringContaining('?') })
    expect(groupsOf(3)).toEqual(['db'])
    expect(groupsOf(2)).toEqual(['default'])
  })

  it('reports an error when the agent already has the group, except with -f', async () => {
    const { run, world } = await master()
    const already = 'Error 1751 - Could not assign agent to group\n'
    expect(await run(['-a', '-i', '2', '-g', 'web'])).toEqual({ code: 1, out: '', err: already })
    expect(await run(['-a', '-i', '2', '-g', 'web', '-f'])).toEqual(printed("Group 'web' added to agent '002'.\n"))
    expect(world.asked.filter(({ kind }) => kind === 'changeGroups')).toEqual([])
  })
})

describe('agent_groups says in one sentence', () => {
  const onlyDefault = "Error 1745 - Agent only belongs to 'default' and it cannot be unassigned from this group.\n"
  // As Wazuh writes it: what it refuses at once has a colon, what it lists as failed has a dash.
  it.each([
    [['-s', '-i', '9'], 'Error 1701 - Agent does not exist\n'],
    [['-S', '-i', '9'], 'Error 1701 - Agent does not exist\n'],
    [['-S', '-i', '000'], 'Error 1703 - Action not available for Manager (agent 000)\n'],
    [['-a', '-i', '9', '-g', 'web'], 'Error 1701 - Agent does not exist\n'],
    [['-a', '-i', '0', '-g', 'web'], 'Error 1703 - Action not available for Manager (agent 000)\n'],
    [['-r', '-i', '9'], 'Error 1701: Agent does not exist\n'],
    [['-r', '-i', '0', '-q'], 'Error 1703: Action not available for Manager (agent 000)\n'],
    [['-l', '-g', 'nope'], 'Error 1710: The group does not exist\n'],
    [['-c', '-g', 'nope'], 'Error 1710: The group does not exist\n'],
    [['-a', '-i', '1', '-g', 'nope', '-q'], 'Error 1710: The group does not exist\n'],
    [['-a', '-i', '1', '-g', 'nope'], 'Error 1710: The group does not exist\n'],
    [['-a', '-i', '1', '-g', 'nope', '-f'], 'Error 1710: The group does not exist\n'],
    [['-r', '-g', 'nope', '-q'], 'Error 1710 - The group does not exist\n'],
    [['-r', '-g', 'nope'], 'Error 1710 - The group does not exist\n'],
    [['-r', '-i', '2', '-g', 'nope'], 'Error 1710 - The group does not exist\n'],
    [['-a', '-g', 'web', '-q'], 'Error 1711: The group already exists: web\n'],
    [['-a', '-g', 'web'], 'Error 1711: The group already exists: web\n'],
    [['-r', '-g', 'default'], 'Error 1712 - Default group is not deletable\n'],
    [['-a', '-g', 'a b'], 'Error 1722: Incorrect format for group_id\n'],
    [['-a', '-i', '1', '-g', 'a\u001b'], 'Error 1722: Incorrect format for group_id\n'],
    [['-r', '-i', '2', '-g', 'default'], 'Error 1734 - Error removing agent from group\n'],
    [['-a', '-i', '5', '-g', 'web', '-q'], 'Error 1737 - Maximum number of groups per multigroup is 128\n'],
    [['-r', '-i', '3'], onlyDefault],
    [['-r', '-i', '3', '-q'], onlyDefault],
    [['-r', '-i', '3', '-g', 'default'], onlyDefault],
  ])('what cannot be done: %j', async (argv, err) =>
    expect(await (await master(worldOf(full))).run(argv)).toEqual({ code: 1, out: '', err }),
  )

  it('the one reason why an agent did not change', async () => {
    const { run, world } = await master()
    world.groups.add('none')
    const meanwhile = (groups: readonly string[] | undefined): void => {
      world.onChange = () => (groups ? world.agents.set(1, agent(1, { groups })) : world.agents.delete(1))
    }
    for (const [argv, groups, err] of [
      [['-r', '-i', '1'], ['default'], onlyDefault],
      [['-r', '-i', '1', '-g', 'web'], ['default'], 'Error 1734 - Error removing agent from group\n'],
      [['-r', '-i', '1'], undefined, 'Error 1701: Agent does not exist\n'],
      [['-a', '-i', '1', '-g', 'none'], ['none'], 'Error 1751 - Could not assign agent to group\n'],
    ] as const) {
      world.agents.set(1, agent(1, { groups: ['default', 'web'] }))
      meanwhile(groups)
      expect(await run([...argv, '-q'])).toEqual({ code: 1, out: '', err })
    }
  })

  it('the same as JSON', async () => {
    const { run } = await master()
    const { code, err, out } = await run(['-s', '-i', '9', '-j'])
    expect({ code, err, answer: JSON.parse(out) as unknown }).toEqual({
      code: 1,
      err: '',
      answer: { error: 1701, message: 'Agent does not exist' },
    })
  })

  it.each([
    [['-l', '-a', '-g', 'x'], /^ERROR: Wrong arguments: only one of /],
    [['-u', '-l'], /^ERROR: Wrong arguments: only one of /],
    [['-u', '-q'], /^ERROR: Wrong arguments: -u goes with nothing else\.\n$/],
    [['--show', '-i', '1'], /^ERROR: Wrong arguments: unknown option '--show'/],
    [['--add-group', '-g', 'x'], /^ERROR: Wrong arguments: unknown option '--add-group'/],
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
      /^ERROR: Wrong arguments: --group-id takes a value, and '-q' looks like an option \(if it is meant: --group-id=-q\)\.\n$/,
    ],
    [['-l', '-g', ''], /^ERROR: Wrong arguments: --group-id takes a value that is not empty\.\n$/],
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

  it('that no daemon runs, and that a worker has no master', async () => {
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
    const err = 'ERROR: Error 3023 - Worker node is not connected to master\n'
    for (const argv of tasks) {
      const down = await ranProgram(runAgentGroups, argv, { WAZUH_PATH: '/no/home' })
      expect(down).toEqual({ code: 1, out: '', err: 'ERROR: Cluster is not running. No daemon answers on the home /no/home.\n' })
      expect(await ranProgram(runAgentGroups, argv, { WAZUH_PATH: home })).toEqual({ code: 1, out: '', err })
    }
  })
})

it.each(['-h', '--help', '-u', '--usage'])('agent_groups explains itself with examples: %s', async (flag) => {
  const { code, err, out } = await ranProgram(runAgentGroups, [flag])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  for (const example of ['-l ', '-l -g web', '-c -g web', '-a -g web', '-a -i 001 -g web -f', '-s -i 001', '-S -i 001', '-r -g web -q'])
    expect(out).toContain(`agent_groups ${example}`)
})
