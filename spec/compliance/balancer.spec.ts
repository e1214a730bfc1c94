/** The suite for the Balancer port, run on a real HAProxy by its runtime socket, on both Data Plane APIs over a fake of them, and simulated. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, it } from 'vitest'
import { HaproxyProcess } from '../../examples/demo/haproxyProcess.js'
import { createDataPlane } from '../../src/platform/balancer/dataPlane.js'
import { createRuntimeSocket } from '../../src/platform/balancer/runtimeSocket.js'
import { SimulatedBalancer } from '../../src/simulation/network/simulatedBalancer.js'
import { createSimulatedNetwork } from '../../src/simulation/network/simulatedNetwork.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type BalancerSuite, balancerCases } from '../../src/testing/compliance/balancerCases.js'
import { absentAddress, BalancedNodes, balancerAddress, nodeAddresses } from '../support/balancedNodes.js'
import { isMissing } from '../support/debianProgram.js'
import { FakeDataPlane } from '../support/manager/fakeDataPlane.js'
import { settledIn } from '../support/settledIn.js'

const backend = 'wazuh_reporting'

const configuration = (port: number): string => `defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
frontend ${backend}_front
    bind ${balancerAddress}:${port}
    default_backend ${backend}
backend ${backend}
    balance leastconn
`

const runtimeSocket = async (): Promise<BalancerSuite> => {
  const nodes = await BalancedNodes.listen()
  const haproxy = new HaproxyProcess(configuration(nodes.port))
  await haproxy.start()
  const create = () => createRuntimeSocket({ socket: { path: haproxy.socket }, backend, agentsPort: nodes.port })
  return {
    balancer: create(),
    another: create,
    nodes: nodeAddresses,
    absentNode: absentAddress,
    agentsPort: nodes.port,
    connect: () => nodes.connect(),
    settle: (call) => call,
    turn: () => pause(20),
    dispose: async () => {
      nodes.close()
      await haproxy.stop()
    },
  }
}

const dataPlane = (version: 'v2' | 'v3') => async (): Promise<BalancerSuite> => {
  const [user, password, agentsPort] = ['wazuh', 'a secret', 1_514]
  const fake = new FakeDataPlane({ version, user, password, nodes: nodeAddresses })
  const access = { address: '127.0.0.1', port: await fake.listen(), protocol: 'http', user, password } as const
  const create = () => createDataPlane({ ...access, backend, agentsPort })
  return {
    balancer: create(),
    another: create,
    nodes: nodeAddresses,
    absentNode: absentAddress,
    agentsPort,
    connect: async () => fake.connect(),
    settle: (call) => call,
    turn: async () => fake.check(),
    dispose: async () => fake.close(),
  }
}

const simulated = async (): Promise<BalancerSuite> => {
  const clock = new VirtualClock()
  const network = createSimulatedNetwork({ clock, random: new SeededRandom(1), segmentedShare: 0 })
  const settle = settledIn(clock)
  const agentsPort = 1_514
  const nodes = ['node-1', 'node-2', 'node-3'] as const
  for (const name of nodes)
    await settle(
      network.network(name).listen({ host: name, port: agentsPort }, (stream) => {
        stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
        stream.write([Buffer.from(name)])
      }),
    )
  const balancer = new SimulatedBalancer({ network: network.network('haproxy'), clock, agentsPort, note: () => {}, violated: () => {} })
  await settle(balancer.start())
  return {
    balancer: balancer.port(clock),
    another: () => balancer.port(clock),
    nodes,
    absentNode: 'node-4',
    agentsPort,
    connect: async () => {
      const stream = await network.network('agents').dial({ host: 'haproxy', port: agentsPort }, new AbortController().signal)
      let isOpen = true
      const greeting = await new Promise<string>((resolve, reject) =>
        stream.attach({
          onBytes: (bytes) => resolve(Buffer.from(bytes).toString()),
          onDrain: () => {},
          onClosed: () => {
            isOpen = false
            reject(new Error('The balancer closed the connection'))
          },
        }),
      )
      return {
        address: greeting,
        get isOpen() {
          return isOpen
        },
      }
    },
    settle,
    turn: () => clock.advance(20),
    dispose: () => settle(balancer.stop()),
  }
}

// The checks of real servers take a second: the cases, which share nothing, wait for theirs together.
describe.skipIf(isMissing('haproxy', 'haproxy')).concurrent("HAProxy's runtime socket", () => {
  for (const { run, title } of balancerCases(runtimeSocket)) it(title, run)
})

describe.each(['v2', 'v3'] as const)("HAProxy's Data Plane API %s", (version) => {
  for (const { run, title } of balancerCases(dataPlane(version))) it(title, run)
})

describe('the simulated balancer', () => {
  for (const { run, title } of balancerCases(simulated)) it(title, run)
})
