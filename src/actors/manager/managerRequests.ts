/** What the programs of a real manager have a node do for them, opaque: on its master, on a worker, in its own framework. */
import type { CarriedAnswer } from '../../ports/manager.js'

export interface ManagerRequests {
  /** Of a worker: asks a daemon of the master (see askedDaemons). Fails with `notConnected`, `managerFailed`, `argumentsInvalid` for another daemon. */
  sendsync(daemon: string, message: Uint8Array, signal: AbortSignal): Promise<CarriedAnswer>
  /** Carried out by the framework of the master, here or there. Fails with `notConnected`, `apiBridgeOff`, `managerRefused`. */
  dapi(request: Uint8Array, signal: AbortSignal): Promise<CarriedAnswer>
  /** Of a master: by the framework of this node. Fails with `unknownNode`, otherwise as `dapi`. */
  dapiForward(node: string, request: Uint8Array, signal: AbortSignal): Promise<CarriedAnswer>
  /** Of a worker: has its analysisd load the rules again after the next check or sync of its files. Fails with `notConnected`. */
  reloadRulesetAfterCheck(): void
}
