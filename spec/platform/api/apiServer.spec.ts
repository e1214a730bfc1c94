/** The HTTP service over no socket: who may ask what, and how it is refused. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { ApiWorld, basic, rightPassword } from '../../support/api/apiWorld.js'

const problem = (title: string, detail: string) => ({ title, detail })

describe('a login', () => {
  it('is answered with a token in the envelope of Wazuh, or bare, and the token opens what a role may see', async () => {
    const world = new ApiWorld()
    const login = await world.login()
    expect([login.statusCode, login.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
    const { data, error } = login.json<{ data: { token: string }; error: number }>()
    expect([Object.keys(data), error]).toEqual([['token'], 0])
    const raw = await world.ask({ url: '/security/user/authenticate?raw=true', headers: { authorization: basic('bob', rightPassword) } })
    expect(raw.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(raw.body).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    const answer = await world.ask({ url: '/cluster/local/info', headers: { authorization: `Bearer ${raw.body}` } })
    expect(answer.json()).toEqual({
      data: {
        affected_items: [{ node: 'master-node', cluster: 'wazuh', type: 'master' }],
        total_affected_items: 1,
        total_failed_items: 0,
        failed_items: [],
      },
      message: 'All selected information was returned',
      error: 0,
    })
  })

  it('that is missing or wrong is refused as Wazuh refuses it', async () => {
    const world = new ApiWorld()
    const without = await world.ask({ url: '/cluster/local/info' })
    expect([without.statusCode, without.headers['content-type']]).toEqual([401, 'application/problem+json; charset=utf-8'])
    expect(without.json()).toEqual(problem('Unauthorized', 'No authorization token provided'))
    expect((await world.login('alice', 'wrong')).json()).toEqual(problem('Unauthorized', 'Invalid credentials'))
    expect((await world.login('nobody', rightPassword)).json()).toEqual(problem('Unauthorized', 'Invalid credentials'))
    const invalid = await world.ask({ url: '/cluster/status', headers: { authorization: 'Bearer a.b.c' } })
    expect(invalid.json()).toEqual(problem('Unauthorized', 'Invalid token'))
    expect(world.lines.filter((line) => line.includes(rightPassword))).toEqual([])
  })

  it('ends with its time, with a new password, with its user and with a logout', async () => {
    const world = new ApiWorld()
    const tokenOf = async () => (await world.login()).json<{ data: { token: string } }>().data.token
    const isTaken = async (token: string) =>
      (await world.ask({ url: '/cluster/status', headers: { authorization: `Bearer ${token}` } })).json<{ detail?: string }>().detail
    const first = await tokenOf()
    expect(await isTaken(first)).toBeUndefined()
    await world.clock.advance(limits.apiTokenMs - 1_000)
    expect(await isTaken(first)).toBeUndefined()
    await world.clock.advance(1_000)
    expect(await isTaken(first)).toBe('Token expired')
    const second = await tokenOf()
    await world.ask({ method: 'DELETE', url: '/security/user/authenticate', headers: { authorization: `Bearer ${second}` } })
    expect(await isTaken(second)).toBe('Invalid token')
    const third = await tokenOf()
    const [alice, bob] = world.users
    if (!alice || !bob) throw new Error('two users')
    world.users = [{ ...alice, password: bob.password.replace(/.$/, 'A') }, bob]
    expect(await isTaken(third)).toBe('Invalid token')
    world.users = [bob]
    expect(await isTaken(third)).toBe('Invalid token')
  })
})

describe('a request', () => {
  it('for an unknown path, method, parameter or host is refused before anything is asked', async () => {
    const world = new ApiWorld()
    expect((await world.ask({ url: '/nothing' })).json()).toEqual(problem('Not Found', '404: Not Found'))
    const wrongMethod = await world.ask({ method: 'PUT', url: '/cluster/status' })
    expect([wrongMethod.statusCode, wrongMethod.headers.allow]).toEqual([405, 'GET'])
    expect(wrongMethod.json()).toEqual(problem('Method Not Allowed', '405: Method Not Allowed'))
    expect((await world.get('/cluster/status?nonsense=1')).json()).toEqual(
      problem('Bad Request', 'Extra query parameter(s) nonsense not in spec'),
    )
    for (const host of [
      'evil.example',
      'evil.example:55000',
      '127.0.0.1',
      '127.0.0.1:80',
      'muster.example.evil:55000',
      'x@127.0.0.1:55000',
      '',
    ])
      expect([host, (await world.ask({ url: '/page/', headers: { host } })).statusCode]).toEqual([host, 421])
    for (const host of ['localhost:55000', '[::1]:55000', 'MUSTER.example.:55000', '127.0.0.1:55000'])
      expect([host, (await world.ask({ url: '/cluster/status', headers: { host } })).statusCode]).toEqual([host, 401])
    expect(world.asked).toEqual([])
  })

  it('is answered with the headers that keep a browser from harm, whatever the answer is', async () => {
    const world = new ApiWorld()
    for (const url of ['/cluster/status', '/nothing', '/page/', '/%zz', '/security/user/authenticate']) {
      const { headers } = await world.ask({ url })
      expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
      expect([headers['x-content-type-options'], headers['referrer-policy'], headers['cache-control']]).toEqual([
        'nosniff',
        'no-referrer',
        'no-store',
      ])
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })
})
