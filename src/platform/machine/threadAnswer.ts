/** How a disk thread answers: with what was asked for, or with a ClusterError in a form that crosses threads. */
import { ClusterError, isErrorCode } from '../../base/errors.js'

/** A ClusterError as it crosses threads, which know only plain errors. */
export interface ThreadRefusal {
  readonly refused: { readonly code: string; readonly message: string }
}

export const answering = <T>(answer: () => T): T | ThreadRefusal => {
  try {
    return answer()
  } catch (thrown) {
    if (thrown instanceof ClusterError) return { refused: { code: thrown.code, message: thrown.message } }
    throw thrown
  }
}

/** The error that a thread refused with. */
export const refusalIn = ({ refused: { code, message } }: ThreadRefusal): ClusterError =>
  new ClusterError(isErrorCode(code) ? code : 'internal', { message })

export const isRefusal = (answer: unknown): answer is ThreadRefusal =>
  typeof answer === 'object' && answer !== null && 'refused' in answer && typeof answer.refused === 'object'

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
