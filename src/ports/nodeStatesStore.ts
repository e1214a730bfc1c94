/**
 * Where a node keeps what operators said of nodes: a master of all, a worker of itself. The real one and the simulated one run the same code
 * over their disks (disk/cluster/nodeStatesFile).
 * Every call fails with a ClusterError.
 */
import type { StatesByNode } from '../domain/cluster/nodeState.js'

export interface LoadedStates {
  readonly states: StatesByNode
  /** What became of a file that is not one of ours, or is damaged: a sentence. */
  readonly setAside?: string
}

export interface NodeStatesStore {
  /** What is not ours is not lost: it gets another name. Fails with `fileFailed` for what cannot be read. */
  load(): Promise<LoadedStates>
  /** All of them or none, durable when it resolves. */
  save(states: StatesByNode): Promise<void>
  close(): void
}
