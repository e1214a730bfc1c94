import { describe, expect, it } from 'vitest'
import { Turns } from '../../../src/actors/kit/turns.js'
import { filesAnswer } from '../../../src/actors/queries/filesAnswer.js'
import { limits } from '../../../src/base/limits.js'
import { WorkerState } from '../../../src/domain/cluster/workerState.js'
import { Manifest } from '../../../src/domain/files/manifest.js'
import { emptyPlan } from '../../../src/domain/files/syncPlan.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'

const files = 40_000
const entryOf = (path: string) => ({ path, digest: '', size: 1, mode: 0o640 })
/** Paths of a lying worker that put everything into one bucket; none is in the tree. */
const pathsOf = (state: WorkerState): string[] => [...state.files.keys()]

const world = () => {
  const manifest = new Manifest()
  for (let file = 0; file < files; file++) manifest.set(entryOf(`etc/lists/${file}`))
  for (let file = 0; file < 3; file++) manifest.set({ ...entryOf(`etc/lists/held-${file}`), held: true })
  const state = new WorkerState()
  state.differsIn(1)
  state.planned({ ...emptyPlan, remove: Array.from({ length: files }, (_, file) => `etc/rules/${files - file}`) }, 1)
  const waiting: (() => void)[] = []
  const timers = { setTimeout: (fire: () => void) => waiting.push(fire), clearTimeout: () => undefined }
  const abort = new AbortController()
  const lines: AnswerLine[] = []
  const read = async (): Promise<void> => {
    for await (const line of filesAnswer({ node: 'w1', state, manifest, all: true }, new Turns(timers, abort.signal))) lines.push(line)
  }
  /** Gives the answer its next turn. False when it waits for none. */
  const turn = async (): Promise<boolean> => {
    waiting.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
    return waiting.length > 0
  }
  return { abort, lines, manifest, read, state, turn }
}

describe('the files of a worker', () => {
  it('are listed in order, each once, with no more work between two turns than a turn may cost', async () => {
    const { lines, manifest, read, state, turn } = world()
    const reading = read()
    let most = 0
    for (let [before, goesOn] = [0, true]; goesOn; before = lines.length) {
      goesOn = await turn()
      most = Math.max(most, lines.length - before)
    }
    await reading
    expect(most).toBeLessThanOrEqual(limits.stepsPerTurnMax + 1)
    const [first, ...rows] = lines
    expect(first).toMatchObject({ kind: 'filesOf', summary: { files: files + 3, pending: files, failed: 3, inSync: false } })
    const wanted = [...[...manifest.entries()].map(({ path }) => path), ...pathsOf(state)].sort()
    expect(rows.map((line) => (line.kind === 'file' ? line.row.file : ''))).toEqual(wanted)
    const states = rows.map((line) => (line.kind === 'file' ? line.row.state : ''))
    expect(states.filter((state) => state === 'failed')).toHaveLength(3)
    expect(states.filter((state) => state === 'synced')).toHaveLength(files)
  })

  it('are listed as they were when asked for, even when a new plan begins meanwhile', async () => {
    const { lines, read, state, turn } = world()
    const reading = read()
    await turn()
    state.checkedSame(0, new Uint8Array(32))
    while (await turn());
    await reading
    expect(lines.filter((line) => line.kind === 'file' && line.row.state === 'pending')).toHaveLength(files)
  })

  it('are listed no further once the question is cancelled', async () => {
    const { abort, lines, read, turn } = world()
    const reading = read().catch((thrown: { code?: string }) => thrown.code)
    for (let turns = 0; turns < 30; turns++) await turn()
    const before = lines.length
    abort.abort()
    expect(await reading).toBe('aborted')
    expect([before > 0 && before < 2 * files, lines.length]).toEqual([true, before])
  })
})
