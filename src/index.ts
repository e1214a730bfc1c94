/** The public API of `muster`: a node to embed, and a simulated cluster to run. */
export type { NodeEvent, NodePorts } from './actors/node.js'
export { type ClusterNode, createNode, defaultPort, type NodeOptions } from './createNode.js'
export type { AnswerLine, ClusterQuery, FileRow, NodeHealth, NodeView } from './domain/clusterView.js'
export { defaultSyncedItems, type SyncedItem, type SyncedItems } from './domain/syncedItems.js'
export { defaultTimings, type Timings } from './domain/timings.js'
export { ClusterError, type ErrorCode, errorTable, type Result } from './errors.js'
export type { Clock, Files, Link, Log, Network, Random, Transport } from './ports.js'
export { type Progress, type SimulateOptions, type SimulationReport, simulate } from './simulation/simulate.js'
