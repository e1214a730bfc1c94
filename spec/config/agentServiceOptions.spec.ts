/** `<auth>` and `<remote>`: Wazuh's defaults and rules, one sentence for each mistake, and nothing that Wazuh's programs refuse. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import {
  authOptions,
  defaultEnrolmentService,
  defaultListenerService,
  forceOptions,
  remoteOptions,
} from '../../src/config/agentServiceOptions.js'
import { loadSettings } from '../../src/config/loadSettings.js'
import { defaultEnrolmentRules } from '../../src/domain/agents/replacement.js'
import { renderXml } from './renderedConfig.js'

const home = mkdtempSync(join(tmpdir(), 'muster-services-'))
const confFile = join(home, 'etc/ossec.conf')
const jsonFile = join(home, 'etc/cluster.json')
const cluster = { key: 'c98b62a9b6169ac5f67dae55ae4a9088', node: '192.0.2.1', disabled: 'no' }

const load = (others: string, { hasManager = false, json = '{}' } = {}) => {
  writeFileSync(confFile, renderXml(cluster, others), { mode: 0o640 })
  writeFileSync(jsonFile, json, { mode: 0o640 })
  return loadSettings({ home, hasManager: () => hasManager })
}
const settingsOf = (loaded: ReturnType<typeof load>) => {
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  return loaded.settings
}
const mistakesOf = (loaded: ReturnType<typeof load>): readonly string[] => (loaded.ok ? [] : loaded.mistakes)

beforeEach(() => mkdirSync(join(home, 'etc'), { recursive: true }))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** As the packages of Wazuh 4.14 ship it. */
const packaged = `<remote><connection>secure</connection><port>1514</port><protocol>tcp</protocol><queue_size>131072</queue_size></remote>
<auth><disabled>no</disabled><port>1515</port><use_source_ip>no</use_source_ip>
<force><enabled>yes</enabled><key_mismatch>yes</key_mismatch><disconnected_time enabled="yes">1h</disconnected_time>
<after_registration_time>1h</after_registration_time></force>
<purge>yes</purge><use_password>no</use_password><ciphers>HIGH:!ADH:!EXP:!MD5:!RC4:!3DES:!CAMELLIA:@STRENGTH</ciphers>
<ssl_agent_ca></ssl_agent_ca><ssl_verify_host>no</ssl_verify_host><ssl_manager_cert>etc/sslmanager.cert</ssl_manager_cert>
<ssl_manager_key>etc/sslmanager.key</ssl_manager_key><ssl_auto_negotiate>no</ssl_auto_negotiate></auth>`

describe('the services that agents connect to', () => {
  it('are off without a block, and have Wazuh’s defaults with an empty one or the packaged one', () => {
    expect(settingsOf(load(''))).toMatchObject({ enrolment: undefined, listener: undefined, enrolmentRules: defaultEnrolmentRules })
    const empty = load('<auth></auth><remote/>')
    expect(settingsOf(empty)).toMatchObject({ enrolment: defaultEnrolmentService, listener: defaultListenerService })
    const shipped = load(packaged)
    expect(shipped).toMatchObject({ warnings: [], notes: [] })
    expect(settingsOf(shipped)).toMatchObject({
      ...{ enrolment: defaultEnrolmentService, listener: defaultListenerService },
      enrolmentRules: { ...defaultEnrolmentRules, purge: true },
    })
    expect(settingsOf(load('<auth><disabled>yes</disabled></auth>')).enrolment).toBeUndefined()
  })

  const invalid: readonly (readonly [place: string, block: (text: string) => string, value: fc.Arbitrary<string>])[] = [
    ...['disabled', 'ipv6', 'use_source_ip', 'purge', 'use_password', 'ssl_verify_host', 'ssl_auto_negotiate'].map(
      (name) =>
        [`<auth><${name}>`, (text: string) => `<auth><${name}>${text}</${name}></auth>`, fc.constantFrom('', 'true', 'Yes', '1')] as const,
    ),
    ['<auth><port>', (text) => `<auth><port>${text}</port></auth>`, fc.constantFrom('', '0', '65536', 'x', '15 15', '-1')],
    ['<auth><ciphers>', (text) => `<auth><ciphers>${text}</ciphers></auth>`, fc.constantFrom('', 'A;B', 'ü')],
    ['<auth><force><enabled>', (text) => `<auth><force><enabled>${text}</enabled></force></auth>`, fc.constantFrom('', '1')],
    [
      '<auth><force><after_registration_time>',
      (text) => `<auth><force><after_registration_time>${text}</after_registration_time></force></auth>`,
      fc.constantFrom('', '-1', '1.5h', '1y', 'h'),
    ],
    ['<remote><connection>', (text) => `<remote><connection>${text}</connection></remote>`, fc.constantFrom('', 'Secure', 'tls')],
    ['<remote><port>', (text) => `<remote><port>${text}</port></remote>`, fc.constantFrom('', '0', '65536', '0x5ea')],
    ['<remote><protocol>', (text) => `<remote><protocol>${text}</protocol></remote>`, fc.constantFrom('', 'tcpudp', 'sctp', ',')],
    ['<remote><local_ip>', (text) => `<remote><local_ip>${text}</local_ip></remote>`, fc.constantFrom('localhost', '1.2.3', 'any')],
    ['<remote><queue_size>', (text) => `<remote><queue_size>${text}</queue_size></remote>`, fc.constantFrom('', '0', '-1', 'x')],
    [
      '<remote><agents><allow_higher_versions>',
      (text) => `<remote><agents><allow_higher_versions>${text}</allow_higher_versions></agents></remote>`,
      fc.constantFrom('', 'true'),
    ],
  ]

  it('name any invalid option in exactly one mistake, with its value, and the rest is read', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...invalid).chain(([place, block, value]) => value.map((text) => ({ place, block, text }))),
        ({ block, place, text }) => {
          const mistakes = mistakesOf(load(block(text)))
          expect(mistakes).toHaveLength(1)
          const says = [text, JSON.stringify(text)].map((shown) => `${confFile}: ${place} is ${shown}: must be `)
          expect(says.some((sentence) => mistakes[0]?.startsWith(sentence))).toBe(true)
        },
      ),
      { numRuns: 60 },
    ))

  it('do not hold up a node whose agents are a real manager’s, whatever the blocks hold', () => {
    const wrong = '<auth><port>x</port></auth><remote><protocol>sctp</protocol><new_option/></remote>'
    expect(load(wrong, { hasManager: true })).toMatchObject({ ok: true, warnings: [] })
    expect(mistakesOf(load(wrong))).toHaveLength(2)
  })

  it('read no element that Wazuh 4.14 does not know', () => {
    const ofAuth = `disabled port ipv6 use_source_ip purge use_password ciphers ssl_agent_ca ssl_verify_host ssl_manager_cert
      ssl_manager_key ssl_auto_negotiate agents force`.split(/\s+/)
    const ofRemote = 'connection port protocol local_ip ipv6 queue_size rids_closing_time agents'.split(' ')
    for (const { name } of Object.values(authOptions)) expect(ofAuth).toContain(name.split('><')[0])
    for (const { name } of Object.values(remoteOptions)) expect(ofRemote).toContain(name.split('><')[0])
    const ofForce = ['enabled', 'key_mismatch', 'disconnected_time', 'after_registration_time']
    expect(Object.values(forceOptions).map(({ name }) => name)).toEqual(ofForce)
  })

  it('take every element that Wazuh knows with a note, and warn of any other', () => {
    const loaded = load(
      `<auth><force_insert>yes</force_insert><key_request><enabled>yes</enabled></key_request><colour>red</colour></auth>
       <remote><connection_overtake_time>60</connection_overtake_time></remote><remote><connection>syslog</connection></remote>`,
    )
    expect(loaded.notes).toEqual([
      `${confFile}: <auth><force_insert> is an option of Wazuh that has no effect here`,
      `${confFile}: <auth><key_request> is an option of Wazuh that has no effect here`,
      `${confFile}: <remote><connection_overtake_time> is an option of Wazuh that has no effect here`,
      `${confFile}: <remote> has the connection "syslog", which is left to Wazuh: lines of syslog are not taken here`,
    ])
    expect(loaded.warnings).toEqual([
      `${confFile}: <auth><colour> is not a known option; it is ignored here, but Wazuh's own programs do not start with it: remove it`,
    ])
    expect(settingsOf(loaded).listener).toEqual(defaultListenerService)
  })

  it('are a place for each block, and refuse two that the machine could not listen at', () => {
    const block = (port: number, protocol: string): string => `<remote><port>${port}</port><protocol>${protocol}</protocol></remote>`
    expect(settingsOf(load(block(1514, 'TCP') + block(1514, 'udp'))).listener?.transports).toEqual(['tcp', 'udp'])
    expect(settingsOf(load(block(1514, ' udp , tcp'))).listener?.transports).toEqual(['tcp', 'udp'])
    const at = (port: number, localIp: string, more = '') =>
      `<remote><port>${port}</port><local_ip>${localIp}</local_ip>${more}<agents><allow_higher_versions>yes</allow_higher_versions></agents></remote>`
    const several = settingsOf(load(block(1514, 'tcp') + block(1600, 'udp') + at(1514, 'fd00::1') + block(1600, 'tcp'))).listener
    expect(several).toEqual({
      ...{ port: 1514, transports: ['tcp'], localIp: '', ipv6: false, allowHigherVersions: true },
      further: [
        { port: 1600, transports: ['tcp', 'udp'], localIp: '', ipv6: false },
        { port: 1514, transports: ['tcp'], localIp: 'fd00::1', ipv6: false },
      ],
    })
    expect(settingsOf(load(at(1514, '10.0.0.1') + at(1514, '10.0.0.2') + block(1514, 'udp'))).listener?.further).toHaveLength(2)
    const must = 'must be another <port>, or another address in each <local_ip>'
    for (const [blocks, one, other] of [
      [block(1514, 'tcp') + at(1514, '10.0.0.1'), 'all addresses', '10.0.0.1'],
      [block(1514, 'tcp') + at(1514, '', '<ipv6>yes</ipv6>'), 'all addresses', 'all addresses, IPv6 too'],
      [at(1514, 'fd00::1') + at(1514, '', '<ipv6>yes</ipv6>'), 'fd00::1', 'all addresses, IPv6 too'],
    ] as const)
      expect(mistakesOf(load(blocks))).toEqual([
        `${confFile}: two <remote> blocks are for port 1514/TCP, one on ${one} and one on ${other}: ${must}`,
      ])
    expect(mistakesOf(load(Array.from({ length: 17 }, (_, index) => block(2_000 + index, 'tcp')).join('')))).toEqual([
      `${confFile}: 17 different places are in <remote> blocks with the connection "secure": must be 16 at most`,
    ])
    expect(load(block(1514, 'tcp,sctp')).warnings).toEqual([
      `${confFile}: <remote><protocol> names "sctp", which is ignored: must be tcp or udp`,
    ])
  })

  it('keep events within bounds that fit to each other, and take proxies from a list of addresses', () => {
    const ofJson = (json: object) => load('', { json: JSON.stringify(json) })
    expect(settingsOf(ofJson({ events: { keep_bytes: 4 * 2 ** 20 } })).events).toMatchObject({ segmentBytesMax: 2 * 2 ** 20 })
    expect(mistakesOf(ofJson({ events: { keep_bytes: 4 * 2 ** 20, segment_bytes: 3 * 2 ** 20 } }))).toEqual([
      `${jsonFile}: events.segment_bytes is ${3 * 2 ** 20}: must be half of keep_bytes at most`,
    ])
    expect(settingsOf(ofJson({ proxy_protocol: { from: ['10.0.0.1', '10.1.0.0/16', 'fd00::/8'] } })).proxies).toHaveLength(3)
    for (const from of [['10.0.0.1/33'], ['any'], ['10.0.0.1/8/8'], '10.0.0.1', [''], ['fd00::/129']])
      expect(mistakesOf(ofJson({ proxy_protocol: { from } }))).toHaveLength(1)
  })
})
