/** HAProxy's runtime socket, of a real HAProxy where it has something to refuse, and of programs that are not HAProxy. */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { HaproxyProcess } from '../../../examples/demo/haproxyProcess.js'
import { freePort } from '../../../examples/demo/nodeHome.js'
import { limits } from '../../../src/base/limits.js'
import type { RuntimePlace } from '../../../src/platform/balancer/runtimeConnection.js'
import { createRuntimeSocket } from '../../../src/platform/balancer/runtimeSocket.js'
import { isMissing } from '../../support/debianProgram.js'

const going = new AbortController().signal
const agentsPort = 1_514

const messageOf = async (call: Promise<unknown>): Promise<string> => {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(thrown).toMatchObject({ code: 'balancerFailed' })
  return thrown instanceof Error ? thrown.message : ''
}

const backends = `
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
backend wazuh_reporting
    balance leastconn
    server fixed 127.0.0.1:1
backend static
    balance static-rr
`

const withHaproxy = async (configuration: string, use: (haproxy: HaproxyProcess) => Promise<void>): Promise<void> => {
  const haproxy = new HaproxyProcess(configuration)
  try {
    await haproxy.start()
    await use(haproxy)
  } finally {
    await haproxy.stop()
  }
}

const at = (socket: RuntimePlace, backend = 'wazuh_reporting') => createRuntimeSocket({ socket, backend, agentsPort })

describe.skipIf(isMissing('haproxy', 'haproxy'))('a HAProxy', () => {
  it('says in words which backend it lacks, and which takes no servers', () =>
    withHaproxy(backends, async ({ socket: path }) => {
      expect(await messageOf(at({ path }, 'none').open(going))).toMatch(
        /^The load balancer at \S+ has no backend "none": it and its frontend/,
      )
      const balancer = at({ path }, 'static')
      await balancer.open(going)
      expect(await messageOf(balancer.add({ name: 'w1', address: '127.0.0.1' }, going))).toMatch(/use "balance leastconn"/)
      expect(await balancer.servers(going)).toEqual([])
    }))

  it('is asked over TCP too, and says when its socket allows no changes', async () => {
    const port = await freePort()
    await withHaproxy(`    stats socket ipv4@127.0.0.1:${port} level operator\n${backends}`, async () => {
      const balancer = at({ host: '127.0.0.1', port })
      expect((await balancer.open(going)).version).toMatch(/^\d+\.\d+/)
      const says = new RegExp(`^The load balancer at 127.0.0.1:${port} does not allow changes .*"level admin"$`)
      expect(await messageOf(balancer.add({ name: 'w1', address: '127.0.0.1' }, going))).toMatch(says)
      expect(await messageOf(balancer.remove('fixed', going))).toMatch(says)
    })
  })

  it('has servers of its configuration too, which can be drained and removed', () =>
    withHaproxy(backends, async ({ socket: path }) => {
      const balancer = at({ path })
      await balancer.setState('fixed', 'drain', going)
      expect(await balancer.servers(going)).toMatchObject([{ name: 'fixed', state: 'drain', port: 1 }])
      await balancer.remove('fixed', going)
      expect(await balancer.servers(going)).toEqual([])
    }))

  it('has the address of a server that was added by its name, which is shown while it leads there', () =>
    withHaproxy(backends, async ({ socket: path }) => {
      const balancer = at({ path })
      await balancer.add({ name: 'w1', address: 'localhost' }, going)
      const ofW1 = async (seen = balancer) => (await seen.servers(going)).find(({ name }) => name === 'w1')
      expect(await ofW1()).toMatchObject({ address: 'localhost' })
      const another = at({ path })
      expect(await ofW1(another)).toMatchObject({ address: '127.0.0.1' })
      await another.add({ name: 'w1', address: 'localhost' }, going)
      expect(await ofW1(another)).toMatchObject({ address: 'localhost', state: 'ready' })
      await another.add({ name: 'w1', address: '127.0.0.9' }, going)
      expect(await ofW1(another)).toMatchObject({ address: '127.0.0.9' })
      expect(await ofW1()).toMatchObject({ address: '127.0.0.9' })
      expect(await messageOf(balancer.add({ name: 'w2', address: 'none.invalid' }, going))).toMatch(/needs the address of "none.invalid"/)
    }))

  it('that was started again has none of the servers that were added, and takes them again', () =>
    withHaproxy(backends, async (haproxy) => {
      const balancer = at({ path: haproxy.socket })
      await balancer.add({ name: 'w1', address: '127.0.0.1' }, going)
      await haproxy.kill()
      expect(await messageOf(balancer.servers(going))).toMatch(/could not be asked "show servers state wazuh_reporting": connect E/)
      await haproxy.start()
      const names = async () => (await balancer.servers(going)).map(({ name }) => name)
      expect(await names()).toEqual(['fixed'])
      await balancer.add({ name: 'w1', address: '127.0.0.1' }, going)
      expect(await names()).toEqual(['fixed', 'w1'])
    }))
})

describe('what is not a HAProxy', () => {
  let server: Server | undefined
  const sockets: Socket[] = []
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy()
    server?.close()
  })

  const answering = async (answer: (socket: Socket) => void): Promise<RuntimePlace> => {
    server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.once('data', () => answer(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    return { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 }
  }

  it.each<readonly [string, RegExp, (socket: Socket) => void]>([
    ['one that closes', /was asked "show info" and answered: nothing$/, (socket) => socket.end()],
    ['one that resets', /could not be asked "show info": read ECONNRESET/, (socket) => socket.resetAndDestroy()],
    [
      'one that speaks HTTP',
      /was asked "show info" and answered: HTTP\/1.1 400 Bad Request/,
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ],
    ['one that never ends', /more than \d+ bytes/, (socket) => flood(socket)],
    ['an escape', /answered: a\\x1b\[31mb$/, (socket) => socket.end('a\u001b[31mb')],
  ])('is a failure in one sentence: %s', async (_, says, answer) => {
    const message = await messageOf(at(await answering(answer)).open(going))
    expect(message).toMatch(says)
    expect(message).not.toContain('\n')
    expect(message.length).toBeLessThan(2 * limits.balancerAnswerCharsMax + 200)
  })

  it('has carried out nothing when it closes without an answer', async () => {
    const balancer = at(await answering((socket) => socket.end()))
    for (const call of [() => balancer.setState('w1', 'ready', going), () => balancer.remove('w1', going), () => balancer.servers(going)])
      expect(await messageOf(call())).toMatch(/^The load balancer at 127/)
  })

  it('is a failure: no socket', async () => {
    expect(await messageOf(at({ path: '/nowhere/haproxy.sock' }).open(going))).toBe(
      'The load balancer at /nowhere/haproxy.sock could not be asked "show info": connect ENOENT /nowhere/haproxy.sock',
    )
  })

  it('is given up when the call is', async () => {
    const stop = new AbortController()
    const place = await answering(() => stop.abort())
    await expect(at(place).open(stop.signal)).rejects.toMatchObject({ code: 'aborted' })
  })
})

const flood = (socket: Socket): void => {
  const more = (): void => {
    while (!socket.destroyed && socket.write(Buffer.alloc(1 << 20, 'x')));
  }
  socket.on('drain', more)
  more()
}
