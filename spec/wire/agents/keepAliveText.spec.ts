/** A keep-alive says of an agent what the real remoted wrote into its row. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AgentFactName, agentFactNames } from '../../../src/domain/agents/agent.js'
import { parseAgentControl } from '../../../src/wire/agents/controlMessage.js'
import { parseKeepAlive, printKeepAlive } from '../../../src/wire/agents/keepAliveText.js'
import { type RecordedLine, readRecording } from '../../support/agents/agentRecordings.js'

type Row = Readonly<Record<string, string | undefined>>

const columns: readonly (readonly [AgentFactName, string])[] = [
  ['version', 'version'],
  ['osName', 'os_name'],
  ['osVersion', 'os_version'],
  ['osPlatform', 'os_platform'],
  ['osArch', 'os_arch'],
  ['mergedSum', 'merged_sum'],
  ['configSum', 'config_sum'],
]

/** What the manager adds to them itself. */
const addedLabels = /^#"_(?:manager_hostname|node_name|wazuh_version)"/

const keepAliveBefore = (lines: readonly RecordedLine[], at: number): string | undefined => {
  for (let index = at - 1; index >= 0 && lines[index]?.case === lines[at]?.case; index--) {
    const line = lines[index]
    if (line?.from !== 'agent' || !line.plaintext?.startsWith('#!-')) continue
    const parsed = parseAgentControl(Buffer.from(line.plaintext))
    if (parsed.kind === 'keepAlive') return parsed.text
  }
  return undefined
}

/** A long answer was cut when it was recorded. */
const rowsIn = (answer: string): { readonly rows: readonly Row[]; readonly isWhole: boolean } => {
  if (!answer.startsWith('ok [{')) return { rows: [], isWhole: true }
  const json = answer.slice(3)
  const isWhole = json.endsWith('}]')
  return { rows: JSON.parse(isWhole ? json : `${json.slice(0, json.lastIndexOf('},{'))}}]`) as Row[], isWhole }
}

const noFacts = {
  ip: '',
  version: '',
  osName: '',
  osVersion: '',
  osPlatform: '',
  osArch: '',
  osUname: '',
  configSum: '',
  mergedSum: '',
  labels: '',
}

describe('keep-alives', () => {
  it('say what the real manager wrote into its rows', () => {
    const { lines } = readRecording('manager-wire')
    let compared = 0
    for (const [at, { answer, case: name, event }] of lines.entries()) {
      if (event !== 'row in global.db' || answer === undefined) continue
      const text = keepAliveBefore(lines, at)
      const { isWhole, rows } = rowsIn(answer)
      const [row] = rows
      if (text === undefined || !row || row['version'] === undefined) continue
      const facts = parseKeepAlive(text)
      for (const [fact, column] of columns) expect(`${name} ${fact} ${facts[fact]}`).toBe(`${name} ${fact} ${row[column]}`)
      const said = [...(facts.labels?.split('\n') ?? []), ...(facts.ip === undefined ? [] : [`#"_agent_ip":${facts.ip}`])]
      const kept = rows.map(({ key, value }) => `${key}:${value}`).filter((label) => !addedLabels.test(label))
      expect(said).toEqual(expect.arrayContaining(kept))
      if (isWhole) expect(kept).toEqual(expect.arrayContaining(said))
      compared++
    }
    expect(compared).toBeGreaterThan(10)
  })

  it.each([
    [
      'Linux |vm |6.1.0 |#1 SMP |x86_64 [Debian GNU/Linux|debian: 12 (bookworm)] - Wazuh v4.14.7 / b8a8\n"env":prod\n!"h":secret\n2124 merged.mg\n#"_agent_ip":127.0.0.1\n',
      {
        osUname: 'Linux |vm |6.1.0 |#1 SMP |x86_64',
        osName: 'Debian GNU/Linux',
        osPlatform: 'debian',
        osVersion: '12',
        osArch: 'x86_64',
        version: 'Wazuh v4.14.7',
        configSum: 'b8a8',
        mergedSum: '2124',
        ip: '127.0.0.1',
        labels: '"env":prod\n!"h":secret',
      },
    ],
    [
      'Microsoft Windows 10 Pro [Ver: 10.0.19045.3208] - Wazuh v4.7.2 / ab73\nx merged.mg\n#"_agent_ip":10.0.0.9\n',
      {
        osUname: 'Microsoft Windows 10 Pro',
        osName: 'Microsoft Windows 10 Pro',
        osVersion: '10.0.19045.3208',
        osPlatform: 'windows',
        version: 'Wazuh v4.7.2',
        configSum: 'ab73',
        mergedSum: 'x',
        ip: '10.0.0.9',
      },
    ],
    [
      'Microsoft Windows 11 [Ver: 10.0.22631] |pc |x86_64 - Wazuh v5.0.0\nx merged.mg\n',
      {
        osUname: 'Microsoft Windows 11',
        osName: 'Microsoft Windows 11',
        osVersion: '10.0.22631',
        osPlatform: 'windows',
        osArch: 'x86_64',
        version: 'Wazuh v5.0.0',
        mergedSum: 'x',
      },
    ],
    [
      'Linux |old |3.10 |#1 SMP |i686 - OSSEC HIDS v3.8.0 / 5c2d\n97ab merged.mg\n',
      { osUname: 'Linux |old |3.10 |#1 SMP |i686', osArch: 'i686', version: 'OSSEC HIDS v3.8.0', configSum: '5c2d', mergedSum: '97ab' },
    ],
    ['Linux |vm\n', {}],
    ['', {}],
    [
      '{"agent":{"version":"v5.0.0","config_sum":"c","merged_sum":"m","ip":"1.2.3.4","uname":"Linux |a |6 |#1 |aarch64 [Ubuntu|ubuntu: 24.04 (Noble)]"},"host":{"architecture":"arm64","os":{"name":"Ubuntu","platform":"ubuntu","version":"24.04.1"}}}',
      {
        version: 'v5.0.0',
        configSum: 'c',
        mergedSum: 'm',
        ip: '1.2.3.4',
        osUname: 'Linux |a |6 |#1 |aarch64 [Ubuntu|ubuntu: 24.04 (Noble)]',
        osName: 'Ubuntu',
        osPlatform: 'ubuntu',
        osVersion: '24.04.1',
        osArch: 'arm64',
      },
    ],
  ])('say what the agent is: %j', (text, facts) => expect(parseKeepAlive(text)).toEqual(facts))

  it('of our own agents say the facts that they were printed of', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_.]{1,12}$/)
    const label = fc.tuple(fc.constantFrom('', '!', '#'), word, word).map(([mark, key, value]) => `${mark}"${key}":${value}`)
    fc.assert(
      fc.property(
        fc.record({
          ip: fc.option(fc.ipV4(), { nil: '' }),
          version: word.map((version) => `Wazuh v${version}`),
          osName: word,
          osVersion: word,
          osPlatform: word,
          osArch: fc.constantFrom('x86_64', 'aarch64', 'i686'),
          configSum: fc.option(fc.stringMatching(/^[0-9a-f]{32}$/), { nil: '' }),
          mergedSum: fc.stringMatching(/^[0-9a-f]{32}$/),
          labels: fc.array(label, { maxLength: 4 }).map((labels) => labels.join('\n')),
        }),
        (said) => {
          const facts = { ...said, osUname: `Linux |vm |6.1.0 |#1 SMP |${said.osArch}` }
          expect({ ...noFacts, ...parseKeepAlive(printKeepAlive(facts)) }).toEqual(facts)
        },
      ),
    )
  })

  it('print as a real agent of the recording says it', () => {
    const labels = '"env":prod\n"team.name":Zürich, "x" &amp; y\n!"h":secret\n"empty":'
    const text = `Linux |vm |6.18 |#1 SMP |x86_64 [Debian GNU/Linux|debian: 12] - Wazuh v4.14.7\n${labels}\nx merged.mg\n#"_agent_ip":127.0.0.1\n`
    expect(printKeepAlive({ ...noFacts, ...parseKeepAlive(text) })).toBe(text)
  })

  it('of any text say facts that are texts, and nothing else', () => {
    const parts = fc.constantFrom(
      ' - ',
      ' / ',
      ' [',
      ': ',
      '|',
      '\n',
      '#"_agent_ip":',
      ' [Ver: ',
      ']',
      '{',
      '"agent":',
      ' merged.mg',
      'Wazuh',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string({ maxLength: 9 })), { maxLength: 30 }), (pieces) => {
        for (const [name, value] of Object.entries(parseKeepAlive(pieces.join('')))) {
          expect(agentFactNames).toContain(name)
          expect(typeof value).toBe('string')
        }
      }),
    )
  })
})
