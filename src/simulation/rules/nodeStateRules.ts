/** What must come of what operators said of nodes, once nothing goes wrong any more. */
import type { BalancerServer } from '../../domain/balancer/balancerServer.js'
import type { NodeState } from '../../domain/cluster/nodeState.js'
import type { SimulatedNode } from '../simulatedNode.js'
import type { SimulatedOperators } from '../simulatedOperators.js'

export interface NodeStateRulesOptions {
  /** The master first. */
  readonly nodes: readonly SimulatedNode[]
  readonly operators: Pick<SimulatedOperators, 'pending' | 'possible'>
  /** Of the load balancer, if there is one. */
  readonly servers: readonly BalancerServer[]
  isMember(name: string): boolean
}

/** Where a node is not what was said of it; `said` with a state: where it is not that. */
export const nodeStateDifferences = (options: NodeStateRulesOptions, said?: NodeState): readonly string[] => {
  const { isMember, nodes, operators, servers } = options
  if (operators.pending > 0) return ['an operator is not answered yet']
  const states = nodes[0]?.running?.states
  if (!states) return ['there is no master']
  const areAllDrained = nodes.every(({ name }) => states.stateOf(name) !== 'ready')
  return nodes.flatMap(({ fronts, name, role, running }) => {
    const state = states.stateOf(name)
    const possible = said ? new Set([said]) : operators.possible(name)
    const server = servers.find((candidate) => candidate.name === name)
    const own = running?.states.own.value
    const wrong: string[] = []
    if (!possible.has(state)) wrong.push(`is ${state} to the master, and may be ${[...possible].join(' or ')}`)
    if (own !== state) wrong.push(`is ${own ?? 'nothing'} to itself, and ${state} to the master`)
    if (role === 'worker' && isMember(name) === (state === 'removed')) wrong.push(`is ${state}, and ${isMember(name) ? 'in' : 'not in'}`)
    if (fronts && fronts.isListening === (state !== 'ready'))
      wrong.push(`is ${state}, and ${fronts.isListening ? 'takes' : 'takes no'} agents`)
    if (state === 'removed' && server) wrong.push('is removed, and a server of the balancer')
    // Where all are drained, agents go on with those that they have.
    if (state === 'drained' && server?.state === 'ready' && !areAllDrained) wrong.push('is drained, and gets agents of the balancer')
    return wrong.map((says) => `${name} ${says}`)
  })
}
