/** The end of the HAProxy helper: no server is left drained that no operator drained. */
import type { Balancer } from '../../ports/balancer.js'
import type { Clock } from '../../ports/machine.js'
import type { BalancedNodes } from './balancedNodes.js'

/** A balancer that cannot be reached does not delay the end of a node any longer. */
const leaveMsMax = 2_000

export interface LeaveServersOptions {
  readonly balancer: Balancer
  readonly nodes: BalancedNodes
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
}

/** Never rejects: what is left drained is made ready by the next start of a helper. */
export const leaveServers = async ({ balancer, clock, nodes }: LeaveServersOptions): Promise<void> => {
  const abort = new AbortController()
  const timer = clock.setTimeout(() => abort.abort(), leaveMsMax)
  try {
    for (const { name, state } of await balancer.servers(abort.signal))
      if (state === 'drain' && nodes.stateOf(name) !== 'drained') await balancer.setState(name, 'ready', abort.signal)
  } catch {
    // See above.
  }
  clock.clearTimeout(timer)
  await balancer.close()
}
