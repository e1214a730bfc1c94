/** The HTTP service on real sockets: what is no request, connections beyond the bounds, and where it may listen. */
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { ApiListener } from '../../../src/platform/api/apiListener.js'
import type { ApiOptions } from '../../../src/ports/api.js'
import { ApiWorld } from '../../support/api/apiWorld.js'

const started: ApiListener[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(started.splice(0).map((listener) => listener.stop()))
})

const start = async (options: Partial<ApiOptions> = {}, users?: ApiWorld['users']) => {
  const world = new ApiWorld({ options: { port: 0, ...options } })
  if (users) world.users = users
  const listener = new ApiListener(world.given)
  started.push(listener)
  return { world, port: await listener.start() }
}

const open = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1' })
  sockets.push(socket)
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

/** All that is answered until the connection ends. */
const answered = async (socket: Socket, request: string): Promise<string> => {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  socket.write(request)
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

describe('the port of the HTTP service', () => {
  it('answers to its own port in the Host, and refuses what is no request or too large', async () => {
    const { port } = await start()
    const get = (host: string, extra = '') => `GET /cluster/status HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${extra}\r\n`
    expect(await answered(await open(port), get(`127.0.0.1:${port}`))).toMatch(/^HTTP\/1\.1 401 [\s\S]*"No authorization token provided"/)
    expect(await answered(await open(port), get('evil.example'))).toMatch(/^HTTP\/1\.1 421 /)
    expect(await answered(await open(port), 'GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    const garbage = await answered(await open(port), '\x16\x03\x01 hello\r\n\r\n')
    expect(garbage).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*content-security-policy: default-src 'none'[\s\S]*"This is not a request of HTTP\/1\.1"/,
    )
    const large = await answered(await open(port), get(`127.0.0.1:${port}`, `X: ${'x'.repeat(limits.apiHeaderBytesMax)}\r\n`))
    expect(large).toMatch(/^HTTP\/1\.1 431 /)
    const smuggled = `POST /page/login HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    expect(await answered(await open(port), smuggled)).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('closes connections of an address beyond its share, and takes new ones when others end', async () => {
    const { port } = await start()
    const kept = await Promise.all(Array.from({ length: limits.apiConnectionsPerAddressMax }, () => open(port)))
    const refused = await open(port)
    await new Promise((resolve) => refused.once('close', resolve))
    const [first] = kept
    first?.destroy()
    const request = `GET /nothing HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`
    let text = ''
    while (!text.startsWith('HTTP/1.1 404')) text = await answered(await open(port), request)
    expect(text).toContain('404: Not Found')
  })

  it('is opened to other machines with TLS and a user only, and says what is missing', async () => {
    await expect(start({ address: '0.0.0.0' })).rejects.toMatchObject({
      code: 'configInvalid',
      message: expect.stringContaining('only over TLS: set certificate and key of api'),
    })
    await expect(start({ certificatePath: '/nowhere', keyPath: '/nowhere' })).rejects.toMatchObject({
      code: 'configInvalid',
      message: expect.stringContaining('/nowhere (api.certificate) cannot be read'),
    })
    const { world } = await start({}, [])
    expect(world.lines).toContain('warning: Nobody can log in: `muster-api user add NAME` makes a user.')
    const { port } = await start()
    await expect(start({ port })).rejects.toMatchObject({
      code: 'listenFailed',
      message: `Cannot listen on 127.0.0.1:${port}: another program has the port`,
    })
  })
})
