/** The load balancer of a master in the real world, as its options say: HAProxy, by its runtime socket or by its Data Plane API. */
import { defaultListenerService } from './config/agentServiceOptions.js'
import { type BalancerOptions, helperOptions } from './config/balancerOptions.js'
import type { ServiceOptions } from './nodeServices.js'
import { createDataPlane } from './platform/balancer/dataPlane.js'
import { createRuntimeSocket } from './platform/balancer/runtimeSocket.js'
import type { Balancer } from './ports/balancer.js'

interface NodeWithBalancer extends Pick<ServiceOptions, 'listener'> {
  readonly type: 'master' | 'worker'
  readonly balancer?: BalancerOptions
}

/** Undefined on a worker, and where none is driven. */
export const balancerOf = ({ balancer, listener, type }: NodeWithBalancer): Balancer | undefined => {
  if (type === 'worker' || !balancer?.access) return undefined
  const { access, backend = helperOptions.backend.fallback } = balancer
  const agentsPort = balancer.agentsPort ?? listener?.port ?? defaultListenerService.port
  return access.kind === 'runtimeSocket'
    ? createRuntimeSocket({ socket: access.socket, backend, agentsPort })
    : createDataPlane({ ...access, backend, agentsPort })
}
