/**
 * The public API of `muster/testing`: the parts of the simulated world, fault plans, checkers and arbitraries, to
 * property-test one's own configuration or one's own actor.
 */
export type { Violation } from './simulation/checkers.js'
export { SimulatedCluster, type SimulatedClusterOptions } from './simulation/cluster.js'
export { type ExpectedFile, type ExpectedTree, expectedTree, treeDifferences } from './simulation/expectedTree.js'
export {
  type Fault,
  type FaultClass,
  type FaultKind,
  type FaultPlan,
  faultClasses,
  faultKinds,
  parseFaultKinds,
  parsePlan,
  renderPlan,
} from './simulation/faultPlan.js'
export { type Ending, injectFault } from './simulation/injectFault.js'
export { MemoryDisk } from './simulation/memoryDisk.js'
export { defaultFaultPaths, type RandomPlanOptions, randomPlan } from './simulation/randomPlan.js'
export { schedulePlan } from './simulation/schedulePlan.js'
export { SeededRandom } from './simulation/seededRandom.js'
export { shrinkPlan } from './simulation/shrinkPlan.js'
export { type SimulateOptions, type SimulationReport, simulate } from './simulation/simulate.js'
export { SimulatedAgents } from './simulation/simulatedAgents.js'
export { createSimulatedFiles } from './simulation/simulatedFiles.js'
export { createSimulatedNetwork, SimulatedNetwork, type SimulatedNetworkOptions } from './simulation/simulatedNetwork.js'
export type { SimulatedNode } from './simulation/simulatedNode.js'
export { Trace } from './simulation/trace.js'
export { type ClockSkew, ClockView, VirtualClock } from './simulation/virtualClock.js'
export { clusterPlans, type FaultPlanConstraints, faultPlans, faults } from './testing/faultPlanArbitraries.js'
export { arbitraryOf } from './testing/messageArbitraries.js'
