/** Threads of our own: the order of tasks, what they answer and fail with, and every way in which a thread ends. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { OwnThread } from '../../../src/platform/machine/ownThread.js'
import { type CompiledWorker, compileProgram } from '../../support/compiledDiskWorker.js'
import type { TrialTasks } from './taskWorker.js'

let compiled: CompiledWorker
beforeAll(() => {
  compiled = compileProgram('spec/platform/machine/taskWorker', [
    ...['src/base/invariant.ts', 'src/platform/machine/threadTasks.ts', 'spec/platform/machine/taskWorker.ts'],
  ])
})
afterAll(() => compiled.dispose())

const threads: OwnThread<TrialTasks>[] = []
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.close()
})

const start = (): OwnThread<TrialTasks> => {
  const thread = new OwnThread<TrialTasks>({
    ...{ workerFile: compiled.workerFile, workerData: { name: 'The trial' } },
    ...{ closed: 'The trial is closed', died: 'threadCrashed', failed: () => 'fileFailed' },
  })
  threads.push(thread)
  return thread
}

const errorOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('a thread of our own', () => {
  it('runs tasks in the order in which they were given, and keeps its state between them', async () => {
    const thread = start()
    const answers = await Promise.all([1, 2, 3].map((what) => thread.run('note', what)))
    expect(answers).toEqual([[1], [1, 2], [1, 2, 3]])
  })

  it('moves bytes both ways', async () => {
    const bytes = Uint8Array.of(1, 2, 3)
    const { bytes: back } = await start().run('give', bytes, [bytes.buffer])
    expect(bytes.byteLength).toBe(0)
    expect(back).toEqual(Uint8Array.of(1, 2, 3))
  })

  it.each(['fail', 'unclonable'] as const)('answers a task that cannot be answered (%s) with an error, and goes on', async (name) => {
    const thread = start()
    await expect(thread.run(name, undefined)).rejects.toMatchObject({ code: 'fileFailed' })
    await expect(thread.run('note', 'after')).resolves.toEqual(['after'])
  })

  it('fails what waits and what comes when it has ended by itself', async () => {
    const thread = start()
    const given = [thread.run('end', undefined), thread.run('note', 'behind')]
    for (const one of await Promise.allSettled(given)) expect(one).toMatchObject({ reason: { code: 'threadCrashed' } })
    await expect(thread.run('note', 'later')).rejects.toMatchObject({ code: 'threadCrashed' })
  })

  it('ends in the middle of a task, and while it loads', async () => {
    const [busy, young] = [start(), start()]
    await busy.run('note', 'loaded')
    const given = errorOf(busy.run('wait', undefined))
    await Promise.all([busy.close(), young.close()])
    for (const error of [await given, await errorOf(busy.run('note', 'later')), await errorOf(young.run('note', 'later'))])
      expect(error).toMatchObject({ code: 'aborted', message: 'The trial is closed' })
  })

  it('does a last task before it ends, but waits no longer than that', async () => {
    const [idle, busy] = [start(), start()]
    await idle.closeAfter('note', 'last', 60_000)
    const given = errorOf(busy.run('wait', undefined))
    await busy.closeAfter('note', 'last', 10)
    expect(await given).toMatchObject({ code: 'aborted' })
  })
})
