/**
 * Who asks which agents to reconnect: the master knows from its table where an agent reports, and has each node ask its own. A node asks
 * those that are connected to its listener.
 */
import { asClusterError, ClusterError } from '../../../base/errors.js'
import type { Link } from '../../../ports/link.js'
import type { Remoted } from '../../../ports/remoted.js'
import { agentPages } from '../../agents/agentPages.js'
import type { LocalAgents } from '../../agents/nodeAgents.js'
import type { Reconnected, ReconnectRequest } from '../../agents/reconnectRequest.js'
import type { Registry } from '../../cluster/registry.js'
import type { Front } from '../../kit/front.js'
import type { ServingInput } from '../../kit/servingThread.js'
import type { ListenerRun } from './listenerThread.js'

export interface OwnListener {
  readonly node: string
  readonly front: Front<ListenerRun>
  /** Where a real manager has the agents. */
  readonly remoted?: Remoted | undefined
}

/** Nobody is connected to a node without a listener. A real manager asks those that are named. */
const askOwn = async ({ front, node, remoted }: OwnListener, ids: readonly number[] | undefined): Promise<Reconnected> => ({
  node,
  agents: (remoted ? await remoted.reconnect(ids ?? []) : await front.running?.listener.reconnect(ids)) ?? 0,
})

export interface ReconnectRoutes {
  readonly own: OwnListener
  readonly agents: LocalAgents
  readonly registry: Pick<Registry, 'get' | 'members'>
  readonly requestMsMax: number
}

/** On the master. Fails with `unknownNode` and `agentMissing` before anybody is asked. */
export const reconnectAgents = async (
  { agents, own, registry, requestMsMax }: ReconnectRoutes,
  { ids, nodes }: ReconnectRequest,
  signal: AbortSignal,
): Promise<readonly Reconnected[]> => {
  const unknown = (nodes ?? []).filter((name) => name !== own.node && !registry.get(name))
  if (unknown.length > 0) throw new ClusterError('unknownNode', { message: `Unknown node ID: ${unknown.join(', ')}` })
  const all = [own.node, ...registry.members().map(({ name }) => name)]
  const wanted = nodes ? all.filter((name) => nodes.includes(name)) : all
  const byNode = ids && (await agentsByNode(agents, ids))
  const asked = wanted.filter((name) => !byNode || byNode.has(name))
  return Promise.all(
    asked.map(async (node) => {
      const idsThere = byNode?.get(node)
      try {
        const link = registry.get(node)?.link
        return link ? await askWorker(node, link, idsThere, { signal, timeoutMs: requestMsMax }) : await askOwn(own, idsThere)
      } catch (thrown) {
        return { node, agents: 0, error: asClusterError(thrown).message }
      }
    }),
  )
}

const askWorker = async (
  node: string,
  link: Link,
  ids: readonly number[] | undefined,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<Reconnected> => {
  const reply = await link.request('agents.reconnect', { all: ids === undefined, ids: [...(ids ?? [])], nodes: [] }, options)
  // A worker speaks for itself only.
  return { node, agents: reply.nodes.reduce((sum, { agents }) => sum + agents, 0) }
}

/** By where they reported last. Those that never did are at none. */
const agentsByNode = async ({ store }: LocalAgents, ids: readonly number[]): Promise<ReadonlyMap<string, readonly number[]>> => {
  const byNode = new Map<string, number[]>()
  const missing = new Set(ids)
  for await (const page of agentPages(store, { ids }))
    for (const { id, node } of page) {
      missing.delete(id)
      if (node === undefined) continue
      const there = byNode.get(node) ?? []
      byNode.set(node, there)
      there.push(id)
    }
  if (missing.size > 0) throw new ClusterError('agentMissing')
  return byNode
}

/** A worker's end: what its master has it ask. */
export const reconnectAnswers = (link: Pick<Link, 'serve'>, own: OwnListener): ServingInput => ({
  link,
  answers: () => ({ 'agents.reconnect': async ({ all, ids }) => ({ nodes: [await askOwn(own, all ? undefined : ids)] }) }),
})
