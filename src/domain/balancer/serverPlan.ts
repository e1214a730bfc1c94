/**
 * Which servers the balancer should have, and in which states: what is to be done so that it has. Carried out twice, it changes nothing the
 * second time.
 */
import type { NodeState } from '../cluster/nodeState.js'
import type { BalancerServer } from './balancerServer.js'

/** A node that is connected, or the master itself. */
export interface ServedNode {
  readonly name: string
  /** Where the balancer reaches it. */
  readonly address: string
}

export type ServerStep =
  /** In place of the server of this name that is elsewhere, if there is one. */
  | { readonly kind: 'add'; readonly name: string; readonly address: string }
  | { readonly kind: 'remove'; readonly name: string; readonly why: 'excluded' | 'removed' | 'disconnected' }
  | { readonly kind: 'setState'; readonly name: string; readonly state: 'ready' | 'drain' }

export interface ServerSituation {
  readonly servers: readonly BalancerServer[]
  /** In order of their names. */
  readonly nodes: readonly ServedNode[]
  readonly excludedNodes: readonly string[]
  /** What operators said of the nodes. */
  stateOf(name: string): NodeState
  /** Drained while agents are moved to others. */
  readonly held: ReadonlySet<string>
  /** For how long the server has not been up. */
  downMs(name: string): number
  readonly removeDisconnectedMs: number
}

type Removal = Extract<ServerStep, { kind: 'remove' }>

const whyRemoved = (server: BalancerServer, connected: ReadonlySet<string>, situation: ServerSituation): Removal['why'] | undefined => {
  const { name } = server
  if (situation.excludedNodes.includes(name)) return 'excluded'
  if (situation.stateOf(name) === 'removed') return 'removed'
  // One that is connected would be added again at once, and one that is up has agents that nobody else would get.
  const isGone = !server.isUp && !connected.has(name)
  return isGone && situation.downMs(name) >= situation.removeDisconnectedMs ? 'disconnected' : undefined
}

/**
 * The state that each should have. A server in maintenance is left to the operator who put it there. Where draining would leave none that takes
 * agents, all that are up take them: an agent that reports to a drained node is better off than one that is sent away.
 */
const stateSteps = (servers: readonly BalancerServer[], { held, stateOf }: ServerSituation): readonly ServerStep[] => {
  const ours = servers.filter(({ state }) => state !== 'maintenance')
  const isDrained = ({ name }: BalancerServer): boolean => held.has(name) || stateOf(name) === 'drained'
  const up = ours.filter(({ isUp }) => isUp)
  const lastOnes = new Set(up.every(isDrained) ? up : [])
  return ours.flatMap((server) => {
    const state = isDrained(server) && !lastOnes.has(server) ? 'drain' : 'ready'
    return state === server.state ? [] : [{ kind: 'setState' as const, name: server.name, state }]
  })
}

/** Servers that are to take agents come before those that are to take no more, so that at every moment some server takes them. */
export const serverPlan = (situation: ServerSituation): readonly ServerStep[] => {
  const { excludedNodes, held, nodes, servers, stateOf } = situation
  const connected = new Set(nodes.map(({ name }) => name))
  const removals = servers.flatMap((server): Removal[] => {
    const why = whyRemoved(server, connected, situation)
    return why ? [{ kind: 'remove', name: server.name, why }] : []
  })
  const gone = new Set(removals.map(({ name }) => name))
  const standing = new Map(servers.filter(({ name }) => !gone.has(name)).map((server) => [server.name, server]))
  const additions = nodes.flatMap(({ address, name }): ServerStep[] => {
    const server = standing.get(name)
    const isServed = server?.address === address || server?.state === 'maintenance'
    // One that is added takes agents at once: a node that is drained or held gets a server afterwards.
    if (isServed || excludedNodes.includes(name) || stateOf(name) !== 'ready' || held.has(name)) return []
    return [{ kind: 'add', name, address }]
  })
  for (const { name } of additions) standing.delete(name)
  const states = stateSteps([...standing.values()], situation)
  const isReady = (step: ServerStep): boolean => step.kind === 'setState' && step.state === 'ready'
  return [...states.filter(isReady), ...additions, ...states.filter((step) => !isReady(step)), ...removals]
}
