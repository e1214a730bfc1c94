/**
 * What must come of a cluster of real managers once nothing goes wrong any more: the master's wazuh-db says of every agent the newest that
 * any wazuh-db of the cluster answered and kept, and each worker's has the master's agents and groups.
 */
import type { WazuhAgent } from '../../domain/manager/wazuhAgent.js'
import type { ManagedAgents } from '../manager/managedAgents.js'
import type { SimulatedManager } from '../manager/simulatedManager.js'
import type { SimulatedNode } from '../simulatedNode.js'

export const managedAgentDifferences = (
  master: SimulatedNode,
  workers: readonly SimulatedNode[],
  agents: ManagedAgents,
): readonly string[] => {
  const { manager } = master
  if (!manager) return []
  return [
    ...statesDifferences(manager, agents),
    ...workers.flatMap(({ manager: of, name }) => (of ? groupsDifferences(manager, of).map((says) => `${name}: ${says}`) : [])),
  ]
}

const statesDifferences = ({ db }: SimulatedManager, agents: ManagedAgents): readonly string[] =>
  db.agents().flatMap((agent) => [...presenceDifferences(agent, agents), ...detailsDifferences(agent, agents)])

const presenceDifferences = ({ connection_status, id, node_name }: WazuhAgent, { details, said }: ManagedAgents): readonly string[] => {
  const { isCertain, says } = said.allowed(id)
  const shown = `${connection_status} at ${node_name}`
  if (connection_status === 'never_connected') return isCertain ? [`${id} never connected, and is ${[...says].join(', ')}`] : []
  // What is not a full row says nothing of the node: so it is with an agent that never said what it is.
  const isNodeKnown = details.allowed(id).isCertain && connection_status !== 'pending'
  const isSaid = isNodeKnown ? says.has(shown) : [...says].some((one) => one.startsWith(`${connection_status} at `))
  return isSaid ? [] : [`${id} is ${shown}, and may be ${[...says].join(', ')}`]
}

const detailsDifferences = ({ id, os_uname = '' }: WazuhAgent, { cloned, details }: ManagedAgents): readonly string[] => {
  if (cloned.has(id)) return []
  const { isCertain, says } = details.allowed(id)
  const allowed = new Set([...says].map((one) => one.split(' at ', 1)[0] ?? ''))
  if (os_uname === '') return isCertain ? [`${id} is nothing, and said ${[...allowed].join(', ')}`] : []
  return allowed.has(os_uname) ? [] : [`${id} is what it said as '${os_uname}', and may be ${[...allowed].join(', ')}`]
}

const groupsDifferences = ({ db: wanted }: SimulatedManager, { db }: SimulatedManager): readonly string[] => {
  const groupsIn = (of: typeof db): ReadonlyMap<number, string> =>
    new Map(of.agents().map(({ id }) => [id, (of.groupsOf(id) ?? []).join()]))
  const [there, here] = [groupsIn(wanted), groupsIn(db)]
  const ids = new Set([...there.keys(), ...here.keys()])
  const says = [...ids].flatMap((id) => {
    const [want, have] = [there.get(id), here.get(id)]
    // Groups that are set on a worker make a row, which stays until wazuh-modulesd reads client.keys again.
    if (want === have || (want === undefined && have === '')) return []
    return [
      `agent ${id} is ${have === undefined ? 'not there' : `in '${have}'`}, and ${want === undefined ? 'not there' : `in '${want}'`} on the master`,
    ]
  })
  if (says.length === 0 && db.groupsHash() !== wanted.groupsHash()) says.push('the hash of groups is another')
  return says
}
