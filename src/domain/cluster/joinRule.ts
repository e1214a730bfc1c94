/** Which worker the master lets in, once it has proved the key. */
import { type ClusterError, type ErrorCode, ok, type Result, refuse } from '../../base/errors.js'
import { type NodeState, nodeRemoved } from './nodeState.js'

export interface Membership {
  readonly cluster: string
  readonly masterNode: string
  /** Workers that are in, and how many may be. */
  readonly workers: number
  readonly workersMax: number
  /** Instance of the process that holds a name, if any does. */
  instanceOf(node: string): string | undefined
  stateOf(node: string): NodeState
}

/** What a worker says of itself when it wants to join. */
export interface JoinRequest {
  readonly cluster: string
  readonly node: string
  /** Of its process. */
  readonly instance: string
}

/** A process that lost a connection that we still hold may take its own place. */
export const decideAdmission = (membership: Membership, hello: JoinRequest): Result<undefined> => {
  if (hello.cluster !== membership.cluster)
    return refuse('wrongClusterName', {
      message: `The cluster here is named '${membership.cluster}', not '${hello.cluster}' (option <name>)`,
    })
  if (hello.node === membership.masterNode)
    return refuse('sameNameAsMaster', { message: `The master is named '${hello.node}' too: give this worker another <node_name>` })
  if (membership.stateOf(hello.node) === 'removed') return { ok: false, error: nodeRemoved(hello.node) }
  const holder = membership.instanceOf(hello.node)
  if (holder === undefined && membership.workers >= membership.workersMax)
    return refuse('tooManyWorkers', {
      message: `The master already has ${membership.workers} workers, its limit: raise 'workers_max' in its etc/cluster.json`,
    })
  if (holder === undefined || holder === hello.instance) return ok(undefined)
  return refuse('duplicateName', { message: `A worker named '${hello.node}' is already connected: give this one another <node_name>` })
}

/** Refusals that stay until an operator does something: a worker retries them slowly. */
export const needsOperator = (error: ClusterError): boolean => operatorCodes.has(error.code)

const operatorCodes: ReadonlySet<ErrorCode> = new Set([
  ...(['wrongClusterName', 'sameNameAsMaster', 'duplicateName', 'tooManyWorkers', 'noCommonProtocol'] as const),
  ...(['nodeRemoved', 'notCertified'] as const),
])
