/** The real NodeStatesStore. In the node's own thread: a file of some hundred bytes is written when an operator says something of a node. */
import { NodeStatesFile } from '../../disk/cluster/nodeStatesFile.js'
import type { NodeStatesStore } from '../../ports/nodeStatesStore.js'
import { createNodeDisk } from './nodeDisk.js'

export const createRealNodeStates = (home: string): NodeStatesStore => {
  const file = new NodeStatesFile(createNodeDisk(), home)
  return {
    load: async () => file.load(),
    save: async (states) => file.save(states),
    close: () => undefined,
  }
}
