/** What an operator said of a node: it works, it is to be left by its agents, or it does not belong to the cluster any more. */

export const nodeStates = ['ready', 'drained', 'removed'] as const
export type NodeState = (typeof nodeStates)[number]
