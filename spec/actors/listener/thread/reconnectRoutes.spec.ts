/** Who asks which agents to reconnect: by the table of the master, over scripted links, at the nodes that were named. */
import { describe, expect, it } from 'vitest'
import { Front } from '../../../../src/actors/kit/front.js'
import type { ListenerRun } from '../../../../src/actors/listener/thread/listenerThread.js'
import { reconnectAgents, reconnectAnswers } from '../../../../src/actors/listener/thread/reconnectRoutes.js'
import { ClusterError } from '../../../../src/base/errors.js'
import type { Presence } from '../../../../src/domain/agents/agent.js'
import type { RunningListener } from '../../../../src/ports/listener.js'
import { VirtualClock } from '../../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../../support/agents/localAgentsOver.js'
import { listenerOptions, ScriptedListener } from '../../../support/agents/scriptedListener.js'
import { ScriptedLink } from '../../../support/scriptedLink.js'
import { settledIn } from '../../../support/settledIn.js'

const { signal } = new AbortController()

/** Only its listener is asked for. */
const runOf = (listener: RunningListener): ListenerRun =>
  ({ listener, died: listener.died, stop: () => listener.stop() }) as Partial<ListenerRun> as ListenerRun

const presenceAt = (node: string, id: number): Presence => ({
  ...{ id, node, seenMs: 1_000 + id, epochMs: 1_000, status: 'active', disconnectedMs: 0, disconnection: 'none' },
})

const start = async () => {
  const clock = new VirtualClock()
  const settled = settledIn(clock)
  const { agents, keepTable, writeKeys } = localAgentsOver(clock, 'master')
  writeKeys([1, 2, 3, 4, 5])
  const keeper = await keepTable()
  const presences = [presenceAt('master', 1), presenceAt('w1', 2), presenceAt('w1', 3), presenceAt('w2', 4)]
  await settled(agents.store.record({ presences, details: [] }, clock.now(), true))
  const listener = new ScriptedListener()
  const front = new Front<ListenerRun>()
  front.began(
    runOf(await listener.start(listenerOptions, { report: async () => {}, configurations: async () => [], log: async () => {} }, [])),
  )
  const asked = new Map<string, unknown>()
  const link = (name: string) => {
    const scripted = new ScriptedLink()
    scripted.request = (async (_type: string, body: { ids: number[]; all: boolean }) => {
      asked.set(name, body)
      if (name === 'w2') throw new ClusterError('linkLost')
      return { nodes: [{ node: name, agents: body.all ? 7 : body.ids.length }] }
    }) as unknown as ScriptedLink['request']
    return scripted
  }
  const links = new Map(['w1', 'w2'].map((name) => [name, { name, link: link(name) }]))
  const registry = { get: (name: string) => links.get(name), members: () => [...links.values()] } as never
  const reconnect = (request: Parameters<typeof reconnectAgents>[1]) =>
    settled(reconnectAgents({ agents, own: { node: 'master', front }, registry, requestMsMax: 1_000 }, request, signal))
  return {
    ...{ asked, front, listener, reconnect },
    stop: async () => {
      keeper.stop()
      await agents.close()
      await clock.settle()
    },
  }
}

describe('a node whose agents a real manager has', () => {
  it('has it ask those that are named, and nobody else', async () => {
    const asked: (readonly number[])[] = []
    const remoted = {
      reconnect: async (ids: readonly number[]) => {
        asked.push(ids)
        return ids.length
      },
    }
    const link = new ScriptedLink()
    const answers = reconnectAnswers(link, { node: 'w1', front: new Front(), remoted }).answers({ signal, crash: () => {} })
    const ask = (all: boolean, ids: number[]) => answers['agents.reconnect']?.({ all, ids, nodes: [] })
    expect(await ask(false, [1, 2])).toEqual({ nodes: [{ node: 'w1', agents: 2 }] })
    expect(await ask(true, [])).toEqual({ nodes: [{ node: 'w1', agents: 0 }] })
    expect(asked).toEqual([[1, 2], []])
  })
})

describe('agents that are to reconnect', () => {
  it('are asked by the node that has them, and a node that cannot be asked keeps no other from it', async () => {
    const { asked, listener, reconnect, stop } = await start()
    expect(await reconnect({ ids: [1, 2, 3, 4, 5] })).toEqual([
      { node: 'master', agents: 1 },
      { node: 'w1', agents: 2 },
      { node: 'w2', agents: 0, error: 'The connection was lost' },
    ])
    expect(listener.reconnects).toEqual([[1]])
    expect(asked.get('w1')).toEqual({ all: false, ids: [2, 3], nodes: [] })
    await stop()
  })

  it('are all of every node, or of those that are named', async () => {
    const { asked, listener, reconnect, stop } = await start()
    listener.counts = { ...listener.counts, connected: 3 }
    expect(await reconnect({ nodes: ['master', 'w1'] })).toEqual([
      { node: 'master', agents: 3 },
      { node: 'w1', agents: 7 },
    ])
    expect(listener.reconnects).toEqual([undefined])
    expect([...asked.keys()]).toEqual(['w1'])
    expect(await reconnect({ ids: [1, 2], nodes: ['w1'] })).toEqual([{ node: 'w1', agents: 1 }])
    await stop()
  })

  it('are not asked at all when a node or an agent is not known', async () => {
    const { asked, listener, reconnect, stop } = await start()
    await expect(reconnect({ nodes: ['w1', 'w9'] })).rejects.toMatchObject({ code: 'unknownNode', message: 'Unknown node ID: w9' })
    await expect(reconnect({ ids: [1, 99] })).rejects.toMatchObject({ code: 'agentMissing' })
    expect([listener.reconnects, [...asked.keys()]]).toEqual([[], []])
    await stop()
  })

  it('are asked on a worker by its own listener, and are none without one', async () => {
    const { front, listener, stop } = await start()
    const link = new ScriptedLink()
    reconnectAnswers(link, { node: 'w1', front }).answers({ signal, crash: () => {} })
    const answers = reconnectAnswers(link, { node: 'w1', front }).answers({ signal, crash: () => {} })
    expect(await answers['agents.reconnect']?.({ all: false, ids: [5, 6], nodes: [] })).toEqual({ nodes: [{ node: 'w1', agents: 2 }] })
    expect(listener.reconnects).toEqual([[5, 6]])
    const none = reconnectAnswers(link, { node: 'w1', front: new Front() }).answers({ signal, crash: () => {} })
    expect(await none['agents.reconnect']?.({ all: true, ids: [], nodes: [] })).toEqual({ nodes: [{ node: 'w1', agents: 0 }] })
    await stop()
  })
})
