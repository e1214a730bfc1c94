/** Lets the faults of a plan happen when they are due, from now on. */
import type { SimulatedCluster } from '../cluster.js'
import type { FaultPlan } from './faultPlan.js'
import { injectFault } from './injectFault.js'

/** Returns what ends it: from then on nothing of the plan happens, and what lasts is left to `heal`. */
export const schedulePlan = (cluster: SimulatedCluster, plan: FaultPlan, onFault?: () => void): (() => void) => {
  let isOver = false
  for (const fault of plan)
    cluster.clock.setTimeout(() => {
      if (isOver) return
      onFault?.()
      const ending = injectFault(cluster, fault)
      if (ending) cluster.clock.setTimeout(() => !isOver && ending.end(), ending.afterMs)
    }, fault.atMs)
  return () => {
    isOver = true
  }
}
