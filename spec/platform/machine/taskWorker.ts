/** A program of an OwnThread, for its spec. */
import { workerData } from 'node:worker_threads'
import { MovedAnswer, runTasks } from '../../../src/platform/machine/threadTasks.js'

export interface TrialTasks {
  note: { readonly task: unknown; readonly answer: readonly unknown[] }
  give: { readonly task: Uint8Array; readonly answer: { readonly bytes: Uint8Array } }
  fail: { readonly task: undefined; readonly answer: never }
  unclonable: { readonly task: undefined; readonly answer: never }
  end: { readonly task: undefined; readonly answer: never }
  wait: { readonly task: undefined; readonly answer: never }
}

const done: unknown[] = []

runTasks({
  note: (what: unknown) => {
    done.push(what)
    return done
  },
  fail: () => {
    throw new RangeError(`${workerData.name} fails`)
  },
  give: (bytes: Uint8Array) => new MovedAnswer({ bytes }, [bytes]),
  unclonable: () => () => undefined,
  end: () => process.exit(3),
  wait: () => new Promise(() => undefined),
})
