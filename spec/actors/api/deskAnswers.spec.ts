/** Answers that are read page by page: complete, bounded in their number, and gone when nobody reads on. */
import { describe, expect, it } from 'vitest'
import { DeskAnswers } from '../../../src/actors/api/deskAnswers.js'
import { limits } from '../../../src/base/limits.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

const line = (at: number): AnswerLine => ({ kind: 'file', row: { node: 'w', file: String(at), state: 'synced' } })

const world = (lines: number) => {
  const clock = new VirtualClock()
  const ended: string[] = []
  const answers = new DeskAnswers(async function* (_, signal) {
    signal.addEventListener('abort', () => ended.push('aborted'))
    try {
      for (let at = 0; at < lines; at++) yield line(at)
    } finally {
      ended.push('over')
    }
  }, clock)
  return { clock, answers, ended }
}

describe('answers of the desk', () => {
  it('come whole and in order, in pages of a bounded size, and then are over', async () => {
    const { answers, clock } = world(1_000)
    const number = await answers.ask({ kind: 'nodes' })
    const files: AnswerLine[] = []
    for (let page = await answers.next(number); page; page = await answers.next(number)) {
      expect(page.length).toBeLessThanOrEqual(limits.apiAnswerLinesMax)
      files.push(...page)
    }
    expect(files).toEqual(Array.from({ length: 1_000 }, (_, at) => line(at)))
    expect([answers.size, clock.pending]).toEqual([0, 0])
    await expect(answers.next(number)).rejects.toMatchObject({ code: 'aborted' })
  })

  it('that nobody reads on are dropped, and their work ends', async () => {
    const { answers, clock, ended } = world(1_000)
    const number = await answers.ask({ kind: 'nodes' })
    await answers.next(number)
    await clock.advance(limits.apiAnswerIdleMs - 1)
    expect(answers.size).toBe(1)
    await clock.advance(1)
    expect([answers.size, ended.toSorted()]).toEqual([0, ['aborted', 'over']])
    await expect(answers.next(number)).rejects.toMatchObject({ code: 'aborted' })
  })

  it('are no more than may run at the same time', async () => {
    const { answers } = world(1)
    const numbers = await Promise.all(Array.from({ length: limits.apiAnswersMax }, () => answers.ask({ kind: 'nodes' })))
    await expect(answers.ask({ kind: 'nodes' })).rejects.toMatchObject({ code: 'overloaded' })
    answers.cancel(numbers[0] ?? 0)
    await expect(answers.ask({ kind: 'nodes' })).resolves.toBeGreaterThan(0)
    answers.close()
    expect(answers.size).toBe(0)
  })
})
