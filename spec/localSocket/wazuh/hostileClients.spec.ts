/** Hostile clients of Wazuh's local socket: what they hold is bounded, and what they do costs nobody else more than a moment. */
import { once } from 'node:events'
import { existsSync, lstatSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { wazuhSocketPath } from '../../../src/localSocket/controlSocketPath.js'
import type { LocalNode } from '../../../src/localSocket/wazuh/localNode.js'
import { startLocalServer } from '../../../src/localSocket/wazuh/localServer.js'
import { deferred, recordingLog, temporaryHome } from '../../programs/controlWorld.js'
import { carried, exceptionIn, localClient, scriptedNode, serveLocal } from './localWorld.js'

/** A frame by hand, with any length in its header. */
const header = (command: string, length: number, mark = '-'): Buffer => {
  const bytes = Buffer.alloc(20, '-')
  bytes.writeUInt32BE(7, 0)
  bytes.writeUInt32BE(length, 4)
  bytes.write(`${command} `, 8)
  bytes.write(mark, 19)
  return bytes
}

const answers = async (socketPath: string): Promise<void> => {
  expect(await localClient(socketPath).ask('echo', 'still')).toEqual({ command: 'ok', text: 'still' })
}

const soon = { localCheckMs: 5, localPartMsMax: 40, localIdleMsMax: 40, localStallMsMax: 40 }

/** Requests that never end. */
const never = () => new Promise<never>(() => undefined)

describe('a client that does not finish what it began', () => {
  it.each([
    ['half a header', Buffer.from('abc')],
    ['a header without its payload', header('get_nodes', 100)],
    ['one byte less than it announced', Buffer.concat([header('get_nodes', 100), Buffer.alloc(99)])],
    ['a divided message without its last part', Buffer.concat([header('dapi', 3, 'd'), Buffer.from('abc')])],
  ])('is cut: %s', async (_, bytes) => {
    const { log, socketPath } = await serveLocal(scriptedNode(), { ...soon, localIdleMsMax: 60_000 })
    const client = localClient(socketPath)
    client.socket.write(bytes)
    await client.closed
    expect(log).toContain('debug A local client was let go: the rest of a request did not come.')
    await answers(socketPath)
  })

  it('is cut when parts of a divided message come without end, or bytes one by one', async () => {
    const { socketPath } = await serveLocal(scriptedNode(), { ...soon, localIdleMsMax: 60_000 })
    for (const bytes of [header('dapi', 0, 'd'), Buffer.from('x')]) {
      const client = localClient(socketPath)
      if (bytes.length === 1) client.socket.write(header('dapi', 1_000_000))
      const dripping = setInterval(() => client.socket.write(bytes), 1)
      await client.closed
      clearInterval(dripping)
    }
    await answers(socketPath)
  })

  it('and says nothing is let go, but not one that waits for an answer', async () => {
    const gate = deferred<void>()
    const sendsync = async () => {
      await gate.promise
      return carried('late')
    }
    const { socketPath } = await serveLocal(scriptedNode({ type: 'worker', requests: { sendsync } }), soon)
    const waiting = localClient(socketPath)
    const answer = waiting.ask('sendsync', '{"daemon_name":"authd","message":1}')
    for (let turn = 0; turn < 3; turn++) await localClient(socketPath).closed
    gate.resolve()
    expect(await answer).toEqual({ command: 'ok', text: 'late' })
    await waiting.closed
  })
})

describe('what a client announces', () => {
  it('of over 256 MiB, alone or divided, ends its connection at once', async () => {
    const { log, socketPath } = await serveLocal()
    for (const length of [limits.carriedBytesMax + 1, 2 ** 32 - 1]) {
      const client = localClient(socketPath)
      client.socket.write(header('dapi', length))
      await client.closed
    }
    const many = localClient(socketPath)
    for (let counter = 0; counter <= limits.localDividedMax; counter++) {
      const part = header('dapi', 0, 'd')
      part.writeUInt32BE(counter)
      many.socket.write(part)
    }
    await many.closed
    expect(log.filter((line) => line.includes('let go'))).toHaveLength(3)
    await answers(socketPath)
  })

  it('and many hold together is bounded: the one with the most is cut, the others are answered', async () => {
    const { socketPath } = await serveLocal(scriptedNode(), { localHeldBytesMax: 3_000_000 })
    const small = localClient(socketPath)
    small.socket.write(Buffer.concat([header('dapi', 100_000), Buffer.alloc(50_000)]))
    const large = [1, 2, 3].map(() => localClient(socketPath))
    for (const { socket } of large) socket.write(Buffer.concat([header('dapi', 3_000_000), Buffer.alloc(1_500_000)]))
    await Promise.race(large.map(({ closed }) => closed))
    await answers(socketPath)
    expect(small.socket.destroyed).toBe(false)
  })

  it('as requests under way counts as well, until it is answered', async () => {
    const { socketPath } = await serveLocal(scriptedNode({ requests: { dapi: never } }), { localHeldBytesMax: 3_000_000 })
    const client = localClient(socketPath)
    for (let request = 0; request < 4; request++) client.send('dapi', request, Buffer.alloc(1_000_000))
    await client.closed
    await answers(socketPath)
  })
})

describe('a client that never reads', () => {
  it('has few answers made for it, is cut, and keeps nobody else waiting', async () => {
    let asked = 0
    const node = scriptedNode()
    const query: LocalNode['query'] = (question, signal) => {
      asked += 1
      return node.query(question, signal)
    }
    const { log, socketPath } = await serveLocal({ ...node, query }, { ...soon, localIdleMsMax: 60_000 })
    const client = localClient(socketPath)
    client.socket.pause()
    const request = Buffer.concat([header('get_health', 4), Buffer.from('null')])
    for (let index = 0; index < 5_000; index++) client.socket.write(request)
    await answers(socketPath)
    // It sees that it was cut when it writes.
    const writing = setInterval(() => client.socket.write(request), 5)
    await client.closed
    clearInterval(writing)
    expect(log).toContain('debug A local client was let go: it reads nothing.')
    expect(asked).toBeLessThan(1_000)
    await answers(socketPath)
  })

  it('for a while gets every answer whole when it reads again', async () => {
    const { socketPath } = await serveLocal()
    const client = localClient(socketPath)
    const sent = Array.from({ length: limits.localRequestsMax }, (_, index) => Buffer.alloc(200_000, index))
    client.socket.pause()
    for (const [counter, payload] of sent.entries()) client.send('echo', counter, payload)
    await answers(socketPath)
    client.socket.resume()
    for (const [counter, payload] of sent.entries()) {
      const answer = await client.next()
      expect([answer.counter, answer.payload.equals(payload)]).toEqual([counter, true])
    }
  })

  it('or does not acknowledge a piece is said to that the answer failed', async () => {
    const dapi = async () => carried('abc')
    const { socketPath } = await serveLocal(scriptedNode({ requests: { dapi } }), { localAnswerMsMax: 30 })
    const client = localClient(socketPath)
    await client.ask('dapi', '{}')
    expect((await client.next()).command).toBe('new_str')
    const { command, payload } = await client.next()
    expect([command, exceptionIn(payload.toString())[0]]).toEqual(['dapi_err', 3020])
  })
})

describe('what a client answers', () => {
  it('to nothing that was asked, or twice, is dropped without an answer', async () => {
    const { socketPath } = await serveLocal(scriptedNode({ requests: { dapi: async () => carried('abc') } }))
    const client = localClient(socketPath)
    for (const command of ['ok', 'err', 'ok-m']) client.send(command, 12, 'x')
    await client.ask('dapi', '{}')
    const { command, counter } = await client.next()
    client.send('ok', counter + 1, '99')
    client.send('ok', counter, '5')
    client.send('ok', counter, '6')
    const piece = await client.next()
    expect([command, piece.command, piece.payload.toString()]).toEqual(['new_str', 'str_upd', '5 abc'])
    client.send('err', piece.counter, 'no')
    expect((await client.next()).command).toBe('dapi_err')
  })

  it('is not mistaken for a request under the same counter, nor the other way round', async () => {
    const { socketPath } = await serveLocal(scriptedNode({ requests: { dapi: async () => carried('abc') } }))
    const client = localClient(socketPath)
    await client.ask('dapi', '{}')
    const { counter } = await client.next()
    client.send('echo', counter, 'a request')
    const answer = await client.next()
    expect([answer.command, answer.counter, answer.payload.toString()]).toEqual(['ok', counter, 'a request'])
    client.send('ok', counter, '5')
    expect((await client.next()).command).toBe('str_upd')
  })

  it('with an id of another client reaches only itself', async () => {
    const { socketPath } = await serveLocal()
    const [one, other] = [localClient(socketPath), localClient(socketPath)]
    const { text: id } = await one.ask('new_str', '10')
    expect((await other.ask('str_upd', `${id} abc`)).command).toBe('err')
    expect((await one.ask('str_upd', `${id} abc`)).command).toBe('ok')
  })
})

it('strings that are never finished cost nothing, and there are few of them', async () => {
  const { socketPath } = await serveLocal()
  const client = localClient(socketPath)
  for (let index = 0; index < limits.localStringsMax; index++)
    expect((await client.ask('new_str', String(limits.carriedBytesMax))).command).toBe('ok')
  expect((await client.ask('new_str', '1')).command).toBe('err')
})

it('more requests of one client than are allowed are refused, and the others go on', async () => {
  const { socketPath } = await serveLocal(scriptedNode({ requests: { dapi: never } }))
  const client = localClient(socketPath)
  for (let index = 0; index < limits.localRequestsMax; index++) expect((await client.ask('dapi', '{}')).command).toBe('ok')
  const { command, text } = await client.ask('dapi', '{}')
  expect([command, exceptionIn(text)]).toEqual(['err', [1000, expect.stringContaining('Too many')]])
  await answers(socketPath)
})

describe('thousands of connections', () => {
  it('that are idle give way to those that ask', async () => {
    const { socketPath } = await serveLocal()
    let closed = 0
    for (let batch = 0; batch < 20; batch++) {
      const idle = Array.from({ length: 100 }, () => localClient(socketPath))
      for (const client of idle) void client.closed.then(() => (closed += 1))
      await Promise.all(idle.map(({ socket }) => once(socket, 'connect')))
      await answers(socketPath)
    }
    expect(closed).toBeGreaterThan(2_000 - limits.localConnectionsMax - 100)
  })

  it('that all wait for answers are not given up for one more, which is refused with a reason', async () => {
    const { socketPath } = await serveLocal(scriptedNode({ requests: { dapi: never } }), { localConnectionsMax: 50 })
    const waiting = Array.from({ length: 50 }, () => localClient(socketPath))
    for (const client of waiting) expect((await client.ask('dapi', '{}')).command).toBe('ok')
    const { command, text } = await localClient(socketPath).ask('get_nodes', '{}')
    expect([command, exceptionIn(text)[0]]).toEqual(['err', 1000])
    expect(waiting.some(({ socket }) => socket.destroyed)).toBe(false)
  })
})

it('any bytes leave the server answering others', async () => {
  const { socketPath } = await serveLocal(scriptedNode(), { localPartMsMax: 60_000 })
  const commands = ['get_nodes', 'get_health', 'dapi', 'dapi_fwd', 'new_str', 'str_upd', 'err_str', 'ok', 'err', 'echo-c', '']
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
          fc
            .tuple(fc.constantFrom(...commands), fc.nat(12), fc.constantFrom('-', 'd'), fc.uint8Array({ maxLength: 12 }))
            .map(([command, length, mark, payload]) => Buffer.concat([header(command, length, mark), payload])),
        ),
        { maxLength: 6 },
      ),
      async (parts) => {
        const client = localClient(socketPath)
        for (const part of parts) client.socket.write(part)
        await answers(socketPath)
        client.socket.destroy()
      },
    ),
    { numRuns: 200 },
  )
})

describe('when the daemon stops', () => {
  it('what is being answered is refused, within a second, and the socket is gone', async () => {
    const { server, socketPath } = await serveLocal(scriptedNode({ type: 'worker', requests: { sendsync: never } }))
    const client = localClient(socketPath)
    const answer = client.ask('sendsync', '{"daemon_name":"authd","message":1}')
    const idle = localClient(socketPath)
    await idle.ask('echo')
    await Promise.all([server.close(), server.close()])
    const { command, text } = await answer
    expect([command, exceptionIn(text)]).toEqual(['err', [1000, 'wazuh-clusterd is stopping']])
    await Promise.all([client.closed, idle.closed])
    expect(existsSync(socketPath)).toBe(false)
  })
})

describe('the socket', () => {
  const start = (socketPath: string) => startLocalServer({ socketPath, node: scriptedNode(), log: recordingLog([]), limits })

  it('is for its user and group, and replaces that of a daemon that is gone', async () => {
    const { socketPath } = await serveLocal()
    expect(statSync(socketPath).mode & 0o777).toBe(0o660)
  })

  it('is not taken from a daemon that answers there', async () => {
    const { socketPath } = await serveLocal()
    await expect(start(socketPath)).rejects.toMatchObject({
      code: 'alreadyRunning',
      message: `Another wazuh-clusterd answers at ${socketPath}: stop it first, Wazuh's own with bin/wazuh-control stop`,
    })
    await answers(socketPath)
  })

  it('is not made in the place of a file, a directory or a link, which stay as they are', async () => {
    for (const make of [
      (path: string) => writeFileSync(path, 'x'),
      (path: string) => mkdirSync(path),
      (path: string) => symlinkSync('/dev/null', path),
    ]) {
      const socketPath = wazuhSocketPath(temporaryHome())
      make(socketPath)
      const before = lstatSync(socketPath).ino
      await expect(start(socketPath)).rejects.toMatchObject({ code: 'listenFailed' })
      expect(lstatSync(socketPath).ino).toBe(before)
    }
  })

  it('is left alone at the end when another daemon has made its own there', async () => {
    const { server, socketPath } = await serveLocal()
    const other = createServer()
    onTestFinished(() => void other.close())
    rmSync(socketPath)
    await new Promise<void>((resolve) => other.listen(socketPath, resolve))
    await server.close()
    expect(existsSync(socketPath)).toBe(true)
    expect(existsSync(dirname(socketPath))).toBe(true)
  })

  it('has errors of ours logged, and said without what went wrong inside', async () => {
    const { log, socketPath } = await serveLocal({
      ...scriptedNode(),
      query: () => {
        throw new TypeError('a bug')
      },
    })
    const { command, text } = await localClient(socketPath).ask('get_nodes', '{}')
    expect([command, exceptionIn(text)[0]]).toEqual(['err', 1000])
    expect(log).toContainEqual(expect.stringMatching(/^error A local request 'get_nodes' failed: .*a bug/))
    expect(text).not.toContain('at ')
    expect(new ClusterError('internal').number).toBe(3199)
  })
})
