/** The order in which nodes are shown: the master, then the workers by name, the same on every machine. */
import type { NodeView } from '../../domain/queries/clusterAnswer.js'

export const masterFirst = (one: NodeView, other: NodeView): number => {
  if (one.type !== other.type) return one.type === 'master' ? -1 : 1
  if (one.name === other.name) return 0
  return one.name < other.name ? -1 : 1
}
