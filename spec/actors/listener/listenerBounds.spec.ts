/** What anybody may do to the listener, with a key or without: each costs a bounded amount, says a bounded number of lines, and harms no other agent. */
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { AgentCipher } from '../../../src/wire/agents/agentCipher.js'
import { ListenerWorld, MemoryListenerFiles, TestAgent, testKey } from '../../support/agents/listenerWorld.js'

const ack = '#!-agent ack '
const worlds: ListenerWorld[] = []

const started = async (...given: ConstructorParameters<typeof ListenerWorld>): Promise<ListenerWorld> => {
  const world = new ListenerWorld(...given)
  worlds.push(world)
  await world.start([...Array.from({ length: 9 }, (_, at) => testKey(at + 1)), testKey(10, '10.1.0.0/16')])
  return world
}

const ended = async ({ clock, listener }: ListenerWorld): Promise<void> => {
  await Promise.all([listener.stop(), clock.advance(5_000)])
  expect(clock.pending).toBe(0)
}

afterEach(async () => {
  for (const world of worlds.splice(0)) await ended(world)
})

describe('connections', () => {
  it('that send nothing make room for agents, and go by themselves after a while', async () => {
    const world = await started({ connectionsMax: 50 })
    const idle = await Promise.all(Array.from({ length: 200 }, () => world.connect()))
    await world.settle()
    expect(idle.filter(({ isClosed }) => !isClosed)).toHaveLength(50)
    const agent = await world.agent(testKey(1))
    agent.start()
    await world.settle()
    expect(agent.texts()).toEqual([ack])
    await world.clock.advance(limits.agentFirstMessageMsMax + limits.agentCheckMs)
    expect(idle.filter(({ isClosed }) => !isClosed)).toHaveLength(0)
    expect(agent.socket.isClosed).toBe(false)
    expect(world.warnings.length).toBeLessThan(20)
  })

  it('are refused when every one of them is of an agent', async () => {
    const world = await started({ connectionsMax: 3 })
    const agents = await Promise.all([1, 2, 3].map((id) => world.agent(testKey(id))))
    for (const agent of agents) agent.start()
    await world.settle()
    const late = await world.agent(testKey(5))
    await world.settle()
    expect([...agents, late].map(({ socket }) => socket.isClosed)).toEqual([false, false, false, true])
  })

  it('whose message does not become whole in time are closed, those of agents too', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    agent.start()
    await world.settle()
    agent.socket.sendRaw(Buffer.of(200, 0, 0, 0))
    for (let second = 0; second < 90; second++) {
      agent.socket.sendRaw(Buffer.of(1))
      await world.clock.advance(1_000)
    }
    expect(agent.socket.isClosed).toBe(true)
    expect(world.desk.reports.at(-1)).toEqual({ id: 1, kind: 'lost' })
  })

  it('of an agent that reads nothing are closed, and keep no more than the bound for it', async () => {
    const world = await started({}, new MemoryListenerFiles(), { highWaterBytes: 1_024 })
    const agent = await world.agent(testKey(1))
    agent.start()
    await world.settle()
    agent.socket.pause()
    for (let beat = 0; beat < 10_000; beat++) agent.keepAlive()
    await world.settle()
    expect(world.network.streams[0]?.[1].waitingBytesMax).toBeLessThan(limits.agentUnreadBytesMax + 2_048)
    await world.clock.advance(limits.agentStallMsMax + limits.agentCheckMs)
    expect(world.network.streams[0]?.[1].isClosed).toBe(true)
  })

  it('from a listed proxy have the address that their header says, and no other', async () => {
    const world = await started({ proxies: ['192.0.2.1'] })
    const byProxy = new TestAgent(await world.connect('192.0.2.1'), testKey(10))
    byProxy.socket.sendRaw(Buffer.from('PROXY TCP4 10.1.2.3 192.0.2.9 40000 1514\r\n'))
    byProxy.start()
    const elsewhere = new TestAgent(await world.connect('192.0.2.1'), testKey(10))
    elsewhere.socket.sendRaw(Buffer.from('PROXY TCP4 10.2.2.3 192.0.2.9 40000 1514\r\n'))
    elsewhere.start()
    const stranger = new TestAgent(await world.connect('192.0.2.2'), testKey(1))
    stranger.socket.sendRaw(Buffer.from('PROXY TCP4 10.1.2.3 192.0.2.9 40000 1514\r\n'))
    stranger.start()
    await world.settle()
    expect([byProxy, elsewhere, stranger].map((agent) => agent.texts())).toEqual([[ack], [], []])
    expect(world.warnings).toContain("(1408): Invalid ID 010 for the source ip: '10.2.2.3' (name 'agent10').")
  })
})

describe('messages', () => {
  it('of garbage close their connection alone, and a flood of them says few lines', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 50 }), async (floods) => {
        const world = new ListenerWorld()
        await world.start([testKey(1)])
        const agent = await world.agent(testKey(1))
        agent.start()
        await world.settle()
        for (const bytes of floods) {
          const socket = await world.connect('192.0.2.7')
          socket.sendRaw(bytes)
          world.datagrams('192.0.2.8').send(bytes)
        }
        agent.say('1:x:still here')
        await world.settle()
        expect(agent.texts()).toEqual([ack])
        expect(world.outlet.events.map(String)).toEqual(['1:[001] (agent1) any->x:still here'])
        expect(world.desk.lines.length).toBeLessThan(25)
        await ended(world)
      }),
      { numRuns: 40 },
    )
  })

  it('that inflate without end are refused', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    const bomb = deflateSync(Buffer.alloc(20_000_000))
    const room = Buffer.alloc(Math.ceil((bomb.byteLength + 1) / 8) * 8, '!')
    room.set(bomb, room.byteLength - bomb.byteLength)
    const padded = Buffer.concat([room, Buffer.alloc(16 - (room.byteLength % 16))])
    const sealed = new AgentCipher(testKey(1)).encrypt('aes', padded, room.byteLength)
    agent.socket.send(Buffer.concat([Buffer.from('!001!#AES:'), sealed]))
    await world.settle()
    expect(agent.socket.isClosed).toBe(true)
    expect(world.outlet.events).toEqual([])
  })

  it('of a spoofed source do not move an agent that is connected', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    agent.start()
    await world.settle()
    const recorded = agent.sealed('#!-agent startup {"version":"v4.14.7"}')
    const spoofed = world.datagrams('203.0.113.9')
    spoofed.send(recorded)
    agent.keepAlive()
    await world.settle()
    spoofed.collect()
    expect([spoofed.received, agent.texts()]).toEqual([[], [ack, ack]])
  })

  it('of another socket take an agent over only when it was silent for a minute', async () => {
    for (const silentMs of [limits.agentTakeoverMs, limits.agentTakeoverMs + 1]) {
      const world = await started()
      const first = await world.agent(testKey(1))
      first.start()
      await world.clock.advance(silentMs)
      const second = await world.agent(testKey(1))
      second.start()
      await world.settle()
      const isOver = silentMs > limits.agentTakeoverMs
      expect([first.socket.isClosed, second.socket.isClosed]).toEqual([isOver, !isOver])
      expect(world.desk.reports.filter(({ kind }) => kind === 'lost')).toEqual([])
    }
  })
})

describe('counters', () => {
  it('of messages to agents never go back, however often the listener is killed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }), async (runs) => {
        const files = new MemoryListenerFiles()
        files.counters.set('sender', { global: 3, local: 9_990 })
        let last = -1
        for (const count of runs) {
          const world = new ListenerWorld({}, files)
          await world.start([testKey(1)])
          const agent = await world.agent(testKey(1))
          for (let beat = 0; beat < count; beat++) agent.keepAlive()
          await world.settle()
          for (const { global, local } of agent.counters()) {
            expect(global * 10_000 + local).toBeGreaterThan(last)
            last = global * 10_000 + local
          }
          // Killed: nothing is written any more.
        }
      }),
      { numRuns: 30 },
    )
  })

  it('of agents are written once in 128 messages, and refuse what was there before a restart', async () => {
    const files = new MemoryListenerFiles()
    const world = await started({ verifiesCounters: true }, files)
    const agent = await world.agent(testKey(1))
    const replayed = agent.sealed('1:x:recorded')
    agent.socket.send(replayed)
    for (let number = 0; number < 1_000; number++) agent.say('1:x:y')
    await world.settle()
    expect(files.writes).toBe(Math.floor(1_001 / limits.agentCounterMessages))
    await ended(world)
    const again = await started({ verifiesCounters: true }, files)
    const attacker = await again.connect()
    attacker.send(replayed)
    await again.settle()
    expect(attacker.isClosed).toBe(true)
    expect(again.outlet.events).toEqual([])
    expect(again.warnings).toEqual(["(1407): Duplicated counter for 'agent1'."])
  })
})
