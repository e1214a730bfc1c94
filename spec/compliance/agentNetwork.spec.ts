/** The suites for TLS and datagrams of the AgentNetwork port, run on the real network and on the simulated one. */
import { readFileSync } from 'node:fs'
import { describe, it } from 'vitest'
import { createAgentNetwork } from '../../src/platform/net/agentNetwork.js'
import { simulatedAuthority, simulatedIdentity } from '../../src/simulation/network/simulatedCertificates.js'
import { createSimulatedNetwork } from '../../src/simulation/network/simulatedNetwork.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type DatagramSuite, datagramCases } from '../../src/testing/compliance/datagramCases.js'
import { tlsCases } from '../../src/testing/compliance/tlsCases.js'
import type { TlsSuite } from '../../src/testing/compliance/tlsConnections.js'
import { settledIn } from '../support/settledIn.js'

const pem = (name: string): string => readFileSync(new URL(`../vectors/tls/${name}`, import.meta.url), 'utf8')
const identityIn = (name: string) => ({ certificate: pem(`${name}.cert`), key: pem(`${name}.key`) })

const real = (): TlsSuite & DatagramSuite => {
  const network = createAgentNetwork()
  const host = '127.0.0.1'
  return {
    dialing: network,
    listening: network,
    here: network,
    there: network,
    listenHost: host,
    dialHost: host,
    hereHost: host,
    thereHost: host,
    run: (promise) => promise,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    identities: {
      server: identityIn('server'),
      client: { ...identityIn('client'), names: ['agent.example', 'agent.example.com', '*.agents.example', '127.0.0.1', 'fd00::1'] },
      stranger: identityIn('stranger'),
      authority: pem('authority.cert'),
    },
  }
}

const names = ['agent.example', '127.0.0.1']

const simulated = (): TlsSuite & DatagramSuite => {
  const clock = new VirtualClock()
  const network = createSimulatedNetwork({ clock, random: new SeededRandom(1), segmentedShare: 0.7 })
  return {
    dialing: network.network('w1'),
    listening: network.network('master'),
    here: network.network('w1'),
    there: network.network('master'),
    listenHost: 'master',
    dialHost: 'master',
    hereHost: 'w1',
    thereHost: 'master',
    run: settledIn(clock, 3_600_000),
    sleep: (ms) => clock.advance(ms),
    identities: {
      server: simulatedIdentity('itself', ['manager.example']),
      client: { ...simulatedIdentity('authority', names), names },
      stranger: simulatedIdentity('another', ['agent.example']),
      authority: simulatedAuthority('authority'),
    },
  }
}

describe.each([
  { name: 'the real network', suite: real },
  { name: 'the simulated network', suite: simulated },
])('$name', ({ suite }) => {
  describe('TLS', () => {
    for (const { title, run } of tlsCases(suite)) it(title, run)
  })
  describe('datagrams', () => {
    for (const { title, run } of datagramCases(suite)) it(title, run)
  })
})
