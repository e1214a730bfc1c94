/** The arguments of muster-agents: what each option means, and a sentence for each mistake before any agent begins. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentsCommandLine, parseAgentsArguments } from '../../../src/programs/musterAgents/agentsArguments.js'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'muster-agents-'))
  mkdirSync(join(directory, 'home'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const path = (name: string): string => join(directory, name)
const written = (name: string, text: string): string => {
  writeFileSync(path(name), text)
  return path(name)
}

const key = 'k'.repeat(64)
const servers = ['--servers', '10.0.0.1'] as const
const enrolling = [...servers, '--enrol'] as const

const given = (...argv: readonly string[]) => {
  const parsed = parseAgentsArguments(argv)
  if (!('given' in parsed)) throw new Error(JSON.stringify(parsed))
  return parsed.given
}

const client = (text: string): string => `<ossec_config>\n  <client>\n${text}\n  </client>\n</ossec_config>\n`

describe('the arguments of muster-agents', () => {
  it('have the defaults of a real agent', () =>
    expect(given(...enrolling)).toEqual({
      agents: 10,
      settings: {
        servers: [{ host: '10.0.0.1', port: 1514, protocol: 'tcp', maxRetries: 5, retryIntervalMs: 10_000 }],
        times: { notifyMs: 20_000, reconnectMs: 60_000, receiveMsMax: 60_000, delayAfterEnrolmentMs: 20_000 },
        enrolment: { isEnabled: true, host: undefined, port: 1515, groups: [] },
        cipher: 'aes',
      },
      rotates: false,
      keys: [],
      namePrefix: 'fleet',
      version: 'v4.14.7',
      rate: 1,
      size: 300,
      startsPerSecond: 200,
      account: [],
      json: false,
    }))

  it('each say what they are for', () => {
    const home = path('home')
    expect(
      given(
        ...['--agents', '2', '--servers', 'a:1,[fd00::1]:2,fd00::2', '--rotate', '--enrol', '--password', 'top secret'],
        ...[
          '--enrol-port',
          '11,12,13',
          '--groups',
          'web,db',
          '--keys',
          written('two.keys', `001 host-1 any ${key}\n002 !host-2 any ${key}\n`),
        ],
        ...['--save-keys', path('saved'), '--name', 'n', '--agent-version', 'v4.9.0', '--protocol', 'udp', '--cipher', 'blowfish'],
        ...['--rate', '0.5', '--size', '65000', '--notify-time', '1', '--retry-interval', '0.2', '--max-retries', '2'],
        ...['--time-reconnect', '3', '--enrol-delay', '0', '--start-rate', '7', '--duration', '1.5', '--json'],
        ...['--account', home, `${home}/`],
      ),
    ).toEqual({
      agents: 2,
      settings: {
        servers: [
          { host: 'a', port: 1, enrolmentPort: 11, protocol: 'udp', maxRetries: 2, retryIntervalMs: 200 },
          { host: 'fd00::1', port: 2, enrolmentPort: 12, protocol: 'udp', maxRetries: 2, retryIntervalMs: 200 },
          { host: 'fd00::2', port: 1514, enrolmentPort: 13, protocol: 'udp', maxRetries: 2, retryIntervalMs: 200 },
        ],
        times: { notifyMs: 1_000, reconnectMs: 3_000, receiveMsMax: 60_000, delayAfterEnrolmentMs: 0 },
        enrolment: { isEnabled: true, host: undefined, port: 11, groups: ['web', 'db'] },
        cipher: 'blowfish',
      },
      rotates: true,
      keys: [{ id: 1, name: 'host-1', ip: 'any', key }],
      password: 'top secret',
      namePrefix: 'n',
      version: 'v4.9.0',
      rate: 0.5,
      size: 65_000,
      startsPerSecond: 7,
      durationMs: 1_500,
      // A home that is given twice is read once.
      account: [home],
      saveKeys: path('saved'),
      json: true,
    })
  })

  it('take what an ossec.conf says, where no option says something else', () => {
    const text = client(
      '<server><address>m1</address><protocol>udp</protocol></server><server><address>m2</address></server>' +
        '<notify_time>10</notify_time><crypto_method>blowfish</crypto_method><enrollment><groups>web</groups></enrollment>',
    )
    const { settings } = given('--ossec-conf', written('ossec.conf', text), '--enrol', '--max-retries', '3')
    expect(settings).toMatchObject({
      servers: [
        { host: 'm1', protocol: 'udp', maxRetries: 3 },
        { host: 'm2', protocol: 'tcp', maxRetries: 3 },
      ],
      times: { notifyMs: 10_000 },
      cipher: 'blowfish',
      enrolment: { groups: ['web'] },
    })
  })

  it('are explained by --help, every one of them, with the exit codes', () => {
    const parsed = parseAgentsArguments(['--help'])
    const text = 'shown' in parsed ? parsed.shown : ''
    for (const { long } of agentsCommandLine().options) expect(text).toContain(long)
    expect(text).toMatch(/exit code is 1 when a taken event was lost, and 2\s+when/)
    expect(text.split('\n').every((line) => line.length <= 140)).toBe(true)
    expect(parseAgentsArguments(['--version'])).toEqual({ shown: expect.stringMatching(/^muster-agents \d+\.\d+\.\d+\S* \(Muster\)\n$/) })
  })
})

type Case = readonly [string, () => readonly string[], string]

describe('a mistake in the arguments of muster-agents', () => {
  const keysFile = (name: string, text: string): readonly string[] => [...servers, '--agents', '1', '--keys', written(name, text)]
  const conf = (name: string, text: string): readonly string[] => ['--enrol', '--ossec-conf', written(name, text)]
  const cases: readonly Case[] = [
    ['no servers', () => ['--enrol'], 'either --servers or --ossec-conf must be given, and not both.'],
    ['servers twice', () => [...enrolling, '--ossec-conf', 'x'], 'either --servers or --ossec-conf must be given, and not both.'],
    ['no key', () => servers, 'there are keys for 0 of 10 agents: give --keys with enough of them, or --enrol.'],
    ['an empty server', () => ['--enrol', '--servers', 'a,,b'], "'' in --servers is not HOST or HOST:PORT."],
    ['a port of a server', () => ['--enrol', '--servers', 'a:65536'], "'a:65536' in --servers is not HOST or HOST:PORT."],
    ['a port', () => [...enrolling, '--enrol-port', '1,x'], "argument '1,x' is invalid. Allowed is a whole number from 1 to 65535."],
    ['ports', () => [...enrolling, '--enrol-port', '1,2'], '--enrol-port has 2 ports for 1 servers: give one, or one for each server.'],
    ['agents', () => [...enrolling, '--agents', '0'], "argument '0' is invalid. Allowed is a whole number from 1 to"],
    ['a rate', () => [...enrolling, '--rate', '-1'], "argument '-1' is invalid. Allowed is a number from 0 to 100000."],
    ['a size', () => [...enrolling, '--size', '65001'], 'Allowed is a whole number from 1 to 65000.'],
    ['a notify time', () => [...enrolling, '--notify-time', '0'], 'Allowed is a number from 0.1 to 100000.'],
    ['an interval', () => [...enrolling, '--retry-interval', 'x'], 'Allowed is a number from 0.05 to 100000.'],
    ['retries', () => [...enrolling, '--max-retries', '1.5'], 'Allowed is a whole number from 1 to 100000.'],
    ['a time without answer', () => [...enrolling, '--time-reconnect', '0'], 'Allowed is a number from 1 to 100000.'],
    ['a delay', () => [...enrolling, '--enrol-delay', '-1'], 'Allowed is a number from 0 to 100000.'],
    ['a start rate', () => [...enrolling, '--start-rate', '0'], 'Allowed is a number from 1 to 100000.'],
    ['a duration', () => [...enrolling, '--duration', '0'], 'Allowed is a number from 0.1 to 10000000.'],
    ['a protocol', () => [...enrolling, '--protocol', 'sctp'], "argument 'sctp' is invalid. Allowed choices are tcp, udp."],
    ['a cipher', () => [...enrolling, '--cipher', 'des'], "argument 'des' is invalid. Allowed choices are aes, blowfish."],
    ['a name', () => [...enrolling, '--name', '../x'], "--name '../x' makes no valid names of agents: allowed are letters, digits"],
    ['a version', () => [...enrolling, '--agent-version', "4'"], "--agent-version '4'' is not one such as v4.14.7."],
    ['a password', () => [...enrolling, '--password', 'a\nb'], '--password takes a text on one line.'],
    ['groups', () => [...enrolling, '--groups', 'a,,b'], "--groups 'a,,b' is not names of groups with commas between."],
    ['no value', () => [...enrolling, '--keys', '--json'], "--keys takes a value, and '--json' looks like an option"],
    ['an unknown option', () => [...enrolling, '--wrong'], "unknown option '--wrong'."],
    ['a word', () => [...enrolling, 'word'], 'too many arguments'],
    ['no home', () => [...enrolling, '--account', path('no')], `no in --account is not a directory that can be read.`],
    ['a place for keys', () => [...enrolling, '--save-keys', path('no/x')], 'no/x in --save-keys cannot be written.'],
    ['a directory for keys', () => [...enrolling, '--save-keys', path('home')], 'home in --save-keys cannot be written.'],
    ['a device for keys', () => [...enrolling, '--save-keys', '/dev/null'], '/dev/null in --save-keys cannot be written.'],
    ['no file of keys', () => [...servers, '--keys', path('no')], 'no cannot be read.'],
    [
      'a key without a name',
      () => keysFile('k1', `# x\n001 any ${key}\n`),
      'k1 line 2 cannot be used: it is not of the form ID NAME IP KEY.',
    ],
    ['an ID', () => keysFile('k2', `1 host-1 any ${key}\n`), 'k2 line 1 cannot be used: its ID is invalid: expected a number of'],
    [
      'an ID twice',
      () => keysFile('k3', `001 host-1 any ${key}\n001 host-2 any ${key}\n`),
      'k3 line 2 cannot be used: the ID 001 is there twice.',
    ],
    ['noise', () => keysFile('k4', '\0\xff\x01'), 'k4 line 1 cannot be used: it is not of the form ID NAME IP KEY.'],
    ['no conf', () => ['--enrol', '--ossec-conf', path('no')], 'no cannot be read.'],
    ['a conf that is cut', () => conf('c1', client('').slice(0, -18)), 'c1: '],
    ['a conf without a client', () => conf('c2', '<ossec_config></ossec_config>'), 'c2: <client> names no <server> with an <address>.'],
    [
      'a port in a conf',
      () => conf('c3', client('<server><address>a</address><port>x</port></server>')),
      "c3: <client><server><port> is 'x': must be a whole number from 1 to 65535.",
    ],
  ]

  it.each(cases)('is named in one sentence: %s', (_, argv, says) => {
    const parsed = parseAgentsArguments(argv())
    const mistake = 'mistake' in parsed ? parsed.mistake : ''
    expect(mistake).toContain(says)
    expect(mistake).toMatch(/^[^\n]{1,300}\.$|option \(if it is meant: .*\)\.$/)
    expect(mistake).not.toContain(key)
  })
})
