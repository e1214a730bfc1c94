/** Real balancers that say whom they forward, in front of the doors for agents: both versions of the header, before TCP and before TLS. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { freePort } from '../../examples/demo/nodeHome.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import { ProxyDoor } from '../../src/actors/kit/proxyDoor.js'
import { Deadlines } from '../../src/base/deadlines.js'
import { realClock } from '../../src/platform/machine/realClock.js'
import { createAgentNetwork } from '../../src/platform/net/agentNetwork.js'
import type { ByteStream } from '../../src/ports/network.js'
import { isMissing, nginxStreamModule } from '../support/debianProgram.js'

const host = '127.0.0.1'
/** Where the agents are, as seen by the balancer. */
const agent = '127.0.0.9'
const hello = 'hello'
const pem = (name: string): string => readFileSync(new URL(`../vectors/tls/${name}`, import.meta.url), 'utf8')

interface Ports {
  readonly tcp: number
  readonly tls: number
}

interface Balancer {
  readonly program: string
  readonly packages: string
  /** Files that it loads, which are not in its own package. */
  readonly files: readonly string[]
  readonly title: string
  configuration(front: Ports, back: Ports, directory: string): string
  flags(file: string): readonly string[]
}

const haproxy = (option: string): Balancer => ({
  program: 'haproxy',
  packages: 'haproxy',
  files: [],
  title: `HAProxy with ${option}`,
  configuration: (front, back) =>
    `defaults\n  mode tcp\n  timeout connect 2s\n  timeout client 10s\n  timeout server 10s\n${(['tcp', 'tls'] as const)
      .map((what) => `listen ${what}\n  bind ${host}:${front[what]}\n  server node ${host}:${back[what]} ${option} check inter 200ms\n`)
      .join('')}`,
  flags: (file) => ['-db', '-f', file],
})

const nginx: Balancer = {
  program: 'nginx',
  packages: 'nginx libnginx-mod-stream',
  files: [nginxStreamModule],
  title: 'nginx with proxy_protocol',
  configuration: (front, back, directory) =>
    `daemon off;\npid ${directory}/nginx.pid;\nerror_log ${directory}/error.log;\n${loadedModules}events { }\nstream {\n${(
      ['tcp', 'tls'] as const
    )
      .map((what) => `  server { listen ${host}:${front[what]}; proxy_pass ${host}:${back[what]}; proxy_protocol on; }\n`)
      .join('')}}\n`,
  flags: (file) => ['-c', file],
}

const loadedModules = 'include /etc/nginx/modules-enabled/*.conf;\n'

const answerOf = async (socket: ReturnType<typeof connect>): Promise<string> => {
  const parts: Buffer[] = []
  socket.on('error', () => {})
  socket.on('data', (bytes: Buffer) => parts.push(bytes))
  socket.write(hello)
  await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return Buffer.concat(parts).toString()
}

/** Says the peer's address once its greeting has come, perhaps in parts. */
const greeted = (stream: ByteStream): void => {
  let text = ''
  stream.attach({
    onBytes: (bytes) => {
      text += Buffer.from(bytes).toString()
      if (text !== hello) return
      stream.write([Buffer.from(stream.remoteAddress)])
      stream.end()
    },
    onDrain: () => {},
    onClosed: () => {},
  })
}

const withDoors = async (use: (back: Ports, refused: readonly string[]) => Promise<void>): Promise<void> => {
  const network = createAgentNetwork()
  const deadlines = new Deadlines(realClock)
  const refused: string[] = []
  const door = new ProxyDoor({ proxies: [host], deadlines, onStream: greeted, onRefused: ({ message }) => refused.push(message) })
  const tcp = await network.listen({ host, port: 0 }, (stream) => door.accept(stream))
  const tls = await network.listenTls(
    { host, port: 0 },
    { certificate: pem('server.cert'), key: pem('server.key'), handshakeMsMax: 5_000, proxies: [host] },
    greeted,
    ({ message }) => refused.push(message),
  )
  try {
    await use({ tcp: tcp.port, tls: tls.port }, refused)
  } finally {
    await Promise.all([tcp.close(), tls.close()])
    door.stop()
    deadlines.clear()
  }
}

describe.each([haproxy('send-proxy'), haproxy('send-proxy-v2'), nginx])(
  'behind $title',
  ({ configuration, files, flags, packages, program }) => {
    it.skipIf(isMissing(program, packages, files))("an agent's own address is known, over TCP and over TLS", () =>
      withDoors(async (back, refused) => {
        const directory = mkdtempSync(join(tmpdir(), 'muster-'))
        const front = { tcp: await freePort(), tls: await freePort() }
        const file = join(directory, 'configuration')
        writeFileSync(file, configuration(front, back, directory))
        const child = spawn(program, [...flags(file)], { stdio: ['ignore', 'ignore', 'inherit'] })
        try {
          const tcpAnswer = (): Promise<string> => answerOf(connect({ host, port: front.tcp, localAddress: agent }))
          await waitFor(`${program} forwards`, async () => (await tcpAnswer()) !== '')
          const tls = connectTls({ socket: connect({ host, port: front.tls, localAddress: agent }), rejectUnauthorized: false })
          expect([await tcpAnswer(), await answerOf(tls), refused]).toEqual([agent, agent, []])
        } finally {
          const ended = once(child, 'close')
          child.kill('SIGTERM')
          await ended
          rmSync(directory, { recursive: true })
        }
      }),
    )
  },
)
