/** The suite for the Balancer port, run on a real HAProxy by its runtime socket, and on both Data Plane APIs over a fake of them. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, it } from 'vitest'
import { HaproxyProcess } from '../../examples/demo/haproxyProcess.js'
import { createDataPlane } from '../../src/platform/balancer/dataPlane.js'
import { createRuntimeSocket } from '../../src/platform/balancer/runtimeSocket.js'
import { type BalancerSuite, balancerCases } from '../../src/testing/compliance/balancerCases.js'
import { absentAddress, BalancedNodes, balancerAddress, nodeAddresses } from '../support/balancedNodes.js'
import { isMissing } from '../support/debianProgram.js'
import { FakeDataPlane } from '../support/fakeDataPlane.js'

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

// The checks of real servers take a second: the cases, which share nothing, wait for theirs together.
describe.skipIf(isMissing('haproxy', 'haproxy')).concurrent("HAProxy's runtime socket", () => {
  for (const { run, title } of balancerCases(runtimeSocket)) it(title, run)
})

describe.each(['v2', 'v3'] as const)("HAProxy's Data Plane API %s", (version) => {
  for (const { run, title } of balancerCases(dataPlane(version))) it(title, run)
})
