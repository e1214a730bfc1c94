/** The thread's side of an OwnThread: runs each task that comes, by its name, and answers it. */
import { parentPort } from 'node:worker_threads'
import { invariant } from '../../base/invariant.js'

/** A task on its way to a thread. */
export interface NamedTask {
  readonly name: string
  readonly task: unknown
}

/** What came of it, on its way back. */
export type TaskOutcome = { readonly answer: unknown } | { readonly thrown: unknown }

/** An answer whose bytes are moved to the other thread, not copied. */
export class MovedAnswer {
  readonly answer: unknown
  readonly bytes: readonly Uint8Array[]

  constructor(answer: unknown, bytes: readonly Uint8Array[]) {
    this.answer = answer
    this.bytes = bytes
  }
}

/** `tasks`: by their names; one may answer with a MovedAnswer. */
export const runTasks = (tasks: Readonly<Record<string, (task: never) => unknown>>): void => {
  const port = parentPort
  invariant(port !== null, 'tasks run in a thread')
  const run = async ({ name, task }: NamedTask): Promise<void> => {
    try {
      const answer = await (tasks[name] as (task: unknown) => unknown)(task)
      const moved = answer instanceof MovedAnswer ? answer : new MovedAnswer(answer, [])
      const buffers = moved.bytes.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? buffer : []))
      port.postMessage({ answer: moved.answer } satisfies TaskOutcome, buffers)
    } catch (thrown) {
      port.postMessage({ thrown } satisfies TaskOutcome)
    }
  }
  port.on('message', (task: NamedTask) => void run(task))
}
