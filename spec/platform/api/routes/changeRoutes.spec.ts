/** Calls of the API that change something: for administrators only, and from a browser only by our own page. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../../src/base/errors.js'
import { ApiWorld, rightPassword, tokenHeader } from '../../../support/api/apiWorld.js'

const world = () =>
  new ApiWorld({
    answers: (request) => {
      if (request.kind === 'createGroup' && request.group === 'there') throw new ClusterError('groupExists')
      if (request.kind === 'addAgent') return [{ kind: 'added', entry: { id: 9, name: request.name, ip: request.ip, key: request.key } }]
      return [{ kind: 'done', changed: 0 }]
    },
  })

const post = async (of: ApiWorld, url: string, body: object, user?: string) =>
  of.ask({ method: 'POST', url, headers: await tokenHeader(of, user), payload: body })

describe('a change', () => {
  it('is made for an administrator, and answered as Wazuh answers it', async () => {
    const of = world()
    expect((await post(of, '/groups', { group_id: 'web' })).json()).toEqual({ message: "Group 'web' created.", error: 0 })
    const added = (await post(of, '/agents', { name: 'agent9', ip: '10.0.0.9' })).json<{
      data: { id: string; key: string }
      error: number
    }>()
    expect([added.data.id, added.error]).toEqual(['009', 0])
    expect(Buffer.from(added.data.key, 'base64').toString()).toMatch(/^009 agent9 10\.0\.0\.9 [0-9a-f]{64}$/)
    expect(of.lines).toContain("info: User 'alice' added the agent 'agent9'.")
    expect(of.lines.join('\n')).not.toContain(Buffer.from(added.data.key, 'base64').toString().slice(-64))
    expect((await post(of, '/groups', { group_id: 'there' })).json()).toEqual({
      title: 'Bad Request',
      detail: 'The group already exists',
      error: 1711,
    })
    expect((await post(of, '/agents', { name: 'x', force: true })).statusCode).toBe(400)
  })

  it('is refused to a reader, and to a browser that another page sent', async () => {
    const of = world()
    for (const url of ['/groups', '/agents']) {
      expect((await post(of, url, { group_id: 'web', name: 'web' }, 'bob')).json()).toMatchObject({
        title: 'Permission Denied',
        error: 4000,
      })
      const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' }
      const login = await of.ask({
        method: 'POST',
        url: '/page/login',
        headers,
        payload: JSON.stringify({ user: 'alice', password: rightPassword }),
      })
      const cookie = String(login.headers['set-cookie']).split(';')[0] ?? ''
      for (const site of ['cross-site', 'same-site', 'none'])
        expect(
          (await of.ask({ method: 'POST', url, headers: { ...headers, cookie, 'sec-fetch-site': site }, payload: '{"group_id":"web"}' }))
            .statusCode,
        ).toBe(403)
    }
    expect(of.asked).toEqual([])
  })
})
