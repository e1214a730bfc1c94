import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AgentView, agentIdText, shownIp } from '../../../src/domain/agents/agent.js'
import { agentRow } from '../../../src/domain/queries/agentAnswer.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { printAgentList, printAgentListJson } from '../../../src/programs/agentControl/printAgentControl.js'
import { printAgents, printAgentsJson } from '../../../src/programs/clusterControl/printAgents.js'
import { agent, agentLists, facts, listing } from '../agentWorld.js'

type Print = (answer: AsyncIterable<AnswerLine>) => AsyncIterable<string>

const stream = async function* (lines: Iterable<AnswerLine>) {
  yield* lines
}

const printed = async (print: Print, lines: Iterable<AnswerLine>): Promise<string> => {
  let text = ''
  for await (const part of print(stream(lines))) text += part
  return text
}

const idDigitsMin = 3

/** The master itself. */
const manager = agent(0, {
  ...{ name: 'wazuh-master', registeredIp: '127.0.0.1', status: 'active', node: 'master-node' },
  facts: { ...facts, ip: '', version: 'Wazuh v4.8.0' },
})
const web = agent(1, { name: 'web', status: 'active', node: 'worker-1', seenMs: 1_700_000_000_000, facts, groups: ['default', 'web'] })
const gone = agent(1_204, {
  ...{ name: 'gone', status: 'disconnected', registeredIp: '10.0.0.8', node: 'worker-1', facts: { ...facts, ip: '', version: '' } },
  ...{ seenMs: 1_700_000_000_000, disconnectedMs: 1_700_000_600_000, disconnection: 'keepAliveMissed' },
})

describe('the table of agents', () => {
  it("is Wazuh's to the blank, with `unknown` for what a new agent has not reported", async () =>
    expect(await printed(printAgents, listing([manager, web, agent(2), gone]))).toBe(
      [
        'ID    NAME          IP         STATUS           VERSION        NODE NAME    ',
        '000   wazuh-master  127.0.0.1  active           Wazuh v4.8.0   master-node  ',
        '001   web           10.0.0.7   active           Wazuh v4.14.7  worker-1     ',
        '002   agent-2       any        never_connected  unknown        unknown      ',
        '1204  gone          10.0.0.8   disconnected     unknown        worker-1     ',
        '',
      ].join('\n'),
    ))

  it('parses back to its rows, each column as wide as its longest value and two blanks', () =>
    fc.assert(
      fc.asyncProperty(agentLists, async (agents) => {
        const cells = agents.map((one: AgentView) => [
          ...[agentIdText(one.id), one.name, shownIp(one), one.status],
          ...[one.facts?.version || 'unknown', one.node ?? 'unknown'],
        ])
        const lines = (await printed(printAgents, listing(agents))).split('\n')
        expect(lines.pop()).toBe('')
        const widths = /^(ID +)(NAME +)(IP +)(STATUS +)(VERSION +)(NODE NAME +)$/.exec(lines.shift() ?? '')?.slice(1) ?? []
        expect(widths.map(({ length }) => length)).toEqual(
          widths.map(
            (header, at) =>
              Math.max(at === 0 ? idDigitsMin : 0, header.trimEnd().length, ...cells.map((row) => [...(row[at] ?? '')].length)) + 2,
          ),
        )
        const parsed = lines.map((line) => {
          const left = [...line]
          const row = widths.map(({ length }) => left.splice(0, length).join('').trimEnd())
          expect(left).toEqual([])
          return row
        })
        expect(parsed).toEqual(cells)
      }),
    ))

  it('without agents is its header, and as JSON an empty list', async () => {
    expect(await printed(printAgents, listing([]))).toBe('ID   NAME  IP  STATUS  VERSION  NODE NAME  \n')
    expect(JSON.parse(await printed(printAgentsJson, listing([])))).toEqual({ items: [], total: 0 })
    expect(JSON.parse(await printed(printAgentListJson, listing([])))).toEqual({ error: 0, data: [] })
  })

  it('cannot be broken by what an agent says of itself', async () => {
    const hostile = agent(7, { name: 'a\n000  b', node: 'w', status: 'active', facts: { ...facts, version: '\u001b[2J' } })
    const text = await printed(printAgents, listing([hostile]))
    expect(text.split('\n')).toHaveLength(3)
    expect(text).not.toContain('\u001b')
    const rows = await printed(printAgentList, listing([hostile]))
    expect(rows.split('\n')).toHaveLength(5)
  })

  it('as JSON has every agent on a line, with what is known of it', async () => {
    const text = await printed(printAgentsJson, listing([web, agent(2), gone]))
    expect(JSON.parse(text)).toEqual({
      items: [
        {
          ...{ id: '001', name: 'web', ip: '10.0.0.7', registerIP: 'any', status: 'active', version: 'Wazuh v4.14.7' },
          ...{ node_name: 'worker-1', group: ['default', 'web'], lastKeepAlive: '2023-11-14T22:13:20.000000Z' },
        },
        { id: '002', name: 'agent-2', ip: 'any', registerIP: 'any', status: 'never_connected' },
        {
          ...{ id: '1204', name: 'gone', ip: '10.0.0.8', registerIP: '10.0.0.8', status: 'disconnected', node_name: 'worker-1' },
          ...{ lastKeepAlive: '2023-11-14T22:13:20.000000Z', disconnection_time: '2023-11-14T22:23:20.000000Z' },
          disconnection_reason: 'keepAliveMissed',
        },
      ],
      total: 3,
    })
    expect(text.split('\n')).toHaveLength(6)
  })

  it('is never printed without the widths of its columns', async () =>
    await expect(printed(printAgents, [{ kind: 'agents', rows: [agentRow(web)] }])).rejects.toMatchObject({ code: 'malformed' }))

  it('is printed page by page, in every form', async () => {
    const pages = 500
    let asked = 0
    const many = function* (): Generator<AnswerLine> {
      yield {
        kind: 'agentsShape',
        shape: { count: pages, idDigits: 3, nameChars: 9, ipChars: 3, statusChars: 15, versionChars: 0, nodeChars: 0 },
      }
      for (; asked < pages; asked++) yield { kind: 'agents', rows: [agentRow(agent(asked + 1))] }
    }
    for (const print of [printAgents, printAgentsJson, printAgentList, printAgentListJson]) {
      asked = 0
      let received = 0
      let waitedMost = 0
      for await (const part of print(stream(many()))) {
        received += part.includes('agent-') ? 1 : 0
        waitedMost = Math.max(waitedMost, asked - received)
      }
      expect(received).toBe(pages)
      expect(waitedMost).toBeLessThanOrEqual(1)
    }
  })
})

describe('the list of agent_control', () => {
  it('is that of Wazuh, the manager first', async () =>
    expect(await printed(printAgentList, listing([manager, web, agent(2), gone]))).toBe(
      [
        '',
        'Wazuh agent_control. List of available agents:',
        '   ID: 000, Name: wazuh-master (server), IP: 127.0.0.1, Active/Local',
        '   ID: 001, Name: web, IP: any, Active',
        '   ID: 002, Name: agent-2, IP: any, Never connected',
        '   ID: 1204, Name: gone, IP: 10.0.0.8, Disconnected',
        '',
        '',
      ].join('\n'),
    ))

  it('has the same as JSON', async () =>
    expect(JSON.parse(await printed(printAgentListJson, listing([manager, web])))).toEqual({
      error: 0,
      data: [
        { id: '000', name: 'wazuh-master', ip: '127.0.0.1', status: 'Active' },
        { id: '001', name: 'web', ip: 'any', status: 'Active' },
      ],
    }))
})
