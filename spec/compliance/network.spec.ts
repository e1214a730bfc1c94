/** The suite for the Network port, run on real TCP and on the simulated network. */
import { describe, it } from 'vitest'
import { createTcpNetwork } from '../../src/platform/net/tcp.js'
import { createSimulatedNetwork } from '../../src/simulation/network/simulatedNetwork.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type NetworkSuite, networkCases } from '../../src/testing/compliance/networkCases.js'
import { settledIn } from '../support/settledIn.js'

const tcp = (): NetworkSuite => {
  const network = createTcpNetwork()
  return {
    dialing: network,
    listening: network,
    listenHost: '127.0.0.1',
    dialHost: '127.0.0.1',
    run: (promise) => promise,
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

const simulated = (): NetworkSuite => {
  const clock = new VirtualClock()
  const network = createSimulatedNetwork({ clock, random: new SeededRandom(1), segmentedShare: 0.7 })
  return {
    dialing: network.network('w1'),
    listening: network.network('master'),
    listenHost: 'master',
    dialHost: 'master',
    run: settledIn(clock, 3_600_000),
    turn: () => clock.advance(5),
  }
}

describe.each([
  { name: 'TCP', suite: tcp },
  { name: 'the simulated network', suite: simulated },
])('$name', ({ suite }) => {
  for (const { title, run } of networkCases(suite)) it(title, run)
})
