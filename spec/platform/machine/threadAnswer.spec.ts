/** Errors on their way out of a thread, kept apart from answers. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { answering, isRefusal, refusalIn } from '../../../src/platform/machine/threadAnswer.js'

describe('what a thread answers', () => {
  it('is a refusal only when an error was thrown, whatever fields an answer has', () => {
    for (const answer of [undefined, null, 3, { refused: 2 }, { refused: [] }, { refused: { code: 'tooLarge', message: 'count' } }])
      expect(isRefusal(answering(() => answer))).toBe(false)
  })

  it('keeps the code and the sentence of an error', () => {
    const refusal = structuredClone(
      answering(() => {
        throw new ClusterError('diskFull', { message: 'No room' })
      }),
    )
    expect(isRefusal(refusal) && refusalIn(refusal)).toMatchObject({ code: 'diskFull', message: 'No room' })
  })

  it('is no refusal for an error that nobody expected: the thread fails', () => {
    const mistake = (): never => {
      throw new TypeError('no such thing')
    }
    expect(() => answering(mistake)).toThrow(TypeError)
  })
})
