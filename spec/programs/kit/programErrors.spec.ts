/** What the three programs at the local socket have in common: how they say that something is wrong, in text and in JSON. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { runAgentControl } from '../../../src/programs/agentControl/agentControlCommand.js'
import { runAgentGroups } from '../../../src/programs/agentGroups/agentGroupsCommand.js'
import { runControl } from '../../../src/programs/clusterControl/controlCommand.js'
import { productVersion } from '../../../src/version.js'
import { always, serve, temporaryHome } from '../controlWorld.js'
import { ranProgram } from '../ranProgram.js'

const programs = [
  ['cluster_control', runControl],
  ['agent_control', runAgentControl],
  ['agent_groups', runAgentGroups],
] as const

/** Refuses every question. */
const refusing = (error: ClusterError) => (): AsyncIterable<AnswerLine> => {
  throw error
}

describe.each(programs)('%s', (name, run) => {
  it('says ERROR: before what went wrong, in one line that ends with a full stop', async () => {
    const { home } = await serve(refusing(new ClusterError('overloaded', { message: 'Too many are waiting' })))
    const busy = await ranProgram(run, ['-l'], { WAZUH_PATH: home })
    expect(busy).toEqual({ code: 1, out: '', err: 'ERROR: Error 3103 - Too many are waiting.\n' })
    const down = await ranProgram(run, ['-l'], { WAZUH_PATH: temporaryHome() })
    expect(down).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^ERROR: Cluster is not running.*\.\n$/) })
    const wrong = await ranProgram(run, ['--nonsense'])
    expect(wrong).toEqual({ code: 1, out: '', err: "ERROR: Wrong arguments: unknown option '--nonsense'.\n" })
  })

  it.each(['-j', '--json'])('answers an error as JSON on the standard output with %s, and exits with 1', async (flag) => {
    const { home } = await serve(refusing(new ClusterError('overloaded', { message: 'Too many are waiting\u001b' })))
    const busy = await ranProgram(run, ['-l', flag], { WAZUH_PATH: home })
    expect(busy).toMatchObject({ code: 1, err: '', out: expect.not.stringContaining('\u001b') })
    expect(JSON.parse(busy.out)).toEqual({ error: 3103, message: 'Too many are waiting\u001b.' })
    const down = await ranProgram(run, ['-l', flag], { WAZUH_PATH: temporaryHome() })
    expect({ ...down, out: JSON.parse(down.out) as unknown }).toEqual({
      code: 1,
      err: '',
      out: { error: 3012, message: expect.stringMatching(/^Cluster is not running/) },
    })
    for (const argv of [
      [flag, '--nonsense'],
      ['--nonsense', flag],
      [flag, '-l', '-i', '1'],
      ['-l', flag, 'more', 'less'],
    ]) {
      const { code, err, out } = await ranProgram(run, argv)
      expect({ code, err }).toEqual({ code: 1, err: '' })
      expect(JSON.parse(out)).toEqual({ error: 3160, message: expect.stringMatching(/^Wrong arguments: .*\.$/) })
    }
  })

  it('says on the standard error what broke off an answer that was partly printed as JSON', async () => {
    const page: AnswerLine[] = [
      { kind: 'agentsShape', shape: { count: 1, idDigits: 3, nameChars: 1, ipChars: 1, statusChars: 6, versionChars: 1, nodeChars: 1 } },
      { kind: 'agents', rows: [[1, 'x'.repeat(100_000), 'any', 'active', '', '', 'any', '', 0, 0, 'none']] },
      { kind: 'error', code: 'linkLost', number: 3107, message: 'The master went away' },
    ]
    const { home } = await serve(always(...page))
    const argv = name === 'cluster_control' ? ['-a', '-j'] : name === 'agent_groups' ? ['-l', '-g', 'web', '-j'] : ['-l', '-j']
    const { code, err, out } = await ranProgram(run, argv, { WAZUH_PATH: home })
    expect({ code, err }).toEqual({ code: 1, err: 'ERROR: Error 3107 - The master went away.\n' })
    expect(out).toContain('xxx')
    expect(out).not.toContain('went away')
  })

  it.each(['-V', '--version'])('prints our own version with %s', async (flag) =>
    expect(await ranProgram(run, [flag])).toEqual({ code: 0, out: `${name} ${productVersion} (Muster)\n`, err: '' }),
  )
})
