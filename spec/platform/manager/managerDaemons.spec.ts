/** What is asked of a manager's daemons and what comes back, and daemons that lie, hang, or are not what their sockets say. */
import { chownSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { createManagerDaemons, daemonSocketPath } from '../../../src/platform/manager/managerDaemons.js'
import { askedDaemons, type ManagerDaemons } from '../../../src/ports/manager.js'
import { FakeManagerDaemons } from '../../support/manager/fakeManagerDaemons.js'
import { forever } from '../../support/sessionPair.js'

let home = ''
let fake = new FakeManagerDaemons('')
let daemons: ManagerDaemons = createManagerDaemons('')

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'daemons-'))
  fake = new FakeManagerDaemons(home)
  daemons = createManagerDaemons(home)
})
afterEach(async () => {
  await fake.stop()
  rmSync(home, { recursive: true, force: true })
})

const ask = async (message: string, daemon: (typeof askedDaemons)[number] = 'authd', signal = forever): Promise<string> =>
  Buffer.from(await daemons.ask(daemon, Buffer.from(message), signal)).toString()
const failed = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ code: 'none', message: String(value) }),
    ({ code, message }: { code: string; message: string }) => ({ code, message }),
  )

/** What workers' daemons send to the master, and the answers. */
const sendsyncRows = [
  [
    'authd',
    'an agent enrols',
    '{"arguments":{"name":"a","ip":"any","groups":"default"},"function":"add"}',
    { error: 0, data: { id: '001', name: 'a' } },
  ],
  [
    'authd',
    'a key is requested',
    '{"arguments":{"name":"b","ip":"any","id":"007","key":"k","force":{"enabled":true}},"function":"add"}',
    { error: 0, data: { id: '007', key: 'k' } },
  ],
  ['authd', 'an agent is removed', '{"arguments":{"id":"009","purge":1},"function":"remove"}', { error: 9011 }],
  [
    'remoted',
    'an agent has no group',
    '{"command":"assigngroup","parameters":{"agent":"001","md5":"x"}}',
    { error: 0, message: 'ok', data: { group: 'default' } },
  ],
  [
    'task-manager',
    'an upgrade is asked for',
    '{"origin":{"module":"upgrade_module"},"command":"upgrade","parameters":{"agents":[1]}}',
    { error: 0, message: 'ok' },
  ],
] as const

describe('a daemon of the manager', () => {
  it.each(sendsyncRows)('%s is asked when %s: the message as it is, the answer as it is', async (daemon, _, message, answer) => {
    await fake.start(...askedDaemons)
    expect(JSON.parse(await ask(message, daemon))).toMatchObject(answer)
    expect(fake.asked).toEqual([{ daemon, message }])
    await fake.quiet()
  })

  it('has each request on a connection of its own, many at a time', async () => {
    await fake.start('authd')
    const names = Array.from({ length: 50 }, (_, index) => `a${index}`)
    const answers = await Promise.all(names.map((name) => ask(JSON.stringify({ function: 'add', arguments: { name, ip: 'any' } }))))
    expect(answers.map((answer) => JSON.parse(answer).data.name)).toEqual(names)
  })

  it('answers as long as it may, and no longer; a message has a bound too', async () => {
    await fake.start('authd')
    fake.answers.authd = (message) => 'x'.repeat(Number(message))
    expect(await ask(String(limits.daemonAnswerBytesMax))).toHaveLength(limits.daemonAnswerBytesMax)
    expect(await failed(ask(String(limits.daemonAnswerBytesMax + 1)))).toMatchObject({
      code: 'tooLarge',
      message: expect.stringContaining('65537'),
    })
    const { code } = await failed(ask('x'.repeat(limits.daemonRequestBytesMax + 1)))
    expect(code).toBe('tooLarge')
  })

  it.each([
    ['closes the connection', Buffer.alloc(0), 'managerFailed'],
    ['closes it within a frame', Buffer.from([5, 0, 0, 0, 1]), 'managerFailed'],
    ['says to have 4 GB', Buffer.from([255, 255, 255, 255]), 'tooLarge'],
    ['answers as if it spoke HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'tooLarge'],
  ])('that %s in place of an answer fails with its name and socket', async (_, bytes, code) => {
    await fake.start('authd')
    fake.answers.authd = (_message, socket) => {
      socket.end(bytes)
      return undefined
    }
    expect(await failed(ask('{}'))).toMatchObject({
      code,
      message: expect.stringContaining('wazuh-authd (queue/sockets/auth) '),
    })
  })

  it('that never answers is left as soon as nobody waits', async () => {
    await fake.start('remoted')
    const abort = new AbortController()
    const came = new Promise<void>((resolve) => {
      fake.answers.remoted = () => {
        resolve()
        return undefined
      }
    })
    const asking = failed(ask('{}', 'remoted', abort.signal))
    await came
    abort.abort()
    expect((await asking).code).toBe('aborted')
  })

  it('that does not run, or whose socket is a file, a link, or of another user, is not asked', async () => {
    const path = daemonSocketPath(home, 'authd')
    const said = async () => (await failed(ask('{}'))).message
    expect(await said()).toBe('wazuh-authd (queue/sockets/auth) is not running: its socket does not exist')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '')
    expect(await said()).toContain('cannot be asked: something that is not a socket has its name')
    rmSync(path)
    await fake.start('authd')
    renameSync(path, join(home, 'elsewhere'))
    symlinkSync(join(home, 'elsewhere'), path)
    expect(await said()).toContain('cannot be asked: a link has its name')
    rmSync(path)
    renameSync(join(home, 'elsewhere'), path)
    expect(JSON.parse(await ask('{"function":"get","arguments":{"id":"1"}}'))).toMatchObject({ error: 9011 })
    // Only root may give it away.
    if (process.getuid?.() !== 0) return
    chownSync(path, 4_711, 4_712)
    expect(await said()).toContain('its socket belongs to user 4711')
  })
})

describe('a reload of the rules', () => {
  const version = (text: string): void => {
    mkdirSync(join(home, 'bin'))
    writeFileSync(join(home, 'bin/wazuh-control'), `#!/bin/sh\nVERSION="v${text}"\n`)
  }
  it.each([
    ['{"error":0,"message":"ok","data":[]}', { isLoaded: true, messages: [] }],
    ['{"error":0,"message":"ok","data":["(7617): Signature ID"]}', { isLoaded: true, messages: ['(7617): Signature ID'] }],
    ['{"error":1,"message":"failed","data":["bad rule"]}', { isLoaded: false, messages: ['bad rule'] }],
    ['{"error":1,"message":"failed"}', { isLoaded: false, messages: ['failed'] }],
  ])('that is answered %s', async (answer, reload) => {
    await fake.start('analysis')
    fake.answers.analysis = () => answer
    version('4.14.7')
    expect(await daemons.reloadRuleset(forever)).toEqual(reload)
    expect(fake.asked[0]?.message).toBe('{"version":1,"origin":{"module":"cluster"},"command":"reload-ruleset"}')
  })

  it('is not asked of a manager before 4.13', async () => {
    version('4.12.0')
    expect(await daemons.reloadRuleset(forever)).toBeUndefined()
  })

  it('fails on an answer to something else, and its messages have bounds', async () => {
    await fake.start('analysis')
    fake.answers.analysis = () => 'err'
    expect(await failed(daemons.reloadRuleset(forever))).toMatchObject({ code: 'managerFailed' })
    fake.answers.analysis = () => JSON.stringify({ error: 0, data: Array.from({ length: 80 }, () => '\n'.repeat(700)) })
    const { messages = [] } = (await daemons.reloadRuleset(forever)) ?? {}
    expect([messages.length, Math.max(...messages.map(({ length }) => length))]).toEqual([
      limits.rulesetMessagesMax,
      limits.rulesetMessageCharsMax,
    ])
  })
})
