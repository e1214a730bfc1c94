import { describe, expect, it } from 'vitest'
import { nodeReports } from '../../../src/actors/queries/nodeReports.js'
import { ClusterError } from '../../../src/base/errors.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const report = { home: '/var/ossec', timeZone: 'UTC', utcOffsetMinutes: 0, running: ['wazuh-clusterd'], stopped: [], mistakes: [] }

describe('what nodes say of themselves', () => {
  it('is not asked of a worker of an earlier build, and a node that fails keeps no other from its answer', async () => {
    const asked: string[] = []
    const questions: unknown[] = []
    const earlier = new ScriptedLink('old', async (type) => asked.push(type))
    const view = {
      self: { name: 'master' },
      report: () => {
        throw new ClusterError('requestFailed')
      },
      reportMsMax: 1_000,
    }
    const able = Object.assign(
      new ScriptedLink('w1', async (type, body) => {
        questions.push([type, body])
        return report
      }),
      { peer: { ...earlier.peer, capabilities: ['reports'] } },
    )
    const members = [
      { name: 'old', link: earlier },
      { name: 'w1', link: able },
    ]
    const lines = []
    for await (const line of nodeReports(view, { isAsked: () => true, isWhole: true, members }, new AbortController().signal))
      lines.push(line)
    expect(lines).toEqual([
      { kind: 'nodeReport', node: 'master', failure: { number: new ClusterError('requestFailed').number, message: expect.any(String) } },
      { kind: 'nodeReport', node: 'old' },
      { kind: 'nodeReport', node: 'w1', report },
    ])
    expect(asked).toEqual([])
    // It can be asked, but not for the lines of its log.
    expect(questions).toEqual([['node.report', {}]])
  })
})
