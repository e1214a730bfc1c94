import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMachine } from 'xstate'
import { thread } from '../../../src/actors/cluster/connection.js'
import { Registry } from '../../../src/actors/cluster/registry.js'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import type { Hello } from '../../../src/wire/muster/messages.js'
import { memoryNodeStates } from '../../support/memoryNodeStates.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const helloOf = (node: string, instance: string): Hello => ({
  cluster: 'wazuh',
  node,
  type: 'worker',
  instance,
  version: 'v1',
  capabilities: [],
})

/** A worker's wire as the master has it: `dead` wires swallow everything, and the master does not notice. */
interface Wire {
  readonly link: ScriptedLink
  readonly node: string
  readonly instance: string
  dead: boolean
}

class World {
  readonly clock = new VirtualClock()
  readonly log = recordingLog()
  readonly joined: string[] = []
  readonly left: string[] = []
  /** Every link that was ever added. */
  readonly wires: Wire[] = []
  readonly registry = new Registry({
    cluster: 'wazuh',
    masterNode: 'master',
    workersMax: 5_000,
    states: memoryNodeStates('master'),
    clock: this.clock,
    log: this.log,
    threads: [thread('lasting', createMachine({ after: { 1000000000: {} } }), () => undefined)],
  })

  constructor() {
    this.registry.joined.add(({ name }) => this.joined.push(name))
    this.registry.left.add(({ member }) => this.left.push(member.name))
  }

  /** Dials as a worker would; returns the decision. */
  dial(node: string, instance: string, closedAlready = false): string {
    const before = this.registry.get(node)
    const decision = this.registry.admit(helloOf(node, instance))
    if (!decision.ok) return decision.error.code
    const wire: Wire = {
      node,
      instance,
      dead: false,
      link: new ScriptedLink(node, (type, _body, { timeoutMs }) => {
        if (type !== 'session.echo') return undefined
        if (!wire.dead) return Promise.resolve({ payload: new Uint8Array() })
        return new Promise((_, reject) => this.clock.setTimeout(() => reject(new ClusterError('requestTimeout')), timeoutMs))
      }),
    }
    this.wires.push(wire)
    if (closedAlready) wire.link.lose(new ClusterError('linkLost'))
    this.registry.add(wire.link)
    return before ? 'replaced' : 'joined'
  }

  wireOf(node: string): Wire | undefined {
    return this.wires.find(({ link }) => this.registry.get(node)?.link === link)
  }

  expectConsistent(model: ReadonlyMap<string, string>): void {
    expect(this.registry.members().map(({ name }) => name)).toEqual([...model.keys()].sort())
    expect(this.registry.size).toBe(model.size)
    for (const [node, instance] of model) expect(this.wireOf(node)).toMatchObject({ node, instance })
    // Each name has one open link at most: a replaced link is closed.
    for (const { link, node } of this.wires) expect(link.isOpen).toBe(this.registry.get(node)?.link === link)
    expect(this.joined.length - this.left.length).toBe(model.size)
    expect(this.clock.pending).toBe(model.size)
  }
}

type Model = Map<string, string>
type Step = fc.AsyncCommand<Model, World>

/** A worker of this name dials, as this process. */
class Dial implements Step {
  readonly #node: string
  readonly #instance: string
  constructor(node: string, instance: string) {
    this.#node = node
    this.#instance = instance
  }
  check(): boolean {
    return true
  }
  async run(model: Model, world: World): Promise<void> {
    const holder = model.get(this.#node)
    const wire = world.wireOf(this.#node)
    const decided = world.dial(this.#node, this.#instance)
    if (holder === undefined) expect(decided).toBe('joined')
    else if (holder === this.#instance) expect(decided).toBe('replaced')
    else expect(decided).toBe('duplicateName')
    if (decided !== 'duplicateName') model.set(this.#node, this.#instance)
    await world.clock.advance(5_000)
    // A holder that did not answer in time has lost the name.
    if (decided === 'duplicateName' && wire?.dead) {
      model.delete(this.#node)
      expect(world.dial(this.#node, this.#instance)).toBe('joined')
      model.set(this.#node, this.#instance)
    }
    world.expectConsistent(model)
  }
  toString(): string {
    return `dial(${this.#node}, ${this.#instance})`
  }
}

class Leave implements Step {
  readonly #node: string
  constructor(node: string) {
    this.#node = node
  }
  check(model: Readonly<Model>): boolean {
    return model.has(this.#node)
  }
  async run(model: Model, world: World): Promise<void> {
    world.wireOf(this.#node)?.link.lose(new ClusterError('peerStopping'))
    model.delete(this.#node)
    await world.clock.settle()
    world.expectConsistent(model)
  }
  toString(): string {
    return `leave(${this.#node})`
  }
}

/** The wire is cut somewhere on its way, and the master does not notice. */
class Die implements Step {
  readonly #node: string
  constructor(node: string) {
    this.#node = node
  }
  check(model: Readonly<Model>): boolean {
    return model.has(this.#node)
  }
  async run(model: Model, world: World): Promise<void> {
    const wire = world.wireOf(this.#node)
    if (wire) wire.dead = true
    world.expectConsistent(model)
  }
  toString(): string {
    return `die(${this.#node})`
  }
}

/** The link breaks between the hello and the moment in which it is added. */
class DialAndBreak implements Step {
  readonly #node: string
  constructor(node: string) {
    this.#node = node
  }
  check(model: Readonly<Model>): boolean {
    return !model.has(this.#node)
  }
  async run(model: Model, world: World): Promise<void> {
    expect(world.dial(this.#node, 'broken', true)).toBe('joined')
    await world.clock.settle()
    world.expectConsistent(model)
  }
  toString(): string {
    return `dialAndBreak(${this.#node})`
  }
}

describe('registry', () => {
  const nodes = fc.constantFrom('w1', 'w2', 'w3')
  it('has each name once, held by the first process that still answers, whatever joins, leaves or dies', () =>
    fc.assert(
      fc.asyncProperty(
        fc.commands(
          [
            fc.tuple(nodes, fc.constantFrom('i1', 'i2')).map(([node, instance]): Step => new Dial(node, instance)),
            nodes.map((node): Step => new Leave(node)),
            nodes.map((node): Step => new Die(node)),
            nodes.map((node): Step => new DialAndBreak(node)),
          ],
          { maxCommands: 30 },
        ),
        async (commands) => {
          const world = new World()
          await fc.asyncModelRun(() => ({ model: new Map<string, string>(), real: world }), commands)
          world.registry.closeAll()
          expect(world.registry.size).toBe(0)
          expect(world.clock.pending).toBe(0)
          expect(world.wires.every(({ link }) => !link.isOpen)).toBe(true)
        },
      ),
      { numRuns: 100 },
    ))

  it('forgets a worker whose link was closed before it was added', async () => {
    const world = new World()
    world.dial('w1', 'i1', true)
    await world.clock.settle()
    expect(world.registry.get('w1')).toBeUndefined()
    expect(world.dial('w1', 'i2')).toBe('joined')
  })

  it('lets a living holder keep its name, and frees the name of a dead one after it fails to answer', async () => {
    const world = new World()
    world.dial('w1', 'i1')
    expect(world.dial('w1', 'i2')).toBe('duplicateName')
    await world.clock.advance(60_000)
    expect(world.dial('w1', 'i2')).toBe('duplicateName')
    const wire = world.wireOf('w1')
    if (wire) wire.dead = true
    await world.clock.settle()
    expect(world.dial('w1', 'i2')).toBe('duplicateName')
    await world.clock.advance(2_999)
    expect(world.dial('w1', 'i2')).toBe('duplicateName')
    await world.clock.advance(1)
    expect(world.dial('w1', 'i2')).toBe('joined')
    expect(wire?.link.closedWith).toMatchObject({ reason: 'error', error: { code: 'peerSilent' } })
    expect(world.left).toEqual(['w1'])
  })

  it('asks the holder of a name once, however many claim it meanwhile', async () => {
    const world = new World()
    world.dial('w1', 'i1')
    let echoes = 0
    const member = world.registry.get('w1')
    expect(member).toBeDefined()
    const wire = world.wireOf('w1')
    if (!wire) return
    wire.dead = true
    const before = wire.link.request.bind(wire.link)
    wire.link.request = (type, body, options) => {
      echoes += 1
      return before(type, body, options)
    }
    for (let claim = 0; claim < 20; claim++) world.dial('w1', `other-${claim}`)
    await world.clock.advance(1_000)
    expect(echoes).toBe(1)
  })

  it('refuses another cluster and the name of the master, and holds nothing for it', () => {
    const world = new World()
    expect(world.dial('master', 'i1')).toBe('sameNameAsMaster')
    expect(world.registry.admit({ ...helloOf('w1', 'i1'), cluster: 'other' })).toMatchObject({
      ok: false,
      error: { code: 'wrongClusterName' },
    })
    world.expectConsistent(new Map())
  })

  it('logs no more for a worker that connects over and over', () => {
    const world = new World()
    for (let turn = 0; turn < 20; turn++) {
      world.dial('w1', 'i1')
      for (let line = 0; line < 100; line++) world.registry.get('w1')?.log.at({ subtag: 'Integrity sync' }).info('x'.repeat(1_000))
    }
    expect(world.log.lines.filter((line) => line.includes('Integrity sync')).length).toBeLessThan(limits.peerLogBurstBytes / 1_000)
    world.registry.closeAll()
  })

  it('holds thousands of workers without being slowed down by their number', () => {
    const world = new World()
    const startMs = performance.now()
    for (let worker = 0; worker < 2_000; worker++) world.dial(`w${worker}`, 'i1')
    expect(world.registry.size).toBe(2_000)
    world.registry.closeAll()
    expect(world.clock.pending).toBe(0)
    expect(performance.now() - startMs).toBeLessThan(10_000)
  })
})
