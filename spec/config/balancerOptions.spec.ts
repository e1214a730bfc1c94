/** `<haproxy_helper>` and `haproxy` of cluster.json: Wazuh's defaults and rules, one sentence for each mistake, no secret in any of them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { helperOptions } from '../../src/config/balancerOptions.js'
import { loadSettings } from '../../src/config/loadSettings.js'
import { defaultBalancing } from '../../src/domain/balancer/balancingOptions.js'
import { renderXml } from './renderedConfig.js'

const home = mkdtempSync(join(tmpdir(), 'muster-haproxy-'))
const confFile = join(home, 'etc/ossec.conf')
const jsonFile = join(home, 'etc/cluster.json')
const place = `${confFile}: <cluster><haproxy_helper>`
const cluster = { key: 'c98b62a9b6169ac5f67dae55ae4a9088', node: '192.0.2.1', disabled: 'no' }
const password = 'correct horse battery staple'
const required = { haproxy_disabled: 'no', haproxy_address: 'proxy.example.org', haproxy_user: 'wazuh', haproxy_password: password }

const elements = (options: Readonly<Record<string, string>>): string =>
  Object.entries(options)
    .map(([name, text]) => `<${name}>${text}</${name}>`)
    .join('')

const load = (options: Readonly<Record<string, string>> | undefined, { json = '{}', others = '', type = 'master' } = {}) => {
  const helper = options ? `<haproxy_helper>${elements(options)}</haproxy_helper>` : ''
  writeFileSync(confFile, renderXml({ ...cluster, node_type: type }, others).replace('</cluster>', `${helper}</cluster>`), { mode: 0o640 })
  writeFileSync(jsonFile, json, { mode: 0o640 })
  return loadSettings({ home, hasManager: () => false })
}
const balancerOf = (loaded: ReturnType<typeof load>) => {
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  return loaded.settings.balancer
}
const mistakesOf = (loaded: ReturnType<typeof load>): readonly string[] => (loaded.ok ? [] : loaded.mistakes)
const without = (name: string): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(required).filter(([other]) => other !== name))

beforeEach(() => mkdirSync(join(home, 'etc'), { recursive: true }))
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('<haproxy_helper>', () => {
  it('has Wazuh’s defaults for all but the address, the user and the password', () => {
    const loaded = load(required)
    expect(loaded).toMatchObject({ ok: true, warnings: [], notes: [] })
    expect(balancerOf(loaded)).toEqual({
      access: { kind: 'dataPlane', address: 'proxy.example.org', port: 5555, protocol: 'http', user: 'wazuh', password },
      backend: 'wazuh_reporting',
      agentsPort: 1514,
      balancing: defaultBalancing,
    })
  })

  it('takes every option, with paths relative to the home, and the agents’ port of <remote>', () => {
    const options = {
      ...required,
      ...{ haproxy_port: '5556', haproxy_protocol: 'https', haproxy_backend: 'agents', haproxy_resolver: 'dns' },
      ...{ haproxy_cert: 'etc/haproxy.pem', client_cert: '/certs/c.pem', client_cert_key: 'c.key', client_cert_password: 'pass' },
      ...{ excluded_nodes: '<node>w1</node><node>w-2</node>', frequency: '10', agent_chunk_size: '100' },
      ...{ agent_reconnection_time: '0', agent_reconnection_stability_time: '10', imbalance_tolerance: '0.25' },
      remove_disconnected_node_after: '0',
    }
    const loaded = load(options, { others: '<remote><port>2514</port></remote>', json: '{"haproxy": {"addresses": {"w3": "10.0.0.3"}}}' })
    expect(balancerOf(loaded)).toEqual({
      access: {
        ...{ kind: 'dataPlane', address: 'proxy.example.org', port: 5556, protocol: 'https', user: 'wazuh', password, resolver: 'dns' },
        certificatePath: join(home, 'etc/haproxy.pem'),
        client: { certificatePath: '/certs/c.pem', keyPath: join(home, 'c.key'), keyPassword: 'pass' },
      },
      backend: 'agents',
      agentsPort: 2514,
      balancing: {
        ...{ excludedNodes: ['w1', 'w-2'], addresses: { w3: '10.0.0.3' }, frequencyMs: 10_000, agentChunkSize: 100 },
        ...{ agentReconnectionMs: 0, stabilityMs: 10_000, imbalanceTolerance: 0.25, removeDisconnectedMs: 0 },
      },
    })
  })

  it('takes excluded nodes with commas between, too', () => {
    expect(balancerOf(load({ ...required, excluded_nodes: 'w1, w2 ,' }))?.balancing.excludedNodes).toEqual(['w1', 'w2'])
  })

  it.each(['haproxy_address', 'haproxy_user', 'haproxy_password'])('says in one sentence that <%s> is missing, or empty', (name) => {
    const sentence = expect.stringMatching(new RegExp(`^${place}<${name}> is missing: must be `))
    expect(mistakesOf(load(without(name)))).toEqual([sentence])
    expect(mistakesOf(load({ ...required, [name]: '' }))).toEqual([sentence])
  })

  it('needs a certificate for https, and the two halves of a client certificate', () => {
    expect(mistakesOf(load({ ...required, haproxy_protocol: 'https' }))).toEqual([
      `${place}<haproxy_cert> is missing: must be ${helperOptions.certificate.allowed}`,
    ])
    expect(mistakesOf(load({ ...required, client_cert: 'a' }))).toEqual([
      `${place}<client_cert> is given without <client_cert_key>: must be given together, or not at all`,
    ])
    expect(mistakesOf(load({ ...required, client_cert_key: 'a' }))).toEqual([
      `${place}<client_cert_key> is given without <client_cert>: must be given together, or not at all`,
    ])
    expect(load({ ...required, client_cert: 'a', client_cert_key: 'b' }).warnings).toEqual([
      `${place}<client_cert> has no effect: the protocol is not https`,
    ])
  })

  it('refuses what is out of its range, each in one sentence with the option, and shows no password', () => {
    const invalid: Readonly<Record<string, fc.Arbitrary<string>>> = {
      haproxy_disabled: fc.constantFrom('', 'true', 'No'),
      haproxy_address: fc.constantFrom('a b', '1.2.3', 'a;b', '-'),
      haproxy_user: fc.constantFrom('a:b', 'a\tb'),
      haproxy_password: fc.constantFrom('a\tb', 'x'.repeat(1_025)),
      haproxy_port: fc.constantFrom('0', '65536', 'x', '-1', ''),
      haproxy_protocol: fc.constantFrom('', 'HTTP', 'tcp'),
      haproxy_backend: fc.constantFrom('', 'a b', 'a;shutdown', 'a/b'),
      haproxy_resolver: fc.constantFrom('a b', 'a;b'),
      excluded_nodes: fc.constantFrom('w1;w2', '<node>a b</node>', '<node></node>', '<name>w1</name>', '..'),
      frequency: fc.constantFrom('9', '0', '-1', '1.5', '1m', ''),
      agent_chunk_size: fc.constantFrom('99', '0', '20001', 'x'),
      agent_reconnection_time: fc.constantFrom('-1', '1.5', ''),
      agent_reconnection_stability_time: fc.constantFrom('9', '', 'x'),
      imbalance_tolerance: fc.constantFrom('0', '0.0', '1.1', '-0.1', '10%', '1e-1', ''),
      remove_disconnected_node_after: fc.constantFrom('-1', '4h', ''),
    }
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(invalid)).chain((name) => fc.tuple(fc.constant(name), invalid[name] ?? fc.constant(''))),
        ([name, text]) => {
          const [mistake = '', ...more] = mistakesOf(load({ ...required, [name]: text }))
          expect(more).toEqual([])
          expect(mistake.startsWith(`${place}<${name}>`), mistake).toBe(true)
          expect(mistake).toMatch(/(: must be|must be) /)
          expect(mistake).not.toContain(password)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('is off unless <haproxy_disabled> is no, and says so; its mistakes are notes then', () => {
    for (const options of [{}, { haproxy_disabled: 'yes' }]) {
      const loaded = load({ ...options, frequency: '1' })
      expect(balancerOf(loaded)).toBeUndefined()
      const [first, ...others] = [...loaded.notes].reverse()
      expect(first).toBe(`${place} is off: the HAProxy helper runs with <haproxy_disabled>no</haproxy_disabled>`)
      expect(others.filter((note) => note.endsWith('(fix this before you switch the HAProxy helper on)'))).toHaveLength(4)
    }
    expect(load(undefined)).toMatchObject({ ok: true, warnings: [], notes: [] })
  })

  it('is the master’s: a worker says so in one line, whatever it contains', () => {
    const loaded = load({ ...required, frequency: '1', haproxy_address: 'a b' }, { type: 'worker' })
    expect(balancerOf(loaded)).toBeUndefined()
    expect(loaded.notes).toEqual([`${place} is the master's: the HAProxy helper does not run on a worker`])
  })

  it('warns of an option that Wazuh does not know', () => {
    expect(load({ ...required, colour: 'red' }).warnings).toEqual([expect.stringContaining(`${place}<colour> is not a known option`)])
  })
})

describe('haproxy.runtime_socket', () => {
  const withSocket = (socket: unknown, options: Readonly<Record<string, string>> | undefined = { haproxy_disabled: 'no' }) =>
    load(options, { json: JSON.stringify({ haproxy: { runtime_socket: socket } }) })

  it('takes the place of the Data Plane API, whose options are not needed any more', () => {
    expect(balancerOf(withSocket('/run/haproxy/admin.sock'))?.access).toEqual({
      kind: 'runtimeSocket',
      socket: { path: '/run/haproxy/admin.sock' },
    })
    expect(balancerOf(withSocket('var/run/haproxy.sock'))?.access).toMatchObject({ socket: { path: join(home, 'var/run/haproxy.sock') } })
    expect(balancerOf(withSocket('proxy:9999'))?.access).toMatchObject({ socket: { host: 'proxy', port: 9999 } })
    expect(balancerOf(withSocket('[::1]:9999'))?.access).toMatchObject({ socket: { host: '::1', port: 9999 } })
    expect(mistakesOf(withSocket('a/b', { haproxy_disabled: 'no', haproxy_address: 'a b' }))).toHaveLength(1)
  })

  it.each(['haproxy.sock', 'proxy', 'proxy:0', 'proxy:65536', ':9999', 'a b:1', 7, null])('refuses %j in one sentence', (socket) => {
    const [mistake, ...more] = mistakesOf(withSocket(socket, required))
    expect(more).toEqual([])
    expect(mistake).toContain(`${jsonFile}: haproxy.runtime_socket is ${JSON.stringify(socket)}: must be the path of the socket`)
  })

  it('has no effect without <haproxy_helper>, and a note says so', () => {
    expect(load(undefined, { json: '{"haproxy": {"runtime_socket": "/a"}}' }).notes).toEqual([
      `${place} is missing: without it "haproxy" in etc/cluster.json has no effect`,
    ])
  })
})

describe('haproxy.addresses', () => {
  it.each([{ 'a b': '10.0.0.1' }, { w1: 'a b' }, { w1: '' }, { w1: 7 }, [], 'x'])('refuses %j in one sentence', (addresses) => {
    const [mistake, ...more] = mistakesOf(load(required, { json: JSON.stringify({ haproxy: { addresses } }) }))
    expect(more).toEqual([])
    expect(mistake).toContain(`${jsonFile}: haproxy.addresses is `)
  })
})
