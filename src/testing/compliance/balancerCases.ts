/** The suite for the Balancer port: what the helper relies on, of HAProxy by its runtime socket, by its Data Plane API, or simulated. */
import assert from 'node:assert/strict'
import type { Balancer, BalancerServer } from '../../ports/balancer.js'
import { assertHas, type ComplianceCase, casesOf, codeOf } from './complianceCase.js'

/** An agent's connection through the balancer. */
export interface BalancedAgent {
  /** Of the node that it reached. */
  readonly address: string
  readonly isOpen: boolean
}

/** A balancer with a backend that has no servers; each case has its own. */
export interface BalancerSuite {
  readonly balancer: Balancer
  /** The same balancer, as another process reaches it. */
  readonly another: () => Balancer
  /** Nodes that answer at the agents' port. */
  readonly nodes: readonly [string, string, string]
  /** Where nothing answers. */
  readonly absentNode: string
  readonly agentsPort: number
  readonly connect: () => Promise<BalancedAgent>
  /** Waits for a call; a balancer in virtual time lets the time pass meanwhile. */
  readonly settle: <T>(call: Promise<T>) => Promise<T>
  /** Lets a little time pass, some 20 ms of it where time is real. */
  readonly turn: () => Promise<void>
  readonly dispose: () => Promise<void>
}

const going = new AbortController().signal
const turnsMax = 500

const tests: Readonly<Record<string, (balanced: Balanced) => Promise<void>>> = {
  'opens as often as it is asked to, and has no servers at first': async (balanced) => {
    for (let times = 0; times < 2; times++)
      assertHas(await balanced.settle(balanced.balancer.open(going)), { foreignFrontends: [], warnings: [] })
    assert.deepEqual(await balanced.servers(), [])
  },

  'shows a server that was added as ready, and as up once its check passed': async (balanced) => {
    const [address] = balanced.suite.nodes
    await balanced.add('w1', address)
    const port = balanced.suite.agentsPort
    assert.deepEqual(await balanced.servers(), [{ name: 'w1', address, port, state: 'ready', isUp: false, sessions: 0 }])
    await balanced.allUp()
    assert.deepEqual(await balanced.servers(), [{ name: 'w1', address, port, state: 'ready', isUp: true, sessions: 0 }])
  },

  'never shows a server as up where nothing answers': async (balanced) => {
    await balanced.add('a.gone-1_x', balanced.suite.absentNode)
    await balanced.addNodes(1)
    await balanced.until('the other one is up', async () => (await balanced.server('w1')).isUp)
    for (let turns = 0; turns < 5; turns++) {
      await balanced.suite.turn()
      assertHas(await balanced.server('a.gone-1_x'), { isUp: false, state: 'ready' })
    }
  },

  'shows servers in the order of their names, to other processes too': async (balanced) => {
    await balanced.add('w2', balanced.suite.nodes[0])
    await balanced.add('w10', balanced.suite.nodes[1])
    await balanced.add('m', balanced.suite.nodes[2])
    const another = balanced.suite.another()
    await balanced.settle(another.open(going))
    const names = (await balanced.settle(another.servers(going))).map(({ name }) => name)
    assert.deepEqual(names, ['m', 'w10', 'w2'])
    await balanced.settle(another.close())
  },

  'sends agents to the server that has the fewest, and counts them': async (balanced) => {
    await balanced.addNodes(2)
    await balanced.allUp()
    const agents = await balanced.connect(4)
    assert.deepEqual(await balanced.sessions(), [2, 2])
    const [first, second] = balanced.suite.nodes
    assert.deepEqual(agents.map(({ address }) => address).sort(), [first, first, second, second])
  },

  'lets a drained server keep its agents and sends it no new ones until it is ready': async (balanced) => {
    await balanced.addNodes(2)
    await balanced.allUp()
    const agents = await balanced.connect(2)
    await balanced.setState('w1', 'drain')
    assertHas(await balanced.server('w1'), { state: 'drain', isUp: true, sessions: 1 })
    agents.push(...(await balanced.connect(3)))
    assert.deepEqual(await balanced.sessions(), [1, 4])
    await balanced.setState('w1', 'ready')
    await balanced.setState('w1', 'ready')
    assertHas(await balanced.server('w1'), { state: 'ready', sessions: 1 })
    agents.push(...(await balanced.connect(3)))
    assert.deepEqual(await balanced.sessions(), [4, 4])
    assert.equal(
      agents.every(({ isOpen }) => isOpen),
      true,
    )
  },

  'ends the agents of a server that it removes, which is no server any more': async (balanced) => {
    await balanced.addNodes(1)
    await balanced.allUp()
    const [agent] = await balanced.connect(1)
    await balanced.settle(balanced.balancer.remove('w1', going))
    assert.deepEqual(await balanced.servers(), [])
    await balanced.until('the agent is gone', async () => agent?.isOpen === false)
    await balanced.settle(balanced.balancer.remove('w1', going))
    await balanced.settle(balanced.balancer.remove('never', going))
    await balanced.addNodes(1)
    await balanced.allUp()
    assert.deepEqual(await balanced.sessions(), [0])
  },

  'changes nothing when a server is added again, but makes it ready': async (balanced) => {
    await balanced.addNodes(1)
    await balanced.allUp()
    const agents = await balanced.connect(2)
    await balanced.setState('w1', 'drain')
    await balanced.addNodes(1)
    assertHas(await balanced.server('w1'), { state: 'ready', isUp: true, sessions: 2 })
    assert.equal(
      agents.every(({ isOpen }) => isOpen),
      true,
    )
  },

  'replaces a server that is added at another address': async (balanced) => {
    await balanced.addNodes(1)
    await balanced.allUp()
    const [agent] = await balanced.connect(1)
    await balanced.add('w1', balanced.suite.nodes[1])
    assertHas(await balanced.server('w1'), { address: balanced.suite.nodes[1], state: 'ready', sessions: 0 })
    await balanced.until('the agent is gone', async () => agent?.isOpen === false)
    await balanced.allUp()
    assert.equal((await balanced.connect(1))[0]?.address, balanced.suite.nodes[1])
  },

  'refuses a state for a server that is not there, and names that are not names': async (balanced) => {
    const { balancer, suite } = balanced
    assert.equal(await balanced.settle(codeOf(balancer.setState('w1', 'drain', going))), 'balancerFailed')
    for (const name of ['', 'a b', 'a;del server b', 'a\nshow info', 'a/b', '../a', 'ä', 'x'.repeat(1_000)]) {
      assert.equal(await balanced.settle(codeOf(balancer.add({ name, address: suite.nodes[0] }, going))), 'balancerFailed')
      assert.equal(await balanced.settle(codeOf(balancer.remove(name, going))), 'balancerFailed')
    }
    assert.deepEqual(await balanced.servers(), [])
  },

  'takes the time of a hard stop, which changes no server': async (balanced) => {
    await balanced.addNodes(1)
    for (const ms of [30_000, 30_000, 45_000]) await balanced.settle(balanced.balancer.setHardStop(ms, going))
    assertHas(await balanced.server('w1'), { state: 'ready' })
  },

  'does nothing for a call that was given up, and nothing after its end': async (balanced) => {
    const { balancer, suite } = balanced
    const stopped = AbortSignal.abort()
    assert.equal(await balanced.settle(codeOf(balancer.add({ name: 'w1', address: suite.nodes[0] }, stopped))), 'aborted')
    assert.deepEqual(await balanced.servers(), [])
    await balanced.settle(balancer.close())
    await balanced.settle(balancer.close())
    assert.equal(await balanced.settle(codeOf(balancer.servers(going))), 'aborted')
  },
}

/** A balancer that is open, and its agents. */
class Balanced {
  readonly suite: BalancerSuite

  constructor(suite: BalancerSuite) {
    this.suite = suite
  }

  get balancer(): Balancer {
    return this.suite.balancer
  }

  settle<T>(call: Promise<T>): Promise<T> {
    return this.suite.settle(call)
  }

  servers(): Promise<readonly BalancerServer[]> {
    return this.settle(this.balancer.servers(going))
  }

  async server(name: string): Promise<BalancerServer> {
    const server = (await this.servers()).find((one) => one.name === name)
    assert.ok(server, `there is no server ${name}`)
    return server
  }

  async sessions(): Promise<readonly number[]> {
    return (await this.servers()).map(({ sessions }) => sessions)
  }

  add(name: string, address: string): Promise<void> {
    return this.settle(this.balancer.add({ name, address }, going))
  }

  /** `w1`, `w2` and so on. */
  async addNodes(count: number): Promise<void> {
    for (const [index, address] of this.suite.nodes.slice(0, count).entries()) await this.add(`w${index + 1}`, address)
  }

  setState(name: string, state: 'ready' | 'drain'): Promise<void> {
    return this.settle(this.balancer.setState(name, state, going))
  }

  async connect(count: number): Promise<BalancedAgent[]> {
    const agents: BalancedAgent[] = []
    for (let index = 0; index < count; index++) agents.push(await this.settle(this.suite.connect()))
    return agents
  }

  allUp(): Promise<void> {
    return this.until('all servers are up', async () => (await this.servers()).every(({ isUp }) => isUp))
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (let turns = 0; turns < turnsMax; turns++) {
      if (await isSo()) return
      await this.suite.turn()
    }
    assert.fail(`never came to be: ${what}`)
  }
}

/**
 * Holds a balancer to: servers are added, drained, made ready and removed as the helper decides, again without effect; a server is up only
 * once its check passed; drained ones keep their agents; other processes see the same.
 */
export const balancerCases = (suite: () => Promise<BalancerSuite>): readonly ComplianceCase[] =>
  casesOf<Balanced>(
    async () => {
      const balanced = new Balanced(await suite())
      try {
        await balanced.settle(balanced.balancer.open(going))
      } catch (thrown) {
        await balanced.suite.dispose()
        throw thrown
      }
      return balanced
    },
    async ({ suite: { balancer, dispose, settle } }) => {
      await settle(balancer.close())
      await dispose()
    },
    tests,
  )
