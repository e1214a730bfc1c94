/** What must hold of the load balancer once nothing goes wrong any more, and how long that may take. */
import { isBalanced } from '../../domain/balancer/agentMoves.js'
import type { BalancerServer } from '../../domain/balancer/balancerServer.js'
import type { BalancingOptions } from '../../domain/balancer/balancingOptions.js'

/** Until a server that was added is up, a balancer that failed is asked again, and a server that is not up is no longer waited for. */
const serversMsMax = 90_000
/** Agents come back by themselves after a fault: until their servers know that they are gone, they count twice. */
const passesMax = 3

/** In milliseconds, after a healed cluster has converged. */
export const balanceMsMax = ({ agentReconnectionMs, frequencyMs, stabilityMs }: BalancingOptions): number =>
  serversMsMax + passesMax * (frequencyMs + stabilityMs + 2 * agentReconnectionMs)

/** @param connected names of nodes, none of which an operator drained */
export const balanceDifferences = (
  servers: readonly BalancerServer[],
  connected: readonly string[],
  { imbalanceTolerance }: Pick<BalancingOptions, 'imbalanceTolerance'>,
): readonly string[] => {
  const names = servers.map(({ name }) => name)
  const loads = new Map(servers.map(({ name, sessions }) => [name, sessions]))
  const shown = [...loads].map(([name, load]) => `${name}: ${load}`).join(', ')
  return [
    ...connected.filter((name) => !names.includes(name)).map((name) => `${name} is connected and no server`),
    ...servers.filter(({ isUp }) => !isUp).map(({ name }) => `${name} is not up`),
    ...servers.filter(({ state }) => state !== 'ready').map(({ name, state }) => `${name} is in the state ${state}`),
    ...(isBalanced(loads, imbalanceTolerance) ? [] : [`agents are not balanced (${shown})`]),
  ]
}
