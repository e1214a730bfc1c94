/** config.yml: every sentence about it, with its line, and what the ways of writing it mean. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { checkCertificateConfig } from '../../../src/domain/certificates/checkCertificateConfig.js'
import { readCertificateConfig } from '../../../src/domain/certificates/readCertificateConfig.js'
import { findingText } from '../../../src/domain/certificates/writtenConfig.js'

const checked = (text: string, checksTypes = true) => {
  const { mistakes, nodes, warnings } = checkCertificateConfig(readCertificateConfig(text), { checksTypes })
  return {
    nodes: nodes.map(
      ({ addresses, components, name }) => `${components.join('+')} ${name}: ${addresses.map(({ value }) => value).join(' ')}`,
    ),
    mistakes: mistakes.map((mistake) => findingText('config.yml', mistake)),
    warnings: warnings.map((warning) => findingText('config.yml', warning)),
  }
}

/** A server node with these lines; its name is in line 3. */
const server = (...lines: readonly string[]): string =>
  `nodes:\n  server:\n    - name: w1\n${lines.map((line) => `      ${line}\n`).join('')}`
const two = (first: string, second: string): string =>
  `nodes:\n  server:\n    - name: w1\n      ip: 10.0.0.1\n${first}    - name: w2\n      ip: 10.0.0.2\n${second}`
const type = (value: string): string => `      node_type: ${value}\n`
const named = (name: string): string => `nodes:\n  indexer:\n    - name: ${name}\n      ip: 10.0.0.1\n`

const aio = `nodes:
  indexer:
    - name: wazuh-indexer
      ip: 127.0.0.1
  server:
    - name: wazuh-server
      ip: 127.0.0.1
  dashboard:
    - name: wazuh-dashboard
      ip: 127.0.0.1
`

describe('a config.yml', () => {
  it.each([
    ['all in one', aio, ['indexer wazuh-indexer: 127.0.0.1', 'server wazuh-server: 127.0.0.1', 'dashboard wazuh-dashboard: 127.0.0.1']],
    [
      'with CRLF',
      aio.replaceAll('\n', '\r\n'),
      ['indexer wazuh-indexer: 127.0.0.1', 'server wazuh-server: 127.0.0.1', 'dashboard wazuh-dashboard: 127.0.0.1'],
    ],
    ['with a byte order mark', `\uFEFF${server('ip: 10.0.0.1')}`, ['server w1: 10.0.0.1']],
    [
      'with a repeated key',
      server('ip: "10.0.0.1"', "ip: '10.0.0.2'", 'ip: w1.example.com'),
      ['server w1: 10.0.0.1 10.0.0.2 w1.example.com'],
    ],
    ['with a block list', server('ip:', '  - "10.0.0.3"', '  - "w2.example.com"'), ['server w1: 10.0.0.3 w2.example.com']],
    ['with a flow list', server('ip: ["10.0.0.1", 10.0.0.2]'), ['server w1: 10.0.0.1 10.0.0.2']],
    [
      'with several addresses of an indexer',
      'nodes:\n  indexer:\n    - name: i\n      ip: 10.0.0.1\n      ip: 10.0.0.2\n',
      ['indexer i: 10.0.0.1 10.0.0.2'],
    ],
    [
      'of Wazuh 5',
      'nodes:\n  manager:\n    - name: m\n      ip: fd00:0:0::01\n      dns:\n        - m.example.com\n',
      ['server m: fd00::1 m.example.com'],
    ],
    ['of Wazuh 5 without an address', 'nodes:\n  manager:\n    - name: m\n      dns: localhost\n', ['server m: localhost']],
    ['with types', two(type('master'), type('Worker')), ['server w1: 10.0.0.1', 'server w2: 10.0.0.2']],
    ['with a comment for every node of a section', `${server('ip: 10.0.0.1')}  indexer:\n    #- name: x\n`, ['server w1: 10.0.0.1']],
    [
      'with names like numbers and truths',
      server('ip: 10.0.0.1').replace('w1', 'yes').concat('    - name: 1\n      ip: 10.0.0.2\n'),
      ['server yes: 10.0.0.1', 'server 1: 10.0.0.2'],
    ],
  ])('%s is taken', (_, text, nodes) => expect(checked(text, false)).toMatchObject({ nodes, mistakes: [] }))

  it.each([
    ['a public address', server('ip: 8.8.8.8'), ['The IP 8.8.8.8 is public. (config.yml, line 4)']],
    ['a single label', server('ip: localhost'), ['The name localhost has no dot. (config.yml, line 4: few machines know it by that)']],
    ['a wildcard', server('dns: "*.example.com"'), ['The name *.example.com stands for every name below it. (config.yml, line 4)']],
    ['carriers and IPv6', server('ip: 100.64.0.1', 'ip: fe80::1', 'ip: 169.254.1.1'), []],
  ])('with %s is taken, and warned of where that is unusual', (_, text, warnings) =>
    expect(checked(text)).toMatchObject({ nodes: [expect.any(String)], mistakes: [], warnings }),
  )

  it('with one name in two components gets one certificate with all addresses', () => {
    const text = `${server('ip: 10.0.0.1')}  dashboard:\n    - name: w1\n      ip: 10.0.0.2\n`
    expect(checked(text)).toEqual({
      nodes: ['server+dashboard w1: 10.0.0.1 10.0.0.2'],
      mistakes: [],
      warnings: ['The name w1 is in server and dashboard. (config.yml, line 6: it gets one certificate, with all of its addresses)'],
    })
  })
})

/** The table of checks of Wazuh's tool, and the mistakes that it does not see. */
const mistakes: readonly (readonly [string, ...(readonly string[])])[] = [
  [named('"a b"'), 'Invalid node name: a b. Only alphanumeric characters, dots, dashes, and underscores are allowed. (config.yml, line 3)'],
  [
    named('"$(id)"'),
    'Invalid node name: $(id). Only alphanumeric characters, dots, dashes, and underscores are allowed. (config.yml, line 3)',
  ],
  [named('-x'), 'Node name cannot start with dash or dot: -x (config.yml, line 3)'],
  [named('.x'), 'Node name cannot start with dash or dot: .x (config.yml, line 3)'],
  [named('x'.repeat(65)), `Node name too long: ${'x'.repeat(65)} (config.yml, line 3: a certificate takes 64 characters)`],
  [named('Admin'), 'Invalid node name: Admin. (config.yml, line 3: admin is the name of a certificate of its own)'],
  [named('root-ca'), 'Invalid node name: root-ca. (config.yml, line 3: root-ca is the name of a certificate of its own)'],
  [named('a-key'), 'Invalid node name: a-key. (config.yml, line 3: files that end in -key.pem are keys)'],
  [`${named('i')}    - name: i\n      ip: 10.0.0.2\n`, 'Duplicated indexer node names. (config.yml, line 5: i is in line 3 too)'],
  [`${named('i')}    - name: j\n      ip: 10.0.0.1\n`, 'Duplicated indexer node ips. (config.yml, line 6: 10.0.0.1 is in line 4 too)'],
  [
    two('', '').replace('w2', 'w1'),
    'The tag node_type needs to be specified for all Wazuh server nodes.',
    'Duplicated Wazuh server node names. (config.yml, line 5: w1 is in line 3 too)',
  ],
  [server('ip: fd00::1', 'ip: "FD00:0::1"'), 'Duplicated Wazuh server node ips. (config.yml, line 5: FD00:0::1 is in line 4 too)'],
  [
    'nodes:\n  dashboard:\n    - name: d\n      ip: 10.0.0.1\n    - name: d\n      ip: 10.0.0.1\n',
    'Duplicated dashboard node names. (config.yml, line 5: d is in line 3 too)',
    'Duplicated dashboard node ips. (config.yml, line 6: 10.0.0.1 is in line 4 too)',
  ],
  [
    'nodes:\n  manager:\n    - name: m\n      dns: [a.example.com, A.example.com]\n',
    'Duplicated wazuh manager node dns. (config.yml, line 4: A.example.com is in line 4 too)',
  ],
  [two(type('master'), type('xworkerx')), 'Incorrect node_type xworkerx must be master or worker (config.yml, line 8)'],
  [server('ip: 10.0.0.1', 'node_type: master'), 'The tag node_type can only be used with more than one Wazuh server. (config.yml, line 5)'],
  [two(type('master'), ''), 'The tag node_type needs to be specified for all Wazuh server nodes. (config.yml, line 6)'],
  [two(type('master'), type('worker').repeat(2)), 'Found extra node_type tags. (config.yml, line 9)'],
  [two(type('master'), type('master')), 'Wazuh cluster needs a single master node. (config.yml, line 8: there are 2)'],
  [two(type('worker'), type('worker')), 'Wazuh cluster needs a single master node. (config.yml, line 5: there are 0)'],
  ['nodes:\n  dashboard:\n    - name: d\n', 'Different number of dashboard node names and IPs. (config.yml, line 3: d has no ip)'],
  [server('ip: 10.999.1.1'), 'Invalid IP or DNS 10.999.1.1 (config.yml, line 4: each of the four numbers is from 0 to 255)'],
  [
    server('ip: "<wazuh-manager-ip>"'),
    'Invalid IP or DNS <wazuh-manager-ip> (config.yml, line 4: put the address of the node in the place of <…>)',
  ],
  [
    server('ip: "10.0.0.1 10.0.0.2"'),
    'Invalid IP or DNS "10.0.0.1 10.0.0.2" (config.yml, line 4: give several as a list: ["10.0.0.1", "10.0.0.2"])',
  ],
  [server(), 'No IP or DNS specified (config.yml, line 3: w1 has no ip)'],
  [server('ip:'), 'No IP or DNS specified (config.yml, line 3: w1 has no ip)'],
  ['nodes:\n  manager:\n    - name: m\n', 'Manager node m requires at least one field: ip or dns. (config.yml, line 3)'],
  [
    'nodes:\n  manager:\n    - name: m\n      ip: "a b"\n',
    'Invalid IP in field ip for manager node m: "a b". (config.yml, line 4: give several as a list: ["10.0.0.1", "10.0.0.2"])',
  ],
  [
    'nodes:\n  manager:\n    - name: m\n      dns: 10.0.0.1\n',
    'Invalid DNS in field dns for manager node m: 10.0.0.1. (config.yml, line 4: an address belongs in ip:)',
  ],
  [
    `${server('ip: 10.0.0.1')}  manager:\n    - name: m\n      ip: 10.0.0.2\n`,
    'The sections server and manager are the same one. (config.yml, line 6: server is in line 3)',
  ],
  [
    'nodes:\n  Server:\n    - name: w1\n      ip: 10.0.0.1\n',
    'Unknown section "Server" under nodes. (config.yml, line 2: did you mean \'server\'?)',
  ],
  ['nodes:\n  dashbaord:\n    - name: w1\n', 'Unknown section "dashbaord" under nodes. (config.yml, line 2: did you mean \'dashboard\'?)'],
  ['nodes:\n  other:\n', 'Unknown section "other" under nodes. (config.yml, line 2: known here: indexer, server, manager, dashboard)'],
  [
    server('ip: 10.0.0.1', 'nodetype: master'),
    'Unknown key "nodetype" in a node of server. (config.yml, line 5: did you mean \'node_type\'?)',
  ],
  [
    named('i').concat('      node_type: master\n'),
    'Unknown key "node_type" in a node of indexer. (config.yml, line 5: known here: name, ip, dns)',
  ],
  ['indexer:\n  - name: i\n', 'Unknown key "indexer". (config.yml, line 1: it belongs under nodes:, two blanks further in)'],
  ['node:\n  indexer:\n', 'Unknown key "node". (config.yml, line 1: did you mean \'nodes\'?)'],
  [
    `${server('ip: 10.0.0.1')}  server:\n    - name: w2\n      ip: 10.0.0.2\n`,
    'The section server appears twice. (config.yml, line 5: put its nodes under that of line 2)',
  ],
  [server('ip: 10.0.0.1').repeat(2), 'The section server appears twice. (config.yml, line 6: put its nodes under that of line 2)'],
  [
    'nodes:\n  server:\n    name: w1\n    ip: 10.0.0.1\n',
    "The section server is not a list of nodes. (config.yml, line 3: each begins with '- name:')",
  ],
  [
    server('ip: 10.0.0.1', 'name: w2', 'ip: 10.0.0.2'),
    "A node has two names. (config.yml, line 5: a node begins with '- name:', with the dash)",
  ],
  ['nodes:\n  server:\n    - ip: 10.0.0.1\n', 'A node of server has no name. (config.yml, line 3)'],
  ['nodes:\n  server:\n    - w1\n', 'A node of server is not made of keys. (config.yml, line 3: it may have name:, ip:, dns:, node_type:)'],
  [server('ip: {a: b}'), 'The value of ip is not a text or a list of texts. (config.yml, line 4)'],
  [
    'a: &x 1\nnodes:\n  server:\n    - name: *x\n      ip: 10.0.0.1\n',
    'The value of name is not a text. (config.yml, line 4: aliases (*name) are not taken here)',
  ],
  ['nodes:\n', 'The file has no nodes. (config.yml)'],
  ['# nothing\n', 'The file has no nodes. (config.yml: it begins with nodes:)'],
  ['rubbish: [\n', 'The file is not YAML: '],
  ['nodes:\n\tserver:\n', 'The file is not YAML: '],
  [`a: ${'['.repeat(30_000)}`, 'The file is not YAML: '],
  [
    server(...Array.from({ length: limits.certificateNamesMax }, (_, at) => `ip: 10.0.1.${at}`)),
    `The node w1 has ${limits.certificateNamesMax} addresses or more. (config.yml, line 3)`,
  ],
]

describe('a config.yml is refused', () => {
  it.each(mistakes)("in Wazuh's sentences where it has one (%#)", (text, ...expected) => {
    const { mistakes: found, nodes } = checked(text)
    expect(nodes).toEqual([])
    for (const sentence of expected)
      expect(
        found.some((says) => says.startsWith(sentence)),
        `${sentence} in ${found.join('\n')}`,
      ).toBe(true)
  })

  it('with no more sentences than anybody reads, and with no more nodes than there may be', () => {
    const many = `nodes:\n  indexer:\n${Array.from({ length: limits.certificateNodesMax + 1 }, (_, at) => `    - name: n${at}\n      ip: bad_\n`).join('')}`
    expect(checked(many).mistakes.length).toBe(limits.certificateFindingsMax)
    const tooMany = many.replaceAll(/ip: bad_/g, 'ip: x.example.com')
    let count = 0
    const distinct = tooMany.replaceAll('x.example.com', () => `x${count++}.example.com`)
    expect(checked(distinct).mistakes).toEqual([`The file has more than ${limits.certificateNodesMax} nodes. (config.yml)`])
  })
})
