/** What a node does for the programs of its manager: here, on its master, or on a worker. */
import { ClusterError } from '../../base/errors.js'
import type { Link } from '../../ports/link.js'
import type { Clock } from '../../ports/machine.js'
import type { CarriedAnswer, ManagerPorts } from '../../ports/manager.js'
import { TimeLimit } from '../kit/timeLimit.js'
import { askedDaemon, CarriedLoad, type CarriedWork } from './carriedAnswers.js'
import { assertCarried, type CarriedRequest, CarriedRequests, carriedKinds } from './carriedRequest.js'
import type { Carried } from './carryThreads.js'
import type { ManagerRequests } from './managerRequests.js'

interface RequestsOptions {
  readonly clock: Clock
  readonly requestMsMax: number
  /** Nothing on a node without a manager. */
  readonly wazuh: Pick<ManagerPorts, 'bridge' | 'daemons'> | undefined
}

export interface MasterRequestsOptions extends RequestsOptions {
  readonly node: string
  /** The link of the worker of that name. */
  readonly worker: (node: string) => Link | undefined
}

export interface WorkerRequestsOptions extends RequestsOptions {
  /** Fails with `notConnected`. */
  readonly master: () => Link
  /** See ManagerRequests. */
  readonly reloadRulesetAfterCheck: () => void
}

/** What this node carries out for its peers; nothing without a manager. */
export const carriedHere = (wazuh: RequestsOptions['wazuh'], role: 'master' | 'worker'): { readonly carried?: Carried } => {
  if (!wazuh) return {}
  const { bridge, daemons } = wazuh
  const work: CarriedWork = {
    dapi: (request, signal) => bridge.run(request, signal),
    sendsync: role === 'worker' ? undefined : async (daemon, message, signal) => wholeAnswer(await daemons.ask(daemon, message, signal)),
  }
  return { carried: { load: new CarriedLoad(), work } }
}

const wholeAnswer = (bytes: Uint8Array): CarriedAnswer => ({ bytes: bytes.byteLength, content: once(bytes) })

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.byteLength > 0) yield bytes
}

/** By the framework of this node, within the time that a request may take. */
const carriedOutHere = async ({ clock, wazuh }: RequestsOptions, request: Uint8Array, signal: AbortSignal): Promise<CarriedAnswer> => {
  if (!wazuh) throw new ClusterError('apiBridgeOff', { message: 'There is no Wazuh manager on this machine' })
  assertCarried('dapi', request.byteLength)
  const { msMax, what } = carriedKinds.dapi
  const time = new TimeLimit(clock, msMax, signal, what)
  try {
    const { bytes, content } = await wazuh.bridge.run(request, time.signal)
    return { bytes, content: endingWith(content, time) }
  } catch (thrown) {
    time.end()
    throw time.reasonOr(thrown)
  }
}

async function* endingWith(content: AsyncIterable<Uint8Array>, time: TimeLimit): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* content
  } catch (thrown) {
    throw time.reasonOr(thrown)
  } finally {
    time.end()
  }
}

/** The requests over each link share its places, for as long as there is that link. */
const requestsOverLinks = (options: RequestsOptions) => {
  const ofLink = new WeakMap<Link, CarriedRequests>()
  return (link: Link, carried: CarriedRequest, signal: AbortSignal): Promise<CarriedAnswer> => {
    const requests = ofLink.get(link) ?? new CarriedRequests(link, options)
    ofLink.set(link, requests)
    return requests.carry(carried, signal)
  }
}

export const masterRequests = (options: MasterRequestsOptions): ManagerRequests => {
  const carry = requestsOverLinks(options)
  return {
    sendsync: async () => {
      throw new ClusterError('argumentsInvalid', {
        message: 'sendsync is for workers: on the master, ask the daemons at their own sockets',
      })
    },
    dapi: (request, signal) => carriedOutHere(options, request, signal),
    dapiForward: async (node, request, signal) => {
      if (node === options.node) return carriedOutHere(options, request, signal)
      const link = options.worker(node)
      if (!link) throw new ClusterError('unknownNode', { message: `Unknown node ID: ${node}` })
      return carry(link, { kind: 'dapi', request }, signal)
    },
    reloadRulesetAfterCheck: () => {
      throw new ClusterError('argumentsInvalid', { message: 'sendrreload is for workers' })
    },
  }
}

export const workerRequests = (options: WorkerRequestsOptions): ManagerRequests => {
  const carry = requestsOverLinks(options)
  return {
    sendsync: async (daemon, request, signal) =>
      carry(options.master(), { kind: 'sendsync', daemon: askedDaemon(daemon), request }, signal),
    dapi: async (request, signal) => carry(options.master(), { kind: 'dapi', request }, signal),
    dapiForward: async () => {
      throw new ClusterError('notOnWorker', { message: 'Requests to other nodes go through the master' })
    },
    reloadRulesetAfterCheck: () => {
      options.master()
      options.reloadRulesetAfterCheck()
    },
  }
}
