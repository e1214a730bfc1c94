/** A wazuh-db that lies: each lie costs a bounded amount and ends in one sentence, and the next call has its own answer. */
import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { createWazuhDb } from '../../../src/platform/manager/wazuhDb.js'
import type { WazuhDb } from '../../../src/ports/manager.js'
import { lengthFrame } from '../../../src/wire/wazuh/lengthFrames.js'
import { FakeWazuhDb } from '../../support/manager/wazuhDb/fakeWazuhDb.js'

const going = new AbortController().signal
const status = { connection_status: 'active', group_config_status: 'synced' } as const
const answerMsMax = 200
const rowsMax = 256

let home: string
let fake: FakeWazuhDb
let db: WazuhDb
const warnings: string[] = []

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'muster-wdb-'))
  fake = new FakeWazuhDb({ home, role: 'master', nodeName: 'm1' })
  await fake.start()
  fake.insertAgent(1, 'a1')
  fake.insertGroup('web')
  fake.assignGroups(1, ['web'])
  db = createWazuhDb({ home, warn: (sentence) => warnings.push(sentence), answerMsMax })
})
afterEach(async () => {
  await fake.close()
  rmSync(home, { recursive: true })
  warnings.length = 0
})

/** What a call fails with: its code, when that is one sentence of a bearable length. */
const failureOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call
    return 'none'
  } catch (thrown) {
    if (!(thrown instanceof ClusterError)) throw thrown
    expect(thrown.message).toMatch(/^[^\n]{20,600}$/)
    expect(thrown.message).toContain('wazuh-db')
    return thrown.code
  }
}

const frame = (text: string | Buffer): Buffer => lengthFrame(Buffer.from(text))

const claiming = (length: number, content: string): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(length)
  return Buffer.concat([bytes, Buffer.from(content)])
}

const agents = () => db.agents(0, going)
const page = (rows: readonly unknown[]): string => `due [${JSON.stringify({ data: rows })}]`

/** Over the stream socket: what it sends for any request, and what is asked of it. */
const streamLies: readonly (readonly [string, (socket: Socket) => void, () => Promise<unknown>])[] = [
  ['noise', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), () => agents()],
  ['a length of four gigabytes', (socket) => socket.write(claiming(0xffff_ffff, 'x')), () => agents()],
  ['one byte more than an answer has', (socket) => socket.write(claiming(65_537, 'x')), () => agents()],
  ['nothing', () => {}, () => agents()],
  ['half an answer', (socket) => socket.write(frame('ok []').subarray(0, 6)), () => agents()],
  ['half an answer, and closes', (socket) => socket.end(frame('ok []').subarray(0, 6)), () => agents()],
  ['nothing, and closes', (socket) => socket.destroy(), () => agents()],
  ['an empty answer', (socket) => socket.write(frame('')), () => agents()],
  ['another word', (socket) => socket.write(frame('okay []')), () => agents()],
  ['what is not UTF-8', (socket) => socket.write(frame(Buffer.from([0x6f, 0x6b, 0x20, 0xff, 0xfe]))), () => agents()],
  ['what is not JSON', (socket) => socket.write(frame('ok [')), () => agents()],
  ['no list', (socket) => socket.write(frame('ok {"id":1}')), () => agents()],
  ['lists in lists in lists', (socket) => socket.write(frame(`ok ${'['.repeat(60_000)}`)), () => agents()],
  ['more rows than were asked for', (socket) => socket.write(frame(`ok [${'{},'.repeat(rowsMax)}{}]`)), () => agents()],
  ['rows without IDs for ever', (socket) => socket.write(frame(`ok [${'{},'.repeat(rowsMax - 1)}{}]`)), () => agents()],
  [
    'the same row for ever',
    (socket) => socket.write(frame(`ok [${'{"id":1},'.repeat(rowsMax - 1)}{"id":1}]`)),
    () => db.presencesOf([2], going),
  ],
  ['answers that are always cut', (socket) => socket.write(frame(`ok ${'x'.repeat(65_533)}`)), () => agents()],
  ['no page of groups', (socket) => socket.write(frame('ok {"data":[]}')), () => db.groups(0, going)],
  ['pages without groups for ever', (socket) => socket.write(frame(page([]))), () => db.takeGroups(going)],
  ['the same groups for ever', (socket) => socket.write(frame(page([{ id: 1, name: 'a', groups: [] }]))), () => db.groups(1, going)],
  ['counts of no node for ever', (socket) => socket.write(frame(`ok [${'{},'.repeat(rowsMax - 1)}{}]`)), () => db.activeAgents(going)],
]

describe('a wazuh-db that lies by its stream socket', () => {
  it.each(streamLies)('is given up when it sends %s', async (_, send, ask) => {
    fake.lie = (socket) => {
      send(socket)
      return true
    }
    const before = fake.requests
    expect(await failureOf(ask())).toBe('managerFailed')
    expect(fake.requests - before).toBeLessThan(12)
    fake.heal()
    expect(await db.agents(0, going)).toMatchObject([{ id: 1, name: 'a1' }])
  })

  it('is given up after its time, however slowly it goes on', async () => {
    fake.lie = (socket) => {
      socket.write(claiming(60_000, 'ok '))
      const drip = setInterval(() => socket.write('x'), 5)
      socket.on('close', () => clearInterval(drip))
      return true
    }
    expect(await failureOf(agents())).toBe('managerFailed')
    fake.heal()
    expect(await db.agents(0, going)).toHaveLength(1)
  })

  it('has no answer of its own taken for that of the next question, be it late or twice', async () => {
    const answers: (() => void)[] = []
    fake.lie = (socket) => {
      answers.push(() => socket.write(frame('ok [{"id":666,"name":"late"}]')))
      return true
    }
    expect(await failureOf(agents())).toBe('managerFailed')
    fake.lie = (socket, request) => {
      for (const answer of answers.splice(0)) answer()
      const twice = frame(fake.command(request))
      socket.write(Buffer.concat([twice, twice]))
      return true
    }
    expect(await db.groupsHash(going)).toBe(fake.groupsHash())
    expect(await db.presencesOf([1], going)).toMatchObject([{ id: 1 }])
    expect(await db.agents(0, going)).toMatchObject([{ id: 1, name: 'a1' }])
  })

  it('is refused by its own word, and its reason is one line', async () => {
    fake.lie = (socket) => socket.write(frame(`err bad\nworse\u001b[31m ${'x'.repeat(10_000)}`))
    expect(await failureOf(db.recalculateGroups(going))).toBe('managerRefused')
    fake.lie = (socket) => socket.write(frame('err DB global disabled.'))
    expect(await failureOf(db.recalculateGroups(going))).toBe('managerFailed')
  })

  it('loses no valid row of groups beside one that is not, which is said', async () => {
    const rows = [
      { id: 1, name: 'a', groups: ['../../etc'] },
      { id: 2, name: 'b', groups: ['web'] },
    ]
    fake.lie = (socket) => socket.write(frame(`ok [${JSON.stringify({ data: rows })}]`))
    expect((await db.takeGroups(going)).rows).toEqual([rows[1]])
    expect(warnings).toEqual([expect.stringMatching(/^wazuh-db gave 1 rows of groups/)])
  })
})

const head = (status: string, ...lines: string[]): string => [`HTTP/1.1 ${status}`, ...lines, '', ''].join('\r\n')

const httpLies: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['nothing', () => {}],
  ['nothing, and closes', (socket) => socket.destroy()],
  ['noise', (socket) => socket.write('ok []')],
  ['headers for ever', (socket) => socket.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`)],
  ['less than it says, and closes', (socket) => socket.end(`${head('200 OK', 'Content-Length: 10')}{}`)],
  ['less than it says', (socket) => socket.write(`${head('200 OK', 'Content-Length: 10')}{}`)],
  ['a chunk without a length', (socket) => socket.write(`${head('200 OK', 'Transfer-Encoding: chunked')}zz\r\n`)],
  ['another place', (socket) => socket.write(head('302 Found', 'Location: http://localhost/v1/agents/sync', 'Content-Length: 0'))],
  ['another protocol', (socket) => socket.write(head('101 Switching Protocols', 'Upgrade: x', 'Connection: Upgrade'))],
  ['that it has no such path', (socket) => socket.write(head('404 Not Found', 'Content-Length: 0'))],
]

describe('a wazuh-db that lies over HTTP', () => {
  it.each(httpLies)('is given up when it sends %s', async (_, send) => {
    fake.lie = (socket) => {
      send(socket)
      return true
    }
    expect(await failureOf(db.takeStates(going))).toBe('managerFailed')
    fake.heal()
    expect(await db.takeStates(going)).toBeUndefined()
  })

  it('is given up when its answer has no end', async () => {
    let sent = 0
    fake.lie = (socket) => {
      socket.write(head('200 OK', 'Transfer-Encoding: chunked'))
      const megabyte = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(0x10_0000, 'x'), Buffer.from('\r\n')])
      const more = (): void => {
        sent += 1
        if (!socket.destroyed) socket.write(megabyte, more)
      }
      more()
      return true
    }
    db = createWazuhDb({ home, warn: () => {} })
    expect(await failureOf(db.takeStates(going))).toBe('managerFailed')
    expect(sent).toBeLessThan(100)
    fake.heal()
    expect(await db.takeStates(going)).toBeUndefined()
  })

  it('is refused when it answers 500, unless it does so by both sockets', async () => {
    const states = { syncreq: [{ id: 1, name: 'a' }], syncreq_keepalive: [], syncreq_status: [] }
    expect(await failureOf(db.giveStates(states, going))).toBe('managerRefused')
    fake.lie = (socket, request) =>
      socket.write(request.startsWith('POST') ? head('500 E', 'Content-Length: 0') : frame('err DB global disabled.'))
    expect(await failureOf(db.giveStates(states, going))).toBe('managerFailed')
  })
})

describe('what is in the place of a socket of wazuh-db', () => {
  const streamSocket = (): string => join(home, 'queue/db/wdb')
  const httpSocket = (): string => join(home, 'queue/sockets/wdb-http.sock')

  it.each<readonly [string, (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'x')],
    ['a directory', (path) => mkdirSync(path)],
    ['a FIFO', (path) => void execFileSync('mkfifo', [path])],
    ['a link to another socket', (path) => symlinkSync(`${path}.real`, path)],
    ['a link to nowhere', (path) => symlinkSync('/nowhere/at/all', path)],
  ])('is not asked when it is %s', async (_, put) => {
    for (const path of [streamSocket(), httpSocket()]) {
      renameSync(path, `${path}.real`)
      put(path)
    }
    const before = fake.requests
    expect(await failureOf(agents())).toBe('managerFailed')
    expect(await failureOf(db.takeStates(going))).toBe('managerFailed')
    expect(fake.requests).toBe(before)
    for (const path of [streamSocket(), httpSocket()]) {
      rmSync(path, { recursive: true })
      renameSync(`${path}.real`, path)
    }
    expect(await db.agents(0, going)).toHaveLength(1)
    expect(await db.takeStates(going)).toBeUndefined()
  })

  it.runIf(process.geteuid?.() === 0)('is not asked when it belongs to another user', async () => {
    for (const path of [streamSocket(), httpSocket()]) chownSync(path, 12_345, 12_345)
    await expect(agents()).rejects.toThrow('wazuh-db (queue/db/wdb) cannot be asked: its socket belongs to user 12345')
    await expect(db.takeStates(going)).rejects.toThrow(
      'wazuh-db (queue/sockets/wdb-http.sock) cannot be asked: its socket belongs to user 12345',
    )
    // As a package of the manager has it: the directories are wazuh's as well.
    for (const path of ['queue/db', 'queue/sockets']) chownSync(join(home, path), 12_345, 12_345)
    expect(await db.agents(0, going)).toHaveLength(1)
  })

  it('is passed over when a version that is gone left it: commands do the same', async () => {
    await fake.kill()
    rmSync(streamSocket())
    const old = new FakeWazuhDb({ home, role: 'worker', nodeName: 'w1', isOld: true })
    await old.start()
    old.insertAgent(1, 'a1')
    old.agentSendsKeepAlive(1)
    expect((await db.takeStates(going))?.text).toContain('"name":"a1"')
    await db.giveStates({ syncreq: [{ ...status, id: 1, name: 'new' }], syncreq_keepalive: [], syncreq_status: [] }, going)
    expect(await db.agents(0, going)).toMatchObject([{ id: 1, name: 'new' }])
    await old.close()
  })

  it('is said when it is not there, or when nobody listens at it any more', async () => {
    await fake.kill()
    await expect(agents()).rejects.toThrow('wazuh-db (queue/db/wdb) is not running: nothing answers at its socket')
    rmSync(streamSocket())
    await expect(agents()).rejects.toThrow('wazuh-db (queue/db/wdb) is not running: its socket does not exist')
  })
})
