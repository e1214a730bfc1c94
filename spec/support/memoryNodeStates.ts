/** States of nodes that nothing keeps, and a store in memory whose next calls can be made to fail. */
import { NodeStates } from '../../src/actors/cluster/nodeStates.js'
import type { ClusterError } from '../../src/base/errors.js'
import type { StatesByNode } from '../../src/domain/cluster/nodeState.js'
import type { LoadedStates, NodeStatesStore } from '../../src/ports/nodeStatesStore.js'
import { recordingLog } from './recordingLog.js'

export class MemoryNodeStates implements NodeStatesStore {
  kept: StatesByNode
  /** What calls fail with. */
  failure: ClusterError | undefined
  saves = 0

  constructor(kept: StatesByNode = new Map()) {
    this.kept = kept
  }

  async load(): Promise<LoadedStates> {
    if (this.failure) throw this.failure
    return { states: this.kept }
  }

  async save(states: StatesByNode): Promise<void> {
    if (this.failure) throw this.failure
    this.saves += 1
    this.kept = states
  }

  close(): void {}
}

export const memoryNodeStates = (node: string, store = new MemoryNodeStates()): NodeStates =>
  new NodeStates({ node, store, log: recordingLog() })
