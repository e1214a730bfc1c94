/**
 * The public API of `muster/testing`: the parts of the simulated world, fault plans, checkers and arbitraries, to
 * property-test one's own configuration or one's own actor; and the suites that hold a port of one's own to what the nodes rely on.
 */

export { SimulatedCluster, type SimulatedClusterOptions } from './simulation/cluster.js'
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
} from './simulation/faults/faultPlan.js'
export { type Ending, injectFault } from './simulation/faults/injectFault.js'
export { defaultFaultPaths, type RandomPlanOptions, randomPlan } from './simulation/faults/randomPlan.js'
export { schedulePlan } from './simulation/faults/schedulePlan.js'
export { shrinkPlan } from './simulation/faults/shrinkPlan.js'
export {
  type SimulatedIdentity,
  simulatedAuthority,
  simulatedIdentity,
} from './simulation/network/simulatedCertificates.js'
export { createSimulatedNetwork, SimulatedNetwork, type SimulatedNetworkOptions } from './simulation/network/simulatedNetwork.js'
export type { Violation } from './simulation/rules/checkers.js'
export { type ExpectedFile, type ExpectedTree, expectedTree, treeDifferences } from './simulation/rules/expectedTree.js'
export { type SimulateOptions, type SimulationReport, simulate } from './simulation/simulate.js'
export { SimulatedAgents } from './simulation/simulatedAgents.js'
export type { SimulatedNode } from './simulation/simulatedNode.js'
export { MemoryDisk } from './simulation/world/memoryDisk.js'
export { SeededRandom } from './simulation/world/seededRandom.js'
export { createSimulatedFiles } from './simulation/world/simulatedFiles.js'
export { Trace } from './simulation/world/trace.js'
export { type ClockSkew, ClockView, VirtualClock } from './simulation/world/virtualClock.js'
export { type AgentFilesNode, type AgentFilesSuite, agentFilesCases } from './testing/compliance/agentFilesCases.js'
export { type AgentStoreSuite, agentStoreCases } from './testing/compliance/agentStoreCases.js'
export { type ApiBridgeSuite, apiBridgeCases, type FrameworkRequests } from './testing/compliance/apiBridgeCases.js'
export { type BalancedAgent, type BalancerSuite, balancerCases } from './testing/compliance/balancerCases.js'
export { type ClockSuite, clockCases } from './testing/compliance/clockCases.js'
export type { ComplianceCase } from './testing/compliance/complianceCase.js'
export { type DatagramSuite, datagramCases } from './testing/compliance/datagramCases.js'
export { filesCases } from './testing/compliance/filesCases.js'
export type { FilesNode, FilesSuite } from './testing/compliance/filesPair.js'
export { type ManagerDaemonsSuite, managerDaemonsCases } from './testing/compliance/managerDaemonsCases.js'
export { type NetworkSuite, networkCases } from './testing/compliance/networkCases.js'
export { type NodeHome, suiteItems } from './testing/compliance/nodeHome.js'
export { tlsCases } from './testing/compliance/tlsCases.js'
export type { TlsSuite } from './testing/compliance/tlsConnections.js'
export {
  type WazuhDbSuite,
  type WazuhDbSuiteOptions,
  type WazuhDbSurroundings,
  wazuhDbCases,
} from './testing/compliance/wazuhDbCases.js'
export { clusterPlans, type FaultPlanConstraints, faultPlans, faults } from './testing/faultPlanArbitraries.js'
export { arbitraryOf } from './testing/messageArbitraries.js'
