/** Server and client over a real unix socket, and malicious clients. */

import { getEventListeners } from 'node:events'
import { chownSync, existsSync, mkdirSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ClusterError } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import type { AnswerLine } from '../../src/domain/queries/answerLine.js'
import type { ClusterQuery } from '../../src/domain/queries/clusterQuery.js'
import type { ControlRequest } from '../../src/domain/queries/controlRequest.js'
import { ask, notConnected } from '../../src/localSocket/controlClient.js'
import type { Answer } from '../../src/localSocket/controlConnection.js'
import { startControlServer } from '../../src/localSocket/controlServer.js'
import { controlSocketPath } from '../../src/localSocket/controlSocketPath.js'
import { always, collected, deferred, rawClient, recordingLog, serve, temporaryHome } from '../programs/controlWorld.js'

const cluster: AnswerLine = { kind: 'cluster', name: 'c', unknownNodes: [] }
const end: AnswerLine = { kind: 'end' }
const unaborted = new AbortController().signal
const question = (socketPath: string, request: ControlRequest = { kind: 'nodes' }) => ({ socketPath, request, signal: unaborted })
const lastLine = (text: string): unknown => JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')

/** A row of about a kilobyte. */
const row = (index: number): AnswerLine => ({
  kind: 'file',
  row: { node: 'w', file: `${index}-${'x'.repeat(1_000)}`, state: 'failed', code: 'diskFull' },
})

/** Never answers, and shows when it is cancelled. */
const hanging = () => {
  const asked = deferred<AbortSignal>()
  const answer: Answer = async function* (_, signal) {
    yield cluster
    asked.resolve(signal)
    await new Promise(() => {})
  }
  return { answer, asked: asked.promise }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))

describe('a question', () => {
  it('is answered line by line, whatever is in it', async () => {
    let received: ControlRequest | undefined
    const { socketPath } = await serve(async function* (query) {
      received = query
      yield cluster
      yield row(1)
      yield end
    })
    const query: ClusterQuery = { kind: 'files', all: true, nodes: ['w"\n\u0000é'] }
    expect(await collected(ask(question(socketPath, query)))).toEqual([cluster, row(1)])
    expect(received).toEqual(query)
  })

  it('gets what is ready before the rest is', async () => {
    const { answer } = hanging()
    const { socketPath } = await serve(answer)
    for await (const line of ask(question(socketPath))) {
      expect(line).toEqual(cluster)
      break
    }
  })

  it('gets an answer of any length whole, while the daemon does other things', async () => {
    const rows = 50_000
    const { socketPath } = await serve(async function* () {
      for (let index = 0; index < rows; index++) yield row(index)
      yield end
    })
    let turns = 0
    const beat = setInterval(() => turns++, 1)
    onTestFinished(() => clearInterval(beat))
    let next = 0
    for await (const line of ask(question(socketPath))) {
      if (next % 10_000 === 0) expect(line).toEqual(row(next))
      next++
    }
    expect(next).toBe(rows)
    expect(turns).toBeGreaterThan(20)
  })

  it('gets the error that the answer throws or yields, even with an unknown code', async () => {
    const thrown = await serve(async function* () {
      yield cluster
      throw new ClusterError('notConnected', { message: 'No master' })
    })
    await expect(collected(ask(question(thrown.socketPath)))).rejects.toMatchObject({ code: 'notConnected', message: 'No master' })
    const synchronous = await serve(() => {
      throw new Error('a bug')
    })
    await expect(collected(ask(question(synchronous.socketPath)))).rejects.toMatchObject({ code: 'internal' })
    expect(synchronous.log).toContainEqual(expect.stringMatching(/^error .*a bug/))
    const foreign = await serve(always({ kind: 'error', code: 'ofLater', number: 3999, message: 'Later' }))
    await expect(collected(ask(question(foreign.socketPath)))).rejects.toMatchObject({ code: 'requestFailed', message: 'Later' })
  })

  it('never treats half an answer as a whole one', async () => {
    const { socketPath } = await serve(always(cluster))
    await expect(collected(ask(question(socketPath)))).rejects.toMatchObject({ message: 'The answer broke off' })
  })

  it('that is too long is not even sent', async () => {
    const { socketPath } = await serve(always(end))
    const nodes = ['x'.repeat(limits.controlRequestBytesMax)]
    await expect(collected(ask(question(socketPath, { kind: 'nodes', nodes })))).rejects.toMatchObject({ code: 'tooLarge' })
  })

  it('ends when it is aborted, before and in the middle', async () => {
    const { answer, asked } = hanging()
    const { socketPath } = await serve(answer)
    const stop = new AbortController()
    const reading = collected(ask({ ...question(socketPath), signal: stop.signal }))
    const wanted = await asked
    stop.abort()
    await expect(reading).rejects.toMatchObject({ code: 'aborted' })
    await aborted(wanted)
    await expect(collected(ask({ ...question(socketPath), signal: stop.signal }))).rejects.toMatchObject({ code: 'aborted' })
  })

  it('gives up a daemon that says nothing, but does not count the time that its own reader takes', async () => {
    const { answer } = hanging()
    const { socketPath } = await serve(answer)
    await expect(collected(ask({ ...question(socketPath), answerMsMax: 30 }))).rejects.toMatchObject({ code: 'requestTimeout' })
    const quick = await serve(always(cluster, ...Array.from({ length: 2_000 }, (_, index) => row(index)), end))
    let lines = 0
    // Time passes while two other questions wait as long for an answer that never comes.
    for await (const _ of ask({ ...question(quick.socketPath), answerMsMax: 100 }))
      if (lines++ < 2)
        await expect(collected(ask({ ...question(socketPath), answerMsMax: 100 }))).rejects.toMatchObject({ code: 'requestTimeout' })
    expect(lines).toBe(2_001)
  })

  it('without a daemon says so: no socket, no home, or one of a dead daemon', async () => {
    const home = temporaryHome()
    const notRunning = (home: string) => ({
      code: 'notRunning',
      message: `Cluster is not running. No daemon answers on the home ${home}.`,
    })
    const far = join(home, 'no'.repeat(100))
    await expect(collected(ask(question(controlSocketPath(home))))).rejects.toMatchObject(notRunning(home))
    await expect(collected(ask(question(controlSocketPath(far))))).rejects.toMatchObject(notRunning(far))
    writeFileSync(controlSocketPath(home), '')
    await expect(collected(ask(question(controlSocketPath(home))))).rejects.toMatchObject(notRunning(home))
  })

  it('that a daemon answers with rubbish, an endless line or a sudden end is an error', async () => {
    const answering = async (bytes: string): Promise<string> => {
      const socketPath = controlSocketPath(temporaryHome())
      const rogue: Server = createServer((socket) => socket.on('error', () => {}).end(bytes))
      await new Promise<void>((resolve) => rogue.listen(socketPath, resolve))
      onTestFinished(() => void rogue.close())
      return socketPath
    }
    const rejection = async (bytes: string) => expect(collected(ask(question(await answering(bytes))))).rejects
    await (await rejection('rubbish\n')).toMatchObject({ code: 'malformed' })
    await (await rejection('x'.repeat(limits.controlLineBytesMax + 1))).toMatchObject({ code: 'tooLarge' })
    await (await rejection('')).toMatchObject({ code: 'linkLost', message: expect.stringContaining('too many local clients') })
    await (await rejection(JSON.stringify(end))).toMatchObject({ code: 'linkLost' })
    await (await rejection(`${JSON.stringify(cluster)}\n`)).toMatchObject({
      code: 'linkLost',
      message: 'The daemon ended the connection before its answer was complete',
    })
  })
})

describe('the socket', () => {
  it('is there for its owner and group only, and gone when it is closed', async () => {
    const { socketPath, server } = await serve(always(end))
    expect(statSync(socketPath).mode & 0o777).toBe(0o660)
    await server.close()
    await server.close()
    expect(existsSync(socketPath)).toBe(false)
  })

  it.skipIf(process.geteuid?.() !== 0)('of a daemon of root belongs to the owner of its directory, who asks there', async () => {
    const home = temporaryHome()
    chownSync(dirname(controlSocketPath(home)), 4_711, 4_712)
    const { socketPath } = await serve(always(end), {}, home)
    expect(statSync(socketPath)).toMatchObject({ uid: 4_711, gid: 4_712 })
  })

  it('of a running daemon is left alone, and that of a dead one is replaced', async () => {
    const { home, socketPath } = await serve(always(cluster, end))
    await expect(serve(always(end), {}, home)).rejects.toMatchObject({ code: 'alreadyRunning' })
    expect(await collected(ask(question(socketPath)))).toEqual([cluster])

    const dead = temporaryHome()
    const left = createServer()
    await new Promise<void>((resolve) => left.listen(join(dead, 'left.sock'), resolve))
    // What a killed daemon leaves: a socket file on which nothing listens.
    renameSync(join(dead, 'left.sock'), controlSocketPath(dead))
    await new Promise((resolve) => left.close(resolve))
    expect(existsSync(controlSocketPath(dead))).toBe(true)
    const next = await serve(always(cluster, end), {}, dead)
    expect(await collected(ask(question(next.socketPath)))).toEqual([cluster])
  })

  it('is not removed by a daemon that lost it to another', async () => {
    const first = await serve(always(end))
    unlinkSync(first.socketPath)
    const second = await serve(always(cluster, end), {}, first.home)
    await first.server.close()
    expect(await collected(ask(question(second.socketPath)))).toEqual([cluster])
  })

  it('never replaces a file that is not a socket, and needs a directory', async () => {
    const home = temporaryHome()
    writeFileSync(controlSocketPath(home), 'precious')
    await expect(serve(always(end), {}, home)).rejects.toMatchObject({ code: 'listenFailed' })
    expect(existsSync(controlSocketPath(home))).toBe(true)
    const options = { answer: always(end), log: recordingLog([]), limits }
    for (const missing of [join(home, 'nowhere', 'c.sock'), join(home, 'x'.repeat(120))])
      await expect(startControlServer({ socketPath: missing, ...options })).rejects.toMatchObject({ code: 'listenFailed' })
  })

  it('that the user may not use is not reported as missing', () => {
    const error = (code: string) => Object.assign(new Error(code), { code })
    expect(notConnected(error('EACCES'), '/a/b')).toMatchObject({
      code: 'requestFailed',
      message: 'This user may not use /a/b: run this command as root.',
    })
    expect(notConnected(error('ECONNREFUSED'), '/a/b')).toMatchObject({ code: 'notRunning' })
    expect(notConnected(error('EAGAIN'), '/a/b')).toMatchObject({ code: 'overloaded' })
    expect(notConnected(error('EPROTOTYPE'), '/a/b').message).toContain('EPROTOTYPE')
  })
})

describe('a client', () => {
  it.each(['rubbish\n', '\n', '\u0000\u0001\n', '{"kind":"agent"}\n', `${'['.repeat(60_000)}\n`])(
    'that sends rubbish gets an error: %.20j',
    async (bytes) => {
      const { socketPath, log } = await serve(always(end))
      const { socket, received } = rawClient(socketPath)
      socket.write(bytes)
      expect(lastLine(await received)).toMatchObject({ kind: 'error', code: 'malformed' })
      expect(log.filter((line) => !line.startsWith('debug'))).toEqual([])
    },
  )

  it('that sends an endless line is cut off', async () => {
    const { socketPath } = await serve(always(end))
    const { socket, received } = rawClient(socketPath)
    socket.write(Buffer.alloc(limits.controlRequestBytesMax + 1, 'a'))
    expect(lastLine(await received)).toMatchObject({ kind: 'error', code: 'tooLarge' })
  })

  it('that says nothing, or sends byte by byte without end, is cut off in time', async () => {
    const { socketPath } = await serve(always(end), { controlRequestMsMax: 60 })
    const silent = rawClient(socketPath)
    const dripping = rawClient(socketPath)
    const drip = setInterval(() => dripping.socket.writable && dripping.socket.write('x'), 5)
    onTestFinished(() => clearInterval(drip))
    for (const client of [silent, dripping])
      expect(lastLine(await client.received)).toMatchObject({ kind: 'error', code: 'requestTimeout' })
  })

  it('that goes away ends the work on its answer', async () => {
    const { answer, asked } = hanging()
    const { socketPath } = await serve(answer)
    const { socket } = rawClient(socketPath)
    socket.write('{"kind":"nodes"}\n')
    const signal = await asked
    socket.destroy()
    await aborted(signal)
  })

  it('that stops reading holds the answer back, costs no memory, and is cut off in the end', async () => {
    let produced = 0
    const over = deferred<void>()
    const { socketPath } = await serve(
      async function* (_, signal) {
        signal.addEventListener('abort', () => over.resolve())
        for (;;) yield row(produced++)
      },
      { controlStallMsMax: 100 },
    )
    const { socket } = rawClient(socketPath)
    socket.pause()
    socket.write('{"kind":"nodes"}\n')
    await over.promise
    expect(produced).toBeGreaterThan(10)
    // A kilobyte each: what the system's buffers and one batch hold.
    expect(produced).toBeLessThan(2_000)
  })

  it('beyond the cap gets an error, also a thousand of them, and is let in when the others are gone', async () => {
    const { answer } = hanging()
    const { socketPath, log } = await serve(answer, { controlConnectionsMax: 4, controlRequestMsMax: 5_000 })
    const silent = Array.from({ length: 4 }, () => rawClient(socketPath))
    await Promise.all(silent.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))))
    await expect(collected(ask(question(socketPath)))).rejects.toMatchObject({ code: 'overloaded' })
    const crowd = await Promise.all(Array.from({ length: 1_000 }, () => rawClient(socketPath).received))
    expect(crowd.filter((text) => text !== '' && !text.includes('overloaded'))).toEqual([])
    for (const { socket } of silent) socket.destroy()
    await vi.waitFor(async () => {
      for await (const line of ask(question(socketPath))) {
        expect(line).toEqual(cluster)
        break
      }
    })
    expect(log.filter((line) => !line.startsWith('debug'))).toEqual([])
  })
})

describe('closing', () => {
  it('ends everything within a second, whatever the clients do, and leaves nothing', async () => {
    const resources = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap' || name === 'PipeServerWrap').length
    const before = resources()
    const { answer, asked } = hanging()
    const { socketPath, server } = await serve(async function* (query, signal) {
      if (query.kind === 'nodes') yield* answer(query, signal)
      else for (let index = 0; ; index++) yield row(index)
    })
    const waiting = rawClient(socketPath)
    waiting.socket.write('{"kind":"nodes"}\n')
    const signal = await asked
    const silent = rawClient(socketPath)
    const stuck = rawClient(socketPath)
    stuck.socket.pause()
    stuck.socket.write('{"kind":"health"}\n')
    await new Promise((resolve) => silent.socket.once('connect', resolve))
    const fromMs = performance.now()
    await server.close()
    expect(performance.now() - fromMs).toBeLessThan(1_000)
    expect(signal.aborted).toBe(true)
    expect(lastLine(await waiting.received)).toMatchObject({ kind: 'error', code: 'peerStopping' })
    expect(lastLine(await silent.received)).toMatchObject({ kind: 'error', code: 'peerStopping' })
    stuck.socket.resume()
    await stuck.received
    await vi.waitFor(() => expect(resources()).toBe(before))
    expect(existsSync(socketPath)).toBe(false)
  })

  it('leaves no listener and no timer behind after many answers', async () => {
    const { socketPath } = await serve(always(cluster, end))
    await collected(ask(question(socketPath)))
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    for (let round = 0; round < 200; round++) await collected(ask(question(socketPath)))
    expect(getEventListeners(unaborted, 'abort')).toEqual([])
    await vi.waitFor(() => expect(timers()).toBeLessThanOrEqual(before))
  })

  it('lets a home be used again at once', async () => {
    const { home, server } = await serve(always(end))
    mkdirSync(join(home, 'etc'))
    await server.close()
    const again = await serve(always(cluster, end), {}, home)
    expect(await collected(ask(question(again.socketPath)))).toEqual([cluster])
  })
})
