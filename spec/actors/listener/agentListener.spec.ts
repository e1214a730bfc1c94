/** What the listener owes its agents and its node: acknowledgements first, reports once, configurations until they have them, and a clean end. */
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { ListenerWorld, MemoryListenerFiles, TestAgent, testKey } from '../../support/agents/listenerWorld.js'

const ack = '#!-agent ack '
const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
const worlds: ListenerWorld[] = []

const started = async (...given: ConstructorParameters<typeof ListenerWorld>): Promise<ListenerWorld> => {
  const world = new ListenerWorld(...given)
  worlds.push(world)
  await world.start(Array.from({ length: 20 }, (_, at) => testKey(at + 1)))
  return world
}

/** Group `web` has this content, and agent 1 is in it. */
const configure = (world: ListenerWorld, content: Uint8Array, id = 1): string => {
  const sum = md5(content)
  world.files.merged.set('etc/shared/web/merged.mg', content)
  world.desk.configured.set(id, { id, path: 'etc/shared/web/merged.mg', sum })
  return sum
}

const incompressible = (bytes: number): Buffer => {
  const lines = Array.from({ length: Math.ceil(bytes / 64) }, (_, at) => createHash('sha256').update(String(at)).digest('hex'))
  return Buffer.from(lines.join('').slice(0, bytes))
}

/** The contents that were sent between a start and an end, by the announced sum. */
const pushed = (texts: readonly string[]): { readonly sum: string; readonly content: string }[] => {
  const files: { sum: string; content: string }[] = []
  for (const text of texts) {
    const sum = /^#!-up file (\S+) merged\.mg\n$/.exec(text)?.[1]
    const last = files.at(-1)
    if (sum !== undefined) files.push({ sum, content: '' })
    else if (last && !text.startsWith('#!-')) last.content += text
  }
  return files
}

afterEach(async () => {
  for (const { clock, listener } of worlds.splice(0)) {
    await Promise.all([listener.stop(), clock.advance(5_000)])
    expect(clock.pending).toBe(0)
  }
})

describe('several places to report to', () => {
  it('are one listener: each takes agents over its own protocols, and all end with it', async () => {
    const further = [
      { port: 1600, transports: ['tcp'], localIp: '', ipv6: false },
      { port: 1700, transports: ['udp'], localIp: '10.0.0.1', ipv6: false },
    ] as const
    const world = await started({ transports: ['tcp'], further })
    const agents = [
      new TestAgent(await world.connect(), testKey(1)),
      new TestAgent(await world.connect(undefined, 1600), testKey(2)),
      new TestAgent(world.datagrams(undefined, 1700), testKey(3)),
    ]
    for (const agent of agents) {
      agent.start()
      agent.say(`1:/var/log/x:hello`)
    }
    await world.settle()
    agents[2]?.socket.collect()
    expect(agents.map((agent) => agent.texts())).toEqual([[ack], [ack], [ack]])
    expect(world.outlet.events).toHaveLength(3)
    expect(await world.listener.counts()).toMatchObject({ connected: 3, places: '1514/TCP, 1600/TCP, 10.0.0.1:1700/UDP' })
    const stopping = world.listener.stop()
    await world.clock.advance(5_000)
    await stopping
    for (const port of [1514, 1600]) await expect(world.connect(undefined, port)).rejects.toMatchObject({ code: 'dialFailed' })
    expect(world.network.onDatagram.size).toBe(0)
  })
})

describe('an agent that starts', () => {
  it('is acknowledged before anything else, even while it gets a file over the same connection', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    configure(world, Buffer.alloc(200_000, 'c'))
    agent.start()
    agent.keepAlive()
    await world.settle()
    expect(agent.texts().slice(0, 3)).toEqual([ack, ack, expect.stringMatching(/^#!-up file/)])
    const again = new TestAgent(await world.connect(), testKey(1))
    agent.socket.end()
    await world.settle()
    again.start()
    await world.clock.advance(1_000)
    expect(again.texts()).toEqual([ack])
  })

  it('again at once, before its first connection is closed on our side too, is let in', async () => {
    let close = (): void => {}
    const world = await started({}, new MemoryListenerFiles(), {
      closedLater: (closed) => {
        close = closed
      },
    })
    const first = await world.agent(testKey(1))
    first.start()
    await world.settle()
    first.socket.end()
    await world.settle()
    const again = await world.agent(testKey(1))
    again.start()
    await world.settle()
    close()
    expect([again.texts(), again.socket.isClosed]).toEqual([[ack], false])
    expect(world.desk.reports.map(({ kind }) => kind)).toEqual(['startup', 'startup'])
  })

  it('is not answered while the node drains, over either transport', async () => {
    const world = await started()
    const first = await world.agent(testKey(1))
    const draining = world.listener.drain(2_000)
    const overUdp = new TestAgent(world.datagrams(), testKey(2))
    first.start()
    overUdp.start()
    await world.clock.advance(3_000)
    overUdp.socket.collect()
    expect([first.texts(), overUdp.texts()]).toEqual([[], []])
    expect(await draining).toBe(0)
  })
})

describe('reports', () => {
  it('have facts only when an agent says something else than before', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    agent.start()
    await world.settle()
    for (const labels of ['', '', '"env":prod\n', '"env":prod\n']) {
      agent.keepAlive('x', labels)
      await world.settle()
    }
    expect(world.desk.reports.map(({ facts, kind }) => [kind, facts?.labels, facts?.version])).toEqual([
      ['startup', undefined, undefined],
      ['keepAlive', undefined, 'Wazuh v4.14.7'],
      ['keepAlive', undefined, undefined],
      ['keepAlive', '"env":prod', 'Wazuh v4.14.7'],
      ['keepAlive', undefined, undefined],
    ])
  })

  it('of an end are shutdown or lost, once each', async () => {
    const world = await started()
    const [polite, cut] = [await world.agent(testKey(1)), await world.agent(testKey(2))]
    polite.start()
    cut.start()
    polite.say('#!-agent shutdown ')
    await world.settle()
    polite.socket.end()
    cut.socket.destroy()
    await world.settle()
    expect(world.desk.reports.filter(({ kind }) => kind !== 'startup').map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      '1 shutdown',
      '2 lost',
    ])
    expect((await world.listener.counts()).connected).toBe(0)
  })

  it('of a burst go in few calls, and the newest of each agent when the node is slow or fails', async () => {
    const world = await started()
    let open = (): void => {}
    world.desk.gate = new Promise((resolve) => {
      open = resolve
    })
    const agents = await Promise.all(Array.from({ length: 20 }, (_, at) => world.agent(testKey(at + 1))))
    for (const agent of agents) agent.start()
    await world.settle()
    expect(agents.map((agent) => agent.texts())).toEqual(agents.map(() => [ack]))
    for (const agent of agents) agent.keepAlive()
    world.desk.failure = new ClusterError('tableFailed')
    await world.settle()
    open()
    world.desk.gate = undefined
    await world.settle()
    world.desk.failure = undefined
    await world.clock.advance(limits.agentDeskRetryMs)
    expect(world.desk.batches).toEqual([20])
    expect(world.desk.reports.every(({ facts, kind }) => kind === 'keepAlive' && facts?.version === 'Wazuh v4.14.7')).toBe(true)
    expect(world.warnings.filter((line) => line.startsWith('Reports of agents'))).toHaveLength(1)
  })
})

describe('a configuration', () => {
  it('is sent at every keep-alive until the agent has it, and asked for again when something changed', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    const content = `#web\n!4 a\n${'#!-x'.repeat(700)}`
    const sum = configure(world, Buffer.from(content))
    agent.start()
    for (const said of ['x', 'x', sum, sum]) {
      agent.keepAlive(said)
      await world.clock.advance(1_000)
    }
    const texts = agent.texts()
    expect(pushed(texts)).toEqual([
      { sum, content },
      { sum, content },
    ])
    expect(texts.every((text) => Buffer.byteLength(text) <= 900)).toBe(true)
    const other = configure(world, Buffer.from('#web\n'))
    agent.keepAlive(sum)
    await world.clock.advance(1_000)
    expect(pushed(agent.texts())).toEqual([])
    await world.listener.configurationChanged()
    agent.keepAlive(sum)
    await world.clock.advance(1_000)
    expect(pushed(agent.texts())).toEqual([{ sum: other, content: '#web\n' }])
    expect(world.desk.asked).toEqual([[1], [1]])
  })

  it('that changes on the disk meanwhile is announced with the sum of what is sent', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    configure(world, Buffer.from('#old\n'))
    world.files.merged.set('etc/shared/web/merged.mg', Buffer.from('#new\n'))
    agent.start()
    agent.keepAlive()
    await world.clock.advance(100)
    expect(pushed(agent.texts())).toEqual([{ sum: md5(Buffer.from('#new\n')), content: '#new\n' }])
  })

  it('with a NUL is not sent, and that is said once a minute', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    configure(world, Buffer.from('#web\n!1 a\n\0'))
    agent.start()
    for (let beat = 0; beat < 5; beat++) {
      agent.keepAlive()
      await world.clock.advance(10_000)
    }
    expect(pushed(agent.texts())).toEqual([])
    expect(world.warnings.filter((line) => line.includes('NUL'))).toHaveLength(1)
  })

  it('goes to an agent as fast as it reads, whole, and to others meanwhile', async () => {
    const world = await started({}, new MemoryListenerFiles(), { highWaterBytes: 16_384 })
    const [slow, other] = [await world.agent(testKey(1)), await world.agent(testKey(2))]
    const content = incompressible(300_000)
    const sum = configure(world, content)
    configure(world, content, 2)
    slow.start()
    other.start()
    await world.settle()
    slow.socket.pause()
    slow.keepAlive()
    other.keepAlive()
    await world.clock.advance(5_000)
    expect(pushed(other.texts()).map((file) => [file.sum, file.content.length])).toEqual([[sum, content.length]])
    expect(world.network.streams[0]?.[1].waitingBytesMax).toBeLessThan(64_000)
    slow.socket.resume()
    await world.clock.advance(5_000)
    expect(pushed(slow.texts()).map((file) => [file.sum, file.content.length])).toEqual([[sum, content.length]])
  })
})

describe('events', () => {
  it('are flushed in the turn in which they were read, in their order, whatever the transport', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    const overUdp = new TestAgent(world.datagrams(), testKey(2))
    for (let number = 0; number < 100; number++) agent.say(`1:x:${number}`)
    overUdp.say('1:y:0')
    overUdp.say('1:y:1')
    await world.settle()
    expect(world.outlet.unflushed).toBe(0)
    expect(world.outlet.flushes).toBeLessThan(10)
    expect(world.outlet.events.map(String).filter((event) => event.includes('->x'))).toEqual(
      Array.from({ length: 100 }, (_, number) => `1:[001] (agent1) any->x:${number}`),
    )
  })

  it('wait in connections while there is no room; datagrams are counted and logged once a minute', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    const overUdp = new TestAgent(world.datagrams(), testKey(2))
    world.outlet.hasRoom = false
    agent.say('1:x:0')
    await world.settle()
    agent.say('1:x:1')
    const late = await world.agent(testKey(3))
    late.say('1:x:2')
    for (let number = 0; number < 10; number++) overUdp.say('1:y:0')
    await world.clock.advance(10_000)
    expect(world.outlet.events).toHaveLength(1)
    expect((await world.listener.counts()).eventsDropped).toBe(10)
    expect(world.warnings.filter((line) => line.includes('dropped'))).toHaveLength(1)
    world.outlet.hasRoom = true
    world.outlet.onReady()
    await world.settle()
    expect(world.outlet.events).toHaveLength(3)
  })
})

describe('events of connections', () => {
  it('are flushed with the read that brought them, those of datagrams once for all of a turn', async () => {
    const world = await started()
    const turnEnds: (() => void)[] = []
    world.afterTurn = (run) => {
      turnEnds.push(run)
    }
    const agent = await world.agent(testKey(1))
    agent.say('1:x:0')
    await world.settle()
    expect([world.outlet.unflushed, world.outlet.flushes]).toEqual([0, 1])
    const overUdp = new TestAgent(world.datagrams(), testKey(2))
    for (let number = 0; number < 5; number++) overUdp.say('1:y:0')
    await world.settle()
    expect([world.outlet.unflushed, turnEnds.length]).toEqual([5, 1])
    for (const end of turnEnds) end()
    expect([world.outlet.unflushed, world.outlet.flushes]).toEqual([0, 2])
  })
})

describe('a key', () => {
  it('that is removed or replaced ends the connections of its agent at once, and those of no other', async () => {
    const world = await started()
    const agents = await Promise.all([1, 2, 3].map((id) => world.agent(testKey(id))))
    for (const agent of agents) agent.start()
    await world.settle()
    await world.listener.keys({ isFirst: false, removals: [1], upserts: [{ ...testKey(2), key: 'f'.repeat(64) }, testKey(3)] })
    await world.settle()
    expect(agents.map(({ socket }) => socket.isClosed)).toEqual([true, true, false])
    expect(world.desk.reports.filter(({ kind }) => kind === 'lost')).toEqual([])
    const [first, second, third] = [await world.agent(testKey(1)), await world.agent(testKey(2)), agents[2]]
    first.start()
    second.start()
    third?.say('1:x:still here')
    await world.settle()
    expect([first.socket.isClosed, second.socket.isClosed, third?.socket.isClosed]).toEqual([true, true, false])
  })

  it('that a list of all agents does not name any more is gone when the list is over', async () => {
    const world = await started()
    const agents = await Promise.all([1, 2, 3].map((id) => world.agent(testKey(id))))
    for (const agent of agents) agent.start()
    await world.listener.keys({ isFirst: true, upserts: [testKey(1)], removals: [] })
    await world.clock.advance(limits.agentKeysGraceMs - 1_000)
    await world.listener.keys({ isFirst: false, upserts: [testKey(3)], removals: [] })
    await world.clock.advance(limits.agentKeysGraceMs)
    expect(agents.map(({ socket }) => socket.isClosed)).toEqual([false, true, false])
  })
})

describe('a node that drains', () => {
  it('asks its agents in chunks, takes what is under way, and leaves nobody', async () => {
    const world = await started()
    const agents = await Promise.all(Array.from({ length: 20 }, (_, at) => world.agent(testKey(at + 1))))
    for (const agent of agents) agent.start()
    await world.settle()
    for (const agent of agents) agent.texts()
    const draining = world.listener.drain(10_000)
    await world.settle()
    for (const agent of agents) {
      expect(agent.texts()).toEqual(['#!-force_reconnect'])
      agent.say('1:x:under way')
      agent.socket.end()
    }
    await world.clock.advance(100)
    expect(await draining).toBe(0)
    expect(world.outlet.events).toHaveLength(20)
    await expect(world.connect()).rejects.toThrow()
  })

  it('closes its side when agents stay, and takes what they still send', async () => {
    const world = await started()
    const agent = await world.agent(testKey(1))
    agent.start()
    await world.settle()
    // It does not see that our side was closed.
    agent.socket.pause()
    const draining = world.listener.drain(3_000)
    await world.clock.advance(2_100)
    agent.say('1:x:late')
    await world.clock.advance(2_000)
    expect(await draining).toBe(1)
    expect(world.outlet.events.map(String)).toEqual(['1:[001] (agent1) any->x:late'])
  })

  it('returns how many were asked to reconnect, and takes names', async () => {
    const world = await started()
    const agents = await Promise.all([1, 2].map((id) => world.agent(testKey(id))))
    for (const agent of agents) agent.start()
    await world.settle()
    expect(await world.listener.reconnect([2, 3])).toBe(1)
    expect(await world.listener.reconnect(undefined)).toBe(2)
    await world.settle()
    expect(agents.map((agent) => agent.texts().length)).toEqual([2, 3])
  })
})

describe('a request', () => {
  it('is answered by its agent alone, over UDP acknowledged each time, and fails when no answer comes', async () => {
    const world = await started()
    const [agent, other] = [new TestAgent(world.datagrams(), testKey(1)), await world.agent(testKey(2))]
    agent.start()
    other.start()
    await world.settle()
    world.drawn.push(0x2a)
    const answer = world.listener.request(1, 'agent getconfig client', 10_000)
    other.say('#!-req 2a ok {"of":"another"}')
    agent.say('#!-req 2a ack')
    agent.say('#!-req 2a err no such thing')
    agent.say('#!-req 2a err no such thing')
    await world.settle()
    expect(await answer).toBe('err no such thing')
    agent.socket.collect()
    expect(agent.texts()).toEqual([ack, '#!-req 2a agent getconfig client', '#!-req 2a ack', '#!-req 2a ack'])
    const silent = world.listener.request(2, 'agent getconfig client', 1_000)
    const absent = world.listener.request(9, 'agent getconfig client', 1_000)
    await expect(absent).rejects.toMatchObject({ code: 'notConnected' })
    await Promise.all([expect(silent).rejects.toMatchObject({ code: 'requestTimeout' }), world.clock.advance(1_000)])
  })
})
