/** What browsers do: sessions by a cookie, who may change something, failures that block an address, and the stream of the page. */
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { ApiWorld, rightPassword, tokenHeader } from '../../support/api/apiWorld.js'

const sameOrigin = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }

const logIn = async (world: ApiWorld, user = 'alice', headers: Record<string, string> = sameOrigin) =>
  world.ask({ method: 'POST', url: '/page/login', headers, payload: JSON.stringify({ user, password: rightPassword }) })

const cookieOf = async (world: ApiWorld, user?: string): Promise<string> =>
  String((await logIn(world, user)).headers['set-cookie']).split(';')[0] ?? ''

describe('a session', () => {
  it('begins with a cookie that no script and no other site gets, and ends with a logout', async () => {
    const world = new ApiWorld()
    const login = await logIn(world)
    expect([login.statusCode, login.headers['set-cookie']]).toEqual([
      204,
      expect.stringMatching(/^muster=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/),
    ])
    const cookie = await cookieOf(world)
    expect((await world.ask({ url: '/page/session', headers: { cookie } })).json()).toEqual({ user: 'alice', role: 'admin' })
    const foreign = await world.ask({
      method: 'POST',
      url: '/page/logout',
      headers: { cookie, 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' },
      payload: '{}',
    })
    expect(foreign.statusCode).toBe(403)
    expect((await world.ask({ method: 'POST', url: '/page/logout', headers: { cookie, ...sameOrigin }, payload: '{}' })).statusCode).toBe(
      204,
    )
    expect((await world.ask({ url: '/page/session', headers: { cookie } })).statusCode).toBe(401)
  })

  it('begins for nobody from another page, with a wrong password or a body of another shape', async () => {
    const world = new ApiWorld()
    expect((await logIn(world, 'alice', { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403)
    expect((await logIn(world, 'alice', { 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' })).statusCode).toBe(415)
    expect((await logIn(world, 'mallory')).json()).toEqual({ title: 'Unauthorized', detail: 'Invalid credentials' })
    const shape = await world.ask({ method: 'POST', url: '/page/login', headers: sameOrigin, payload: '{"user":["alice"]}' })
    expect(shape.statusCode).toBe(400)
    const large = await world.ask({
      method: 'POST',
      url: '/page/login',
      headers: sameOrigin,
      payload: JSON.stringify({ user: 'x'.repeat(limits.apiBodyBytesMax) }),
    })
    expect([large.statusCode, large.json().detail]).toEqual([413, 'Content size exceeded.'])
  })

  it('ends by rest, and with the password of its user', async () => {
    const world = new ApiWorld()
    const cookie = await cookieOf(world)
    const status = async (): Promise<number> => (await world.ask({ url: '/page/session', headers: { cookie } })).statusCode
    await world.clock.advance(limits.apiSessionIdleMs - 1)
    expect(await status()).toBe(200)
    world.users = world.users.map((user) => ({ ...user, password: user.password.replace(/.$/, 'A') }))
    expect(await status()).toBe(401)
    const other = new ApiWorld()
    const rested = await cookieOf(other)
    await other.clock.advance(limits.apiSessionIdleMs)
    expect((await other.ask({ url: '/page/session', headers: { cookie: rested } })).statusCode).toBe(401)
  })
})

describe('an address', () => {
  it('is refused after too many failures, with the right password too, until its time is over', async () => {
    const world = new ApiWorld()
    for (let at = 0; at < limits.apiLoginFailuresMax; at++) expect((await world.login('alice', 'wrong')).statusCode).toBe(401)
    expect((await world.login()).json()).toMatchObject({ title: 'Permission Denied', error: 6000 })
    await world.clock.advance(limits.apiLoginBlockedMs - 1)
    expect((await world.login()).statusCode).toBe(403)
    await world.clock.advance(1)
    expect((await world.login()).statusCode).toBe(200)
    expect(world.lines.filter((line) => line.includes('it is refused for 300 s'))).toHaveLength(1)
  })

  it('may ask so often in a minute, and no more', async () => {
    const world = new ApiWorld()
    const headers = await tokenHeader(world)
    for (let at = 1; at < limits.apiRequestsPerMinute; at++) await world.ask({ url: '/cluster/status', headers })
    expect((await world.ask({ url: '/cluster/status', headers })).json()).toEqual({
      ...{ title: 'Too Many Requests', detail: 'Maximum number of requests per minute reached', error: 6001 },
      remediation: expect.any(String),
    })
    await world.clock.advance(60_000)
    expect((await world.ask({ url: '/cluster/status', headers })).statusCode).toBe(200)
  })
})

const row = { name: 'w1', type: 'worker', version: '4.14.7', address: '10.0.0.7', isConnected: true, state: 'ready', sinceMs: 1 } as const
const counts = { inSync: true, files: 9, pending: 0, failed: 0, activeAgents: 0, agents: {}, bytesSent: 0, bytesReceived: 0 } as const

/** The stream over a real socket: events as they come. */
const openStream = async (world: ApiWorld, headers: Record<string, string>) => {
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = world.app.server.address() as AddressInfo
  let text = ''
  let isOver = false
  const socket = request({ port, host: '127.0.0.1', path: '/cluster/stream?after=1', headers: { host: '127.0.0.1:55000', ...headers } })
  const status = await new Promise<number>((resolve, reject) => {
    socket.on('error', reject)
    socket.end()
    socket.on('response', (response) => {
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('close', () => {
        isOver = true
      })
      resolve(response.statusCode ?? 0)
    })
  })
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    status,
    until,
    text: () => text,
    isOver: () => isOver,
    events: () => [...text.matchAll(/^event: (\w+)$/gm)].map(([, event]) => event),
  }
}

describe('the stream of the page', () => {
  it('has all of it at the start, then what is new, a sign of life, and ends with its session', async () => {
    let files = 9
    const events: AnswerLine[] = [1, 2, 3].map((id) => ({ kind: 'event', event: { id, atMs: 1, level: 'info', message: `Event ${id}\n` } }))
    const world = new ApiWorld({
      answers: (asked) => {
        if (asked.kind === 'overview') return [{ kind: 'overview', node: { ...row, ...counts, files } }]
        return asked.kind === 'events' ? events.filter((line) => line.kind === 'event' && line.event.id > asked.after) : []
      },
    })
    const cookie = await cookieOf(world)
    const stream = await openStream(world, { cookie })
    expect(stream.status).toBe(200)
    await stream.until(() => stream.events().includes('overview'))
    expect(stream.text()).not.toContain('Event 1')
    expect(stream.events().filter((event) => event === 'event')).toHaveLength(2)
    files = 10
    events.push({ kind: 'event', event: { id: 4, atMs: 2, level: 'error', node: 'w1', message: 'Event 4' } })
    await world.clock.advance(limits.apiStreamPollMs)
    await stream.until(() => stream.text().includes('"files":10') && stream.text().includes('id: 4'))
    await world.clock.advance(limits.apiStreamAliveMs + limits.apiStreamPollMs)
    await stream.until(() => stream.events().includes('alive'))
    await world.clock.advance(limits.apiSessionIdleMs)
    await stream.until(stream.isOver)
    await world.app.close()
  })
})
