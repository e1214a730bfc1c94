/** Agents that do anything, over listeners that are killed in the middle: no event is lost or doubled that a connection carried in good order, and nothing stays behind. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { ListenerWorld, MemoryListenerFiles, TestAgent, testKey } from '../../support/agents/listenerWorld.js'

const agentCount = 4
const who = fc.integer({ min: 1, max: agentCount })
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('start' as const), id: who }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('event' as const, 'keepAlive' as const, 'datagram' as const), id: who }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('shutdown' as const, 'end' as const, 'destroy' as const), id: who }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('garbage' as const, 'newKey' as const), id: who }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('desk' as const, 'room' as const, 'changed' as const, 'kill' as const), id: who }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), id: who, ms: fc.integer({ min: 1, max: 70_000 }) }) },
  ),
  { minLength: 5, maxLength: 80 },
)
type Step = (typeof steps extends fc.Arbitrary<infer T> ? T : never)[number]

interface Connection {
  readonly agent: TestAgent
  readonly id: number
  readonly said: string[]
  starts: number
  acks: number
  isSpoilt: boolean
}

class Model {
  world = new ListenerWorld()
  readonly taken: string[] = []
  readonly all: Connection[] = []
  readonly #files = new MemoryListenerFiles()
  readonly #current = new Map<number, Connection>()
  readonly #keys = new Map(Array.from({ length: agentCount }, (_, at) => [at + 1, testKey(at + 1)]))
  #number = 0
  #isFull = false

  async begin(): Promise<void> {
    this.world = new ListenerWorld({}, this.#files)
    this.#isFull = false
    const content = Buffer.from(`#web\n${'c'.repeat(2_000)}`)
    this.#files.merged.set('merged.mg', content)
    for (const id of this.#keys.keys()) this.world.desk.configured.set(id, { id, path: 'merged.mg', sum: 'of another content' })
    await this.world.start([...this.#keys.values()])
  }

  async run(step: Step): Promise<void> {
    const { id, kind } = step
    if (kind === 'wait') await this.world.clock.advance(step.ms)
    else if (kind === 'start') await this.#start(id)
    else if (kind === 'datagram') this.#datagram(id)
    else if (kind === 'kill') await this.#kill()
    else if (kind === 'desk') this.world.desk.failure = this.world.desk.failure ? undefined : new ClusterError('tableFailed')
    else if (kind === 'room') this.#turnRoom()
    else if (kind === 'changed') await this.world.listener.configurationChanged()
    else if (kind === 'newKey') await this.#newKey(id)
    else this.#overConnection(id, kind)
    await this.world.settle()
    for (const connection of this.all) this.#collect(connection)
  }

  /** All that was said is taken; then the listener stops. */
  async finish(): Promise<void> {
    if (this.#isFull) this.#turnRoom()
    await this.world.settle()
    for (const connection of this.all) this.#collect(connection)
    this.#keepTaken()
    for (const connection of this.all) this.#check(connection)
    expect(new Set(this.taken).size).toBe(this.taken.length)
    const { clock, listener, outlet } = this.world
    await Promise.all([listener.stop(), clock.advance(5_000)])
    expect([clock.pending, outlet.unflushed, (await listener.counts()).connected]).toEqual([0, 0, 0])
  }

  async #start(id: number): Promise<void> {
    const entry = this.#keys.get(id) ?? testKey(id)
    const agent = new TestAgent(await this.world.connect(), entry)
    const connection = { agent, id, said: [], starts: 1, acks: 0, isSpoilt: false }
    this.all.push(connection)
    this.#current.set(id, connection)
    agent.start()
  }

  #overConnection(id: number, kind: Step['kind']): void {
    const connection = this.#current.get(id)
    if (!connection) return
    const { agent } = connection
    if (kind === 'event') {
      const event = `x:${++this.#number}`
      connection.said.push(event)
      agent.say(`1:${event}`)
    } else if (kind === 'keepAlive') {
      connection.starts += 1
      agent.keepAlive()
    } else if (kind === 'shutdown') agent.say('#!-agent shutdown ')
    else if (kind === 'garbage') {
      connection.isSpoilt = true
      agent.socket.send(Buffer.from('garbage'))
    } else {
      if (kind === 'end') agent.socket.end()
      else agent.socket.destroy()
      connection.isSpoilt ||= kind === 'destroy'
      this.#current.delete(id)
    }
  }

  #datagram(id: number): void {
    new TestAgent(this.world.datagrams(), this.#keys.get(id) ?? testKey(id)).say(`1:y:${++this.#number}`)
  }

  async #newKey(id: number): Promise<void> {
    const entry = { ...testKey(id), key: String(++this.#number).padStart(64, 'f') }
    this.#keys.set(id, entry)
    for (const connection of this.all) if (connection.id === id) connection.isSpoilt = true
    await this.world.listener.keys({ isFirst: false, removals: [], upserts: [entry] })
  }

  async #kill(): Promise<void> {
    this.#keepTaken()
    for (const connection of this.all) connection.isSpoilt ||= this.#isFull || connection.agent.socket.isClosed
    for (const connection of this.all) this.#check(connection)
    this.all.length = 0
    this.#current.clear()
    await this.begin()
  }

  #turnRoom(): void {
    this.#isFull = !this.#isFull
    this.world.outlet.hasRoom = !this.#isFull
    if (!this.#isFull) this.world.outlet.onReady()
  }

  #keepTaken(): void {
    expect(this.world.outlet.unflushed).toBe(0)
    const events = this.world.outlet.events.map((event) => event.toString().split('->')[1] ?? '')
    // Not those that the listener makes of shutdowns.
    this.taken.push(...events.filter((event) => /^[xy]:\d+$/.test(event)))
  }

  #collect(connection: Connection): void {
    connection.acks += connection.agent.texts().filter((text) => text === '#!-agent ack ').length
  }

  /** One that the listener did not close, and nobody broke. */
  #check({ acks, agent, isSpoilt, said, starts }: Connection): void {
    const taken = this.taken.filter((event) => said.includes(event))
    expect(taken).toEqual(said.slice(0, taken.length))
    if (isSpoilt || agent.socket.isClosed) return
    expect([taken, acks]).toEqual([said, starts])
  }
}

describe('agents that do anything', () => {
  it('lose and double no event over a connection that lives, are acknowledged, and leave nothing', () =>
    fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const model = new Model()
        await model.begin()
        for (const step of all) await model.run(step)
        await model.finish()
      }),
      { numRuns: 50 },
    ))
})
