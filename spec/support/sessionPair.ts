/** A master's and a worker's end of a link over a network in memory, in virtual time. */
import { ok, type Result } from '../../src/base/errors.js'
import type { AdmissionPolicy, Link, Refusal, RequestOptions, Transport } from '../../src/ports/link.js'
import type { Network } from '../../src/ports/network.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { createTransport, type TransportOptions } from '../../src/transport/transport.js'
import type { Hello, Welcome } from '../../src/wire/muster/messages.js'
import { MemoryNetwork, type MemoryNetworkOptions } from './memoryNetwork.js'

export const endpoint = { host: 'memory', port: 1516 }
export const hello: Hello = {
  cluster: 'wazuh',
  node: 'worker-1',
  type: 'worker',
  instance: 'one',
  version: 'v1',
  wazuh: '4.14.6',
  capabilities: ['zstd'],
}
export const welcome: Welcome = { cluster: 'wazuh', node: 'master', version: 'v2', wazuh: '4.14.7', capabilities: [] }
export const forever: AbortSignal = new AbortController().signal
export const patient: RequestOptions = { signal: forever, timeoutMs: 20_000 }

export interface Acceptor {
  readonly links: Link[]
  readonly refusals: Refusal[]
  readonly policy: AdmissionPolicy
}

export const recordingAcceptor = (admit: (hello: Hello) => Result<Welcome> = () => ok(welcome)): Acceptor => {
  const links: Link[] = []
  const refusals: Refusal[] = []
  return { links, refusals, policy: { admit, onLink: (link) => links.push(link), onRefusal: (refusal) => refusals.push(refusal) } }
}

export type Own = Partial<Omit<TransportOptions, 'network' | 'clock'>>

export const transportOver = (network: Network, clock: VirtualClock, own: Own = {}): Transport =>
  createTransport({ network, clock, random: new SeededRandom('session'), keys: { current: 'a shared key' }, ...own })

export interface SessionPair {
  readonly clock: VirtualClock
  readonly network: MemoryNetwork
  readonly worker: Link
  readonly master: Link
}

/** The result of a promise, once enough virtual time has passed. */
export const outcome = async <T>(
  clock: VirtualClock,
  promise: Promise<T>,
  maxMs = 60_000,
): Promise<{ readonly value?: T; readonly error?: unknown }> => {
  let settled: { readonly value?: T; readonly error?: unknown } | undefined
  promise.then(
    (value) => {
      settled = { value }
    },
    (error: unknown) => {
      settled = { error }
    },
  )
  await clock.runUntil(() => settled !== undefined, maxMs)
  if (settled === undefined) throw new Error('nothing came of it')
  return settled
}

export const sessionPair = async (
  options: MemoryNetworkOptions = {},
  own: Own = {},
  acceptor = recordingAcceptor(),
  workersHello = hello,
): Promise<SessionPair> => {
  const clock = new VirtualClock()
  const network = new MemoryNetwork(options)
  await transportOver(network, clock, own).listen(endpoint, acceptor.policy)
  const dialed = await outcome(clock, transportOver(network, clock, own).dial(endpoint, workersHello, forever))
  const [master] = acceptor.links
  if (!dialed.value || !master) throw dialed.error ?? new Error('no link')
  await clock.advance(0)
  return { clock, network, worker: dialed.value, master }
}
