/** What befalls the load balancer of a simulated cluster, or is done to it by hand. */
import { unreachable } from '../../base/invariant.js'
import { type SimulatedBalancer, usualCallMs } from '../network/simulatedBalancer.js'
import type { FaultOf } from './faultPlan.js'
import type { Ending } from './injectFault.js'

export const injectBalancerFault = (balancer: SimulatedBalancer, fault: FaultOf<'balancer'>): Ending | undefined => {
  switch (fault.kind) {
    case 'balancerDown':
      void balancer.stop()
      return { afterMs: fault.durationMs, end: () => void (balancer.isRunning || balancer.start()) }
    case 'balancerUnreachable':
      balancer.isUnreachable = true
      return {
        afterMs: fault.durationMs,
        end: () => {
          balancer.isUnreachable = false
        },
      }
    case 'balancerSlow':
      balancer.callMs = fault.latencyMs
      return {
        afterMs: fault.durationMs,
        end: () => {
          balancer.callMs = usualCallMs
        },
      }
    case 'balancerConflict':
      balancer.nextChange = 'refuses'
      return undefined
    case 'balancerUnanswered':
      balancer.nextChange = 'changesWithoutAnswer'
      return undefined
    case 'balancerRestarts':
      if (balancer.isRunning) void balancer.restart(fault.serverState)
      return undefined
    case 'serverSet':
      balancer.setState(fault.node, fault.serverState)
      return undefined
    default:
      return unreachable(fault)
  }
}
