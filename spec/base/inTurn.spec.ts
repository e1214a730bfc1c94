import fc from 'fast-check'
import { expect, it } from 'vitest'
import { InTurn } from '../../src/base/inTurn.js'

it('pieces of work start in the order given, one at a time, and fail for their own callers alone', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 20 }), fc.scheduler(), async (failing, scheduler) => {
      const turns = new InTurn()
      const started: number[] = []
      let running = 0
      const work = async (index: number): Promise<number> => {
        started.push(index)
        running += 1
        expect(running).toBe(1)
        await scheduler.schedule(Promise.resolve(), `${index}`)
        running -= 1
        if (failing[index]) throw new Error(`${index}`)
        return index
      }
      const all = Promise.allSettled(failing.map((_, index) => turns.run(() => work(index))))
      const outcomes = await scheduler.waitFor(all)
      expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(failing)
      expect(started).toEqual(failing.map((_, index) => index))
    }),
  ))
