import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { loadSettings } from '../../src/config/loadSettings.js'
import { clusterOptions, defaultInternalSettings, globalOptions } from '../../src/config/settings.js'
import { defaultSyncedItems } from '../../src/domain/files/syncedItems.js'
import { type Block, blockOf, renderJson, renderServices, renderXml, validSettings } from './renderedConfig.js'

const home = mkdtempSync(join(tmpdir(), 'muster-config-'))
const confFile = join(home, 'etc/ossec.conf')
const jsonFile = join(home, 'etc/cluster.json')
const key = 'c98b62a9b6169ac5f67dae55ae4a9088'
const minimal: Block = { key, node: '192.0.2.1', disabled: 'no' }

const load = (conf: string, json?: string) => {
  writeFileSync(confFile, conf, { mode: 0o640 })
  if (json === undefined) rmSync(jsonFile, { force: true })
  else writeFileSync(jsonFile, json, { mode: 0o640 })
  return loadSettings({ home })
}
const loadBlock = (block: Block) => load(renderXml({ ...minimal, ...block }))
const settingsOf = (loaded: ReturnType<typeof load>) => {
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  return loaded.settings
}
const mistakesOf = (loaded: ReturnType<typeof load>): readonly string[] => (loaded.ok ? [] : loaded.mistakes)

beforeEach(() => {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(join(home, 'etc'), { recursive: true })
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('loading settings', () => {
  it('reads back any valid settings that were written', () =>
    fc.assert(
      fc.property(validSettings, (settings) => {
        const kept = new Set(settings.synced.items.map(({ dir }) => dir))
        const removed = defaultSyncedItems.items.map(({ dir }) => dir).filter((dir) => !kept.has(dir))
        const loaded = settingsOf(load(renderXml(blockOf(settings), renderServices(settings)), renderJson(settings, removed)))
        const byDir = (items: typeof settings.synced.items) => new Map(items.map((item) => [item.dir, item]))
        expect(byDir(loaded.synced.items)).toEqual(byDir(settings.synced.items))
        expect({ ...loaded, synced: { ...loaded.synced, items: [] } }).toEqual({
          ...settings,
          home,
          synced: { ...settings.synced, items: [] },
        })
      }),
      { numRuns: 200 },
    ))

  it('has the documented defaults where nothing is set', () => {
    const settings = settingsOf(loadBlock({}))
    expect(settings).toMatchObject({
      ...{ home, name: 'wazuh', nodeName: 'node01', nodeType: 'master', key, port: 1516, bindAddress: '0.0.0.0' },
      ...{ masterAddress: '192.0.2.1', hidden: false, disabled: false },
    })
    expect(settings.timings).toEqual({
      ...{ syncIntegrityMs: 9_000, syncAgentInfoMs: 10_000, workerSyncAgentGroupsMs: 30_000, timeoutAgentGroupsMs: 40_000 },
      ...{ keepAliveMs: 60_000, connectionRetryMs: 10_000, failedKeepAlivesMax: 2, agentGroupsMismatchesMax: 5 },
      ...{ masterSyncAgentGroupsMs: 10_000, recalculateIntegrityMs: 8_000, timeoutAgentInfoMs: 40_000, agentGroupStartDelayMs: 30_000 },
      ...{ checkLastKeepAliveMs: 60_000, silenceMsMax: 120_000, requestTimeoutMs: 20_000, transferIdleMsMax: 120_000 },
      ...{ agentsDisconnectionMs: 600_000, drainMsMax: 5_000 },
    })
    expect(settings.synced).toEqual(defaultSyncedItems)
  })

  const invalid: readonly (readonly [option: string, place: string, value: fc.Arbitrary<string>])[] = [
    ['name', '<cluster><name>', fc.constantFrom('', 'a\nb', 'n'.repeat(129))],
    ['node_name', '<cluster><node_name>', fc.constantFrom('', 'a b', 'ü', '..', '.', 'a/b', 'x'.repeat(129))],
    ['node_type', '<cluster><node_type>', fc.constantFrom('', 'Master', 'slave', 'manager')],
    ['key', '<cluster><key>', fc.string({ minLength: 1, maxLength: 31 }).map((text) => `${text.trim()}-`)],
    ['key', '<cluster><key>', fc.constantFrom('a'.repeat(31), 'a'.repeat(33), `${'a'.repeat(31)}-`, `${'a'.repeat(31)}ü`)],
    ['port', '<cluster><port>', fc.oneof(fc.integer({ min: -9, max: 1024 }).map(String), fc.integer({ min: 65_535 }).map(String))],
    ['port', '<cluster><port>', fc.constantFrom('', '1516.5', '0x5ec', '1e4', 'x', '1 516')],
    ['bind_addr', '<cluster><bind_addr>', fc.constantFrom('', 'localhost', 'master.example.com', '256.0.0.1', '1.2.3', '::g')],
    [
      'node',
      '<cluster><nodes><node>',
      fc.constantFrom('localhost', 'NODE_IP', '0.0.0.0', '127.0.1.1', '', 'a b', '1.2.3.256', '-x', 'a..b', ':::'),
    ],
    ['hidden', '<cluster><hidden>', fc.constantFrom('', 'true', 'YES', '1')],
    ['disabled', '<cluster><disabled>', fc.constantFrom('', 'false', 'No', '0')],
    [
      'agents_disconnection_time',
      '<global><agents_disconnection_time>',
      fc.constantFrom('', '0', '0s', '-1', '1.5m', '10 m', '10M', '10y', 'm', '1e3', '1000000', '0x10'),
    ],
  ]
  const optional = new Set(['key'])

  it('names any single invalid option of the block in exactly one mistake, with its value unless secret', () =>
    fc.assert(
      fc.property(
        fc.constantFrom(...invalid).chain(([name, place, value]) => fc.tuple(fc.constant({ name, place }), value)),
        ([{ name, place }, value]) => {
          fc.pre(!(optional.has(name) && value === ''))
          const mistakes = mistakesOf(loadBlock({ [name]: value }))
          expect(mistakes).toHaveLength(1)
          expect(mistakes[0]).toContain(`${confFile}: ${place} is `)
          expect(mistakes[0]).not.toContain('\n')
          if (!optional.has(name))
            expect(mistakes[0]).toContain(` is ${name === 'port' && /^[0-9]+$/.test(value) ? value : JSON.stringify(value).slice(0, 50)}`)
          else if (value.length > 8) expect(mistakes[0]).not.toContain(value)
        },
      ),
      { numRuns: 300 },
    ))

  const invalidJson: readonly (readonly [place: string, json: object])[] = [
    ['intervals.worker.keep_alive is "x"', { intervals: { worker: { keep_alive: 'x' } } }],
    ['intervals.worker.keep_alive is 0:', { intervals: { worker: { keep_alive: 0 } } }],
    ['intervals.master.recalculate_integrity is -1', { intervals: { master: { recalculate_integrity: -1 } } }],
    ['intervals.worker.max_failed_keepalive_attempts is 1.5', { intervals: { worker: { max_failed_keepalive_attempts: 1.5 } } }],
    ['intervals.communication.timeout_receiving_file is 3000000', { intervals: { communication: { timeout_receiving_file: 3_000_000 } } }],
    ['intervals.master is [1]', { intervals: { master: [1] } }],
    ['files["../x/"] is not allowed', { files: { '../x/': {} } }],
    ['files["/etc/"] is not allowed', { files: { '/etc/': {} } }],
    ['files["queue/"] is not allowed', { files: { 'queue/': {} } }],
    ['files["queue/db/"] is not allowed', { files: { 'queue/db/': {} } }],
    ['files["queue/muster"] is not allowed', { files: { 'queue/muster': {} } }],
    ['files["queue/rids/001"] is not allowed', { files: { 'queue/rids/001': {} } }],
    ['files["etc/rules"] names a directory a second time', { files: { 'etc/rules/': {}, 'etc/rules': {} } }],
    ['files["etc/rules/"] is 7', { files: { 'etc/rules/': 7 } }],
    ['files["etc/rules/"].permissions is "660 "', { files: { 'etc/rules/': { permissions: '660 ' } } }],
    ['files["etc/rules/"].files is []', { files: { 'etc/rules/': { files: [] } } }],
    ['files["etc/rules/"].extra_valid is true', { files: { 'etc/rules/': { extra_valid: true } } }],
    ['files["etc/rules/"].source is "worker"', { files: { 'etc/rules/': { source: 'worker' } } }],
    [
      'files["etc"] is recursive and holds the items "etc/shared", "etc/rules", "etc/decoders", "etc/lists", "etc/sca"',
      { files: { 'etc/': { recursive: true } } },
    ],
    ['files["etc/rules"] is recursive and holds the item "etc/rules/own"', { files: { 'etc/rules/own/': {} } }],
    ['files.excluded_files is "x"', { files: { excluded_files: 'x' } }],
    ['reload_command is "systemctl reload"', { reload_command: 'systemctl reload' }],
    ['compression is true', { compression: true }],
    ['manager is "ossec"', { manager: 'ossec' }],
    ['workers_max is 0', { workers_max: 0 }],
    ['workers_max is 10001', { workers_max: 10_001 }],
    ['workers_max is "many"', { workers_max: 'many' }],
    ['previous_key_file is 7', { previous_key_file: 7 }],
    ['previous_key_file is "etc/none"', { previous_key_file: 'etc/none' }],
    ['previous_key_file is "/nowhere/at/all"', { previous_key_file: '/nowhere/at/all' }],
    ['previous_key_file is "etc"', { previous_key_file: 'etc' }],
    ['key_file is ""', { key_file: '' }],
    ['previous_key is not valid', { previous_key: 'a'.repeat(31) }],
    ['previous_key is not valid', { previous_key: `${'a'.repeat(31)}!` }],
    ['previous_key is the same as the key', { previous_key: key }],
    ['previous_key_file is given together with previous_key', { previous_key: 'b'.repeat(32), previous_key_file: 'etc/old' }],
  ]

  it.each(invalidJson)('names the invalid %s of cluster.json in exactly one mistake', (place, json) => {
    const block = 'key_file' in json ? { ...minimal, key: '' } : minimal
    const mistakes = mistakesOf(load(renderXml(block), JSON.stringify(json)))
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toContain(`${jsonFile}: ${place}`)
    expect(mistakes[0]).not.toContain('aaaa')
  })

  it('reports all mistakes of both files at once', () => {
    const mistakes = mistakesOf(
      load(renderXml({ key: 'short', port: '80', node: 'NODE_IP', hidden: 'maybe' }), '{"compression": 1, "intervals": 2}'),
    )
    expect(mistakes).toHaveLength(6)
    for (const place of ['<key>', '<port>', '<node>', '<hidden>', 'compression', 'intervals'])
      expect(mistakes.filter((line) => line.includes(place))).toHaveLength(1)
  })

  it('takes the last value of several roots and blocks, and steps over foreign blocks and comments', () => {
    const conf = `<?xml version="1.0"?>
<!-- <ossec_config><cluster><port>1</port> --><ossec_config>
  <localfile><command>a && b \\< c</command><query>R&D "<x" 'it</query></localfile>
  <wodle name="x"><cluster><port>2</port></cluster></wodle><empty/>
  <cluster><name>one</name><key>${key}</key><nodes><node>m1</node></nodes><port>2000</port><disabled>no</disabled></cluster>
</ossec_config>
<agent_config><cluster><port>3</port></cluster></agent_config>
<ossec_config>
  <cluster><!-- <name>no</name> --><port>2001</port><port>2002</port><name>R&D</name></cluster>
</ossec_config>
`
    const loaded = load(conf)
    expect(settingsOf(loaded)).toMatchObject({ name: 'R&D', port: 2002, masterAddress: 'm1', disabled: false })
    expect(loaded.warnings).toEqual([expect.stringContaining(`${confFile}: there are 2 <cluster> blocks`)])
  })

  it.each([
    ['1', 1_000],
    ['90s', 90_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['3d', 259_200_000],
    ['999999w', 999_999 * 604_800_000],
  ])('takes %s of silence for %d ms, the last one of several blocks, whatever else is in them', (text, ms) => {
    const other = '<global><agents_disconnection_time>1h</agents_disconnection_time>'
    const odd = '<white_list>^a && b$</white_list><b></c></b><jsonout_output/>'
    const wanted = `<global>${odd}<agents_disconnection_time> ${text} </agents_disconnection_time></global>`
    const foreign = '<wodle><global><agents_disconnection_time>5h</agents_disconnection_time></global></wodle>'
    const conf = `<ossec_config>${other}</global></ossec_config>${renderXml(minimal)}<ossec_config>${wanted}${foreign}</ossec_config>`
    expect(settingsOf(load(conf)).timings.agentsDisconnectionMs).toBe(ms)
  })

  it.each([
    ['a wrong closing tag', '<ossec_config>\n<cluster>\n<name>x</nam>\n</cluster></ossec_config>', 3],
    ['a block without end', '<ossec_config>\n\n<cluster><name>x</name></ossec_config>', 3],
    ['a root without end', '<!-- \n -->\n<ossec_config>\n<cluster></cluster>', 3],
    ['a comment without end', '<ossec_config>\n</ossec_config>\n<!-- x', 3],
    ['a closing tag too many', '<ossec_config></ossec_config>\n</x>', 2],
    ['a < in the block that begins no tag', '<ossec_config>\n<cluster><name>a\n<b</name></cluster></ossec_config>', 3],
  ])('names the line of %s in one sentence', (_, conf, line) => {
    const mistakes = mistakesOf(load(conf))
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toMatch(new RegExp(`ossec.conf: not XML in line ${line}: `))
  })

  it.each([['__proto__'], ['constructor'], ['toString'], ['hasOwnProperty']])('treats <%s> as an unknown option like any other', (name) => {
    const { ok, warnings } = load(renderXml(minimal).replace('</cluster>', `<${name}>x</${name}></cluster>`))
    expect(ok).toBe(true)
    expect(warnings).toEqual([
      `${confFile}: <cluster><${name}> is not a known option; it is ignored here, but wazuh-analysisd and wazuh-db do not start with it: remove it`,
    ])
  })

  it.each([['<a/>'], ['<ossec_configuration></ossec_configuration>'], [' '], ['plain text']])('says of %s what it lacks', (conf) => {
    expect(mistakesOf(load(conf))).toEqual([`${confFile}: there is no <ossec_config> in it: must be a manager's ossec.conf`])
  })

  it('reads any bytes as settings or mistakes, never an exception', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            '<',
            '>',
            '/',
            '</',
            '<!--',
            '-->',
            '&',
            '"',
            "'",
            ' ',
            '\n',
            'cluster',
            'ossec_config',
            'port',
            '=',
            '<ossec_config>',
            '<cluster>',
            '</cluster>',
          ),
        ),
        fc.string(),
        (parts, json) => {
          const loaded = load(parts.join(''), json)
          expect(typeof loaded.ok).toBe('boolean')
        },
      ),
      { numRuns: 300 },
    ))

  it('is disabled without a cluster block, and in the file that Wazuh ships', () => {
    expect(settingsOf(load('<ossec_config><global/></ossec_config>')).disabled).toBe(true)
    const shipped = load(renderXml({ name: 'wazuh', key: '', node: 'NODE_IP', disabled: 'yes' }))
    expect(settingsOf(shipped)).toMatchObject({ disabled: true, key: '' })
    expect(shipped.notes).toHaveLength(2)
  })

  it('warns about deprecated, unknown and surplus options, and goes on', () => {
    const conf = renderXml({ ...minimal, node_type: 'client', interval: '2m', colour: 'red' }).replace(
      '</node>',
      '</node><node>b</node><node>c</node>',
    )
    const loaded = load(conf, '{"intervals": {"worker": {"keepalive": 1}, "master": {"process_pool_size": 2}}, "distributed_api": {}}')
    expect(settingsOf(loaded)).toMatchObject({ nodeType: 'worker', masterAddress: '192.0.2.1' })
    const about = (text: string) => loaded.warnings.filter((line) => line.includes(text))
    for (const text of ['"client"', '<interval>', '<colour>', '"b", "c"', 'intervals.worker.keepalive']) expect(about(text)).toHaveLength(1)
    expect(loaded.warnings).toHaveLength(5)
    expect(loaded.notes).toHaveLength(2)
  })

  it('reads keys from files, relative to the home or absolute, without the line break at their end', () => {
    writeFileSync(join(home, 'etc/key'), `${key}\n`, { mode: 0o600 })
    writeFileSync(join(home, 'old'), `${'b'.repeat(32)}\r\n`, { mode: 0o600 })
    const json = { key_file: 'etc/key', previous_key_file: join(home, 'old') }
    for (const block of [{ key: '' }, {}]) {
      const loaded = load(renderXml({ node: 'm', disabled: 'no', ...block }), JSON.stringify(json))
      expect(settingsOf(loaded)).toMatchObject({ key, previousKey: 'b'.repeat(32) })
      expect(loaded.warnings).toEqual([])
    }
  })

  it('refuses a key beside a key file, a missing key and a malformed key file, without showing them', () => {
    writeFileSync(join(home, 'etc/key'), key, { mode: 0o600 })
    const json = JSON.stringify({ key_file: 'etc/key' })
    expect(mistakesOf(load(renderXml(minimal), json))).toEqual([
      `${confFile}: <cluster><key> is given together with key_file in ${jsonFile}: must be one of the two, not both`,
    ])
    expect(mistakesOf(load(renderXml({ node: 'm', disabled: 'no' })))).toEqual([expect.stringContaining('<cluster><key> is missing')])
    writeFileSync(join(home, 'etc/key'), 'not the secret')
    const [mistake, ...more] = mistakesOf(load(renderXml({ node: 'm', disabled: 'no' }), json))
    expect(more).toEqual([])
    expect(mistake).toContain(`${jsonFile}: key_file`)
    expect(mistake).not.toContain('not the secret')
  })

  it('refuses a previous key that equals the key, wherever the two come from', () => {
    writeFileSync(join(home, 'etc/key'), key, { mode: 0o600 })
    for (const [block, json] of [
      [{ key }, { previous_key: key }],
      [{ key }, { previous_key_file: 'etc/key' }],
      [{}, { key_file: 'etc/key', previous_key: key }],
      [{}, { key_file: 'etc/key', previous_key_file: 'etc/key' }],
    ] as const) {
      const [mistake = '', ...more] = mistakesOf(load(renderXml({ node: 'm', disabled: 'no', ...block }), JSON.stringify(json)))
      expect(more).toEqual([])
      expect(mistake).toContain(`${jsonFile}: previous_key`)
      expect(mistake).toContain('is the same as the key')
      expect(mistake).not.toContain(key)
    }
  })

  it.each([['key_file'], ['previous_key'], ['previous_key_file']])('refuses <%s> in ossec.conf and says where it goes', (name) => {
    expect(mistakesOf(loadBlock({ [name]: 'x' }))).toEqual([
      `${confFile}: <cluster><${name}> is not an element of Wazuh, whose own programs do not start with it: must be moved to "${name}" in etc/cluster.json`,
    ])
  })

  it('reads no element of ossec.conf that Wazuh 4.14 does not know', () => {
    const ofCluster = `name node_name node_type key socket_timeout connection_timeout disabled hidden interval nodes port bind_addr
      haproxy_helper`.split(/\s+/)
    for (const { name } of Object.values(clusterOptions)) expect(ofCluster).toContain(name.split('><')[0])
    expect(Object.values(globalOptions).map(({ name }) => name)).toEqual(['agents_disconnection_time'])
  })

  it('takes every element that Wazuh knows, and reports those that have no effect', () => {
    const loaded = loadBlock({ socket_timeout: '1', connection_timeout: '2' })
    expect(loaded).toMatchObject({ ok: true, warnings: [] })
    expect(loaded.notes).toEqual([
      `${confFile}: <cluster><socket_timeout> is an option of Wazuh that has no effect here`,
      `${confFile}: <cluster><connection_timeout> is an option of Wazuh that has no effect here`,
    ])
  })

  it('warns of a block without <disabled> and of several blocks, which Wazuh’s programs read otherwise', () => {
    const { disabled: _, ...silent } = minimal
    expect(load(renderXml(silent)).warnings).toEqual([
      `${confFile}: <cluster> has no <disabled>: the cluster is on here, but Wazuh's own programs take the node for a single one; write <disabled>no</disabled>`,
    ])
    expect(load(renderXml(minimal) + renderXml({ port: '2000' })).warnings).toEqual([
      `${confFile}: there are 2 <cluster> blocks: the last value of each option counts here, but Wazuh's own wazuh-clusterd reads the last block alone and its other programs the first; write one block`,
    ])
  })

  it('warns beside a manager where its programs read another value, or Wazuh would refuse the name', () => {
    const first = renderXml({ ...minimal, node_name: 'a', node_type: 'worker' })
    const text = first + renderXml({ node_name: 'b.c', node_type: 'worker', disabled: 'no' })
    expect(load(text).warnings).toHaveLength(1)
    const { warnings } = loadSettings({ home, hasManager: () => true })
    expect(warnings.slice(1)).toEqual([
      `${confFile}: <cluster><node_name> is "b.c" here, and "a" to the manager's other programs, which read the first one: write it once`,
      `${confFile}: <cluster><node_name> is "b.c": Wazuh's own wazuh-clusterd refuses dots from 4.14.6 on, so going back to it would need another name; write "b-c"`,
    ])
  })

  it('warns of a configuration and of a key file that others can read', () => {
    writeFileSync(join(home, 'etc/key'), key)
    chmodSync(join(home, 'etc/key'), 0o644)
    writeFileSync(confFile, renderXml({ node: 'm', disabled: 'no' }))
    chmodSync(confFile, 0o664)
    writeFileSync(jsonFile, JSON.stringify({ key_file: 'etc/key', previous_key: 'b'.repeat(32) }))
    chmodSync(jsonFile, 0o644)
    const { ok, warnings } = loadSettings({ home })
    expect(ok).toBe(true)
    expect(warnings.map((line) => line.slice(0, line.indexOf(': every user')))).toEqual([jsonFile, confFile, join(home, 'etc/key')])
    writeFileSync(jsonFile, JSON.stringify({ key_file: 'etc/key' }))
    expect(loadSettings({ home }).warnings).toHaveLength(2)
  })

  it.each([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"intervals":', '}'],
    ['{"files":{"etc/":', '}}'],
  ])('refuses a cluster.json nested thousands deep in %s in one sentence that names it', (open, close) => {
    for (const times of [40, 5_000, 40_000]) {
      const mistakes = mistakesOf(load(renderXml(minimal), `${open.repeat(times)}1${close.repeat(times)}`))
      expect(mistakes).toEqual([`${jsonFile}: it is nested over 16 deep: must be an object of options`])
    }
  })

  it('counts no bracket in a text as nesting', () => {
    const text = `${'[{'.repeat(100)}"\\`
    expect(mistakesOf(load(renderXml(minimal), JSON.stringify({ reload_command: [text, text] })))).toEqual([])
  })

  it('reads no file that the system generates as it is read, and waits for none', () => {
    symlinkSync('/proc/self/status', join(home, 'link'))
    const madeUp = 'it is empty, or the system makes it up as it is read'
    for (const [path, why] of [
      ['/proc/self/status', madeUp],
      ['link', madeUp],
      ['/dev/zero', 'it is not a file'],
    ] as const) {
      const wanted = resolve(home, path)
      expect(mistakesOf(load(renderXml({ node: 'm', disabled: 'no' }), JSON.stringify({ key_file: path })))).toEqual([
        `${jsonFile}: key_file is "${path}": must be a readable file that holds the key, but ${wanted}: ${why}`,
      ])
      expect(mistakesOf(loadSettings({ home, file: wanted }))).toContain(`${wanted}: cannot be read: ${why}`)
    }
    writeFileSync(jsonFile, '')
    expect(mistakesOf(loadSettings({ home, file: confFile }))).toContain(`${jsonFile}: cannot be read: ${madeUp}`)
  })

  it('changes only what an item says, removes an item that is null, and never syncs ossec.conf', () => {
    const json = {
      files: { 'etc/': { permissions: '640' }, 'etc/rules': { permissions: '0600' }, 'etc/sca/': null, 'own/': {}, excluded_files: ['x'] },
    }
    const { items, excludedNames } = settingsOf(load(renderXml(minimal), JSON.stringify(json))).synced
    expect(items.find(({ dir }) => dir === 'etc')).toEqual(defaultSyncedItems.items[0])
    expect(items.find(({ dir }) => dir === 'etc/rules')).toMatchObject({ mode: 0o600, reload: true })
    expect(items.some(({ dir }) => dir === 'etc/sca')).toBe(false)
    expect(items.find(({ dir }) => dir === 'own')).toMatchObject({ files: 'all', mode: 0o660 })
    expect(excludedNames).toEqual(['ar.conf', 'ossec.conf', 'x'])
  })

  it('reports a configuration that is missing, a directory, or too large', () => {
    expect(mistakesOf(loadSettings({ home }))).toEqual([`${confFile}: cannot be read: it does not exist`])
    expect(mistakesOf(loadSettings({ home, file: join(home, 'etc') }))).toEqual([expect.stringContaining('it is not a file')])
    expect(mistakesOf(load(`<!-- ${' '.repeat(1024 * 1024)} -->`))).toEqual([expect.stringContaining('larger than 1048576 bytes')])
    expect(mistakesOf(load(renderXml(minimal), '{\n"intervals": {},\n}'))).toEqual([expect.stringContaining('cluster.json: not JSON: ')])
  })

  it('without cluster.json has the internal defaults', () => expect(settingsOf(loadBlock({}))).toMatchObject(defaultInternalSettings))
})
