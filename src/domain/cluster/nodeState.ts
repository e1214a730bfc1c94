/** What an operator said of a node: it works, it is to be left by its agents, or it does not belong to the cluster any more. */
import { type Static, Type } from 'typebox'
import { ClusterError, ok, type Result, refuse } from '../../base/errors.js'
import { fields, list, name, type ReadonlyValue, text } from '../../base/fields.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { limits } from '../../base/limits.js'
import { shapeOf } from '../../base/shapeOf.js'
import type { Manager } from '../agents/leftToManager.js'

export const nodeStates = ['ready', 'drained', 'removed'] as const
export type NodeState = (typeof nodeStates)[number]

export const nodeState = () => Type.Enum([...nodeStates])

/** By name, the longest known first; also nodes that are ready, for an operator may speak of all that were ever in. */
export type StatesByNode = ReadonlyMap<string, NodeState>

/** `cluster_control --drain`, `--ready` and `--remove`. Any text will do for a name: one that no node has is answered as unknown. */
export const nodeCommand = fields({
  kind: Type.Literal('setNodeState'),
  node: text(limits.controlRequestBytesMax),
  state: nodeState(),
  /** Nothing is changed: what is asked is whether it could be. */
  isTrial: Type.Boolean(),
})

export type NodeCommand = ReadonlyValue<Static<typeof nodeCommand>>

export interface StateChange {
  readonly node: string
  readonly state: NodeState
  readonly current: NodeState
  readonly masterNode: string
  /** Whether a node of this name is or was in the cluster. */
  readonly isKnown: boolean
}

const nodeName = shapeOf(name(limits.nodeNameCharsMax))

/** Whether anything changes. Refuses the impossible: no node could make a removed master ready again. */
export const decideStateChange = ({ current, isKnown, masterNode, node, state }: StateChange): Result<boolean> => {
  // What no node can be named would not be read again.
  if (!isKnown || !nodeName.Check(node)) return refuse('unknownNode', { message: `Unknown node ID: ${node}` })
  if (node === masterNode && state === 'removed')
    return refuse('argumentsInvalid', { message: `The master '${node}' cannot be removed, only drained.` })
  if (current === 'removed' && state === 'drained') return { ok: false, error: nodeRemoved(node) }
  return ok(current !== state)
}

/** To a removed node, and to an operator who takes it for one that is only not connected. */
export const nodeRemoved = (node: string): ClusterError =>
  new ClusterError('nodeRemoved', {
    message: `'${node}' was removed from the cluster: 'cluster_control --ready ${node}' on another node adds it again`,
  })

/** As a sentence about a node goes on. */
export const stateText: Readonly<Record<NodeState, string>> = {
  ready: 'is ready',
  drained: 'is drained',
  removed: 'is removed from the cluster',
}

/** What a node's own log says at each change of its own state, and at its start when it is not ready. */
export const ownStateText = (state: NodeState, manager: Manager): string => {
  if (manager === 'wazuh')
    return `This node ${stateText[state]}. Its agents are left to the Wazuh manager beside it, and are not asked to go.`
  return state === 'ready'
    ? 'This node is ready again: it takes agents.'
    : `This node ${stateText[state]}: its agents are asked to go to other nodes, and it takes none until it is made ready.`
}

/** The states with another one, within limits.knownNodesMax: of nodes that are ready, the longest known is forgotten first. */
export const withNodeState = (states: StatesByNode, node: string, state: NodeState): Result<StatesByNode> => {
  const changed = new Map(states).set(node, state)
  if (changed.size <= limits.knownNodesMax) return ok(changed)
  for (const [other, itsState] of changed)
    if (other !== node && itsState === 'ready') {
      changed.delete(other)
      return ok(changed)
    }
  return refuse('tooLarge', { message: `More than ${limits.knownNodesMax} nodes cannot be drained or removed` })
}

const kept = shapeOf(
  Type.Object({
    nodes: list(Type.Object({ name: name(limits.nodeNameCharsMax), state: nodeState() }), limits.knownNodesMax),
  }),
)

/** As they are kept in a file. */
export const nodeStatesText = (states: StatesByNode): string =>
  `${JSON.stringify({ nodes: [...states].map(([node, state]) => ({ name: node, state })) }, undefined, 1)}\n`

/** Refuses with `malformed`. */
export const parseNodeStates = (content: Uint8Array): Result<StatesByNode> => {
  const parsed = parsedJson(content, kept, 'It')
  return parsed.ok ? ok(new Map(parsed.value.nodes.map(({ name: node, state }) => [node, state]))) : parsed
}
