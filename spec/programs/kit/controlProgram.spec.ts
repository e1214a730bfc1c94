import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { confirmed } from '../../../src/programs/kit/controlProgram.js'

const answered = (...parts: readonly string[]): Promise<boolean> => confirmed(Readable.from(parts))

const yes = fc.constantFrom('y', 'Y', 'yes', 'Yes', 'YES', 'yEs')
const blanks = fc.stringMatching(/^[ \t]{0,3}$/)

describe('an answer to a question', () => {
  it('is a yes as y or yes, in capitals too, with blanks around it, whatever comes after its line', () =>
    fc.assert(
      fc.asyncProperty(blanks, yes, blanks, fc.string(), async (before, word, after, rest) => {
        expect(await answered(`${before}${word}${after}\n`, rest)).toBe(true)
      }),
    ))

  it('is a no as anything else, and as nothing', () =>
    fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        const isYes = /^\s*y(es)?\s*$/i.test(text.split('\n', 1)[0] ?? '')
        expect(await answered(text, '\n')).toBe(isYes)
        expect(await answered(`no ${text}`)).toBe(false)
        expect(await answered()).toBe(false)
      }),
    ))
})
