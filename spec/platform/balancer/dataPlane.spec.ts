/** HAProxy's Data Plane API, over a fake of it: what is made at the start, conflicts, certificates, and answers that cannot be used. */
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import type { ServerOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { createDataPlane, type DataPlaneOptions, plainTextWarnings } from '../../../src/platform/balancer/dataPlane.js'
import type { Balancer } from '../../../src/ports/balancer.js'
import { FakeDataPlane } from '../../support/manager/fakeDataPlane.js'

const going = new AbortController().signal
const [user, password, backend, agentsPort] = ['wazuh', 'p"ss wörd', 'wazuh_reporting', 1_514]
const nodes = ['127.0.0.2', 'node.example']

let fakes: FakeDataPlane[] = []
let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'muster-data-plane-'))
})
afterEach(() => {
  for (const fake of fakes) fake.close()
  fakes = []
  rmSync(directory, { recursive: true })
})

interface Given {
  readonly version?: 'v1' | 'v2' | 'v3'
  readonly tls?: ServerOptions
  readonly options?: Partial<DataPlaneOptions>
}

const opened = async (given: Given = {}): Promise<{ readonly fake: FakeDataPlane; readonly balancer: Balancer }> => {
  const { balancer, fake } = await closed(given)
  await balancer.open(going)
  return { balancer, fake }
}

const closed = async ({ options, tls, version = 'v3' }: Given = {}) => {
  const fake = new FakeDataPlane({ version, user, password, nodes, ...(tls && { tls }) })
  fakes.push(fake)
  const port = await fake.listen()
  const access = { address: '127.0.0.1', port, protocol: tls ? 'https' : 'http' } as const
  const balancer = createDataPlane({ ...access, user, password, backend, agentsPort, ...options })
  return { balancer, fake, port }
}

const messageOf = async (call: Promise<unknown>): Promise<string> => {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(thrown).toMatchObject({ code: 'balancerFailed' })
  return thrown instanceof Error ? thrown.message : ''
}

describe.each(['v2', 'v3'] as const)('what the Data Plane API %s makes at the start', (version) => {
  it('is the backend and a frontend on the port of agents, once', async () => {
    const { balancer, fake } = await opened({ version })
    expect(fake.backends).toEqual([{ name: backend, mode: 'tcp', balance: { algorithm: 'leastconn' } }])
    expect(fake.frontends).toEqual([{ name: `${backend}_front`, mode: 'tcp', default_backend: backend }])
    expect([...fake.binds]).toEqual([[`${backend}_front`, [{ name: `${backend}_front_bind_1514`, address: '*', port: agentsPort }]]])
    const { reloads } = fake
    expect(await balancer.open(going)).toEqual({ version: '2.8.3', foreignFrontends: [], warnings: [], reloads: true })
    expect(fake.reloads).toBe(reloads)
  })

  it('is no second frontend where one is on the port, which is named unless it is for the backend', async () => {
    for (const [name, target, foreign] of [
      ['theirs', 'other', ['theirs']],
      ['agents', backend, []],
    ] as const) {
      const { balancer, fake } = await closed({ version })
      fake.backends.push({ name: backend })
      fake.frontends.push({ name: 'stats' }, { name, default_backend: target })
      fake.binds.set('stats', [{ name: 's', address: '*', port: 9_000 }])
      fake.binds.set(name, [{ name: 'b', address: '*', port: 1_500, 'port-range-end': 1_600 }])
      expect((await balancer.open(going)).foreignFrontends).toEqual(foreign)
      expect(fake.frontends.map((frontend) => frontend.name)).toEqual(['stats', name])
      expect(fake.reloads).toBe(0)
    }
  })

  it('is only the bind where the frontend has none', async () => {
    const { balancer, fake } = await closed({ version })
    fake.backends.push({ name: backend })
    fake.frontends.push({ name: `${backend}_front`, default_backend: backend })
    await balancer.open(going)
    expect(fake.frontends).toHaveLength(1)
    expect(fake.binds.get(`${backend}_front`)).toHaveLength(1)
  })
})

const two = [
  { kind: 'add', name: 'w1', address: '127.0.0.2' },
  { kind: 'add', name: 'w2', address: 'node.example' },
] as const

describe('a change by the Data Plane API', () => {
  it('is made again for the new version when another change came before, a bounded number of times', async () => {
    const { balancer, fake } = await opened()
    let changes = 3
    fake.beforeWrite = () => {
      if (changes-- > 0) fake.version += 5
    }
    await balancer.add({ name: 'w1', address: '127.0.0.2' }, going)
    expect(fake.servers).toHaveLength(1)
    let writes = 0
    fake.beforeWrite = () => {
      writes += 1
      fake.version += 1
    }
    expect(await messageOf(balancer.remove('w1', going))).toMatch(
      /was asked "POST \/services\/haproxy\/transactions" and answered: 409 .*version in configuration/,
    )
    expect(writes).toBe(limits.balancerConflictsMax + 1)
  })

  it.each(['v2', 'v3'] as const)('of %s is made again, all of it, when another came between its beginning and its end', async (version) => {
    const { balancer, fake } = await opened({ version })
    const { reloads } = fake
    let writes = 0
    fake.beforeWrite = () => {
      // The beginning, two servers, and then the end.
      if (++writes === 4) Object.assign(fake, { version: fake.version + 1, frontends: [...fake.frontends, { name: 'theirs' }] })
    }
    await balancer.together?.(two, going)
    expect(fake.servers.map(({ name }) => name)).toEqual(['w1', 'w2'])
    expect(fake.frontends.map(({ name }) => name)).toEqual([`${backend}_front`, 'theirs'])
    expect([fake.reloads - reloads, fake.transactions.size]).toEqual([1, 0])
  })

  it.each(['v2', 'v3'] as const)(
    'of %s of several servers is one reload, and one that is refused keeps no other from it',
    async (version) => {
      const { balancer, fake } = await opened({ version })
      // Of the backend, its frontend and the port of that.
      expect(fake.reloads).toBe(1)
      await balancer.together?.(two, going)
      fake.check()
      const agent = fake.connect()
      const changes = [
        { kind: 'remove', name: 'w1' },
        { kind: 'add', name: 'no name', address: '127.0.0.2' },
        { kind: 'remove', name: 'never' },
        { kind: 'add', name: 'w2', address: 'node.example' },
        { kind: 'add', name: 'w3', address: '127.0.0.2' },
      ] as const
      const outcomes = await balancer.together?.(changes, going)
      expect(outcomes?.map((error) => error?.code)).toEqual([undefined, 'balancerFailed', undefined, undefined, undefined])
      expect((await balancer.servers(going)).map(({ name, state }) => [name, state])).toEqual([
        ['w2', 'ready'],
        ['w3', 'ready'],
      ])
      expect([fake.reloads, agent.isOpen, fake.transactions.size]).toEqual([3, false, 0])
    },
  )

  it('is no reload when it changes nothing, and leaves nothing open when it is refused or given up', async () => {
    const { balancer, fake } = await opened()
    await balancer.together?.(two, going)
    const { reloads, version } = fake
    await balancer.together?.(two, going)
    await balancer.remove('never', going)
    expect(await messageOf(balancer.add({ name: 'no name', address: '127.0.0.2' }, going))).toMatch(/cannot have a server with the name/)
    const stopping = new AbortController()
    fake.afterAnswer = () => stopping.abort()
    await expect(balancer.add({ name: 'w3', address: '127.0.0.2' }, stopping.signal)).rejects.toMatchObject({ code: 'aborted' })
    await expect.poll(() => fake.transactions.size).toBe(0)
    expect([fake.reloads, fake.version]).toEqual([reloads, version])
  })

  it('sees what another made just before, and puts it right', async () => {
    const { balancer, fake } = await opened()
    fake.beforeWrite = () => {
      if (fake.servers.length === 0) fake.servers.push({ name: 'w1', address: '10.0.0.1', port: 1 })
    }
    await balancer.add({ name: 'w1', address: '127.0.0.2' }, going)
    expect(fake.servers).toMatchObject([{ name: 'w1', address: '127.0.0.2', port: agentsPort }])
  })

  it('of the hard stop keeps the rest of its section, also what others changed, and is not made twice', async () => {
    const { balancer, fake } = await opened()
    await balancer.setHardStop(45_000, going)
    expect(fake.global).toEqual({ daemon: true, maxconn: 4_000, pidfile: '/var/run/haproxy.pid', hard_stop_after: 45_000 })
    const { reloads } = fake
    await balancer.setHardStop(45_000, going)
    expect(fake.reloads).toBe(reloads)
    // Of another program, as soon as the section was read.
    let isFirst = true
    fake.afterAnswer = (line) => {
      if (isFirst && line.endsWith('/global')) {
        isFirst = false
        Object.assign(fake, { version: fake.version + 1, global: { ...fake.global, maxconn: 9_000 } })
      }
    }
    await balancer.setHardStop(50_000, going)
    expect(fake.global).toMatchObject({ maxconn: 9_000, hard_stop_after: 50_000 })
  })

  it('names the resolver for a server with a name, and for no other', async () => {
    const { balancer, fake } = await opened({ options: { resolver: 'dns' } })
    await balancer.add({ name: 'w1', address: '127.0.0.2' }, going)
    await balancer.add({ name: 'w2', address: 'node.example' }, going)
    expect(fake.servers.map(({ name, resolvers, 'init-addr': from }) => [name, resolvers, from])).toEqual([
      ['w1', undefined, undefined],
      ['w2', 'dns', 'last,libc,none'],
    ])
    const without = await opened()
    await without.balancer.add({ name: 'w2', address: 'node.example' }, going)
    expect(without.fake.servers[0]).not.toHaveProperty('resolvers')
  })
})

describe('the password', () => {
  it.each([
    ['http', '127.0.0.1', 0],
    ['http', '127.9.9.9', 0],
    ['http', '[::1]', 0],
    ['http', 'localhost', 0],
    ['https', '192.0.2.1', 0],
    ['http', '192.0.2.1', 1],
    ['http', 'haproxy.example', 1],
  ] as const)('is warned about where it goes to another machine in plain text: %s to %s', (protocol, address, count) => {
    expect(plainTextWarnings({ address, port: 5_555, protocol })).toHaveLength(count)
  })

  it('is refused in words that do not have it', async () => {
    const { balancer } = await closed({ options: { password: 'wrong one' } })
    const message = await messageOf(balancer.open(going))
    expect(message).toMatch(/^The load balancer at http:\/\/127\.0\.0\.1:\d+ does not know the user "wazuh" with this password \(401\)$/)
  })

  it('is in no sentence, whatever the other side says', async () => {
    const { balancer, fake } = await opened()
    const base64 = Buffer.from(`${user}:${password}`).toString('base64')
    for (const said of [password, base64, `Basic ${base64}`])
      for (const body of [said, JSON.stringify({ code: 500, message: `no: ${said}` }), JSON.stringify({ said })]) {
        fake.nextAnswer = (response) => response.writeHead(500).end(body)
        const message = await messageOf(balancer.servers(going))
        expect(message).toMatch(/was asked "GET .*" and answered: 500/)
        expect(message).not.toContain(password)
        expect(message).not.toContain(base64)
      }
  })
})

describe('an answer of the Data Plane API that cannot be used', () => {
  const answers: readonly (readonly [string, RegExp, (response: ServerResponse) => void])[] = [
    ['a page', /wrong shape/, (response) => response.end('<html></html>')],
    ['another shape', /wrong shape/, (response) => response.end('[{"name": 1}]')],
    ['nothing', /wrong shape/, (response) => response.writeHead(204).end()],
    ['a redirect', /answered: 302/, (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['a closed connection', /could not be asked "GET .*": socket hang up/, (response) => response.destroy()],
    [
      'half of an answer',
      /could not be asked/,
      (response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('[', () => response.destroy())
      },
    ],
    ['another protocol', /could not be asked/, (response) => response.writeHead(101, { upgrade: 'x', connection: 'upgrade' }).end()],
    ['too much', /more than \d+ bytes/, (response) => response.end(Buffer.alloc(limits.balancerAnswerBytesMax + 1, ' '))],
    ['lines', /answered: 500 a\\x1b\[31m b$/, (response) => response.writeHead(500).end('a\u001b[31m\nb')],
  ]
  it.each(answers)('is a failure in one sentence: %s', async (_, says, answer) => {
    const { balancer, fake } = await opened()
    fake.nextAnswer = answer
    const message = await messageOf(balancer.servers(going))
    expect(message).toMatch(says)
    expect(message).not.toContain('\n')
  })

  it('is a failure: there is none', async () => {
    const { balancer, fake } = await closed()
    fake.close()
    expect(await messageOf(balancer.open(going))).toMatch(/could not be asked "GET \/v3\/health": connect ECONNREFUSED/)
  })

  it('is a failure: it is of another program, or of another version', async () => {
    const { balancer } = await closed({ version: 'v1' })
    expect(await messageOf(balancer.open(going))).toMatch(/has neither version 3 nor version 2 of the Data Plane API$/)
  })
})

describe('the Data Plane API over TLS', () => {
  const vector = (name: string): string => new URL(`../../vectors/tls/${name}`, import.meta.url).pathname
  const text = (name: string): string => readFileSync(vector(name), 'utf8')
  const tls: ServerOptions = { cert: text('client.cert'), key: text('client.key') }
  const demanding: ServerOptions = { ...tls, ca: text('authority.cert'), requestCert: true, rejectUnauthorized: true }
  const certificatePath = vector('authority.cert')

  it('is refused under an authority that did not sign its certificate, and without one', async () => {
    for (const options of [{ certificatePath: vector('stranger.cert') }, {}]) {
      const { balancer } = await closed({ tls, options })
      expect(await messageOf(balancer.open(going))).toMatch(/could not be asked "GET \/v3\/health": .*certificate/)
    }
  })

  it('takes a certificate of ours with its key, which may have a password', async () => {
    const keyPath = join(directory, 'client.key')
    const key = createPrivateKey(text('client.key')).export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open' })
    writeFileSync(keyPath, key, { mode: 0o600 })
    const client = { certificatePath: vector('client.cert'), keyPath, keyPassword: 'open' }
    const { balancer } = await closed({ tls: demanding, options: { certificatePath, client } })
    expect(await balancer.open(going)).toMatchObject({ warnings: [] })
    const wrong = await closed({ tls: demanding, options: { certificatePath, client: { ...client, keyPassword: 'shut' } } })
    expect(await messageOf(wrong.balancer.open(going))).toMatch(/cannot be spoken to: /)
    const none = await closed({ tls: demanding, options: { certificatePath } })
    expect(await messageOf(none.balancer.open(going))).toMatch(/could not be asked/)
  })

  it('names the file that cannot be used', async () => {
    const missing = join(directory, 'none.pem')
    const { balancer } = await closed({ tls, options: { certificatePath: missing } })
    expect(await messageOf(balancer.open(going))).toMatch(/needs the file of "haproxy_cert": ENOENT/)
    writeFileSync(missing, 'not a certificate')
    expect(await messageOf(balancer.open(going))).toMatch(/authority's certificate cannot be used/)
  })
})

it('An address is the same however it is written, and the server stays', async () => {
  const { balancer, fake } = await opened()
  await balancer.add({ name: 'w1', address: '[2001:DB8::1]' }, going)
  expect(fake.servers).toMatchObject([{ address: '2001:DB8::1' }])
  const { reloads } = fake
  await balancer.add({ name: 'w1', address: '2001:db8:0::1' }, going)
  expect(fake.reloads).toBe(reloads)
})

it('A backend that HAProxy cannot have is refused at once', () => {
  for (const name of ['', 'a b', 'a\nb', 'x'.repeat(200)])
    expect(() => createDataPlane({ address: 'a', port: 1, protocol: 'http', user, password, backend: name, agentsPort })).toThrow(
      /haproxy_backend is .*: must be letters/,
    )
})
