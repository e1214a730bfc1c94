/** The command line of wazuh-certs-tool: Wazuh's flags with Wazuh's sentences, the commands, and how both explain themselves. */
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseCertsArguments } from '../../src/programs/certsTool/certsArguments.js'
import { commandNames } from '../../src/programs/certsTool/certsHelp.js'
import { CertsHome, sentences, threeNodes } from '../programs/certsTool/certsWorld.js'

const probably = (flag: string): string =>
  `ERROR: Error on arguments. Probably missing </path/to/root-ca.pem> </path/to/root-ca.key> after ${flag}`
const temporary = "ERROR: Error on arguments. Probably missing </path/to/tmp_dir> or path does not start with '/'."
const usage = 'Usage: wazuh-certs-tool -A'

describe('wazuh-certs-tool says as Wazuh does', () => {
  it.each([
    [['-a'], probably('-a|--admin-certificates'), true],
    [['-a', 'x.pem'], probably('-a|--admin-certificates'), true],
    [['-ws'], probably('-ws|--wazuh-server-certificates'), true],
    [['-wm'], probably('-ws|--wazuh-server-certificates'), true],
    [['-wi', '', 'x.key'], probably('-wi|--wazuh-indexer-certificates'), true],
    [['--wazuh-dashboard-certificates'], probably('-wd|--wazuh-dashboard-certificates'), true],
    [['-A', 'x.key'], 'ERROR: You have not entered a root-ca.pem', false],
    [['-A', 'x.pem', '-v'], 'ERROR: You have not entered a root-ca.key', false],
    [['-A', '-tmp'], temporary, true],
    [['-A', '-tmp', 'relative'], temporary, true],
    [['-tmp', '/tmp/x'], 'ERROR: Error: -tmp must be used along with one of these options: -a, -A, -ca, -wi, -wd, -ws', true],
    [['--bogus'], 'Unknow option: --bogus', true],
    [['-A', 'a.pem', 'b.key', 'more'], 'Unknow option: more', true],
    [['-ca', 'more'], 'Unknow option: more', true],
    [['bundel'], 'Unknow option: bundel', true],
  ])('what is wrong with %j', async (argv, says, isWithHelp) => {
    const home = new CertsHome(threeNodes)
    const { code, err, out } = await home.run(...argv)
    expect({ code, err, says: sentences(out)[0] }).toEqual({ code: 1, err: '', says })
    expect(out.includes(usage)).toBe(isWithHelp)
    expect(readdirSync(home.directory)).toEqual(['config.yml'])
  })

  it.each([
    [
      ['-wi', 'ca/root-ca.pem', 'ca/root-ca.key'],
      'nodes:\n  server:\n    - name: a\n      ip: 10.0.0.1\n',
      'ERROR: Indexer node not present in config.yml.',
    ],
    [
      ['-ws', 'ca/root-ca.pem', 'ca/root-ca.key'],
      'nodes:\n  indexer:\n    - name: a\n      ip: 10.0.0.1\n',
      'ERROR: Server node not present in config.yml.',
    ],
    [
      ['-wd', 'ca/root-ca.pem', 'ca/root-ca.key'],
      'nodes:\n  indexer:\n    - name: a\n      ip: 10.0.0.1\n',
      'ERROR: Dashboard node not present in config.yml.',
    ],
    [['-A'], '', /^ERROR: File .*\/config\.yml is empty$/],
    [['-A', '--config', 'other.yml'], '', /^ERROR: No configuration file found\. \(.*\/other\.yml; --config FILE names another\)$/],
    [['-A'], 'nodes:\n  Server:\n', /^ERROR: Unknown section "Server" under nodes\. \(config\.yml, line 2: did you mean 'server'\?\)$/],
  ])('what is wrong with config.yml before it makes anything: %j %j', async (argv, config, says) => {
    const home = new CertsHome(config)
    const { code, err, out } = await home.run(...argv)
    expect({ code, err }).toEqual({ code: 1, err: '' })
    expect(sentences(out).at(-1)).toEqual(typeof says === 'string' ? says : expect.stringMatching(says))
    expect(readdirSync(home.directory)).toEqual(['config.yml', 'wazuh-certificates-tool.log'])
  })
})

describe('wazuh-certs-tool takes', () => {
  it.each([
    [['-ca'], { mode: 'ca' }],
    [['--root-ca-certificate'], { mode: 'ca' }],
    [['--root-ca-certificates', '-v'], { mode: 'ca', isVerbose: true }],
    [['--all'], { mode: 'all', authority: undefined }],
    [['-A', ''], { mode: 'all', authority: undefined }],
    [['-A', 'a.key', 'a.pem'], { mode: 'all', authority: { certificate: 'a.pem', key: 'a.key' } }],
    [['--admin-certificates', 'a.pem', 'a.key', '-tmp', '/x'], { mode: 'admin', authority: { certificate: 'a.pem', key: 'a.key' } }],
    [['--wazuh-manager-certificates', 'a.pem', 'a.key'], { mode: 'server' }],
    [['-A', '--key', 'p384', '--days', '30', '--ca-days=60', '--out', 'x'], { keyKind: 'p384', days: 30, caDays: 60, directory: 'x' }],
    [['check'], { kind: 'check', directory: 'wazuh-certificates', withinMs: 30 * 86_400_000, isJson: false }],
    [['check', '/etc/x', '--within', '4w', '-j'], { directory: '/etc/x', withinMs: 28 * 86_400_000, isJson: true }],
    [['renew'], { kind: 'renew', names: 'due' }],
    [['renew', 'all', '--within=12h'], { names: 'due', withinMs: 12 * 3_600_000 }],
    [['renew', 'a', 'b', '--keep-key'], { names: ['a', 'b'], keepsKey: true }],
    [['add', 'a', 'FD00::1'], { node: { name: 'a', addresses: [{ type: 'ip', value: 'fd00::1' }] } }],
    [['bundle', 'a'], { name: 'a', file: 'a.tar' }],
  ])('%j', (argv, task) => expect(parseCertsArguments(argv)).toEqual({ task: expect.objectContaining(task) }))

  it.each([
    [['-A', '-ca'], 'Only one of these options can be given: -a, -A, -ca, -wi, -wd, -ws'],
    [['--key', 'p256'], 'One of these options is needed: -a, -A, -ca, -wi, -wd, -ws'],
    [['-A', '--key', 'rsa1024'], /^option '--key <kind>' argument 'rsa1024' is invalid\. Allowed choices are rsa2048, /],
    [['-A', '--days', '0'], /Allowed is a whole number from 1 to 36500\.$/],
    [['-A', '--compatible', '--key', 'p256'], /^--compatible makes keys of RSA with 2048 bits/],
    [['-A', '--compatible', '--intermediate'], /^--compatible and --intermediate exclude each other/],
    [['-A', '--config', ''], /^--config takes a value that is not empty\.$/],
    [['-A', '--out'], /argument missing\.$/],
  ])('not %j', (argv, says) =>
    expect(parseCertsArguments(argv)).toMatchObject({ code: 1, errors: [typeof says === 'string' ? says : expect.stringMatching(says)] }),
  )

  it.each([
    [['check', '--within', 'soon'], 2, /such as 12h, 30d or 4w\.$/],
    [['check', 'a', 'b'], 2, /^too many arguments/],
    [['list', '--bogus'], 1, /^unknown option '--bogus'\.$/],
    [['renew', 'all', 'a'], 1, /^all stands alone/],
    [['renew', '--keep-key', '--key', 'p256'], 1, /exclude each other\.$/],
    [['renew', '--ca-cert', 'x'], 1, /^--ca-cert goes with --ca-key\.$/],
    [['add', 'a'], 1, /^a node has an address/],
    [['add', 'a', ...Array.from({ length: 64 }, (_, at) => `10.0.0.${at}`)], 1, /^a node has less than 64 addresses\.$/],
    [['add', 'a b', '10.0.0.1'], 1, /^Invalid node name: a b\./],
    [['add', 'admin', '10.0.0.1'], 1, /^Invalid node name: admin\./],
    [['add', 'a', '10.0.0.999'], 1, /^"10\.0\.0\.999" is neither an IP address nor a DNS name\.$/],
    [['request', 'a'], 1, /^missing required argument 'addresses'\.$/],
    [['sign'], 1, /^missing required argument 'file'\.$/],
    [['sign', 'x', '--key', 'p256'], 1, /^unknown option '--key'/],
    [['bundle'], 1, /^missing required argument 'name'\.$/],
  ])('not %j', async (argv, code, says) => {
    const ran = await new CertsHome().run(...argv)
    expect({ code: ran.code, out: ran.out }).toEqual({ code, out: '' })
    expect(ran.err.replace(/^ERROR: Wrong arguments: (.*)\n$/, '$1')).toMatch(says)
  })
})

describe('wazuh-certs-tool explains itself with examples', () => {
  it('as a whole', async () => {
    const home = new CertsHome()
    for (const argv of [['-h'], ['--help'], ['help']]) {
      const { code, err, out } = await home.run(...argv)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      for (const part of ['--config FILE', '--out DIR', 'Exit code 0', 'Examples:', ...commandNames]) expect(out).toContain(part)
      expect(out.split('\n').filter((line) => line.length > 160)).toEqual([])
    }
    // As Wazuh's tool does it.
    expect(await home.run()).toMatchObject({ code: 1, out: expect.stringContaining(usage) })
    expect((await home.run('-V')).out).toMatch(/^wazuh-certs-tool \d+\.\d+\.\d+ \(Muster\)\n$/)
  })

  it.each(commandNames)('%s', async (name) => {
    const { code, err, out } = await new CertsHome().run(name, '--help')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`Usage: wazuh-certs-tool ${name} `)
    expect(out).toContain(`\nExamples:\n  wazuh-certs-tool ${name}`)
  })
})
