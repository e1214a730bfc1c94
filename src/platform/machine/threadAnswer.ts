/** How a disk thread answers: with what was asked for, or with a ClusterError in a form that crosses threads. */
import { ClusterError, isErrorCode } from '../../base/errors.js'

/** A ClusterError as it crosses threads, which know only plain errors. No answer of a port has a field of this name. */
export interface ThreadRefusal {
  readonly threadRefusal: { readonly code: string; readonly message: string }
}

export const refusalOf = ({ code, message }: ClusterError): ThreadRefusal => ({ threadRefusal: { code, message } })

/** The error that a thread refused with. */
export const refusalIn = ({ threadRefusal: { code, message } }: ThreadRefusal): ClusterError =>
  new ClusterError(isErrorCode(code) ? code : 'internal', { message })

export const isRefusal = (answer: unknown): answer is ThreadRefusal =>
  typeof answer === 'object' && answer !== null && 'threadRefusal' in answer

export const answering = <T>(answer: () => T): T | ThreadRefusal => {
  try {
    return answer()
  } catch (thrown) {
    if (thrown instanceof ClusterError) return refusalOf(thrown)
    throw thrown
  }
}

/** An operation of a port, to be run in a thread. */
export interface ThreadCall<Operation extends string = string> {
  readonly name: Operation
  /** As the operation takes them. */
  readonly given: readonly unknown[]
}

/** The task of a thread that runs any of these operations. */
export const calling =
  <K extends string>(operations: Readonly<Record<K, (...given: never) => unknown>>) =>
  ({ given, name }: ThreadCall<K>): unknown =>
    answering(() => (operations[name] as (...given: readonly unknown[]) => unknown)(...given))
