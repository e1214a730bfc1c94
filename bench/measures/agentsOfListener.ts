/** What the listener and the agents of its rows agree on, and how a row has both. */
import type { Child } from '../child.js'
import type { AgentsProcessCalls } from '../children/agentsOfListener.js'
import type { ListenerProcessCalls } from '../children/listener.js'
import { sleep, type Workshop } from '../workshop.js'

export const configurationSum = '2124cb16ff24847e54fb38eb1bfe983c'

export const benchAgent = (id: number) => ({ id, name: `agent${id}`, ip: 'any', key: String(id).padStart(64, '0') })

export interface ListenerWithAgents {
  readonly listener: Child<ListenerProcessCalls>
  readonly agents: Child<AgentsProcessCalls>
  /** Before the first agent was there. */
  readonly before: Awaited<ReturnType<ListenerProcessCalls['usage']>>
}

/** All agents have started and were acknowledged. */
export const startListenerWithAgents = async (workshop: Workshop, count: number): Promise<ListenerWithAgents> => {
  const listener = workshop.child<ListenerProcessCalls>('listener', ['--expose-gc'])
  const agents = workshop.child<AgentsProcessCalls>('agentsOfListener')
  const port = await listener.call('start', { agents: count, home: workshop.place('home') })
  const before = await listener.call('usage', undefined)
  await agents.call('start', { port, agents: count })
  while ((await listener.call('usage', undefined)).connected < count) await sleep(50)
  return { listener, agents, before }
}
