/** Front threads with a trial program: calls in both directions, errors that cross, and every way in which a thread ends. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterError } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import { type FrontThread, startFrontThread } from '../../src/fronts/frontThread.js'
import { type CompiledWorker, compileProgram } from '../support/compiledDiskWorker.js'
import type { TrialCalls, TrialDesk, TrialOptions } from './trialWorker.js'

let compiled: CompiledWorker
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'muster-front-'))
  compiled = compileProgram('spec/fronts/trialWorker', [
    ...['src/base', 'src/fronts/runFront.ts', 'src/fronts/threadCalls.ts', 'src/platform/machine/threadAnswer.ts'],
    'spec/fronts/trialWorker.ts',
  ])
})
afterAll(() => {
  compiled.dispose()
  rmSync(directory, { recursive: true })
})

let marks = 0
const start = async (options: Partial<TrialOptions> = {}): Promise<{ front: FrontThread<TrialCalls>; mark: string }> => {
  const mark = join(directory, `mark-${marks++}`)
  const desk: TrialDesk = {
    add: async (a, b) => {
      if (a < 0) throw new ClusterError('unknownAgent', { message: 'No agent is below zero' })
      return a + b
    },
  }
  const front = await startFrontThread<TrialCalls, TrialDesk>({
    ...{ name: 'The trial', workerFile: compiled.workerFile, desk, heapMbMax: 32 },
    options: { port: 7, mark, ...options },
  })
  return { front, mark }
}

describe('a front thread', () => {
  it('carries calls both ways, and errors with their code and sentence', async () => {
    const { front } = await start()
    expect(front.port).toBe(7)
    await expect(front.call('added', 2, 3)).resolves.toBe(5)
    await expect(front.call('added', -1, 3)).rejects.toMatchObject({ code: 'unknownAgent', message: 'No agent is below zero' })
    await expect(front.call('refuse')).rejects.toMatchObject({ code: 'diskFull', message: 'No room for the trial' })
    await front.stop()
    await expect(front.call('added', 2, 3)).rejects.toMatchObject({ code: 'aborted' })
  })

  it('fails to start with what the front refused, and leaves no thread', async () => {
    await expect(start({ port: 0 })).rejects.toMatchObject({ code: 'listenFailed', message: 'Cannot listen on port 0' })
  })

  it('reports a bug of the thread, after its last act, and fails the calls that wait', async () => {
    const { front, mark } = await start()
    const waiting = front.call('wait').catch((error: unknown) => error)
    await front.call('crash')
    const death = await front.died
    expect(death).toMatchObject({ code: 'threadCrashed' })
    expect(death.message).toContain('a bug in the trial')
    expect(await waiting).toBe(death)
    expect(readFileSync(mark, 'utf8')).toBe('written')
    await front.stop()
  })

  it('survives a thread that runs out of memory', async () => {
    const { front } = await start()
    await expect(front.call('hoard')).rejects.toMatchObject({
      code: 'threadCrashed',
      message: 'The trial needed more memory than it may have',
    })
    await front.stop()
  })

  it('ends a thread that does not stop by itself, without its last act', async () => {
    const { front, mark } = await start({ hangsAtStop: true })
    const beganMs = performance.now()
    await front.stop()
    expect(performance.now() - beganMs).toBeLessThan(limits.frontStopMsMax + 3_000)
    expect(existsSync(mark)).toBe(false)
  })

  it('refuses calls beyond the number that may wait', async () => {
    const { front } = await start()
    const waiting = Array.from({ length: limits.frontCallsMax }, () => front.call('wait').catch((error: unknown) => error))
    await expect(front.call('added', 1, 1)).rejects.toMatchObject({ code: 'overloaded' })
    await front.stop()
    for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ code: 'aborted' })
  })
})
