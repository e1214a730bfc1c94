/**
 * One change of HAProxy's configuration through its Data Plane API, of any number of writes: a transaction, which is one new version and one
 * reload. It is begun for the current version; when another program's change came first, all of it is made again for the new one.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { Shape } from '../../base/shapeOf.js'
import { type ApiAnswer, type ApiCall, isDone } from './dataPlaneClient.js'
import { type ApiPath, answerShapes, commonPaths, transactionPath } from './dataPlaneShapes.js'

export type Write = ApiPath & Pick<ApiCall, 'method' | 'body'>

/** The configuration as the change sees it: with its own writes. */
export interface ChangedConfiguration {
  read<T>(path: ApiPath, shape: Shape<T>): Promise<T>
  /** @param alsoDone statuses besides success that mean that there is nothing to do */
  write(write: Write, alsoDone?: readonly number[]): Promise<void>
}

/** How the API is asked; `call` of paths below its version. */
export interface DataPlaneCalls {
  call(call: ApiCall, signal: AbortSignal): Promise<ApiAnswer>
  read<T>(path: ApiPath, shape: Shape<T>, signal: AbortSignal): Promise<T>
  readConfigured<T>(path: ApiPath, shape: Shape<T>, signal: AbortSignal): Promise<T>
  refusal(call: ApiCall, answer: ApiAnswer): ClusterError
  /** Of what a POST was answered. */
  notUnderstood(path: ApiPath): ClusterError
}

/** Longer after each of the conflicts, so that two writers do not meet again. */
const conflictPauseMs = 20
/** That this version of the configuration is not the last one any more. */
const conflicts: readonly number[] = [406, 409]

/** Nothing is changed, and nothing reloaded, when `work` writes nothing or fails. */
export const changeConfiguration = async <T>(
  api: DataPlaneCalls,
  work: (configuration: ChangedConfiguration) => Promise<T>,
  signal: AbortSignal,
): Promise<T> => {
  for (let attempt = 0; ; attempt++) {
    const version = await api.read(commonPaths.version, answerShapes.version, signal)
    const begin: ApiCall = { method: 'POST', ...commonPaths.transactions, query: { version: String(version) } }
    const begun = await api.call(begin, signal)
    const refused = isDone(begun) ? await carriedOut(api, begun, work, signal) : { call: begin, answer: begun }
    if (!('answer' in refused)) return refused.value
    const { answer, call } = refused
    const isConflict = conflicts.includes(answer.status) && version !== (await api.read(commonPaths.version, answerShapes.version, signal))
    if (!isConflict || attempt >= limits.balancerConflictsMax) throw api.refusal(call, answer)
    await pause((attempt + 1) * conflictPauseMs, undefined, { signal }).catch(() => undefined)
  }
}

type Outcome<T> = { readonly value: T } | { readonly call: ApiCall; readonly answer: ApiAnswer }

const carriedOut = async <T>(
  api: DataPlaneCalls,
  begun: ApiAnswer,
  work: (configuration: ChangedConfiguration) => Promise<T>,
  signal: AbortSignal,
): Promise<Outcome<T>> => {
  if (!answerShapes.transaction.Check(begun.body)) throw api.notUnderstood(commonPaths.transactions)
  const path = transactionPath(begun.body.id)
  const within = ({ path: below, query }: ApiPath): ApiPath => ({ path: below, query: { ...query, transaction_id: path.id } })
  let writes = 0
  let isOver = false
  try {
    const value = await work({
      read: (below, shape) => api.readConfigured(within(below), shape, signal),
      write: async ({ body, method, ...below }, alsoDone = []) => {
        const call: ApiCall = { method, ...within(below), body }
        const answer = await api.call(call, signal)
        if (isDone(answer)) writes += 1
        else if (!alsoDone.includes(answer.status)) throw api.refusal(call, answer)
      },
    })
    if (writes === 0) return { value }
    const call: ApiCall = { method: 'PUT', path: path.path, query: { force_reload: 'true' } }
    const answer = await api.call(call, signal)
    isOver = isDone(answer)
    return isOver ? { value } : { call, answer }
  } finally {
    // Few may be open at the same time. What is given up is taken back behind the caller's back.
    const takingBack = isOver ? undefined : api.call({ method: 'DELETE', path: path.path }, AbortSignal.timeout(limits.balancerCallMsMax))
    const takenBack = takingBack?.catch(() => undefined)
    if (!signal.aborted) await takenBack
  }
}
