/** The thread's side of a front (see frontThread): serves the node's calls, and writes what was taken before an error ends the thread. */
import { parentPort } from 'node:worker_threads'
import { invariant } from '../base/invariant.js'
import { type Calls, exchangeCalls, type Methods } from './threadCalls.js'

export interface FrontProgram<Own> {
  /** What the node may call. */
  readonly calls: Own
  /** The last act of a thread that an uncaught error ends. */
  readonly lastAct?: () => void
}

/** `Desk`: what the thread may call of its node. */
export const runFront = <Desk extends Methods<Desk>, Own extends Methods<Own>>(program: (desk: Calls<Desk>) => FrontProgram<Own>): void => {
  const port = parentPort
  invariant(port !== null, 'a front runs in a thread')
  const desk = exchangeCalls<Desk>(port)
  const { calls, lastAct } = program(desk)
  desk.serve(calls)
  process.on('uncaughtException', (thrown) => {
    // The error ends this thread alone, and the node's side gets it.
    process.removeAllListeners('uncaughtException')
    try {
      lastAct?.()
    } catch {
      // The first error is the one to be known.
    }
    throw thrown
  })
}
