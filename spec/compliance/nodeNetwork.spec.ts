/** The suites for the network of nodes that have certificates, run on real TLS and on the simulated one. */
import { describe, it } from 'vitest'
import { createNodeNetwork } from '../../src/platform/net/nodeNetwork.js'
import { createTcpNetwork } from '../../src/platform/net/tcp.js'
import { createSimulatedNetwork } from '../../src/simulation/network/simulatedNetwork.js'
import { createSimulatedNodeNetwork } from '../../src/simulation/network/simulatedNodeNetwork.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type NetworkSuite, networkCases } from '../../src/testing/compliance/networkCases.js'
import { type NodeNetworkSuite, nodeNetworkCases } from '../../src/testing/compliance/nodeNetworkCases.js'
import { nodeNameOf, nodeVector, simulatedCertificatesOf } from '../support/certificates/nodeCertificates.js'
import { settledIn } from '../support/settledIn.js'

type Suite = NodeNetworkSuite & Pick<NetworkSuite, 'turn'>

const real = (): Suite => ({
  network: (kind) => createNodeNetwork(nodeVector(kind)),
  plain: () => createTcpNetwork(),
  nameOf: nodeNameOf,
  listenHost: '127.0.0.1',
  dialHost: '127.0.0.1',
  run: (promise) => promise,
  turn: () => new Promise((resolve) => setImmediate(resolve)),
})

const simulated = (): Suite => {
  const clock = new VirtualClock()
  const random = new SeededRandom(1)
  const network = createSimulatedNetwork({ clock, random, segmentedShare: 0.7 })
  let networks = 0
  const host = (side: 'dialing' | 'listening') => network.network(side === 'dialing' ? 'w1' : 'master')
  return {
    network: (kind, side) =>
      createSimulatedNodeNetwork({
        ...{ network: host(side), clock, certificates: simulatedCertificatesOf(kind) },
        random: random.fork(`${kind} ${++networks}`),
      }),
    plain: host,
    nameOf: nodeNameOf,
    listenHost: 'master',
    dialHost: 'master',
    run: settledIn(clock, 3_600_000),
    turn: () => clock.advance(5),
  }
}

const asNetworks = (suite: Suite): NetworkSuite => ({
  ...suite,
  dialing: suite.network('valid', 'dialing'),
  listening: suite.network('other', 'listening'),
})

describe.each([
  { name: 'TLS between nodes', suite: real },
  { name: 'simulated TLS between nodes', suite: simulated },
])('$name', ({ suite }) => {
  for (const { title, run } of nodeNetworkCases(suite)) it(title, run)
  describe('is a network:', () => {
    for (const { title, run } of networkCases(() => asNetworks(suite()))) it(title, run)
  })
})
